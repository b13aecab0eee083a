"""``pnyx audit``"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pnyx_agents.cli.arguments import ADDRESS, BLOCK, BLOCK_TAG
from pnyx_agents.cli.options import disclosure_option, json_option, opened, period_of, since_option, until_option

if TYPE_CHECKING:
    from pnyx_policies.audit import Prices


@click.command("audit")
@click.option("--rpc", required=True, help="JSON-RPC endpoint of the chain; best one that keeps old state.")
@click.option("--log", "address", type=ADDRESS, required=True, help="The decision log.")
@click.option(
    "--writer", type=ADDRESS, help="This writer only, a gate or an account; default: every writer of the log."
)
@click.option("--evidence", help="Folder or URL of the bundles; default: where each writer says on chain.")
@since_option
@until_option
@click.option("--out", type=click.Path(path_type=Path), help="Folder for report.json, report.html and feeds/.")
@click.option("--page", help="Address of the members' page (http or https); the report and the feeds link to it.")
@click.option("--prices", type=click.Path(path_type=Path), help="TOML file with what each model costs.")
@click.option("--factory", type=ADDRESS, help="The one gate factory to accept; default: any with our code.")
@click.option(
    "--upto", type=BLOCK_TAG, default="finalized", show_default=True, help="Check up to this block: a tag or a number."
)
@click.option("--from-block", type=BLOCK, help="Where the log's events begin; found out when left out.")
@disclosure_option
@json_option
def command(
    rpc: str, address: str, writer: str | None, evidence: str | None, since: str | None, until: str | None,
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
    links = Links.parse(page, address) if page is not None else None
    with tempfile.TemporaryDirectory() as temporary, Console(stderr=True).status("reading the log") as status:
        answer = audit(
            Rpc(rpc), address, writer, evidence, period=period, prices=table, factory=factory, upto=upto,
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
