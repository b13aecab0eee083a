"""Who proposes: a key, or a contract; and in whose transaction."""

from __future__ import annotations

from enum import Enum
from typing import ClassVar

from pnyx_contracts.types import Address, Uint, Value
from pnyx_policies.context.reading import Reading


class AccountKind(Enum):
    """By the code at the pinned block."""

    KEY = "key"
    """No code: a key's account, or a contract that is gone."""
    DELEGATED = "delegated"
    """A key's account that runs a contract's code (EIP-7702)."""
    CONTRACT = "contract"


class ProposerAccount(Reading):
    """The proposing account, and the transaction that made the proposal."""

    TOOL: ClassVar = "proposer_account"
    VERSION: ClassVar = "1"

    proposer: Address
    kind: AccountKind
    sender: Address
    """Of the transaction."""
    sender_transactions: Uint
    """That the sender had sent before."""
    called: Address | None
    """By the transaction: the governor, or what called it. None where it created a contract."""


class Before(Value):
    """How an account stood at the end of an earlier block."""

    block: int
    coin_wei: Uint
    transactions: Uint
    has_code: bool
    """Of a contract; a delegation does not count."""

    @property
    def is_unused(self) -> bool:
        return not (self.coin_wei or self.transactions or self.has_code)


class ProposerBefore(Reading):
    """The proposing account a week before it proposed."""

    TOOL: ClassVar = "proposer_before"
    VERSION: ClassVar = "1"

    proposer: Address
    before: Before | None
    """None where the chain had no such block yet."""
