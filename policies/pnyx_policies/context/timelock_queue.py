"""Operations that wait in the timelock."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from pnyx_contracts.types import Address, Bytes32, Uint, Value
from pnyx_policies.context.reading import Search

MAX_OPERATIONS = 20


class QueuedCall(Value):
    """One call of an operation. `signature` is None when it is not known for certain."""

    target: Address
    value_wei: Uint
    signature: str | None


class Operation(Value):
    """One pending operation."""

    id: Bytes32
    scheduled_block: int
    ready_at: Uint
    """Seconds since the epoch."""
    has_predecessor: bool
    calls: tuple[QueuedCall, ...]
    same_calls: bool
    """True when it would execute exactly what this proposal would."""


class TimelockQueue(Search):
    """Looked at: `CallScheduled` events of the timelock in blocks `from_block` to `to_block`."""

    TOOL: ClassVar = "timelock_queue"
    VERSION: ClassVar = "2"

    timelock: Address
    min_delay_seconds: Uint
    pending: int
    operations: tuple[Operation, ...] = Field(max_length=MAX_OPERATIONS)
    """The latest, newest first."""
