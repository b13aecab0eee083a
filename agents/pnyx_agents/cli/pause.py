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
    signature_option,
    typed_data_option,
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
@typed_data_option
@signature_option
def command(
    config: Path, reason: str, keystore: Path | None, password_file: Path | None, to: Path | None,
    order_file: Path | None, typed_data: Path | None, signature: str | None,
) -> None:  # fmt: skip
    """Hold all votes and entries at once, until `pnyx resume`. Following, reviews and messages go on.

    What is signed already may still land. The daemon is held in any case; with the key of an approver the signer is as
    well, by itself and whatever the daemon says. For a gate, its guardian can pause votes on chain.
    """
    import time

    from pnyx_agents.cli.order import Origin, in_words, require_signer
    from pnyx_policies.suspension import Action

    origin = Origin(keystore, password_file, order_file, to, typed_data, signature)
    origin.require_one()
    settings = settings_from(config)
    code = _hold_daemon(settings, reason) if origin.is_handed_over else 0
    given = origin.order(settings, Action.SUSPEND, int(time.time()), reason)
    if given is None:
        click.echo("The signer: not suspended by this. An approver does that: pnyx pause --keystore FILE")
    elif not origin.is_handed_over:
        click.echo(f"{origin.write(given)}\nNothing is held yet.")
        return
    else:
        standing = require_signer(settings).give(given)
        click.echo("\n".join(["The signer:", *in_words(standing)]))
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
