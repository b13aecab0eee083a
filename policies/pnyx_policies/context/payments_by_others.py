"""What others than the treasury paid before to those whom this proposal pays."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from pnyx_contracts.types import Address
from pnyx_policies.context.earlier_payments import EarlierPayment
from pnyx_policies.context.reading import Search

MAX_PAYERS = 5
"""Of one asset to one receiver."""
MAX_OTHER_PAYMENTS = 20


class OtherPayment(EarlierPayment):
    """All transfers of one asset by one account to one receiver."""

    sender: Address


class PaymentsByOthers(Search):
    """Looked at, in blocks `from_block` to `to_block`: `Transfer` events to the receivers of this proposal's payments,
    in the same tokens, from anybody but the executor; for coin, what receivers that are Safes tell of.
    """

    TOOL: ClassVar = "payments_by_others"
    VERSION: ClassVar = "1"

    payments: tuple[OtherPayment, ...] = Field(max_length=MAX_OTHER_PAYMENTS)
    """The largest of what came since `SHORTLY_BEFORE_BLOCKS` before the proposal first."""
    left_out: int
    """Payers of which nothing is told here."""
