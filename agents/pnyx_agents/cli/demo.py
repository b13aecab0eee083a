"""``pnyx demo``"""

from __future__ import annotations

import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pnyx_agents.cli.options import json_option, print_json

if TYPE_CHECKING:
    from pnyx_agents.console import Console
    from pnyx_agents.demo.play import Report


@click.command("demo")
@click.option(
    "--proposals", type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Put the proposals of this folder (one JSON file each) through instead of the demo's own.",
)  # fmt: skip
@click.option("--ruleset", default="steward", show_default=True, help="A shipped ruleset or a TOML file.")
@click.option("--keep", is_flag=True, help="Leave the chain and the files there, to look around.")
@json_option
def command(proposals: Path | None, ruleset: str, keep: bool, as_json: bool) -> None:
    """The whole job on a local chain: proposals, a running agent, recorded votes, a stranger's verification.

    Needs anvil; no key, no model, no network. Exit code 1 when anything is not as it should be.
    """
    from pnyx_agents.console import Console
    from pnyx_agents.demo.play import play
    from pnyx_agents.demo.scenario import own_sketches, sketches_from
    from pnyx_agents.demo.stage import set_stage

    console = Console(stderr=True)

    def say(text: str) -> None:
        console.print(f"· {text}", highlight=False, markup=False, soft_wrap=True)

    folder = _folder()
    try:
        real = list(sketches_from(proposals)) if proposals else []
        friends = {address: name for sketch in real for address, name in sketch.friends.items()}
        with set_stage(folder, ruleset, friends, say) as stage:
            report = play(stage, real or list(own_sketches(stage.store)), say)
            if as_json:
                print_json(report.model_dump(mode="json"))
            else:
                _show(report, Console())
            if keep:
                click.echo(_what_to_try(report, folder), err=True)
                sys.stdout.flush()
                signal.sigwait({signal.SIGINT, signal.SIGTERM})
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _folder() -> Path:
    import tempfile

    return Path(tempfile.mkdtemp(prefix="pnyx-demo-"))


def _show(report: Report, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for act in report.acts:
        table.add_row(Text(act.name, "bold"), Text(f"{act.outcome.upper()}  {act.reason}"))
        seen = f"entry: {act.entry}; vote on chain: {act.vote or 'none'}; worst finding: {act.worst_finding or 'none'}"
        table.add_row("", Text(seen, "dim"))
    console.print(table)
    console.print(
        f"\nEvery decision stands in the log {report.log}, written by the gate {report.writer}. A second process, "
        "which knew nothing but the chain and that address, checked each of them against the chain: all of it holds.",
        highlight=False,
    )
    console.print(
        "No language model took part: the outline analyst wrote the analyses, the rules decided. That took "
        f"{report.seconds:.0f} seconds. `pnyx demo --keep` leaves everything there to look around.",
        style="dim", highlight=False,
    )  # fmt: skip


def _what_to_try(report: Report, folder: Path) -> str:
    config = folder / "pnyx.toml"
    return f"""
The chain stays until Ctrl-C, the agent's files in {folder} for good. In another terminal, try:

  pnyx status -c {config}
  pnyx show {report.acts[0].proposal_id[:8]} -c {config}
  pnyx log --rpc {report.rpc} --log {report.log}
  pnyx verify --rpc {report.rpc} --log {report.log} --evidence {report.evidence}
"""
