"""``pnyx resume``"""

from __future__ import annotations

from pathlib import Path

import click

from pnyx_agents.cli.options import config_option, settings_from


@click.command("resume")
@config_option
def command(config: Path) -> None:
    """Let votes go on that `pnyx pause`, or a reorganisation deeper than finality, held.

    After such a reorganisation the chain is followed anew from well below it.
    """
    from pnyx_agents.cli.cases import open_journal
    from pnyx_tools.endpoints import Pool
    from pnyx_tools.follow import Position, below

    settings = settings_from(config)
    journal = open_journal(settings)
    why = journal.held()
    if why is None:
        click.echo("Nothing is held.")
        return
    kept = journal.position()
    if kept is not None:
        reader = Pool.of(settings.chain.rpc, settings.chain.chain_id)
        anew = below(reader, Position.model_validate_json(kept))
        if anew is not None:
            dropped = journal.rewind(anew.model_dump_json(), above=anew.head.number)
            click.echo(
                f"The chain is followed anew from block {anew.head.number}: {len(dropped)} proposals are checked."
            )
    journal.release()
    click.echo(f"Votes go on. They were held: {why}")
