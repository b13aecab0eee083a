"""Who signed an approval."""

from __future__ import annotations

from pnyx_policies.dossier import Approval


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
