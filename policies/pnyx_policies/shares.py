"""How much is at stake: what leaves and may be taken, as a part of what there is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from pnyx_contracts.errors import DecodingError
from pnyx_contracts.types import UINT256_MAX
from pnyx_policies.context import TreasuryBalances, read_context
from pnyx_policies.facts import Facts
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
    """All of it where nobody read it."""
    left = left_to_take(facts, allowance)
    return allowance.amount if left is None else left


def left_to_take(facts: Facts, allowance: Outflow) -> int | None:
    """What the spender may take after the actions, None where nobody read that. Whatever the token says, no more was
    taken than was seen to leave.
    """
    read = _read(facts, allowance.sender, *allowance.unit, spender=allowance.recipient)
    if read is None:
        return None
    sought = ("transfer", allowance.asset, allowance.sender)
    gone = sum(m.amount for m in facts.simulation.movements if (m.kind, m.asset, m.sender) == sought)
    return min(max(read.after, allowance.amount - gone), allowance.amount)


@dataclass(frozen=True, slots=True)
class _Reading:
    before: int
    after: int


def _read(
    facts: Facts, holder: str, asset: str | None, token_id: int | None = None, *, spender: str | None = None
) -> _Reading | None:
    """What an account has of an asset, or what a spender may take of it, around the actions."""
    sought = (holder, asset, token_id, spender)
    balances = (b for b in facts.simulation.balances if (b.holder, b.token, b.token_id, b.spender) == sought)
    read = next(balances, None)
    if read is None or read.before is None or read.after is None:
        return None
    return _Reading(read.before, read.after)


def share_of_treasury(facts: Facts, items: tuple[Outflow, ...]) -> int | None:
    """Basis points (rounded up) of what the treasury has of one asset that these outflows of it take; None if unknown.

    Known only for what the executor itself holds and sends. What comes in by the same actions counts as had. Coin that
    the executor pays to the asset's own contract is wrapped by that: as the coin's share it is told, and paying it on
    is no second loss. Of a collection of NFTs each is one.
    """
    if any(o.sender != facts.simulation.executor for o in items):
        return None
    held, asset = held_by_treasury(facts, items[0]), items[0].asset
    if held is None:
        return None
    if held.token_id is None and all(o.token_id is not None for o in items):
        return _basis_points(len({o.token_id for o in items}), held.balance)
    coming = _coming_in(facts, asset, held.token_id)
    wrapped = min(coming, _wrapped(facts, asset))
    lost = max(at_stake(facts, items) - wrapped, 0)
    return _basis_points(lost, held.balance + coming - wrapped)


@dataclass(frozen=True, slots=True)
class Held:
    """What the treasury has: of one number of an asset, or of the asset as a whole."""

    balance: int
    token_id: int | None = None


def held_by_treasury(facts: Facts, outflow: Outflow) -> Held | None:
    """What there is of it, None when nobody looked."""
    read = _read(facts, facts.simulation.executor, *outflow.unit)
    if outflow.token_id is not None and read is not None:
        return Held(read.before, outflow.token_id)
    holding = holding_of(facts, outflow.asset)
    return None if holding is None else Held(holding.balance)


def share_of_payers(facts: Facts, items: tuple[Outflow, ...]) -> int | None:
    """The same of what all accounts hold that pay, Safes in the calls too; None when one of them is unknown."""
    held = held_by_payers(facts, items)
    return None if held is None else _basis_points(at_stake(facts, items), held)


def held_by_payers(facts: Facts, items: tuple[Outflow, ...]) -> int | None:
    """What the accounts that pay have of the one asset of these outflows."""
    held = [_held_by(facts, sender, items[0]) for sender in {o.sender for o in items}]
    known = [balance for balance in held if balance is not None]
    return sum(known) if len(known) == len(held) else None


def _held_by(facts: Facts, account: str, outflow: Outflow) -> int | None:
    """By what was read around the actions, else at the block of the review."""
    read = _read(facts, account, *outflow.unit)
    if read is not None or outflow.token_id is not None:
        return read.before if read is not None else None
    try:
        found = read_context(TreasuryBalances, facts.context, facts.skipped)
    except DecodingError:
        return None
    holdings = (h for one in found.accounts if one.account == account for h in one.holdings)
    return next((h.balance for h in holdings if h.asset == outflow.asset), None)


def _basis_points(part: int, whole: int) -> int:
    return min(-(-part * 10_000 // max(whole, 1)), UINT256_MAX)


def _coming_in(facts: Facts, asset: str | None, token_id: int | None = None) -> int:
    """By the executor's balance where it was read, else by events."""
    executor, sought = facts.simulation.executor, ("transfer", asset, token_id)
    moves = [m for m in facts.simulation.movements if (m.kind, m.asset, m.token_id) == sought]
    read = _read(facts, executor, asset, token_id)
    if read is not None:
        sent = sum(m.amount for m in moves if m.sender == executor and m.recipient != executor)
        return max(read.after - read.before + sent, 0)
    return sum(m.amount for m in moves if m.recipient == executor and m.sender != executor)


def _wrapped(facts: Facts, asset: str | None) -> int:
    """Coin that the executor pays to the contract of the asset."""
    simulation = facts.simulation
    coin = (m for m in simulation.movements if m.asset is None and m.sender == simulation.executor)
    return sum(m.amount for m in coin if m.recipient == asset)
