"""``pnyx log``"""

from __future__ import annotations

from datetime import UTC, datetime

import click

from pnyx_agents.cli.options import json_option, print_json


@click.command("log")
@click.option("--rpc", required=True, help="JSON-RPC endpoint of the chain.")
@click.option("--log", "address", required=True, help="Address of the decision log.")
@click.option("--writer", help="Only this writer's entries.")
@click.option("--from-block", default=0, show_default=True, help="Where to start reading.")
@json_option
def command(rpc: str, address: str, writer: str | None, from_block: int, as_json: bool) -> None:
    """The entries of a decision log, as the chain has them. `pnyx verify` checks them."""
    from pnyx_contracts.decision_log import ENTRY_TOPIC, decode_entry
    from pnyx_tools.rpc import Rpc

    reader = Rpc(rpc)
    topics = [ENTRY_TOPIC, bytes.fromhex(writer.removeprefix("0x")).rjust(32, b"\0")] if writer else [ENTRY_TOPIC]
    logs = reader.logs(from_block, reader.block().number, topics, [address])
    entries = [decode_entry(log) for log in logs]
    if as_json:
        print_json([entry.model_dump(mode="json") for entry in entries])
        return
    for entry in entries:
        when = datetime.fromtimestamp(entry.time, UTC).strftime("%Y-%m-%d %H:%M:%S")
        click.echo(f"{entry.writer}  {entry.seq:>6}  {entry.kind.name:<20} {when} UTC")
        click.echo(f"    record 0x{entry.record_root.hex()}  transaction 0x{entry.transaction_hash.hex()}")
    click.echo(f"{len(entries)} entries")
