"""Balances of the accounts that a proposal moves."""

from __future__ import annotations

from typing import ClassVar

from pnyx_contracts.types import Address, Value
from pnyx_policies.context.reading import Reading
from pnyx_policies.facts import Holding


class AccountBalances(Value):
    """One account. Assets that do not answer like a token are left out."""

    account: Address
    role: str
    """executor, governor, or caller (a Safe or timelock inside the calls)."""
    holdings: tuple[Holding, ...]


class TreasuryBalances(Reading):
    """Looked at: the chain's coin, the governance token, and every token that the calls name; nothing else."""

    TOOL: ClassVar = "treasury_balances"
    VERSION: ClassVar = "1"

    accounts: tuple[AccountBalances, ...]
    left_out: int
    """Accounts and assets beyond the limits of this tool."""
