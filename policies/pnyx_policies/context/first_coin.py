"""Where a new account that proposes got its first coin from."""

from __future__ import annotations

from typing import ClassVar

from pnyx_contracts.types import Address, Bytes32
from pnyx_policies.context.reading import Reading


class FirstCoin(Reading):
    """Looked for only where the proposing account was empty and unused a week before it proposed."""

    TOOL: ClassVar = "first_coin"
    VERSION: ClassVar = "1"

    account: Address
    block: int | None
    """In which coin came, or without any the account's first transaction. None where it was not looked for, and where
    nothing came before the proposal."""
    sender: Address | None
    """Who sent it, or the contract that did. None where no transaction of the block was found that did."""
    transaction: Bytes32 | None
