"""How much is at stake: what leaves and may be taken, as a part of what there is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from pnyx_contracts.errors import DecodingError
from pnyx_contracts.types import UINT256_MAX
from pnyx_policies.context import TreasuryBalances, read_context
from pnyx_policies.facts import Facts, Holding
from pnyx_policies.money import Outflow, OutflowKind, holding_of

WITHOUT_END = 2**159
"""From here on an allowance is meant to have no end: no token has so many units. Permit2 counts to 2**160 - 1."""
_WITHOUT_END_IN_96_BITS = 2**96 - 1
"""What COMP and UNI make of an allowance without end."""


def has_no_end(amount: int) -> bool:
    return amount >= WITHOUT_END or amount == _WITHOUT_END_IN_96_BITS


def at_stake(facts: Facts, items: Collection[Outflow]) -> int:
    """What leaves, and what may still be taken afterwards. What the actions take of an allowance that they gave is paid
    already: it counts once.
    """
    return sum(_left(facts, o) if o.kind is OutflowKind.ALLOWANCE else o.amount for o in items)


def _left(facts: Facts, allowance: Outflow) -> int:
    """What the spender may take after the actions; all of it where nobody read that. Whatever the token says, no more
    was taken than was seen to leave.
    """
    executor = facts.simulation.executor
    read = _read(facts, allowance.asset, allowance.recipient)
    if read is None or allowance.sender != executor:
        return allowance.amount
    moves = (
        m for m in facts.simulation.movements if (m.kind, m.asset, m.sender) == ("transfer", allowance.asset, executor)
    )
    return min(max(read.after, allowance.amount - sum(m.amount for m in moves)), allowance.amount)


@dataclass(frozen=True, slots=True)
class _Reading:
    before: int
    after: int


def _read(facts: Facts, asset: str | None, spender: str | None = None) -> _Reading | None:
    """What the executor has of a token, or what a spender may take of it, around the actions."""
    balances = (b for b in facts.simulation.balances if (b.token, b.spender) == (asset, spender))
    read = next(balances, None)
    if read is None or read.before is None or read.after is None:
        return None
    return _Reading(read.before, read.after)


def share_of_treasury(facts: Facts, items: tuple[Outflow, ...]) -> int | None:
    """Basis points (rounded up) of what the treasury has of one asset that these outflows of it take; None if unknown.

    Known only for fungible assets that the executor itself holds and sends. What comes in by the same actions counts as
    had. Coin that the executor pays to the asset's own contract is wrapped by that: as the coin's share it is told, and
    paying it on is no second loss.
    """
    holding = holding_of(facts, items[0].asset)
    if holding is None or any(o.is_nft or o.sender != facts.simulation.executor for o in items):
        return None
    coming = _coming_in(facts, holding.asset)
    wrapped = min(coming, _wrapped(facts, holding.asset))
    lost = max(at_stake(facts, items) - wrapped, 0)
    return _basis_points(lost, holding.balance + coming - wrapped)


def share_of_payers(facts: Facts, items: tuple[Outflow, ...]) -> int | None:
    """The same of what all accounts hold that pay, Safes in the calls too; None when one of them is unknown."""
    held = held_by_payers(facts, items)
    return None if held is None else _basis_points(at_stake(facts, items), held)


def held_by_payers(facts: Facts, items: tuple[Outflow, ...]) -> int | None:
    """What the accounts that pay have of the one asset of these outflows."""
    if any(o.is_nft for o in items):
        return None
    held = [_held_by(facts, sender, items[0].asset) for sender in {o.sender for o in items}]
    known = [holding.balance for holding in held if holding is not None]
    return sum(known) if len(known) == len(held) else None


def _held_by(facts: Facts, account: str, asset: str | None) -> Holding | None:
    try:
        found = read_context(TreasuryBalances, facts.context, facts.skipped)
    except DecodingError:
        return None
    holdings = (h for one in found.accounts if one.account == account for h in one.holdings)
    return next((h for h in holdings if h.asset == asset), None)


def _basis_points(part: int, whole: int) -> int:
    return min(-(-part * 10_000 // max(whole, 1)), UINT256_MAX)


def _coming_in(facts: Facts, asset: str | None) -> int:
    """By the executor's balance where it was read, else by events."""
    executor = facts.simulation.executor
    moves = [m for m in facts.simulation.movements if m.kind == "transfer" and m.asset == asset and m.token_id is None]
    read = _read(facts, asset)
    if read is not None:
        sent = sum(m.amount for m in moves if m.sender == executor and m.recipient != executor)
        return max(read.after - read.before + sent, 0)
    return sum(m.amount for m in moves if m.recipient == executor and m.sender != executor)


def _wrapped(facts: Facts, asset: str | None) -> int:
    """Coin that the executor pays to the contract of the asset."""
    simulation = facts.simulation
    coin = (m for m in simulation.movements if m.asset is None and m.sender == simulation.executor)
    return sum(m.amount for m in coin if m.recipient == asset)
