"""``pnyx pause``"""

from __future__ import annotations

from pathlib import Path

import click

from pnyx_agents.cli.options import config_option, settings_from


@click.command("pause")
@config_option
@click.option("--reason", default="paused by the operator", show_default=True, help="What status and logs will say.")
def command(config: Path, reason: str) -> None:
    """Hold all votes and entries at once, until `pnyx resume`. Following, reviews and messages go on.

    What is signed already may still land. For a gate, its guardian can suspend votes on chain as well.
    """
    from pnyx_agents.cli.cases import open_journal

    open_journal(settings_from(config)).hold(reason)
    click.echo("All votes are held: the daemon asks for no signature any more. `pnyx resume` lets it go on.")
