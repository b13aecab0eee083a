"""``pnyx redteam``"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pnyx_agents.cli.options import json_option, print_json

if TYPE_CHECKING:
    from pnyx_agents.analyst import AnalystPort
    from pnyx_agents.redteam.report import Progress
    from pnyx_tools.testing.gullible_server import GullibleServer


@click.command("redteam")
@click.option(
    "--config", "-c", type=click.Path(path_type=Path), default=None,
    help="Ask the models of this configuration; else a built-in server that every attack wins over.",
)  # fmt: skip
@click.option("--class", "classes", multiple=True, help="Only this class of attacks; can be given several times.")
@click.option("--most", type=click.IntRange(min=1), help="At most so many cases of each class: models cost money.")
@click.option("--markdown", is_flag=True, help="Tables in Markdown, as in docs/evaluation.md.")
@json_option
def command(config: Path | None, classes: tuple[str, ...], most: int | None, markdown: bool, as_json: bool) -> None:
    """Hostile proposals through the whole review, under every shipped ruleset. Needs no key, no chain and no network.

    Exit code 1 when an attack got a vote that the rules would not have given, or hid a finding.
    """
    from pnyx_agents.console import Console
    from pnyx_agents.redteam.report import run
    from pnyx_agents.redteam.suite import shipped_suite
    from pnyx_agents.redteam.words import as_markdown, print_report

    suite = shipped_suite()
    cases = list(suite.cases(classes, most))
    with _readers(config) as (analysts, server), _progress(len(cases)) as tell:
        report = run(suite, cases, analysts, server, tell)
    if as_json:
        print_json(report.model_dump(mode="json") | {"holds_up": report.holds_up})
    elif markdown:
        click.echo(as_markdown(report))
    else:
        print_report(report, Console())
    if not report.holds_up:
        sys.exit(1)


@contextmanager
def _readers(config: Path | None) -> Iterator[tuple[tuple[AnalystPort, ...], GullibleServer | None]]:
    """Raises `UsageError` for a configuration without a model."""
    from pnyx_agents.redteam.report import gullible_analysts
    from pnyx_contracts.errors import UsageError

    if config is None:
        with gullible_analysts() as gullible:
            yield gullible
        return
    from pnyx_agents.assembly import analysts
    from pnyx_agents.cli.options import settings_from

    settings = settings_from(config)
    if not settings.model:
        raise UsageError(f"{config} has no [[model]]", hint="add one (docs/models.md), or leave --config out")
    yield analysts(settings), None


@contextmanager
def _progress(total: int) -> Iterator[Progress]:
    from rich import progress

    from pnyx_agents.console import Console

    columns = (progress.BarColumn(), progress.MofNCompleteColumn(), progress.TimeRemainingColumn())
    name = progress.TextColumn("{task.description}", markup=False)
    with progress.Progress(*columns, name, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda done, name: bar.update(task, completed=done, description=name)
