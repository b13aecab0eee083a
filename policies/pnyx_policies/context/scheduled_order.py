"""Whether operations that the calls schedule do the same in another order."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from pnyx_contracts.types import Address, Value
from pnyx_policies.context.reading import Reading

MAX_TIMELOCKS = 2


class OrderTried(Value):
    """The operations of one timelock that do not wait for one another, simulated by it in the order in which they are
    scheduled, and in the reverse one.
    """

    timelock: Address
    operations: int
    reverts_in_order: int
    """Calls inside that revert. With any, the orders are not compared."""
    reverts_reversed: tuple[str, ...] = ()
    """Paths of the calls inside that revert in the reverse order only."""
    differs: bool = False
    """Whether other money or power moves in the reverse order, by events."""


class ScheduledOrder(Reading):
    """Looked at: the calls of this proposal that schedule several operations without a predecessor. What its other
    calls change before is not.
    """

    TOOL: ClassVar = "scheduled_order"
    VERSION: ClassVar = "1"

    tried: tuple[OrderTried, ...] = Field(max_length=MAX_TIMELOCKS)

    def of(self, timelock: str) -> OrderTried | None:
        return next((tried for tried in self.tried if tried.timelock == timelock), None)
