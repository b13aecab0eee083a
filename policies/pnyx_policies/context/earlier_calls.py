"""Which calls of this proposal were made before."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from pnyx_contracts.types import Value
from pnyx_policies.context.reading import Search

MAX_CALLS = 20


class EarlierCall(Value):
    """An action of this proposal that went through before, to the last byte."""

    path: str
    times: int
    shortly_before: int
    """Of those, in the week before the proposal (`SHORTLY_BEFORE_BLOCKS`)."""
    since_proposed: int
    """Of those, in the block of the proposal and later."""
    last_block: int


class EarlierCalls(Search):
    """Looked at, in blocks `from_block` to `to_block`: the calls that the executor's own events tell of. Payments are
    no actions here, see `EarlierPayments`.
    """

    TOOL: ClassVar = "earlier_calls"
    VERSION: ClassVar = "1"

    calls: tuple[EarlierCall, ...] = Field(max_length=MAX_CALLS)
    """The first of the proposal."""
