"""Who else proposed at about the same time."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from pnyx_contracts.types import Address, Value
from pnyx_policies.context.reading import Search

MAX_PROPOSERS = 8
MAX_COINS = 3
NEW_TRANSACTIONS = 5
"""An account is new that had sent no more before it proposed, and had not proposed since the search begins."""


class NearbyProposer(Value):
    """Another account that proposed for the first time, as far as the search goes back."""

    account: Address
    proposals: int
    """Within `NEARBY_BLOCKS` of this one."""
    empty: int
    """Of those, without any call, or with nothing but calls that do nothing (no value, no calldata)."""
    sent_before: int | None
    """Transactions that it had sent before the first of them; None where somebody else sent it."""

    @property
    def is_new(self) -> bool:
        return self.sent_before is not None and self.sent_before <= NEW_TRANSACTIONS


class ProposersNearby(Search):
    """Looked at: `ProposalCreated` events of this governor in blocks `from_block` to `to_block`, and the transactions
    of those that came within `NEARBY_BLOCKS` of this proposal, from first-time proposers.
    """

    TOOL: ClassVar = "proposers_nearby"
    VERSION: ClassVar = "2"

    known: int
    """Other accounts that proposed in these days, and before."""
    first_time: tuple[NearbyProposer, ...] = Field(max_length=MAX_PROPOSERS)
    """Those that had not, the first first."""
    left_out: int
    alike: int
    """Of the proposals of new accounts, so many call the same functions as one another, at most."""
    is_of_them: bool
    """Whether this proposal calls those functions, too."""
    alike_texts: int
    """New accounts whose first proposal has nearly the text (`ALIKE_BPS`) of another one's."""

    @property
    def new(self) -> tuple[NearbyProposer, ...]:
        return tuple(proposer for proposer in self.first_time if proposer.is_new)


class SameGiver(Value):
    """Another new account that proposed nearby, and got its first coin from whom this proposer has it."""

    account: Address
    sender: Address


class NearbyCoins(Search):
    """Asked only where this proposer got its first coin within the week before the proposal, and other new accounts
    proposed nearby: of the first `MAX_COINS`.
    """

    TOOL: ClassVar = "nearby_coins"
    VERSION: ClassVar = "1"

    same: tuple[SameGiver, ...] = Field(max_length=MAX_COINS)
    asked: int
