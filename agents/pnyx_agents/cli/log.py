"""``pnyx log``"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from pnyx_agents.cli.arguments import ADDRESS, BLOCK
from pnyx_agents.cli.options import json_option, period_of, print_json, since_option, until_option

if TYPE_CHECKING:
    from pnyx_contracts.entry import Entry


@click.command("log")
@click.option("--rpc", required=True, help="JSON-RPC endpoint of the chain.")
@click.option("--log", "address", type=ADDRESS, required=True, help="The decision log.")
@click.option("--writer", type=ADDRESS, help="Only this writer's entries.")
@click.option("--from-block", type=BLOCK, default=0, show_default=True, help="Where to start reading.")
@since_option
@until_option
@json_option
def command(
    rpc: str, address: str, writer: str | None, from_block: int, since: str | None, until: str | None, as_json: bool
) -> None:
    """The entries of a decision log, as the chain has them. `pnyx verify` checks them."""
    from pnyx_agents.console import Console
    from pnyx_contracts.artifacts import artifact
    from pnyx_contracts.decision_log import ENTRY_TOPIC, decode_entry
    from pnyx_contracts.errors import UsageError
    from pnyx_tools.rpc import Rpc

    reader, period = Rpc(rpc), period_of(since, until)
    if artifact("DecisionLog").immutables_of(reader.code(address)) is None:
        raise UsageError(
            f"there is no decision log at {address} on chain {reader.chain_id()}",
            hint="check the log's address, and that the RPC endpoint is one of the right chain",
        )
    topics = [ENTRY_TOPIC, bytes.fromhex(writer.removeprefix("0x")).rjust(32, b"\0")] if writer else [ENTRY_TOPIC]
    with Console(stderr=True).status("reading the log"):
        entries = [decode_entry(log) for log in reader.logs(from_block, reader.block().number, topics, [address])]
    entries = [entry for entry in entries if period.holds(entry.block_number, entry.time)]
    if as_json:
        print_json([entry.model_dump(mode="json") for entry in entries])
        return
    for entry in entries:
        _show(entry)
    click.echo(f"{len(entries)} entries. pnyx verify checks them; pnyx show RECORD --evidence WHERE shows one in full.")


def _show(entry: Entry) -> None:
    from pnyx_contracts.entry import EntryKind

    when = datetime.fromtimestamp(entry.time, UTC).strftime("%Y-%m-%d %H:%M:%S")
    click.echo(f"{when} UTC  entry {entry.seq} of {entry.writer}: {entry.kind.name.lower().replace('_', ' ')}")
    if entry.kind is EntryKind.VOTE:
        click.echo(f"    vote         {_support(entry.action)}")
    click.echo(f"    record       0x{entry.record_root.hex()}")
    click.echo(f"    transaction  0x{entry.transaction_hash.hex()}\n")


def _support(action: bytes) -> str:
    """The governor's own number. The log binds its governor by a hash only, so the word stands with its condition."""
    from pnyx_contracts.governors.openzeppelin import SUPPORT

    number = int.from_bytes(action, "big")
    words = {support: vote.value for vote, support in SUPPORT.items()}
    if number not in words:
        return f"support {number}" if number < 256 else f"0x{action.hex()}, which is no support"
    counts = ", ".join(f"{support} is {words[support]}" for support in sorted(words))
    return f"support {number}: {words[number]}, where {counts}"
