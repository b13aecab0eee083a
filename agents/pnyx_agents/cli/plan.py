"""Commands that send transactions of a person: the plan and its cost first, then a question, then the transactions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from pnyx_tools.chain import Chain
    from pnyx_tools.deployment import Deployed, Plan

password_option = click.option(
    "--password-file", type=click.Path(path_type=Path), help="Its password; else it is asked for."
)
yes_option = click.option("--yes", is_flag=True, help="Send without asking.")


def open_account(keystore: Path, password_file: Path | None) -> LocalAccount:
    from pnyx_tools.keystore import ask_password, load_account, read_password

    return load_account(keystore, read_password(password_file) if password_file else ask_password(keystore))


def show_plan(plan: Plan) -> None:
    """On standard error, as everything that is no result."""
    from pnyx_agents.readable import coins

    if plan.places:
        click.echo("\nContracts:", err=True)
    for place in plan.places:
        what = "there already" if place.is_there else "will be deployed"
        click.echo(f"  {place.name:15} {place.address}  {what}", err=True)
    click.echo(f"\nTransactions of {plan.sender}:", err=True)
    for number, step in enumerate(plan.steps, 1):
        click.echo(f"{number}. {step.what}", err=True)
    click.echo(f"\nAbout {plan.gas:,} gas, at most {coins(plan.max_cost_wei)}.", err=True)


def require_consent(chain: Chain, plan: Plan, *, yes: bool) -> None:
    """Raises `UsageError` when the account cannot pay, `click.Abort` when the person says no."""
    from pnyx_agents.readable import coins
    from pnyx_contracts.errors import UsageError

    held = chain.balance(plan.sender)
    if held < plan.max_cost_wei:
        raise UsageError(f"{plan.sender} has {coins(held)}, which may be too little", hint="send it coins for gas")
    if not yes:
        click.confirm("Send these transactions?", abort=True, err=True)


def send_plan(chain: Chain, plan: Plan, account: LocalAccount) -> Deployed:
    from pnyx_tools.deployment import carry_out

    return carry_out(chain, plan, account, lambda text: click.echo(f"... {text}", err=True))
