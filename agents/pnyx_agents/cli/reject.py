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
    signature_option,
    typed_data_option,
)


@click.command("reject")
@click.argument("proposal")
@config_option
@click.option("--comment", default="", help="Why; becomes part of the public record.")
@keystore_option("Sign the rejection with this key (EIP-712).")
@password_option
@typed_data_option
@signature_option
@json_option
def command(
    proposal: str, config: Path, comment: str, keystore: Path | None, password_file: Path | None,
    typed_data: Path | None, signature: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Reject a held decision: no vote is cast, and the record says who said so."""
    from pnyx_agents.cli.word import Hand, give_word

    hand = Hand(keystore, password_file, typed_data, signature)
    approval = give_word(settings_from(config), proposal, "reject", hand, comment=comment)
    if as_json:
        print_json({"typed_data": str(typed_data)} if approval is None else approval.model_dump(mode="json"))
