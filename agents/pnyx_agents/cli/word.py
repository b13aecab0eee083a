"""What ``pnyx approve`` and ``pnyx reject`` have in common: one person's word, bound to one decision."""

from __future__ import annotations

import getpass
import time
from pathlib import Path
from typing import Literal

import click

from pnyx_agents.settings import Settings
from pnyx_contracts.errors import RefusedError, UsageError
from pnyx_policies.bundle import Bundle, decision_digest
from pnyx_policies.dossier import Approval
from pnyx_tools.journal import Case, Stage

DAY_SECONDS = 24 * 3600
ROOT_BYTES = 32


def give_word(
    settings: Settings,
    wanted: str,
    verdict: Literal["approve", "reject"],
    *,
    vote: str | None = None,
    comment: str = "",
    keystore: Path | None = None,
    password_file: Path | None = None,
    days: int = 7,
) -> Approval:
    """Bind the word to the decision that the person saw, and hand it to the waiting workflow."""
    from pnyx_agents.assembly import paths, require_approved
    from pnyx_agents.cli.cases import find_case, open_journal
    from pnyx_agents.engine import say

    case = find_case(open_journal(settings), wanted)
    _require_waiting(settings, case, verdict)
    dossier = load_bundle(settings, case.record_root).dossier
    if verdict == "approve" and vote is None and dossier.decision.outcome.vote is None:
        raise UsageError(
            "the decision is 'hold', so the approval must name the vote", hint="--vote for|against|abstain"
        )
    expires_at = int(time.time()) + days * DAY_SECONDS
    digest = decision_digest(
        dossier.state.review_digest, vote or dossier.decision.outcome.value, dossier.decision.ruleset_hash, expires_at
    )
    approval = Approval(
        person=getpass.getuser(), verdict=verdict, vote=vote, comment=comment, expires_at=expires_at,
        decision_digest=digest,
    )  # fmt: skip
    if keystore is not None:
        approval = _signed(approval, keystore, password_file)
    require_approved(settings, dossier.model_copy(update={"approval": approval}))
    say(paths(settings).workflows, case.workflow, approval.model_dump(mode="json"))
    click.echo(f"{verdict} for proposal {case.proposal} handed to the agent {settings.agent.name!r}", err=True)
    return approval


def _require_waiting(settings: Settings, case: Case, verdict: str) -> None:
    """A held decision waits for an answer; one in its veto time for a rejection only: it is carried out by itself."""
    in_veto_time = case.stage is Stage.REVIEWED and settings.agent.delay_seconds > 0
    if case.stage is Stage.HELD or (in_veto_time and verdict == "reject"):
        return
    if in_veto_time:
        raise RefusedError(
            f"the vote on {case.proposal} is cast by itself when its veto time is over", hint="pnyx reject stops it"
        )
    raise RefusedError(
        f"proposal {case.proposal} is in stage {case.stage.value!r}: nothing waits for a person", hint="pnyx status"
    )


def load_bundle(settings: Settings, root: str) -> Bundle:
    """The stored bundle of the decision with this record root. Raises `UsageError` when there is none."""
    from pnyx_agents.assembly import evidence

    if not root:
        raise UsageError("this proposal has no decision yet", hint="pnyx status shows where it stands")
    data = evidence(settings).get_bundle(record_root(root))
    if data is None:
        raise UsageError(f"the bundle {root} is not in the evidence folder", hint="restore it from a backup")
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


def _signed(approval: Approval, keystore: Path, password_file: Path | None) -> Approval:
    """EIP-191 over the decision digest, by the person's own key."""
    from eth_account.messages import encode_defunct

    from pnyx_tools.keystore import ask_password, load_account, read_password

    password = read_password(password_file) if password_file else ask_password(keystore)
    account = load_account(keystore, password)
    signature = account.sign_message(encode_defunct(primitive=approval.decision_digest)).signature
    return approval.model_copy(update={"person": account.address, "signature": "0x" + signature.hex()})
