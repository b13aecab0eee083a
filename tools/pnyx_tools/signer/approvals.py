"""Whether a person's word counts: the signer asks before it signs, the agent before it tries."""

from __future__ import annotations

from collections.abc import Collection

from pnyx_contracts.errors import RefusedError
from pnyx_contracts.types import Vote
from pnyx_policies.dossier import Approval, Dossier


def require_approved(
    dossier: Dossier, vote: Vote, now: int, *, approvers: Collection[str], unsafe_unsigned_approvals: bool
) -> None:
    """Raises `RefusedError` when the approval in `dossier`, if there is one, does not give `vote`. `now` in seconds
    since the epoch.

    That a vote needs an approval, and that it speaks of this decision, is what `entitlement` establishes.
    """
    approval = dossier.approval
    if approval is None:
        return
    if approval.expires_at <= now:
        raise RefusedError(
            f"the approval by {approval.person} expired at {approval.expires_at}, it is {now}", hint="approve again"
        )
    if approvers:
        if signed_by(approval) not in approvers:
            raise RefusedError(
                "the approval is not signed by anyone on this signer's list of approvers",
                hint="pnyx approve ID --keystore FILE, with the key of an address in [signer] approvers",
            )
    elif vote is not dossier.decision.outcome.vote and not unsafe_unsigned_approvals:
        raise RefusedError(
            f"the rules give {dossier.decision.outcome.value!r}, and nobody signed for {vote.value!r} instead",
            hint="name approvers in the signer's own settings, and let one of them sign the approval",
        )


def signed_by(approval: Approval) -> str | None:
    """Who made the EIP-191 signature over the decision digest; None for no signature, or one that is none."""
    from eth_account import Account
    from eth_account.messages import encode_defunct

    if not approval.signature:
        return None
    try:
        message = encode_defunct(primitive=approval.decision_digest)
        return str(Account.recover_message(message, signature=approval.signature))
    except Exception:  # noqa: BLE001 - a hostile signature may fail in any way; all of them mean "nobody"
        return None
