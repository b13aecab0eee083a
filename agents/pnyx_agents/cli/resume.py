"""``pnyx resume``"""

from __future__ import annotations

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


@click.command("resume")
@config_option
@click.option("--reason", default="", help="Becomes part of the signed order.")
@keystore_option("An approver's key: lets the signer go on as well.")
@password_option
@click.option(
    "--number",
    type=click.IntRange(min=0, max=2**64),
    help="Of the suspension, where the signer cannot be asked. With --keystore or --typed-data.",
)
@order_to_option
@order_from_option
@typed_data_option
@signature_option
def command(
    config: Path, reason: str, keystore: Path | None, password_file: Path | None, number: int | None, to: Path | None,
    order_file: Path | None, typed_data: Path | None, signature: str | None,
) -> None:  # fmt: skip
    """Let votes go on that `pnyx pause`, or a reorganisation deeper than finality, held.

    After such a reorganisation the chain is followed anew from well below it. A suspended signer goes on when as many
    approvers say so as a vote takes.
    """
    from pnyx_agents.cli.order import Origin, in_words, require_signer, what_holds
    from pnyx_contracts.errors import UsageError
    from pnyx_policies.suspension import Action

    origin = Origin(keystore, password_file, order_file, to, typed_data, signature)
    origin.require_one()
    if number is not None and not origin.makes_one:
        raise UsageError("--to and --number need --keystore, or --typed-data: an order that nobody signs is none")
    settings = settings_from(config)
    if origin.makes_one and number is None:
        number = _number_in_force(settings)
    given = origin.order(settings, Action.RESUME, number or 0, reason)
    if given is None:
        click.echo(_release(settings))
        lines = list(what_holds(settings))
    elif not origin.is_handed_over:
        click.echo(origin.write(given))
        return
    else:
        # What the signer refuses lets the daemon go on no more than the signer.
        lines = list(in_words(require_signer(settings).give(given))) or ["The signer signs votes again."]
        click.echo(_release(settings))
    for line in lines:
        click.echo(line)


def _number_in_force(settings: Settings) -> int:
    """Of the suspension that the signer has. Raises `RefusedError` when there is none."""
    from pnyx_agents.cli.order import require_signer
    from pnyx_contracts.errors import RefusedError

    suspension = require_signer(settings).standing().suspension
    if suspension is None:
        raise RefusedError("the signer is not suspended", hint="`pnyx resume` alone lets the daemon go on")
    return int(suspension.number)


def _release(settings: Settings) -> str:
    """The daemon's own brake."""
    from pnyx_agents.cli.cases import open_journal
    from pnyx_policies.text import visible
    from pnyx_tools.endpoints import Pool
    from pnyx_tools.follow import Position, below

    journal = open_journal(settings)
    why = journal.held()
    if why is None:
        return "The daemon: nothing is held."
    kept = journal.position()
    if kept is not None:
        reader = Pool.of(settings.chain.rpc, settings.chain.chain_id)
        anew = below(reader, Position.model_validate_json(kept))
        if anew is not None:
            dropped = journal.rewind(anew.model_dump_json(), above=anew.head.number, since=kept)
            click.echo(
                f"The chain is followed anew from block {anew.head.number}: {len(dropped)} proposals are checked."
            )
    journal.release(why)
    return f"The daemon: votes go on. They were held: {visible(why)}"
