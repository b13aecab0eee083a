"""``pnyx doctor``"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pnyx_agents.cli.options import config_option, json_option, option_for, print_json, settings_from

if TYPE_CHECKING:
    from pnyx_agents.doctor import Result

STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red"}


@click.command("doctor")
@config_option
@json_option
def command(config: Path, as_json: bool) -> None:
    """Check everything that the configuration names, and say what to do about each failure. Exit code 1 when one
    failed.
    """
    from pnyx_agents.doctor import Doctor

    results = list(Doctor(settings_from(config)).examine())
    if as_json:
        print_json([result.model_dump(mode="json") for result in results])
    else:
        _show(results, config)
    if any(result.status == "failed" for result in results):
        sys.exit(1)


def _show(results: Sequence[Result], config: Path) -> None:
    from rich.table import Column, Table
    from rich.text import Text

    from pnyx_agents.console import Console

    table = Table.grid("", Column(overflow="fold"), padding=(0, 2))  # a path or URL is of no use in part
    for result in results:
        table.add_row(Text(result.status, STYLES[result.status]), Text(f"{result.name}: {result.found}"))
        if result.do:
            table.add_row("", Text(f"to do: {result.do}", "dim"))
    Console().print(table)
    failed, warnings = (sum(r.status == status for r in results) for status in ("failed", "warning"))
    if failed:
        click.echo(f"\n{failed} of {len(results)} failed: the agent will not work like this.")
    elif warnings:
        click.echo(f"\nThe agent can run. {warnings} of {len(results)} deserve a look.")
    else:
        click.echo(f"\nAll is well. Next: pnyx run{option_for(config)}")
