"""Commands that send transactions of a person: the plan and its cost first, then a question, then the transactions."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pnyx_agents.cli.arguments import ADDRESS
from pnyx_agents.cli.options import C, keystore_option, password_option, print_json

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from pnyx_tools.chain import Chain
    from pnyx_tools.deployment import Deployed, Plan
    from pnyx_tools.reader import ChainReader
    from pnyx_tools.safe.paper import Act

yes_option = click.option("--yes", is_flag=True, help="Send without asking.")


def operator_options(whose: str) -> Callable[[C], C]:
    """Whose plan it is; `require_one_operator` and `open_account` take what they give."""
    safe = click.option(
        "--safe", type=ADDRESS, help="In place of --keystore: the operator is this Safe, and its owners get a file."
    )
    return lambda command: keystore_option(whose)(safe(password_option(command)))


def require_one_operator(keystore: Path | None, safe: str | None) -> None:
    from pnyx_contracts.errors import UsageError

    if (keystore is None) == (safe is None):
        raise UsageError("name the operator: --keystore FILE, or --safe ADDRESS", hint="one of the two")


def open_account(keystore: Path, password_file: Path | None) -> LocalAccount:
    from pnyx_tools.keystore import ask_password, load_account, read_password

    return load_account(keystore, read_password(password_file) if password_file else ask_password(keystore))


def show_plan(plan: Plan) -> None:
    """On standard error, as everything that is no result."""
    from pnyx_policies.reading.amounts import coins

    if plan.places:
        click.echo("\nContracts:", err=True)
    for place in plan.places:
        what = "there already" if place.is_there else "will be deployed"
        click.echo(f"  {place.name:15} {place.address}  {what}", err=True)
    click.echo(f"\nTransactions of {plan.sender}:", err=True)
    for number, step in enumerate(plan.steps, 1):
        click.echo(f"{number}. {step.what}", err=True)
    click.echo(f"\nAbout {plan.gas:,} gas, at most {coins(plan.max_cost_wei)}.", err=True)


def plan_for_owners(chain: ChainReader, safe: str, plan: Plan) -> None:
    """In place of `require_consent` and `send_plan`, when the sender is a Safe: its owners sign."""
    from pnyx_tools.safe.paper import Act

    hand_to_owners(chain, safe, [Act(step.what, step.to, step.data) for step in plan.steps])


def hand_to_owners(reader: ChainReader, safe: str, acts: Sequence[Act]) -> None:
    """The file for the owners' wallet on standard output. Raises `UsageError` for what is no Safe."""
    from pnyx_tools.safe.paper import builder_file
    from pnyx_tools.safe.reading import read_safe

    found = read_safe(reader, safe)
    for act in acts:
        click.echo(f"{act.what}: a call of {act.to}", err=True)
    click.echo(f"{found.threshold} of {len(found.owners)} owners of the Safe {safe} have to sign.", err=True)
    for caution in found.cautions:
        click.echo(f"Careful: {caution}", err=True)
    print_json(builder_file(reader.chain_id(), safe, acts, int(time.time())))


def require_consent(chain: Chain, plan: Plan, *, yes: bool) -> None:
    """Raises `UsageError` when the account cannot pay, `click.Abort` when the person says no."""
    from pnyx_contracts.errors import UsageError
    from pnyx_policies.reading.amounts import coins

    held = chain.balance(plan.sender)
    if held < plan.max_cost_wei:
        raise UsageError(f"{plan.sender} has {coins(held)}, which may be too little", hint="send it coins for gas")
    if not yes:
        click.confirm("Send these transactions?", abort=True, err=True)


def send_plan(chain: Chain, plan: Plan, account: LocalAccount) -> Deployed:
    from pnyx_tools.deployment import carry_out

    return carry_out(chain, plan, account, lambda text: click.echo(f"... {text}", err=True))
