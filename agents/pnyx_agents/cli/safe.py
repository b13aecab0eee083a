"""``pnyx safe``"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pnyx_agents.cli.arguments import ADDRESS
from pnyx_agents.cli.options import config_option, json_option, print_json, rpc_option, settings_from

if TYPE_CHECKING:
    from pnyx_agents.settings import Settings
    from pnyx_contracts.safe import SafeTx
    from pnyx_policies.bundle import Bundle
    from pnyx_tools.reader import ChainReader
    from pnyx_tools.safe.reading import Safe

safe_option = click.option("--safe", "safe", type=ADDRESS, required=True, help="The Safe.")
ACTS = (
    "pause", "resume", "announce-signer", "activate-signer", "announce-governor", "forbid-governor",
    "activate-governor",
)  # fmt: skip


@click.group("safe")
def command() -> None:
    """What the owners of a Safe sign: votes, and acts of a gate that it guards or operates."""


@command.command("look")
@rpc_option
@safe_option
@json_option
def look(rpc: str, safe: str, as_json: bool) -> None:
    """Who can act for a Safe, and how."""
    from pnyx_tools.rpc import Rpc
    from pnyx_tools.safe.reading import read_safe

    found = read_safe(Rpc(rpc), safe)
    if as_json:
        print_json({**found.model_dump(mode="json"), "cautions": list(found.cautions)})
        return
    click.echo(f"Safe {found.address}, version {found.version}, next transaction {found.nonce}")
    click.echo(f"{found.threshold} of these {len(found.owners)} owners sign:")
    for owner in found.owners:
        click.echo(f"  {owner}")
    for caution in found.cautions:
        click.echo(f"Careful: {caution}")


@command.command("show")
@click.argument("what")
@config_option
@json_option
def show(what: str, config: Path, as_json: bool) -> None:
    """The vote on a proposal as the owners sign it, in words. WHAT is as in `pnyx show`. Only of what is announced on
    chain and not cast yet.

    With --json: a file for the app "Transaction Builder" of Safe{Wallet}.
    """
    from pnyx_agents.assembly import check_chain
    from pnyx_agents.cli.cases import find_root
    from pnyx_agents.cli.word import load_bundle
    from pnyx_contracts.errors import UsageError
    from pnyx_tools.endpoints import Pool
    from pnyx_tools.safe.paper import Act, builder_file, explanation
    from pnyx_tools.safe.reading import read_safe

    settings = settings_from(config)
    if settings.safe is None:
        raise UsageError(f"{config} has no [safe]: its votes need no owners", hint="docs/safe.md")
    reader = Pool.of(settings.chain.rpc, settings.chain.chain_id)
    check_chain(reader, settings)
    bundle = load_bundle(settings, find_root(settings, what))
    safe = read_safe(reader, settings.safe.address)
    transaction, about = _vote_in(bundle, settings, reader, safe)
    if (proposed := _proposed(settings, bundle)) is not None and proposed.nonce >= safe.nonce:
        transaction = proposed
    else:
        about.append(("not proposed", "number and hash are those of a transaction that is executed next"))
    if as_json:
        act = Act(f"vote on {bundle.dossier.proposal.key}", transaction.to, transaction.data)
        print_json(builder_file(transaction.chain_id, safe.address, [act], int(time.time())))
        return
    click.echo(explanation(transaction, safe, about))


@command.command("gate")
@click.argument("act", type=click.Choice(ACTS))
@click.argument("account", type=ADDRESS, required=False)
@rpc_option
@safe_option
@click.option("--gate", type=ADDRESS, required=True, help="The gate, whose guardian or operator the Safe is.")
def gate(act: str, account: str | None, rpc: str, safe: str, gate: str) -> None:
    """An act of a gate's guardian (pause, resume) or operator, as a file for the app "Transaction Builder".

    ACCOUNT is the signer or the governor that is announced. What the gate would not take is refused here.
    """
    from pnyx_agents.cli.plan import hand_to_owners
    from pnyx_contracts.gate import GateAct
    from pnyx_tools.rpc import Rpc
    from pnyx_tools.safe.gate import gate_act

    reader = Rpc(rpc)
    hand_to_owners(reader, safe, [gate_act(reader, safe, gate, GateAct(act), account)])


def _proposed(settings: Settings, bundle: Bundle) -> SafeTx | None:
    """What the agent asked the owners to sign last."""
    from pnyx_agents.cli.cases import open_journal
    from pnyx_tools.recorder import Case
    from pnyx_tools.safe.owners import TO_OWNERS, Asked

    kept = open_journal(settings).load(Case.of(bundle).purpose(TO_OWNERS))
    return None if kept is None else Asked.model_validate_json(kept).transaction


def _vote_in(
    bundle: Bundle, settings: Settings, reader: ChainReader, safe: Safe
) -> tuple[SafeTx, list[tuple[str, str]]]:
    """The transaction with the Safe's next number, and what it is about."""
    from pnyx_agents.assembly import govern
    from pnyx_contracts.errors import RefusedError, UsageError
    from pnyx_contracts.types import to_hex
    from pnyx_policies.entitlement import entitlement
    from pnyx_policies.text import visible
    from pnyx_tools.signer.payload import ballot, safe_tx

    dossier = bundle.dossier
    key, vote = dossier.proposal.key, entitlement(dossier).vote
    if vote is None:
        raise UsageError(
            f"the decision on {key} gives no vote: {dossier.decision.outcome.value}, {dossier.decision.reason}",
            hint="where people decide: pnyx approve ID --vote for|against|abstain",
        )
    named = next((each for each in settings.governor if each.address == key.governor), None)
    if named is None:
        raise UsageError(f"the configuration names no governor {key.governor}")
    governed = govern(reader, settings, [named])[named.address]
    _require_announced(bundle, reader)
    if reader.read(governed.adapter.read_has_voted(governed.profile, key.proposal_id, safe.address)):
        raise RefusedError(f"the Safe {safe.address} has voted on {key} already", hint="pnyx status")
    call = ballot(governed.adapter, governed.profile, key, vote, dossier.decision.reason)
    about = [
        ("proposal", str(key)),
        ("vote", f"{vote.value}, number {governed.adapter.support_of(governed.profile, vote)}"),
        ("reason", visible(dossier.decision.reason)),
        ("record root", to_hex(bundle.record_root)),
        ("review digest", to_hex(dossier.decision.review_digest)),
        ("announced by", f"a VOTE entry of {dossier.header.writer} in the log {dossier.header.log}"),
    ]
    return safe_tx(key.chain_id, safe.address, call, safe.nonce), about


def _require_announced(bundle: Bundle, reader: ChainReader) -> None:
    """Owners who sign before the entry is on chain make a vote without a record."""
    from pnyx_contracts.entry import Entry, EntryKind
    from pnyx_contracts.errors import RefusedError
    from pnyx_tools.signer.witness import earliest_entry, entries_about

    header, proposal, entries = bundle.dossier.header, bundle.dossier.proposal, tuple[Entry, ...]()
    if header.log is not None and header.writer is not None:
        start, head = earliest_entry(proposal), reader.block().number
        entries = entries_about(reader, header.log, header.writer, proposal.key, start, head)
    if not any(each.kind is EntryKind.VOTE and each.record_root == bundle.record_root for each in entries):
        raise RefusedError(
            f"the vote on {proposal.key} is not announced: {header.writer} has no VOTE entry of this record in the log",
            hint="nobody should sign it before; pnyx status says how far it is",
        )
