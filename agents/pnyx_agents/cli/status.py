"""``pnyx status``"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pnyx_agents.cli.options import config_option, json_option, print_json, settings_from

if TYPE_CHECKING:
    from rich.text import Text

    from pnyx_tools.costs import Spent
    from pnyx_tools.database import Database
    from pnyx_tools.journal import Case

ID_DIGITS = 12
"""So many digits of an id tell proposals apart; `pnyx show`, `approve` and `reject` take them."""


@click.command("status")
@config_option
@json_option
def command(config: Path, as_json: bool) -> None:
    """Where each proposal stands, what waits for a person, and alerts of the last 24 hours about the agent itself."""
    from pnyx_agents.cli.cases import open_journal
    from pnyx_agents.cli.order import what_holds
    from pnyx_policies.text import visible
    from pnyx_tools.costs import CostBook

    settings = settings_from(config)
    journal = open_journal(settings)
    cases, why = journal.cases(), journal.held()
    if why is not None:
        click.echo(f"ALL VOTES ARE HELD: {visible(why)}. `pnyx resume` lets them go on.", err=as_json)
    for line in (*what_holds(settings), *_alerts(journal.database)):
        click.echo(line, err=as_json)
    if settings.model:
        click.echo(_costs(CostBook(journal.database).in_a_day(), settings.costs.currency), err=as_json)
    if as_json:
        print_json([case.model_dump(mode="json") for case in cases])
        return
    if not cases:
        click.echo("No proposal yet. pnyx run follows the governors; pnyx review looks at an older proposal.")
        return
    from rich.table import Column, Table
    from rich.text import Text

    from pnyx_agents.console import Console
    from pnyx_tools.journal import Stage

    table = Table.grid("", "", Column(overflow="fold"), padding=(0, 2))
    for case in cases:
        table.add_row(case.proposal.rpartition(":")[2][:ID_DIGITS], Text(case.stage.value, "bold"), _story(case))
    Console().print(table)
    held = sum(case.stage is Stage.HELD for case in cases)
    if held:
        click.echo(f"\n{held} held, waiting for a person: pnyx show ID, then pnyx approve ID or pnyx reject ID")


def _costs(spent: Spent, currency: str) -> str:
    from pnyx_policies.prices import spelled

    unknown = f", and what {spent.unpriced} requests without a price cost" if spent.unpriced else ""
    return f"Models in the last 24 hours: {spent.tokens} tokens, {spelled(spent.money)} {currency}{unknown}"


def _alerts(database: Database) -> Iterator[str]:
    """What the agent lives on and people were told of: whether it is over, `pnyx doctor` says."""
    from pnyx_contracts.types import DAY_SECONDS
    from pnyx_policies.text import visible
    from pnyx_tools.notify.ledger import Ledger

    for told in Ledger(database).alerts_about_the_agent(time.time() - DAY_SECONDS):
        detail = f": {told.message.detail}" if told.message.detail else ""
        yield f"Alert, {_when(told.since)}: {visible(f'{told.message.subject}{detail}')}"


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(" ", "minutes").removesuffix("+00:00") + " UTC"


def _story(case: Case) -> Text:
    """What a proposal is called, what was decided, why. The title is a stranger's: plain text, never markup."""
    from rich.text import Text

    from pnyx_policies.text import visible

    why = ": ".join(part for part in (case.detail or case.outcome, case.reason) if part)
    return Text("\n").join(
        [Text(visible(case.title)), *([Text(visible(why))] if why else []), Text(_when(case.updated_at), "dim")]
    )
