"""Since when code lies at its address, and who put it there."""

from __future__ import annotations

from enum import Enum
from typing import ClassVar

from pydantic import Field

from pnyx_contracts.types import Address, Bytes32, Uint, Value
from pnyx_policies.context.reading import Reading

MAX_CODES = 4
MAX_STEPS = 3
"""From code to whoever made its maker."""


class How(Enum):
    """By what code came to its address."""

    TRANSACTION = "transaction"
    """An account that made it by a transaction of its own: its nonce is used up."""
    CREATE = "create"
    """A contract, at an address that depends on how many contracts it made before."""
    CREATE2 = "create2"
    """A contract, at an address that it can choose again, for as long as nothing lies there."""
    GENESIS = "genesis"
    """It was there before the first transaction."""
    UNKNOWN = "unknown"
    """No transaction of the block was found that made it."""


class Made(Value):
    """One contract, and who made it."""

    contract: Address
    block: int
    """The first one in the end of which there was code; where code came and went, one such block."""
    how: How
    maker: Address | None = None
    transaction: Bytes32 | None = None
    maker_can_vanish: bool = False
    """The maker is a contract that could destroy itself then, or is gone by now."""


class CodeOrigin(Value):
    """Of code that is young, or that can be destroyed on a chain where that makes room for other code."""

    address: Address
    proxy: Address | None
    """That runs this code; None where the calls reach it themselves."""
    can_destroy_itself: bool
    made: tuple[Made, ...] = Field(min_length=1, max_length=MAX_STEPS)
    """The code itself, then its maker, and so on; only as far as it matters for `can_be_made_again`."""

    @property
    def block(self) -> int:
        return self.made[0].block

    @property
    def can_be_made_again(self) -> bool | None:
        """Whether somebody can put code at this address once more, when it is empty; None where nobody knows."""
        last = self.made[-1]
        if last.how is How.CREATE2:
            return True
        if last.how is How.UNKNOWN or (last.how is How.CREATE and last.maker_can_vanish):
            return None
        return False


class CodeOrigins(Reading):
    """Looked at: code that the calls run, by calldata, by an upgrade, by delegatecall. What is older than a week before
    the proposal is passed over, unless it can destroy itself where that makes room for other code.
    """

    TOOL: ClassVar = "code_origin"
    VERSION: ClassVar = "1"

    young_from: int | None
    """Code that did not lie there in this block is young. None where the chain had no such block yet."""
    codes: tuple[CodeOrigin, ...] = Field(max_length=MAX_CODES)
    left_out: Uint
    """Further code of which the same is true."""
