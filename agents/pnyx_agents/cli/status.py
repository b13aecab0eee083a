"""``pnyx status``"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from pnyx_agents.cli.options import config_option, json_option, print_json, settings_from


@click.command("status")
@config_option
@json_option
def command(config: Path, as_json: bool) -> None:
    """Where each proposal stands, and what waits for a person."""
    from pnyx_agents.cli.cases import open_journal

    journal = open_journal(settings_from(config))
    cases = journal.cases()
    if as_json:
        print_json([case.model_dump(mode="json") for case in cases])
        return
    from rich.console import Console
    from rich.table import Table

    from pnyx_tools.journal import Stage

    table = Table("id", "title", "stage", "decision", "why", "since (UTC)")
    for case in cases:
        table.add_row(
            case.proposal.rpartition(":")[2][:12], case.title[:50], case.stage.value, case.outcome,
            (case.detail if case.stage is Stage.FAILED else case.reason)[:80],
            datetime.fromtimestamp(case.updated_at, UTC).isoformat(" ", "minutes"),
        )  # fmt: skip
    Console().print(table)
    held = sum(case.stage is Stage.HELD for case in cases)
    if held:
        click.echo(f"{held} proposal(s) wait for a person: pnyx show ID, then pnyx approve ID or pnyx reject ID.")
