"""``pnyx pause``"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pnyx_agents.cli.options import (
    config_option,
    keystore_option,
    order_from_option,
    order_to_option,
    password_option,
    settings_from,
)

if TYPE_CHECKING:
    from pnyx_agents.settings import Settings


@click.command("pause")
@config_option
@click.option("--reason", default="paused by the operator", show_default=True, help="What status and logs will say.")
@keystore_option("An approver's key: suspends the signer itself.")
@password_option
@order_to_option
@order_from_option
def command(
    config: Path, reason: str, keystore: Path | None, password_file: Path | None, to: Path | None,
    order_file: Path | None,
) -> None:  # fmt: skip
    """Hold all votes and entries at once, until `pnyx resume`. Following, reviews and messages go on.

    What is signed already may still land. The daemon is held in any case; with the key of an approver the signer is as
    well, by itself and whatever the daemon says. For a gate, its guardian can pause votes on chain.
    """
    import time

    from pnyx_agents.cli import order
    from pnyx_contracts.errors import UsageError
    from pnyx_policies.suspension import Action

    if keystore is not None and order_file is not None:
        raise UsageError("--keystore and --from exclude each other: one signs an order, the other has one")
    if to is not None and keystore is None:
        raise UsageError("--to needs --keystore: an order that nobody signed is none")
    settings = settings_from(config)
    code = _hold_daemon(settings, reason) if to is None else 0
    given = order.read(order_file, Action.SUSPEND) if order_file is not None else None
    if keystore is not None:
        given = order.sign(settings, Action.SUSPEND, int(time.time()), reason, keystore, password_file)
    if given is None:
        click.echo("The signer: not suspended by this. An approver does that: pnyx pause --keystore FILE")
    elif to is not None:
        order.write(given, to)
        click.echo(
            f"The order is in {to}: pnyx pause --from {to}, where the signer can be reached. Nothing is held yet."
        )
        return
    else:
        standing = order.require_signer(settings).give(given)
        click.echo("\n".join(["The signer:", *order.in_words(standing)]))
    if settings.log is not None and settings.log.writer is not None:
        click.echo("The chain: the gate's guardian can pause votes there (pauseVotes()).")
    if code:
        sys.exit(code)


def _hold_daemon(settings: Settings, reason: str) -> int:
    """The exit code. Whatever became of the daemon and its database, the signer can still be stopped."""
    from pnyx_agents.cli.cases import open_journal
    from pnyx_contracts.errors import PnyxError

    try:
        open_journal(settings).hold(reason)
    except PnyxError as error:
        click.echo(f"The daemon: NOT held: {error}", err=True)
        return error.exit_code
    click.echo("The daemon: all votes are held, it asks for no signature any more. `pnyx resume` lets it go on.")
    return 0
