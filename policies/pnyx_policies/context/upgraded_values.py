"""What contracts answer otherwise right after their code is replaced."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from pnyx_contracts.types import Address, Hex, Value
from pnyx_policies.context.reading import Reading
from pnyx_policies.context.upgraded_functions import MAX_UPGRADES

MAX_CHANGED = 16
MAX_ANSWER_BYTES = 224
"""Of each answer so much is compared, and its length."""


class ChangedValue(Value):
    """One function, called with the executor's address behind its selector: who takes no argument passes over it."""

    selector: Hex
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
    asked: int
    """Functions that old and new code have."""
    answered: int
    """Those that answered before the actions."""
    changed: tuple[ChangedValue, ...] = Field(max_length=MAX_CHANGED)
    """The first ones, by selector."""
    more_changed: int
    left_out: int
    """Functions beyond the limit."""


class ValuesOfUpgrades(Reading):
    """Of the upgrades that the calls name, where Solidity's way to find a function shows what there is to ask."""

    TOOL: ClassVar = "upgraded_values"
    VERSION: ClassVar = "1"

    executor: Address
    upgrades: tuple[UpgradedValues, ...] = Field(max_length=MAX_UPGRADES)
    left_out: int
    """Upgrades beyond the limit."""
