"""What a transaction may cost at most, and whose limit that is."""

from __future__ import annotations

from dataclasses import dataclass

from pnyx_contracts.errors import PnyxError
from pnyx_tools.chain import FeeMarket, Fees
from pnyx_tools.sender.effort import Attempt
from pnyx_tools.sender.errand import GasMoneyError, SpendingLimitError, in_ether
from pnyx_tools.sender.fees import Urgency, offer
from pnyx_tools.signer.protocol import DailyLimitError


@dataclass(frozen=True, slots=True)
class Cap:
    """A limit in wei per gas. `refusal` says why it stands in the way; None where waiting for lower fees is the usual
    course of things."""

    per_gas: int
    refusal: PnyxError | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """What a transaction takes at most: `gas`, and `beside` in wei, which some chains take for its bytes."""

    gas: int = 0
    beside: int = 0

    def cost(self, fee_per_gas: int) -> int:
        """In wei."""
        return self.gas * fee_per_gas + self.beside


@dataclass(frozen=True, slots=True)
class Purse:
    """The limits of one transaction; amounts in wei, without what it replaces."""

    load: Load
    market: FeeMarket
    max_fee_per_gas: int
    balance: int
    address: str
    daily: int
    spent_in_a_day: int
    vote: str = ""
    """Empty for what is no vote."""
    per_vote: int = 0
    spent_on_vote: int = 0
    after: Load = Load()
    """What the vote takes after this transaction: both have to be affordable."""
    promised: int = 0
    """Kept for other votes."""

    def offer(self, urgency: Urgency, rival: Attempt | None = None) -> Fees | None:
        """What to pay; None while the fees are too high, or too high for replacing `rival`."""
        return offer(self.market, urgency, self._binding().per_gas, rival)

    def refusal(self) -> PnyxError | None:
        """Why even the cheapest transaction is not affordable, where that is more than a matter of high fees."""
        return None if self.offer(Urgency.CALM) else self._binding().refusal

    def _binding(self) -> Cap:
        return min(self._caps(), key=lambda cap: cap.per_gas)

    def _caps(self) -> list[Cap]:
        both = Load(self.load.gas + self.after.gas, self.load.beside + self.after.beside)
        least = both.cost(self.market.base_fee + self.market.tips[Urgency.CALM])

        def cap(limit: int, taken: int, refusal: PnyxError) -> Cap:
            return Cap((limit - taken - both.beside) // both.gas, refusal)

        taken = self.spent_in_a_day + self.promised
        caps = [
            Cap(self.max_fee_per_gas),
            cap(self.daily, taken, _daily(taken + least, self.daily)),
            cap(self.balance, self.promised, GasMoneyError(self.address, self.balance, self.promised + least)),
        ]
        if self.vote:
            refusal = SpendingLimitError(self.vote, self.spent_on_vote + least, self.per_vote)
            caps.append(cap(self.per_vote, self.spent_on_vote, refusal))
        return caps


def _daily(cost: int, limit: int) -> DailyLimitError:
    return DailyLimitError(
        f"the transactions of 24 hours could cost {in_ether(cost)}; the daily limit is {in_ether(limit)}",
        hint="wait, or raise max_spend_per_day_ether; a wave of proposals may be an attempt to drain the key",
    )
