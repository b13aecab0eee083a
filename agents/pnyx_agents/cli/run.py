"""``pnyx run``"""

from __future__ import annotations

from pathlib import Path

import click

from pnyx_agents.cli.options import config_option, plain_logs_option, settings_from


@click.command("run")
@config_option
@plain_logs_option
@click.option(
    "--since",
    metavar="BLOCK|DATE",
    help="First run: proposals created since then count also when their vote is over: they are recorded as missed.",
)
def command(config: Path, plain_logs: bool, since: str | None) -> None:
    """The daemon: follow, review, decide, record, vote. Stops cleanly on SIGTERM; goes on after a crash."""
    from pnyx_agents.running import run_agent

    run_agent(settings_from(config), json_logs=not plain_logs, since=since)
