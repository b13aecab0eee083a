"""``pnyx succeed``"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pnyx_agents.cli.arguments import ADDRESS
from pnyx_agents.cli.options import json_option, log_option, print_json, rpc_option
from pnyx_agents.cli.plan import (
    open_account,
    operator_options,
    plan_for_owners,
    require_consent,
    require_one_operator,
    send_plan,
    show_plan,
    yes_option,
)

if TYPE_CHECKING:
    from pnyx_tools.chain import Chain


@click.command("succeed")
@rpc_option
@log_option
@click.option("--old", type=ADDRESS, required=True, help="The writer that ends: a gate, or a key's account.")
@click.option("--new", type=ADDRESS, required=True, help="The writer that takes over: registered, without entries.")
@operator_options("Key of the operator of both; it pays.")
@yes_option
@json_option
def command(
    rpc: str, log: str, old: str, new: str, keystore: Path | None, safe: str | None, password_file: Path | None,
    yes: bool, as_json: bool,
) -> None:  # fmt: skip
    """Let a new writer take the place of an old one: with a new key, or a gate instead of a key.

    The old chain of entries is closed for good; the new one begins with its last head, so that members follow one
    agent through both. Shows the plan and its cost first.
    """
    from pnyx_contracts.decision_log import read_state
    from pnyx_tools.chain import Chain
    from pnyx_tools.deployment import plan_succession

    require_one_operator(keystore, safe)
    chain = Chain.of([rpc])
    account = open_account(keystore, password_file) if keystore else None
    what = plan_succession(chain, log, old, new, account.address if account else str(safe))
    show_plan(what)
    _show_consequences(chain, log, old, new)
    if account is None:
        plan_for_owners(chain, str(safe), what)
        return
    require_consent(chain, what, yes=yes)
    send_plan(chain, what, account)
    entries = chain.read(read_state(log, old)).seq
    if as_json:
        print_json({"log": log, "old": old, "new": new, "last_entry_of_old": entries})
        return
    click.echo(f"\nDone. {old} ends with entry {entries}; {new} goes on. Stop the agent of the old writer, if it runs.")


def _show_consequences(chain: Chain, log: str, old: str, new: str) -> None:
    from pnyx_tools.registration import standing

    click.echo(f"\nThis cannot be undone: {old} writes nothing any more, and no vote of it is recorded.", err=True)
    click.echo("Proposals that are open and not answered are the new writer's to answer.", err=True)
    before, after = (standing(chain, log, writer) for writer in (old, new))
    if before and after and before.active.config_hash != after.active.config_hash:
        click.echo("The two declare different configurations: members will see that the agent changed.", err=True)
    if before and after and (lost := set(before.active.governors) - set(after.active.governors)):
        click.echo(f"The new writer does not answer for: {', '.join(sorted(lost))}", err=True)
