"""``pnyx log``"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from pnyx_agents.cli.arguments import ADDRESS, BLOCK
from pnyx_agents.cli.options import (
    json_option,
    log_option,
    period_of,
    print_json,
    rpc_option,
    since_option,
    until_option,
)

if TYPE_CHECKING:
    from pnyx_contracts.entry import Entry, Remark

MAX_URI = 200
"""Characters of a stranger's URI that are shown."""


@click.command("log")
@rpc_option
@log_option
@click.option("--writer", type=ADDRESS, help="Only this writer's entries.")
@click.option("--from-block", type=BLOCK, default=0, show_default=True, help="Where to start reading.")
@since_option
@until_option
@json_option
def command(
    rpc: str, log: str, writer: str | None, from_block: int, since: str | None, until: str | None, as_json: bool
) -> None:
    """The entries of a decision log, and what people say about them, as the chain has both.

    `pnyx verify` checks the entries. A remark is worth what its author is.
    """
    from pnyx_agents.console import Console
    from pnyx_contracts.artifacts import artifact
    from pnyx_contracts.decision_log import ENTRY_TOPIC, REMARKED_TOPIC, decode_entry, decode_remark
    from pnyx_contracts.errors import UsageError
    from pnyx_contracts.types import in_json
    from pnyx_policies.audit import Period
    from pnyx_tools.rpc import Rpc

    reader, period = Rpc(rpc), period_of(since, until)
    if artifact("DecisionLog").immutables_of(reader.code(log)) is None:
        raise UsageError(
            f"there is no decision log at {log} on chain {reader.chain_id()}",
            hint="check the log's address, and that the RPC endpoint is one of the right chain",
        )
    about = [bytes.fromhex(writer.removeprefix("0x")).rjust(32, b"\0")] if writer else []
    with Console(stderr=True).status("reading the log"):
        head = reader.block().number
        entries = [decode_entry(found) for found in reader.logs(from_block, head, [ENTRY_TOPIC, *about], [log])]
        topics = [REMARKED_TOPIC, None, *about]
        remarks = [decode_remark(found) for found in reader.logs(from_block, head, topics, [log])]
    if period != Period():
        entries = [entry for entry in entries if period.holds(entry.block_number, entry.time)]
        shown = {(entry.writer, entry.seq) for entry in entries}
        remarks = [remark for remark in remarks if (remark.writer, remark.seq) in shown]
    if as_json:
        said = [remark.model_dump(mode="json") for remark in remarks]
        print_json({"entries": [in_json(entry) for entry in entries], "remarks": said})
        return
    said_about: dict[tuple[str, int], list[Remark]] = {}
    for remark in remarks:
        said_about.setdefault((remark.writer, remark.seq), []).append(remark)
    for entry in entries:
        _show(entry, said_about.pop((entry.writer, entry.seq), []))
    for (of, seq), earlier in said_about.items():
        click.echo(f"entry {seq} of {of}, before block {from_block}")
        _show_remarks(earlier)
    click.echo(f"{len(entries)} entries. pnyx verify checks them; pnyx show RECORD --evidence WHERE shows one in full.")


def _show(entry: Entry, remarks: Sequence[Remark]) -> None:
    from pnyx_contracts.entry import EntryKind

    when = datetime.fromtimestamp(entry.time, UTC).strftime("%Y-%m-%d %H:%M:%S")
    click.echo(f"{when} UTC  entry {entry.seq} of {entry.writer}: {entry.kind.name.lower().replace('_', ' ')}")
    if entry.kind is EntryKind.VOTE:
        click.echo(f"    vote         {_support(entry.action)}")
    if entry.kind is EntryKind.SUCCEEDED:
        click.echo(f"    goes on as   {_other_writer(entry.action)}")
    elif entry.kind is EntryKind.SUCCEEDS:
        click.echo(f"    goes on for  {_other_writer(entry.action)}, last head 0x{entry.record_root[:24].hex()}")
    else:
        click.echo(f"    record       0x{entry.record_root.hex()}")
    click.echo(f"    transaction  0x{entry.transaction_hash.hex()}")
    _show_remarks(remarks)


def _show_remarks(remarks: Sequence[Remark]) -> None:
    """What they say is worth what their authors are; nothing in them writes to the terminal."""
    from pnyx_policies.text import visible

    for remark in remarks:
        where = f", {' '.join(visible(remark.uri).split())[:MAX_URI]}" if remark.uri else ""
        bound = f", hash 0x{remark.hash.hex()}" if any(remark.hash) else ""
        click.echo(f"    remark       {remark.verdict.name.lower()}, says {remark.author}{where}{bound}")
    click.echo()


def _other_writer(action: bytes) -> str:
    from eth_utils.address import to_checksum_address

    return str(to_checksum_address(action[-20:]))


def _support(action: bytes) -> str:
    """The governor's own number. The log binds its governor by a hash only, so the word stands with its condition."""
    from pnyx_contracts.governors.openzeppelin import SUPPORT

    number = int.from_bytes(action, "big")
    words = {support: vote.value for vote, support in SUPPORT.items()}
    if number not in words:
        return f"support {number}" if number < 256 else f"0x{action.hex()}, which is no support"
    counts = ", ".join(f"{support} is {words[support]}" for support in sorted(words))
    return f"support {number}: {words[number]}, where {counts}"
