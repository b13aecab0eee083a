"""``pnyx deploy``"""

from __future__ import annotations

from pathlib import Path

import click

from pnyx_agents.cli.options import config_option, json_option, print_json, settings_from

DAY_SECONDS = 24 * 3600


@click.command("deploy")
@config_option
@click.option(
    "--keystore", type=click.Path(path_type=Path), required=True, help="The operator's key, which pays and administers."
)
@click.option("--password-file", type=click.Path(path_type=Path), help="Its password; else it is asked for.")
@click.option("--evidence-uri", required=True, help="Where members will find the bundles; stands in the registration.")
@click.option("--signer", help="Address of the signer's key; default: the keystore of [signer].")
@click.option("--plain-key", is_flag=True, help="No gate: the signer's own account votes, members see DECLARED.")
@click.option("--guardian", help="Who can pause the gate's votes, usually the DAO's timelock; default: the operator.")
@click.option("--log", "log", help="Use this decision log instead of a new one.")
@click.option("--factory", help="Use this gate factory instead of a new one.")
@click.option("--notice-days", default=3, show_default=True, help="Notice of configuration changes; at least 1.")
@click.option("--delay-days", default=2, show_default=True, help="Delay of signer and governor changes of the gate.")
@click.option("--yes", is_flag=True, help="Send without asking.")
@json_option
def command(
    config: Path, keystore: Path, password_file: Path | None, evidence_uri: str, signer: str | None, plain_key: bool,
    guardian: str | None, log: str | None, factory: str | None, notice_days: int, delay_days: int, yes: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Put the log, the factory and the gate on a chain, or register a plain key. Shows the plan and its cost first.

    When the configuration has a [log] already, this makes the chain follow the file: a changed configuration is
    announced, and,
    once the notice is over, activated.
    """
    from pnyx_agents.assembly import check_chain, declared_configuration, evidence, writer_of
    from pnyx_contracts.entry import Declaration
    from pnyx_tools.chain import Chain
    from pnyx_tools.deployment import Wish, carry_out, plan, plan_change
    from pnyx_tools.keystore import ask_password, keystore_address, load_account, read_password

    settings = settings_from(config)
    chain = Chain(settings.chain.rpc)
    check_chain(chain, settings)
    configuration = declared_configuration(settings)
    account = load_account(keystore, read_password(password_file) if password_file else ask_password(keystore))
    declaration = Declaration(
        config_hash=configuration.hash, governors=configuration.governors, evidence_uri=evidence_uri
    )
    if signer is None and settings.signer is not None and settings.signer.keystore is not None:
        signer = keystore_address(settings.path(settings.signer.keystore))
    wish = Wish(
        log=log, factory=factory, gate=not plain_key, signer=signer or account.address, guardian=guardian,
        notice_seconds=notice_days * DAY_SECONDS, delay_seconds=delay_days * DAY_SECONDS,
        declaration=declaration,
    )  # fmt: skip
    if settings.log is not None:
        what = plan_change(chain, settings.log.address, writer_of(settings, wish.signer), account.address, declaration)
    else:
        what = plan(chain, wish, account.address)
    for number, step in enumerate(what.steps, 1):
        click.echo(f"{number}. {step.what}", err=True)
    click.echo(f"about {what.gas} gas, at most {what.max_cost_wei / 10**18:.6f} of the chain's coin", err=True)
    if not yes:
        click.confirm("Send these transactions?", abort=True, err=True)
    deployed = carry_out(chain, what, account, lambda text: click.echo(f"... {text}", err=True))
    stored = evidence(settings).put_configuration(configuration)
    if as_json:
        print_json({**deployed.model_dump(mode="json"), "configuration": str(stored)})
        return
    if settings.log is not None:
        click.echo(f"\nDone. The configuration lies in {stored}: publish it with the bundles.")
        return
    click.echo("\nDone. Put this into the configuration:\n\n[log]")
    click.echo(f'address = "{deployed.log}"')
    if not plain_key:
        click.echo(f'writer = "{deployed.writer}"\nfactory = "{deployed.factory}"')
    click.echo(f"start_block = {deployed.start_block}")
    click.echo(f"\nPublish the evidence folder at {evidence_uri} (the configuration lies in {stored}).")
    click.echo(f"Delegate voting power to {deployed.writer}; fund the signer {wish.signer} for gas.")
