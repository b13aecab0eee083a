"""``pnyx reject``"""

from __future__ import annotations

from pathlib import Path

import click

from pnyx_agents.cli.options import (
    config_option,
    json_option,
    keystore_option,
    password_option,
    print_json,
    settings_from,
)


@click.command("reject")
@click.argument("proposal")
@config_option
@click.option("--comment", default="", help="Why; becomes part of the public record.")
@keystore_option("Sign the rejection with this key (EIP-712).")
@password_option
@json_option
def command(
    proposal: str, config: Path, comment: str, keystore: Path | None, password_file: Path | None, as_json: bool
) -> None:
    """Reject a held decision: no vote is cast, and the record says who said so."""
    from pnyx_agents.cli.word import give_word

    approval = give_word(
        settings_from(config), proposal, "reject", comment=comment, keystore=keystore, password_file=password_file
    )
    if as_json:
        print_json(approval.model_dump(mode="json"))
