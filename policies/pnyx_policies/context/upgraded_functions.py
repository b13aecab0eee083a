"""Which functions new code has, and which it has no more."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from pnyx_contracts.types import Address, Hex, Value
from pnyx_policies.context.reading import Reading

MAX_UPGRADES = 8
MAX_GONE = 16


class UpgradedFunctions(Value):
    """Of one contract, by the selectors that its code compares with those of calls."""

    contract: Address
    before: Address
    """Whose code it runs."""
    after: Address
    functions: int
    """Of the new code; 0 where none was recognised, and then nothing is said of those that are gone."""
    added: int
    gone: tuple[Hex, ...] = Field(max_length=MAX_GONE)
    """The first selectors, sorted."""
    more_gone: int


class Upgrades(Reading):
    """Those that the calls name. Solidity's way to find a function is known; other compilers have others."""

    TOOL: ClassVar = "upgraded_functions"
    VERSION: ClassVar = "1"

    upgrades: tuple[UpgradedFunctions, ...] = Field(max_length=MAX_UPGRADES)
    left_out: int

    def to(self, code: str | None) -> UpgradedFunctions | None:
        return next((upgrade for upgrade in self.upgrades if upgrade.after == code), None)
