"""Gets one transaction mined, through crashes, reorganisations, strangers and rising fees. Holds no key.

errand    what to get mined, and what may come of it
effort    what was signed for it: the content of the outbox
book      the outbox: efforts, who has which nonce, what was spent
fees      what to pay: pure
answers   what nodes say to a transaction: one table
delivery  where signed bytes go: relays, then everybody
money     the caps on all of it: pure
lane      the nonces of one key, and what is stored for each
turns     one errand at a time, votes first
pursuit   one errand from its first attempt to its receipt
sender    all of it for one key
"""

from pnyx_tools.sender.delivery import Relay
from pnyx_tools.sender.effort import Attempt, Effort
from pnyx_tools.sender.errand import (
    Clock,
    Errand,
    FailedTransactionError,
    GasMoneyError,
    GivenUpError,
    OutboxPort,
    SenderSettings,
    SendingChain,
    SpendingLimitError,
    SystemClock,
)
from pnyx_tools.sender.sender import Sender

__all__ = [
    "Attempt",
    "Clock",
    "Effort",
    "Errand",
    "FailedTransactionError",
    "GasMoneyError",
    "GivenUpError",
    "OutboxPort",
    "Relay",
    "Sender",
    "SenderSettings",
    "SendingChain",
    "SpendingLimitError",
    "SystemClock",
]
