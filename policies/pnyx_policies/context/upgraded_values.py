"""What contracts answer otherwise right after their code is replaced."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from pnyx_contracts.types import Address, Hex, Value
from pnyx_policies.context.reading import Reading
from pnyx_policies.context.upgraded_functions import MAX_UPGRADES

MAX_CHANGED = 16
MAX_INITIALISERS = 4
"""Of one upgrade, which are tried."""
MAX_ANSWER_BYTES = 224
"""Of each answer so much is compared, and its length."""


class ChangedValue(Value):
    """One function, called with an account behind its selector: who takes no argument passes over it."""

    selector: Hex
    account: Address
    before: Hex = Field(max_length=MAX_ANSWER_BYTES)
    after: Hex | None = Field(max_length=MAX_ANSWER_BYTES)
    """None where it fails afterwards."""
    is_of_the_code: bool
    """Old and new code give these answers also by themselves, without the contract's storage: a constant."""


class UpgradedValues(Value):
    """Of one contract, right before and right after the proposal's actions."""

    contract: Address
    after: Address
    """The new code; for a diamond, what initialises it."""
    beacon: Address | None
    """Who gives the contract its code, where it has it from a beacon."""
    asked: int
    """Questions: functions of the old code, some of them for several accounts."""
    answered: int
    """Those that were answered before the actions."""
    changed: tuple[ChangedValue, ...] = Field(max_length=MAX_CHANGED)
    """The first ones; constants of the code come last."""
    more_moved: int
    more_constants: int
    left_out: int
    """Questions beyond the limit."""
    opened: tuple[str, ...] = Field(max_length=MAX_INITIALISERS)
    """Initialisers of the new code that a stranger can call afterwards, and could not before."""

    @property
    def moved(self) -> tuple[ChangedValue, ...]:
        """Those that storage has a part in."""
        return tuple(value for value in self.changed if not value.is_of_the_code)

    @property
    def constants(self) -> tuple[ChangedValue, ...]:
        return tuple(value for value in self.changed if value.is_of_the_code)


class ValuesOfUpgrades(Reading):
    """Of the upgrades that the calls name, where Solidity's way to find a function shows what there is to ask."""

    TOOL: ClassVar = "upgraded_values"
    VERSION: ClassVar = "1"

    upgrades: tuple[UpgradedValues, ...] = Field(max_length=MAX_UPGRADES)
    left_out: int
    """Upgrades beyond the limit, and proxies that have their code from the same beacon as others."""
    from_block: int | None
    """From here on proxies of beacons were looked for; None where no beacon is upgraded."""
