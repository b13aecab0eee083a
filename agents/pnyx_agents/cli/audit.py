"""``pnyx audit``"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pnyx_agents.cli.arguments import ADDRESS
from pnyx_agents.cli.options import (
    disclosure_option,
    evidence_option,
    factory_option,
    from_block_option,
    json_option,
    log_option,
    opened,
    period_of,
    since_option,
    until_option,
    upto_option,
)

if TYPE_CHECKING:
    from pnyx_policies.audit import Prices


@click.command("audit")
@click.option("--rpc", required=True, help="JSON-RPC endpoint of the chain; best one that keeps old state.")
@log_option
@click.option(
    "--writer", type=ADDRESS, help="This writer only, a gate or an account; default: every writer of the log."
)
@evidence_option
@since_option
@until_option
@click.option("--out", type=click.Path(path_type=Path), help="Folder for report.json, report.html and feeds/.")
@click.option("--page", help="Address of the members' page (http or https); the report and the feeds link to it.")
@click.option("--prices", type=click.Path(path_type=Path), help="TOML file with what each model costs.")
@factory_option
@upto_option
@from_block_option
@disclosure_option
@json_option
def command(
    rpc: str, log: str, writer: str | None, evidence: str | None, since: str | None, until: str | None,
    out: Path | None, page: str | None, prices: Path | None, factory: str | None, upto: int | str,
    from_block: int | None, disclosures: tuple[Path, ...], as_json: bool,
) -> None:  # fmt: skip
    """Report about a period: what each agent decided, why, in what time, at what cost, and what does not hold.

    Checks the whole log as `pnyx verify` does, and has its exit codes. See docs/audit.md.
    """
    from pnyx_agents.audit import Links, publish
    from pnyx_agents.console import Console
    from pnyx_contracts.errors import UsageError
    from pnyx_contracts.types import to_hex
    from pnyx_tools.audit import audit
    from pnyx_tools.rpc import Rpc

    if out is None and not as_json:
        raise UsageError("nobody said where the report goes", hint="--out FOLDER, or --json for standard output")
    period, table, opening = period_of(since, until), _prices(prices), [opened(file) for file in disclosures]
    links = Links.parse(page, log) if page is not None else None
    with tempfile.TemporaryDirectory() as temporary, Console(stderr=True).status("reading the log") as status:
        answer = audit(
            Rpc(rpc), log, writer, evidence, period=period, prices=table, factory=factory, upto=upto,
            from_block=from_block, disclosures=opening, progress=status.update,
        )  # fmt: skip
        done = publish(answer, out or Path(temporary), links)
        if as_json:
            with (done.folder / "report.json").open(encoding="ascii") as report:
                shutil.copyfileobj(report, sys.stdout)
    for root in done.unused_disclosures:
        click.echo(f"note: the disclosure of the record {to_hex(root)} opens nothing in this period", err=True)
    if not as_json:
        click.echo(f"{done.decisions} decisions of {done.writers} agent(s): {done.folder / 'report.html'}")
        click.echo(_in_words(answer.report.counts()))
    sys.exit(answer.report.exit_code)


def _prices(path: Path | None) -> Prices | None:
    from pnyx_contracts.errors import UsageError
    from pnyx_policies.audit import Prices

    if path is None:
        return None
    try:
        return Prices.parse(path.read_text(encoding="utf-8"), str(path))
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not UTF-8 text", hint="docs/audit.md shows a table of prices") from None


def _in_words(counts: dict[str, int]) -> str:
    return "the whole log: " + ", ".join(f"{count} {status}" for status, count in counts.items() if count)
