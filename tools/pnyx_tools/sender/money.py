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
class Purse:
    """The limits of one transaction; amounts in wei, without what it replaces."""

    gas: int
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
    gas_after: int = 0
    """Of what the vote takes after this transaction: both have to be affordable."""
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
        gas, taken = self.gas + self.gas_after, self.spent_in_a_day + self.promised
        least = gas * (self.market.base_fee + self.market.tips[Urgency.CALM])
        caps = [
            Cap(self.max_fee_per_gas),
            Cap((self.daily - taken) // gas, _daily(taken + least, self.daily)),
            Cap(
                (self.balance - self.promised) // gas, GasMoneyError(self.address, self.balance, self.promised + least)
            ),
        ]
        if self.vote:
            refusal = SpendingLimitError(self.vote, self.spent_on_vote + least, self.per_vote)
            caps.append(Cap((self.per_vote - self.spent_on_vote) // gas, refusal))
        return caps


def _daily(cost: int, limit: int) -> DailyLimitError:
    return DailyLimitError(
        f"the transactions of 24 hours could cost {in_ether(cost)}; the daily limit is {in_ether(limit)}",
        hint="wait, or raise max_spend_per_day_ether; a wave of proposals may be an attempt to drain the key",
    )
