"""Names of ENS that lead to an address, and back."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from pnyx_contracts.types import Address, Value
from pnyx_policies.context.reading import Reading

MAX_ADDRESSES = 32


class EnsName(Value):
    """`name` and `address` lead to one another."""

    address: Address
    name: str


class EnsNames(Reading):
    """What was found. `registry` is None on a chain without ENS: nothing was asked there."""

    TOOL: ClassVar = "ens_names"
    VERSION: ClassVar = "1"

    registry: Address | None
    names: tuple[EnsName, ...] = Field(default=(), max_length=MAX_ADDRESSES)
    not_believed: tuple[Address, ...] = ()
    """Addresses that claim a name which does not lead back to them, or which is not plain. The claim is not shown."""
    left_out: int = 0
    """Further addresses in the calls, which were not looked up."""
