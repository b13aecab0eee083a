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
)

if TYPE_CHECKING:
    from pnyx_agents.settings import Settings
    from pnyx_policies.suspension import Order


@click.command("resume")
@config_option
@click.option("--reason", default="", help="Becomes part of the signed order.")
@keystore_option("An approver's key: lets the signer go on as well.")
@password_option
@click.option("--number", type=int, help="Of the suspension, where the signer cannot be asked. With --keystore.")
@order_to_option
@order_from_option
def command(
    config: Path, reason: str, keystore: Path | None, password_file: Path | None, number: int | None, to: Path | None,
    order_file: Path | None,
) -> None:  # fmt: skip
    """Let votes go on that `pnyx pause`, or a reorganisation deeper than finality, held.

    After such a reorganisation the chain is followed anew from well below it. A suspended signer goes on when as many
    approvers say so as a vote takes.
    """
    from pnyx_agents.cli import order
    from pnyx_contracts.errors import UsageError
    from pnyx_policies.suspension import Action

    if keystore is not None and order_file is not None:
        raise UsageError("--keystore and --from exclude each other: one signs an order, the other has one")
    if (to is not None or number is not None) and keystore is None:
        raise UsageError("--to and --number need --keystore: an order that nobody signed is none")
    settings = settings_from(config)
    given = order.read(order_file, Action.RESUME) if order_file is not None else None
    if keystore is not None:
        given = _signed(settings, reason, keystore, password_file, number)
    if given is None:
        click.echo(_release(settings))
        lines = list(order.what_holds(settings))
    elif to is not None:
        order.write(given, to)
        click.echo(f"The order is in {to}: pnyx resume --from {to}, where the signer can be reached.")
        return
    else:
        # What the signer refuses lets the daemon go on no more than the signer.
        lines = list(order.in_words(order.require_signer(settings).give(given))) or ["The signer signs votes again."]
        click.echo(_release(settings))
    for line in lines:
        click.echo(line)


def _signed(settings: Settings, reason: str, keystore: Path, password_file: Path | None, number: int | None) -> Order:
    """For the suspension in force, or the one that the person names."""
    from pnyx_agents.cli import order
    from pnyx_contracts.errors import RefusedError
    from pnyx_policies.suspension import Action

    if number is None:
        suspension = order.require_signer(settings).standing().suspension
        if suspension is None:
            raise RefusedError("the signer is not suspended", hint="`pnyx resume` alone lets the daemon go on")
        number = int(suspension.number)
    return order.sign(settings, Action.RESUME, number, reason, keystore, password_file)


def _release(settings: Settings) -> str:
    """The daemon's own brake."""
    from pnyx_agents.cli.cases import open_journal
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
    return f"The daemon: votes go on. They were held: {why}"
