"""``pnyx deploy``"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pnyx_agents.cli.arguments import ADDRESS, DAYS
from pnyx_agents.cli.options import config_option, json_option, option_for, print_json, settings_from
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
    from pnyx_agents.settings import LogSettings, Settings
    from pnyx_policies.configuration import Configuration
    from pnyx_tools.chain import Chain
    from pnyx_tools.deployment import Deployed
    from pnyx_tools.signer.settings import WriterKind


@click.command("deploy")
@config_option
@operator_options("The operator's key, which pays and administers.")
@click.option("--evidence-uri", required=True, help="Where members will find the bundles; stands in the registration.")
@click.option("--signer", type=ADDRESS, help="Address of the signer's key; default: the keystore of [signer].")
@click.option("--plain-key", is_flag=True, help="No gate: the signer's own account votes, members see DECLARED.")
@click.option(
    "--atomic",
    is_flag=True,
    help="No gate: the signer's own account votes, and runs AtomicAccount (EIP-7702); members see ATOMIC.",
)
@click.option("--operator", type=ADDRESS, help="Who may announce changes; default: the account of --keystore.")
@click.option(
    "--guardian",
    type=ADDRESS,
    help="Who can pause the gate's votes, usually the DAO's timelock; default: the operator.",
)
@click.option("--log", "log", type=ADDRESS, help="Use this decision log instead of the one at the usual address.")
@click.option("--factory", type=ADDRESS, help="Use this gate factory instead of the one at the usual address.")
@click.option(
    "--notice-days", type=DAYS, default=3, show_default=True, help="Notice of configuration changes; at least 1."
)
@click.option(
    "--delay-days", type=DAYS, default=2, show_default=True, help="Delay of signer and governor changes of the gate."
)
@yes_option
@json_option
def command(
    config: Path, keystore: Path | None, safe: str | None, password_file: Path | None, evidence_uri: str,
    signer: str | None, plain_key: bool, atomic: bool, operator: str | None, guardian: str | None, log: str | None,
    factory: str | None, notice_days: int, delay_days: int, yes: bool, as_json: bool,
) -> None:  # fmt: skip
    """Make a writer: a gate, or the signer's own account. Shows the plan and its cost first.

    Log, factory and AtomicAccount have the same address on every chain; what is not there yet is put there.

    When the configuration has a [log] already, this makes the chain follow the file: a changed configuration is
    announced, and, once the notice is over, activated. With --atomic it delegates the signer's account again.
    """
    from pnyx_agents.assembly import check_chain, declared_configuration, evidence, writer_of
    from pnyx_contracts.entry import Declaration
    from pnyx_contracts.errors import UsageError
    from pnyx_contracts.types import DAY_SECONDS
    from pnyx_tools.chain import Chain
    from pnyx_tools.deployment import Wish, plan, plan_change, plan_delegation

    settings = settings_from(config)
    require_one_operator(keystore, safe)
    _require_no_contradiction(
        settings, config, plain_key=plain_key, atomic=atomic, operator=operator, guardian=guardian, log=log,
        factory=factory, safe=safe,
    )  # fmt: skip
    if "://" not in evidence_uri:
        raise UsageError(f"{evidence_uri!r} is no URI", hint="for example https://example.org/evidence")
    chain = Chain.of(settings.chain.rpc)
    check_chain(chain, settings)
    configuration = declared_configuration(settings)
    account = open_account(keystore, password_file) if keystore else None
    sender = account.address if account else str(safe)
    own_account = plain_key or atomic
    signer = signer or _signer_of(settings) or (sender if own_account else None)
    declaration = Declaration(
        config_hash=configuration.hash, governors=configuration.governors, evidence_uri=evidence_uri
    )
    if settings.log is not None and atomic:
        what = plan_delegation(chain, settings.log.address, sender)
    elif settings.log is not None:
        writer = writer_of(settings, signer or sender)
        what = plan_change(chain, settings.log.address, writer, sender, declaration)
    elif signer is None:
        raise UsageError(
            "nobody has said which key signs for the gate",
            hint="pnyx init --keystore makes one; name it in [signer] keystore, or give its address as --signer",
        )
    else:
        wish = Wish(
            log=log, factory=factory, kind=_kind(plain_key=plain_key, atomic=atomic), signer=signer, operator=operator,
            guardian=guardian, notice_seconds=notice_days * DAY_SECONDS, delay_seconds=delay_days * DAY_SECONDS,
            declaration=declaration,
        )  # fmt: skip
        what = plan(chain, wish, sender)
    _show_declaration(settings, configuration, evidence_uri)
    show_plan(what)
    if settings.log is None:
        gate = "" if own_account else f"; delay of signer and governor changes: {delay_days} days"
        click.echo(f"Notice of later changes: {notice_days} days{gate}.", err=True)
    if account is None:
        evidence(settings).put_configuration(configuration)  # before the chain speaks of it
        plan_for_owners(chain, sender, what)
        return
    require_consent(chain, what, yes=yes)
    stored = evidence(settings).put_configuration(configuration)  # before the chain speaks of it
    deployed = send_plan(chain, what, account)
    if as_json:
        print_json({**deployed.model_dump(mode="json"), "configuration": str(stored)})
    elif settings.log is not None and atomic:
        click.echo(f"\nDone. {sender} runs AtomicAccount; [log] needs the line: atomic = true")
    elif settings.log is not None:
        click.echo(f"\nDone. The configuration lies in {stored}: publish it with the bundles.")
        _show_notice(chain, settings.log, deployed.writer)
    else:
        voter = configuration.safe or deployed.writer
        _show_result(deployed, signer, voter, evidence_uri, stored, config, atomic=atomic)


def _require_no_contradiction(
    settings: Settings, config: Path, *, plain_key: bool, atomic: bool, operator: str | None, guardian: str | None,
    log: str | None, factory: str | None, safe: str | None,
) -> None:  # fmt: skip
    """Raises `UsageError` for options that cannot stand together, or beside a [log]."""
    from pnyx_contracts.errors import UsageError

    if plain_key and atomic:
        raise UsageError("--plain-key and --atomic exclude each other", hint="--atomic alone makes the account ATOMIC")
    if (plain_key or atomic) and (guardian or factory):
        raise UsageError("--guardian and --factory are for a gate", hint="an account of its own has neither")
    if safe is not None and (settings.log is None or atomic):
        raise UsageError(
            "a Safe's owners announce and activate changes; they make no writer",
            hint=f"pnyx deploy --keystore KEY --operator {safe} makes one that they operate",
        )
    if settings.safe is not None and settings.log is None and not plain_key:
        raise UsageError(
            f"the Safe {settings.safe.address} votes, so the writer is the signer's own account",
            hint="pnyx deploy --plain-key; docs/safe.md",
        )
    if settings.log is None:
        return
    if plain_key or operator or guardian or log or factory:
        raise UsageError(
            f"{config} has a [log] already, so this announces or activates a change of configuration",
            hint="leave out --plain-key, --operator, --guardian, --log and --factory; or take [log] out of the file to "
            "deploy anew",
        )
    if atomic and settings.log.writer is not None:
        raise UsageError(f"the writer of {config} is a gate, which needs no --atomic", hint="leave it out")


def _kind(*, plain_key: bool, atomic: bool) -> WriterKind:
    from pnyx_tools.signer.settings import WriterKind

    if atomic:
        return WriterKind.ATOMIC
    return WriterKind.PLAIN_KEY if plain_key else WriterKind.GATE


def _signer_of(settings: Settings) -> str | None:
    """The signer's address, as far as its keystore is here and names it, or a service tells it."""
    from pnyx_agents.keys import key_source
    from pnyx_tools.keystore import address_of, keystore_address

    if settings.signer is None:
        return None
    if settings.signer.key is not None:
        return address_of(key_source(settings))
    keystore = settings.signer.keystore
    return keystore_address(settings.path(keystore)) if keystore is not None else None


def _show_declaration(settings: Settings, configuration: Configuration, evidence_uri: str) -> None:
    click.echo(f"This declares the agent {configuration.agent!r} on chain {settings.chain.chain_id}:", err=True)
    for name, value in (
        ("mode", configuration.mode.value),
        ("analysts", ", ".join(analyst.seat for analyst in configuration.analysts)),
        ("ruleset", settings.policy.ruleset),
        ("governors", ", ".join(configuration.governors)),
        ("approvers", _whose_word_counts(configuration)),
        ("evidence", evidence_uri),
        ("safe", configuration.safe or "none: the writer votes itself"),
        ("sealed", ", ".join(configuration.sealed) or "nothing: every field of every record is public"),
    ):
        click.echo(f"  {name:10} {value}", err=True)


def _whose_word_counts(configuration: Configuration) -> str:
    if configuration.approvers:
        return f"{configuration.approvals} of {', '.join(configuration.approvers)}"
    gives = "gives any vote" if configuration.unsafe_unsigned_approvals else "confirms a decided vote, or rejects it"
    return f"nobody: the operator's unsigned word {gives}"


def _show_notice(chain: Chain, log: LogSettings, writer: str) -> None:
    """What an announcement asks of the operator; nothing after an activation."""
    from pnyx_tools.registration import standing

    found = standing(chain, log.address, writer, log.start_block)
    if found is not None and found.pending is not None:
        when = datetime.fromtimestamp(found.pending.active_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
        click.echo(
            f"The notice ends at {when}. Until then the old configuration is in force and has to run;\n"
            "then run this command again, which activates the new one."
        )


def _show_result(
    deployed: Deployed, signer: str | None, voter: str, evidence_uri: str, stored: Path, config: Path, *, atomic: bool
) -> None:
    click.echo(f'\nDone. Put this into the configuration:\n\n[log]\naddress = "{deployed.log}"')
    if deployed.factory is not None:
        click.echo(f'writer = "{deployed.writer}"\nfactory = "{deployed.factory}"')
    if atomic:
        click.echo("atomic = true")
    click.echo(f"start_block = {deployed.start_block}")
    click.echo(
        f"\nThen:\n"
        f"- publish the evidence folder at {evidence_uri} (the configuration lies in {stored})\n"
        f"- send coins for gas to the signer {signer}\n"
        f"- let people delegate voting power to {voter}\n"
        f"- pnyx doctor{option_for(config)}"
    )
