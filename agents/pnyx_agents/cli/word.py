"""What ``pnyx approve`` and ``pnyx reject`` have in common: one person's word, bound to one decision."""

from __future__ import annotations

import getpass
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
from pydantic import ValidationError

from pnyx_agents.cli import wallet
from pnyx_agents.settings import Settings
from pnyx_contracts.errors import DiffersError, RefusedError, UsageError
from pnyx_contracts.types import DAY_SECONDS, to_hex
from pnyx_policies.approval import NO_VOTE, Answer, answer_in, answered
from pnyx_policies.bundle import Bundle
from pnyx_policies.dossier import Approval, Dossier
from pnyx_policies.entitlement import entitlement
from pnyx_policies.text import visible
from pnyx_tools.journal import Case, Stage

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

USUAL_DAYS = 7
ROOT_BYTES = 32

Verdict = Literal["approve", "reject"]


@dataclass(frozen=True, slots=True)
class Hand:
    """How a person signs: with a keystore here, with a wallet elsewhere (what it signs is in the file `typed_data`, and
    its `signature` comes back), or not at all.
    """

    keystore: Path | None = None
    password_file: Path | None = None
    typed_data: Path | None = None
    signature: str | None = None

    def require_one_way(self) -> None:
        """Raises `UsageError`."""
        if self.keystore is not None and self.typed_data is not None:
            raise UsageError("--keystore and --typed-data exclude each other: one signs here, the other elsewhere")
        if self.signature is not None and self.typed_data is None:
            raise UsageError("--signature needs --typed-data, the file that was signed")


def give_word(
    settings: Settings,
    wanted: str,
    verdict: Verdict,
    hand: Hand,
    *,
    vote: str | None = None,
    comment: str = "",
    days: int | None = None,
) -> Approval | None:
    """Bind the word to the decision that the person saw, and hand it to the waiting workflow. None when it is only
    written down, for a wallet to sign.
    """
    from pnyx_agents.assembly import paths, require_word_counts
    from pnyx_agents.cli.cases import find_case, open_journal
    from pnyx_agents.engine import say
    from pnyx_tools.notify.ledger import Ledger

    hand.require_one_way()
    journal = open_journal(settings)
    case = find_case(journal, wanted)
    _require_waiting(settings, case, verdict)
    dossier = load_bundle(settings, case.record_root).dossier
    if hand.typed_data is not None and hand.signature is not None:
        if vote is not None or comment or days is not None:
            raise UsageError("with --signature the file says vote, comment and expiry: leave these options out")
        approval = _signed_elsewhere(dossier, verdict, hand.typed_data, hand.signature)
    else:
        if verdict == "approve" and vote is None and dossier.decision.outcome.vote is None:
            raise UsageError(
                "the decision is 'hold', so the approval must name the vote", hint="--vote for|against|abstain"
            )
        approval = answered(
            dossier, person=getpass.getuser(), verdict=verdict, vote=vote, comment=comment,
            expires_at=int(time.time()) + (USUAL_DAYS if days is None else days) * DAY_SECONDS,
        )  # fmt: skip
    click.echo(_in_words(case, dossier, answer_in(dossier, approval)), err=True)
    if hand.typed_data is not None and hand.signature is None:
        _write_for_wallet(case, answer_in(dossier, approval), hand.typed_data)
        return None
    if hand.keystore is not None:
        approval = _signed(settings, dossier, approval, hand.keystore, hand.password_file)
    require_word_counts(settings, dossier, approval)
    say(paths(settings).workflows, case.workflow, approval.model_dump(mode="json"))
    if approval.signature:
        Ledger(journal.database).note_answer(case.proposal, case.record_root, approval.person)
    click.echo(f"{verdict} for proposal {case.proposal} handed to the agent {settings.agent.name!r}", err=True)
    if verdict == "approve" and settings.signer and settings.signer.approvals > 1:
        click.echo(f"A vote takes {settings.signer.approvals} approvals, of as many people.", err=True)
    return approval


def _require_waiting(settings: Settings, case: Case, verdict: str) -> None:
    """A held decision waits for an answer; a decided vote that is not on its way yet for a rejection only: it is cast
    by itself.
    """
    dossier = load_bundle(settings, case.record_root).dossier if case.record_root else None
    gives_vote = dossier is not None and entitlement(dossier).vote is not None
    is_decided = case.stage is Stage.REVIEWED and gives_vote
    if case.stage is Stage.HELD or (is_decided and verdict == "reject"):
        return
    if is_decided:
        raise RefusedError(
            f"the vote on {case.proposal} is decided, and is cast by itself in its time", hint="pnyx reject stops it"
        )
    expired = dossier.people.expired if dossier else None
    if expired is not None:
        raise RefusedError(
            f"the wait for people on {case.proposal} is over: it ended at {expired.now} of the governor's clock, the "
            f"vote's deadline was {expired.deadline} ({case.detail})",
            hint="[agent] approvals_end says how long before the end of a vote the wait ends",
        )
    raise RefusedError(
        f"proposal {case.proposal} is in stage {case.stage.value!r}: nothing waits for a person", hint="pnyx status"
    )


def load_bundle(settings: Settings, root: str) -> Bundle:
    """The stored bundle of the decision with this record root. Raises `UsageError` when there is none, `DiffersError`
    when it is not what this release would have sealed.
    """
    from pnyx_agents.assembly import evidence

    if not root:
        raise UsageError("this proposal has no decision yet", hint="pnyx status shows where it stands")
    try:
        data = evidence(settings).get_bundle(record_root(root))
    except DiffersError as error:
        hint = "if another release made it: `pnyx run` reviews what is under way again"
        raise DiffersError(error.message, hint=hint) from error
    if data is None:
        raise UsageError(f"the bundle {root} is not in the agent's data folder", hint="restore it from a backup")
    return Bundle.parse(data)


def record_root(text: str) -> bytes:
    """Raises `UsageError` when it is none."""
    try:
        root = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        root = b""
    if len(root) != ROOT_BYTES:
        raise UsageError(f"{text!r} is no record root", hint="0x and 64 hex digits, as `pnyx log` shows it")
    return root


def _in_words(case: Case, dossier: Dossier, answer: Answer) -> str:
    """All that a signature binds, before anybody is asked for a password."""
    until = f"{datetime.fromtimestamp(answer.expires_at, UTC):%Y-%m-%d %H:%M} UTC"
    lines = {
        "proposal": f"{case.proposal}  {visible(case.title)}",
        "decision": f"{answer.decision}: {visible(dossier.decision.reason)}",
        "your word": answer.verdict,
        "vote": answer.vote,
        "expires": until if answer.vote != NO_VOTE else f"a rejection does not; {until} is what is signed",
        "comment": visible(answer.comment) or "none",
        "ruleset": to_hex(answer.ruleset_hash),
        "configuration": to_hex(answer.config_hash),
        "review": to_hex(answer.review_digest),
        "writer": f"{answer.writer} in the log {answer.log}",
    }
    return "\n".join(f"{name:13}  {value}" for name, value in lines.items())


def _signed(
    settings: Settings, dossier: Dossier, approval: Approval, keystore: Path, password_file: Path | None
) -> Approval:
    """EIP-712, by the person's own key. Raises `UsageError` for a key whose word does not count."""
    account = open_approver(settings, keystore, password_file)
    signed = account.sign_typed_data(full_message=answer_in(dossier, approval).typed_data)
    return approval.model_copy(update={"person": account.address, "signature": to_hex(bytes(signed.signature))})


def _write_for_wallet(case: Case, answer: Answer, path: Path) -> None:
    wallet.write(answer.typed_data, path)
    number = case.proposal.rpartition(":")[2]
    click.echo(wallet.what_next(path, f"pnyx {answer.verdict} {number}"), err=True)


def _signed_elsewhere(dossier: Dossier, verdict: Verdict, path: Path, signature: str) -> Approval:
    """The word in the file, about the decision that waits now. Raises `UsageError`, and `RefusedError` for a word about
    another decision.
    """
    message = wallet.read(path)
    vote = message.get("vote") if verdict == "approve" else None
    try:
        said = answered(
            dossier, person=getpass.getuser(), verdict=verdict, vote=vote, comment=message["comment"],
            expires_at=int(message["expiresAt"]),
        )  # fmt: skip
    except (ValidationError, ValueError, TypeError, KeyError):
        raise UsageError(f"{path} holds no word of a person", hint=f"pnyx {verdict} ID --typed-data FILE") from None
    if where := wallet.differs_at(answer_in(dossier, said).typed_data, message):
        raise RefusedError(
            f"{path} is about something else than the decision that waits: another {where}",
            hint=f"pnyx show ID, then pnyx {verdict} ID --typed-data with another file",
        )
    person, spelled = wallet.signature_over(said.decision_digest, signature)
    return said.model_copy(update={"person": person, "signature": spelled})


def open_approver(settings: Settings, keystore: Path, password_file: Path | None) -> LocalAccount:
    """A declared approver's key. Raises `UsageError` for anybody else's."""
    from pnyx_tools.keystore import ask_password, load_account, read_password

    password = read_password(password_file) if password_file else ask_password(keystore)
    account = load_account(keystore, password)
    approvers = settings.signer.approvers if settings.signer else ()
    if account.address not in approvers:
        raise UsageError(
            f"the keystore {keystore} holds the key of {account.address}, which is not among the approvers: "
            f"{', '.join(approvers) or 'there are none'}",
            hint="sign with an approver's key; [signer] approvers names them, and a new one is announced (pnyx deploy)",
        )
    return account
