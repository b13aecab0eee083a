"""Initialisers that anybody could call once more."""

from __future__ import annotations

from typing import ClassVar

from pnyx_contracts.types import Address, Value
from pnyx_policies.context.reading import Reading


class OpenInitializer(Value):
    """A call by a stranger that goes through, while a function that does not exist fails there."""

    contract: Address
    role: str
    """governor, timelock, token, or target."""
    signature: str


class Initializers(Reading):
    """Tried: well-known initialisers whose selectors stand in the code, or in the code that a proxy runs."""

    TOOL: ClassVar = "initializers"
    VERSION: ClassVar = "1"

    contracts: tuple[Address, ...]
    """Looked at."""
    left_out: int
    """Contracts beyond the limit of this tool."""
    open: tuple[OpenInitializer, ...]
