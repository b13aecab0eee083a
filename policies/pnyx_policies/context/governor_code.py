"""Which voting power the governor's code asks for, and whether it has emergency paths."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from pnyx_contracts.types import Address
from pnyx_policies.context.reading import Reading

MAX_CODES = 8


class GovernorCode(Reading):
    """Found by selectors in the code, the way Solidity has them: what the code does with them is not known. A governor
    that keeps the power itself asks nobody.
    """

    TOOL: ClassVar = "governor_code"
    VERSION: ClassVar = "1"

    codes: tuple[Address, ...] = Field(max_length=MAX_CODES)
    """Looked at: the governor, what it runs as a proxy, and of a diamond (EIP-2535) the facets with emergency paths."""
    emergency: tuple[str, ...]
    """Functions of the governor by which votes, or others, execute faster; sorted."""
    past: tuple[str, ...]
    """Questions about the power of an earlier moment in the code, sorted."""
    live: tuple[str, ...]
    """Questions about the power, or the tokens, of now; sorted."""
