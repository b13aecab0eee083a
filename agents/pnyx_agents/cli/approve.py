"""``pnyx approve``"""

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


@click.command("approve")
@click.argument("proposal")
@config_option
@click.option(
    "--vote", type=click.Choice(["for", "against", "abstain"]), help="The vote; needed when the decision is hold."
)
@click.option("--comment", default="", help="Why; becomes part of the public record.")
@keystore_option("Sign the approval with this key (EIP-712).")
@password_option
@typed_data_option
@signature_option
@click.option("--days", type=click.IntRange(1, 365), help="How long the approval counts, in days; 7 unless told.")
@json_option
def command(
    proposal: str, config: Path, vote: str | None, comment: str, keystore: Path | None, password_file: Path | None,
    typed_data: Path | None, signature: str | None, days: int | None, as_json: bool,
) -> None:  # fmt: skip
    """Approve a held decision: the agent writes a new record with your word in it, then votes."""
    from pnyx_agents.cli.word import Hand, give_word

    hand = Hand(keystore, password_file, typed_data, signature)
    approval = give_word(settings_from(config), proposal, "approve", hand, vote=vote, comment=comment, days=days)
    if as_json:
        print_json({"typed_data": str(typed_data)} if approval is None else approval.model_dump(mode="json"))
