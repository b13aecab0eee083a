"""What people have to know about the money and the nonces of a key. The same message is heard once (see `notify`)."""

from __future__ import annotations

from pnyx_contracts.errors import PnyxError
from pnyx_contracts.types import DAY_SECONDS
from pnyx_tools.notify import Message, Urgency, foreign
from pnyx_tools.sender.errand import Errand, GasMoneyError, SpendingLimitError


def refused(errand: Errand, refusal: PnyxError) -> Message | None:
    """None for what is no news."""
    match refusal:
        case GasMoneyError():
            # Once for each balance: it is another one after people sent money and that was spent again.
            key, subject = f"gas-money:{refusal.address}:{refusal.balance_wei}", f"{refusal.address} needs gas money"
        case SpendingLimitError():
            key, subject = f"spending:{errand.charged_to}", f"a vote is too dear: {errand.charged_to}"
        case _:
            return None
    return Message(key=key, urgency=Urgency.ALERT, subject=subject, detail=foreign(refusal.message), to_do=refusal.hint)


def stranger(address: str, nonce: int, what: str, now: float) -> Message:
    """Once a day, however often it happens."""
    return Message(
        key=f"stranger:{address}:{int(now // DAY_SECONDS)}",
        urgency=Urgency.ALERT,
        subject=f"another program uses the key of {address}: a transaction that this agent did not sign {what} "
        f"(nonce {nonce}). The agent goes on after it",
        to_do="keep the key for the agent alone. If nobody you know sent it, the key is stolen: stop the agent, take "
        "its powers away",
    )


def over_node_cap(purpose: str, text: str) -> Message:
    return Message(
        key=f"node-cap:{purpose}",
        urgency=Urgency.ALERT,
        subject=f"the node refuses a transaction as too dear ({purpose})",
        detail=foreign(text),
        to_do="raise the node's own limit, or use another endpoint",
    )
