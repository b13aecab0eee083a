"""``pnyx doctor``"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pnyx_agents.cli.options import config_option, json_option, print_json, settings_from

MARKS = {"ok": "[green]ok[/]", "warning": "[yellow]warning[/]", "failed": "[red]failed[/]"}


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
        from rich.console import Console
        from rich.markup import escape

        console = Console()
        for result in results:
            console.print(f"{MARKS[result.status]:>8}  {escape(result.name)}: {escape(result.found)}")
            if result.do:
                console.print(f"          try: {escape(result.do)}", style="dim")
    if any(result.status == "failed" for result in results):
        sys.exit(1)
