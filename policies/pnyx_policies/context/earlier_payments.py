"""What the treasury paid before to those whom this proposal pays."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from pnyx_contracts.types import Address, Uint, Value
from pnyx_policies.context.reading import Search

MAX_PAYMENTS = 20
SHORTLY_BEFORE_BLOCKS = 50_400
"""A week, at a block in twelve seconds."""


class EarlierPayment(Value):
    """All transfers of one asset to one receiver."""

    asset: Address | None
    """None for the chain's own coin."""
    receiver: Address
    transfers: int
    amount: Uint
    """Wei or token units."""
    shortly_before: Uint
    """Of those, in the `SHORTLY_BEFORE_BLOCKS` before the proposal."""
    since_proposed: Uint
    """Of those, in the block of the proposal and later."""
    last_block: int


class EarlierPayee(Value):
    """Somebody else who was paid more than nothing, and whose address begins and ends like that of a receiver of this
    proposal who never was.
    """

    asset: Address | None
    receiver: Address
    """Of this proposal."""
    looks_like: Address
    transfers: int
    last_block: int


class EarlierPayments(Search):
    """Looked at, in blocks `from_block` to `to_block`: `Transfer` events from the executor, for each token of this
    proposal's payments; for coin, the calls that the executor's own events tell of, and `SafeReceived` of a receiver.
    Other coin leaves no event.
    """

    TOOL: ClassVar = "earlier_payments"
    VERSION: ClassVar = "3"

    treasury: Address
    payments: tuple[EarlierPayment, ...] = Field(max_length=MAX_PAYMENTS)
    """To the receivers of this proposal; the largest in number of transfers first."""
    mistaken: tuple[EarlierPayee, ...] = Field(default=(), max_length=MAX_PAYMENTS)
    """Whom a receiver of this proposal may be mistaken for."""
