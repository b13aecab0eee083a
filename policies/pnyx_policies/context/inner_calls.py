"""Contracts that the calls create, and code that they run by delegatecall, which neither calls nor events name."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from pnyx_contracts.types import Address, Bytes32, Value
from pnyx_policies.context.reading import Reading

MAX_CREATED = 32
MAX_CODES = 32


class CreatedContract(Value):
    """What the actions create, at any depth."""

    contract: Address
    creator: Address
    how: str = Field(pattern="^CREATE2?$")


class DelegatedCode(Value):
    """Code that a contract runs with its own rights, and that is not what a proxy runs."""

    code: Address
    caller: Address
    """The first one that runs it."""
    code_hash: Bytes32
    opcodes: tuple[str, ...]
    """What it can reach of CALLCODE, CREATE, CREATE2, DELEGATECALL, SELFDESTRUCT; in truth perhaps fewer."""


class InnerCalls(Reading):
    """Of traces of the actions."""

    TOOL: ClassVar = "inner_calls"
    VERSION: ClassVar = "1"

    is_traced: bool
    """False where no code that the calls reach can create contracts or run other code: then nothing was asked."""
    created: tuple[CreatedContract, ...] = Field(max_length=MAX_CREATED)
    delegated: tuple[DelegatedCode, ...] = Field(max_length=MAX_CODES)
    left_out: int
    makes_room: bool | None
    """Whether code that is destroyed is gone on this chain; None where none of the delegated code can be."""
