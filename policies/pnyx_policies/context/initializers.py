"""Initialisers that anybody could call once more."""

from __future__ import annotations

from typing import ClassVar, Final

from pnyx_contracts.types import Address, Value
from pnyx_policies.context.reading import Reading

IMPLEMENTATION: Final = "implementation"


class OpenInitializer(Value):
    """A call by a stranger that goes through, while a function that does not exist fails there."""

    contract: Address
    role: str
    """governor, timelock, token, target, or implementation: what one of these runs."""
    signature: str
    """A guess where it is no well-known one; that the call goes through is none."""
    proxy: Address | None = None
    """Of an implementation: who runs it."""
    opcodes: tuple[str, ...] = ()
    """Of an implementation: by which of CALLCODE, DELEGATECALL, SELFDESTRUCT its owner may destroy it."""


class Initializers(Reading):
    """Tried: initialisers whose selectors stand in the code, or in the code that a proxy runs."""

    TOOL: ClassVar = "initializers"
    VERSION: ClassVar = "2"

    contracts: tuple[Address, ...]
    """Looked at."""
    left_out: int
    """Contracts beyond the limit of this tool."""
    open: tuple[OpenInitializer, ...]
    makes_room: bool | None
    """Whether code that is destroyed is gone on this chain; None where nobody can destroy any."""
