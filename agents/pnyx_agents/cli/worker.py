"""``pnyx worker``"""

from __future__ import annotations

from pathlib import Path

import click

from pnyx_agents.cli.options import config_option, plain_logs_option, settings_from


@click.command("worker")
@config_option
@plain_logs_option
def command(config: Path, plain_logs: bool) -> None:
    """Run workflows beside other workers of the same agent, on this machine or another one; never follow the chain.

    At least one `pnyx run` on the same database follows. What a worker leaves that dies is taken over by the others.
    """
    from pnyx_agents.running import run_agent
    from pnyx_contracts.errors import UsageError

    settings = settings_from(config)
    if settings.database is None:
        raise UsageError(
            "workers share a PostgreSQL database, and this configuration names none",
            hint='[database] url = "postgresql://user@host/database"; on SQLite one `pnyx run` does everything',
        )
    run_agent(settings, json_logs=not plain_logs, only_work=True)
