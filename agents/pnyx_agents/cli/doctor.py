"""``pnyx doctor``"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pnyx_agents.cli.options import config_option, json_option, option_for, print_json, settings_from

if TYPE_CHECKING:
    from pnyx_agents.examination import Result
    from pnyx_agents.settings import Settings

STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red"}


@click.command("doctor")
@config_option
@click.option("--signer", "of_signer", is_flag=True, help="Check what `pnyx signer` needs of this file.")
@json_option
def command(config: Path, of_signer: bool, as_json: bool) -> None:
    """Check everything that the configuration names, and say what to do about each failure. Exit code 1 when one
    failed. A file that says whom a signer answers ([signer] users or listen) is checked as the signer's own.
    """
    settings = settings_from(config)
    of_signer = of_signer or (settings.signer is not None and settings.signer.is_apart)
    results = list(_examination(settings, of_signer=of_signer))
    if as_json:
        print_json([result.model_dump(mode="json") for result in results])
    else:
        _show(results, f"pnyx {'signer' if of_signer else 'run'}{option_for(config)}")
    if any(result.status == "failed" for result in results):
        sys.exit(1)


def _examination(settings: Settings, *, of_signer: bool) -> Iterator[Result]:
    if of_signer:
        from pnyx_agents.signer_doctor import SignerDoctor

        return SignerDoctor(settings).examine()
    from pnyx_agents.doctor import Doctor

    return Doctor(settings).examine()


def _show(results: Sequence[Result], following: str) -> None:
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
        click.echo(f"\n{failed} of {len(results)} failed: it will not work like this.")
    elif warnings:
        click.echo(f"\nIt can run. {warnings} of {len(results)} deserve a look.")
    else:
        click.echo(f"\nAll is well. Next: {following}")
