"""What a sender is asked for, what it needs, and what may come of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import Field

from pnyx_contracts.errors import PnyxError
from pnyx_contracts.governors import TransactionCall
from pnyx_contracts.types import Address, Uint, Value
from pnyx_tools.chain import FeeMarket
from pnyx_tools.reader import ChainReader
from pnyx_tools.signer.protocol import SignRequest, Ticket


class OutboxPort(Protocol):
    """Where signed transactions survive a crash. `save` returns when the content is on disk."""

    def save(self, purpose: str, content: str) -> None: ...

    def load(self, purpose: str) -> str | None: ...


class SendingChain(ChainReader, Protocol):
    """What a sender needs of `pnyx_tools.chain.Chain`."""

    def fee_market(self) -> FeeMarket: ...

    def estimate_gas(self, sender: str, call: TransactionCall) -> int: ...

    def pending_nonce(self, address: str) -> int: ...

    def send_raw(self, signed: bytes) -> bytes: ...


class Clock(Protocol):
    """Seconds since the epoch, and waiting. A daemon that must stop raises from `sleep`; nothing is lost by that."""

    def now(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's own."""

    def now(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class SenderSettings(Value):
    """Limits of the daemon. Those of the signer bind as well, whatever stands here."""

    max_fee_per_gas: Uint
    """Wei per gas. Above it nothing is sent or replaced; what was sent before keeps waiting."""
    vote_wei: Uint
    """For one vote with its entry, over all nonces that it takes, each transaction in its worst case."""
    daily_wei: Uint
    """In any 24 hours, each transaction in its worst case."""
    replace_after_seconds: float = Field(default=90, gt=0)
    """While a deadline is far; nearer to it, sooner."""
    poll_seconds: float = Field(default=3, gt=0)
    patience_seconds: float = Field(default=1800, gt=0)
    """Then a transaction is given up, so that it does not block those behind it."""
    confirmations: int = Field(default=1, ge=1)
    """Blocks that a receipt must be deep, its own included."""
    public_after_blocks: int = Field(default=10, ge=1)
    """So many blocks a transaction is left to the relays alone, where there are any."""


@dataclass(frozen=True, slots=True)
class Errand:
    """What to get mined."""

    purpose: str
    """Stable over restarts: names the effort in the outbox."""
    prepare: Callable[[], tuple[TransactionCall, Callable[[Ticket], SignRequest]]]
    """The call as it would be now, to estimate its gas, and the request that has it signed."""
    is_wanted: Callable[[], bool] = lambda: True
    """False when it is too late. Asked before each attempt."""
    heard_from: Address | None = None
    """A contract whose event shows that the call did something. A call to an account whose code is gone succeeds and
    does nothing: such a receipt counts as a revert."""
    is_urgent: bool = False
    """A vote has a deadline: it is served first, and what has none and does not get through makes way for it."""
    seconds_left: Callable[[], float | None] = lambda: None
    """Until it would be too late; None without a deadline. Asked before each attempt."""
    charged_to: str = ""
    """Names the vote that pays, together with other errands of the same name; empty for what is no vote."""
    follows: Callable[[], TransactionCall] | None = None
    """What the same vote takes after this, as it would be now. Nothing is signed here unless both can be paid, and the
    money for it is kept from all others."""
    is_followed: bool = False
    """When it comes too late, another errand follows at once and takes its nonce: it needs no cancelling."""


class GivenUpError(PnyxError):
    """Not mined, and not tried any further. One may still be on its way until another transaction takes its nonce."""


class GasMoneyError(GivenUpError):
    """The key cannot pay for its transaction."""

    def __init__(self, address: str, balance_wei: int, need_wei: int) -> None:
        super().__init__(
            f"{address} has {in_ether(balance_wei)} and needs at least {in_ether(need_wei)} for its next transaction",
            hint=f"send gas money to {address}; the transaction follows by itself",
        )
        self.address = address
        self.balance_wei = balance_wei
        self.need_wei = need_wei


class SpendingLimitError(GivenUpError):
    """One vote would cost more than it may."""

    def __init__(self, vote: str, cost_wei: int, limit_wei: int) -> None:
        super().__init__(
            f"the vote on {vote} would cost {in_ether(cost_wei)} at least, with what was signed for it before; "
            f"max_spend_per_vote_ether is {in_ether(limit_wei)}",
            hint="it is sent when fees fall; raise max_spend_per_vote_ether if it matters more than that",
        )
        self.cost_wei = cost_wei
        self.limit_wei = limit_wei


class FailedTransactionError(PnyxError):
    """Mined, but reverted, as often as it was tried. `receipt` is the node's, of the last one."""

    def __init__(self, message: str, receipt: dict[str, Any], *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.receipt = receipt


def in_ether(wei: int) -> str:
    """Exact, for people: ``0.0125 ether``."""
    whole, part = divmod(wei, 10**18)
    fraction = f"{part:018d}".rstrip("0")
    return f"{whole}{'.' if fraction else ''}{fraction} ether"
