"""``pnyx notify``"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pnyx_agents.cli.options import config_option, json_option, print_json, settings_from

if TYPE_CHECKING:
    from pnyx_agents.crier import Place
    from pnyx_agents.settings import Settings


@click.command("notify")
@config_option
@click.option("--test", "is_test", is_flag=True, help="Send one test message to every place.")
@json_option
def command(config: Path, is_test: bool, as_json: bool) -> None:
    """Where people are told, what waits to be told there, and why it was not.

    With --test each place gets one message; exit code 1 when one of them did not take it.
    """
    from pnyx_agents.telling import places

    settings = settings_from(config)
    found = places(settings)
    rows = [_tested(settings, place) for place in found] if is_test else _standing(settings, found)
    if as_json:
        print_json(rows)
    else:
        _print_table(rows)
    if is_test and any(row["error"] for row in rows):
        sys.exit(1)


def _tested(settings: Settings, place: Place) -> dict[str, str | int]:
    from pnyx_tools.notify import Message, why_undelivered

    message = Message(key="test", subject=f"a test message of the agent {settings.agent.name}")
    try:
        place.notifier.notify(message)
    except Exception as error:  # noqa: BLE001 - a plugin's business, and what the person wants to know
        return {"place": place.name, "told": "no", "error": why_undelivered(error)}
    return {"place": place.name, "told": "yes", "error": ""}


def _standing(settings: Settings, found: tuple[Place, ...]) -> list[dict[str, str | int]]:
    from pnyx_agents.cli.cases import open_journal
    from pnyx_tools.notify.ledger import Ledger

    ledger = Ledger(open_journal(settings).database)
    counts = ledger.counts()
    rows = [(place.name, ledger.standing(place.name)) for place in found]
    return [
        {"place": name, "waiting": counts.get(name, 0), "failures": each.failures, "error": each.error}
        for name, each in rows
    ]


def _print_table(rows: list[dict[str, str | int]]) -> None:
    from rich.table import Table

    from pnyx_agents.console import Console

    table = Table(*(rows[0] if rows else ("place",)))
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console().print(table)
