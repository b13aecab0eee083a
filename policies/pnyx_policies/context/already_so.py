"""What the calls ask for, and what is so already."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from pnyx_contracts.types import Address, Value
from pnyx_policies.context.reading import Reading

MAX_ASKED = 32


class So(Value):
    """A call that finds the state that it asks for."""

    path: str
    contract: Address
    question: str
    """What the contract was asked, for example ``hasRole(bytes32,address)``."""


class AlreadySo(Reading):
    """Looked at, at the pinned block: the getters that by their names belong to the first `MAX_ASKED` calls that set
    one value, give a role or take one. A contract that does not answer is not known.
    """

    TOOL: ClassVar = "already_so"
    VERSION: ClassVar = "1"

    so: tuple[So, ...] = Field(max_length=MAX_ASKED)
    left_out: int
    """Calls that were not asked about."""
