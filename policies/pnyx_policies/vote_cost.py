"""What votes cost, and what they decide about, at the declared prices. In whole units of account, rounded down."""

from __future__ import annotations

from dataclasses import dataclass

from pnyx_policies.context import AssetPrice, AssetPrices
from pnyx_policies.facts import Facts
from pnyx_policies.money import outflows
from pnyx_policies.shares import at_stake


@dataclass(frozen=True, slots=True)
class Prize:
    """What somebody gets who decides the votes of a DAO, without its voting tokens: their price does not outlast it."""

    treasury: int
    """The executor's assets that have a price."""
    taken: int
    """What these actions take of them, and may let others take, less what comes in by them."""
    unpriced: tuple[str | None, ...]
    """Declared assets whose price, or whose amount, could not be read: what they are worth is not known."""


def prize(facts: Facts, prices: AssetPrices) -> Prize:
    voting = facts.governor.profile.token
    others = [price for price in prices.prices if price.asset != voting]
    worths = {price.asset: _worth(price) for price in others}
    return Prize(
        treasury=sum(worth for worth in worths.values() if worth is not None),
        taken=max(sum(_taken(facts, price) - _coming(facts, price) for price in others), 0),
        unpriced=tuple(asset for asset, worth in worths.items() if worth is None),
    )


def _worth(price: AssetPrice) -> int | None:
    return None if price.held is None else price.worth(price.held)


def _taken(facts: Facts, price: AssetPrice) -> int:
    """Nobody takes more than there is, whatever an allowance says."""
    executor = facts.simulation.executor
    flows = tuple(o for o in outflows(facts).items if o.sender == executor and o.unit == (price.asset, None))
    return price.worth(min(at_stake(facts, flows), (price.held or 0) + _units_coming(facts, price.asset))) or 0


def _coming(facts: Facts, price: AssetPrice) -> int:
    return price.worth(_units_coming(facts, price.asset)) or 0


def _units_coming(facts: Facts, asset: str | None) -> int:
    executor = facts.simulation.executor
    moves = (m for m in facts.simulation.all_movements if m.kind == "transfer" and m.token_id is None)
    return sum(m.amount for m in moves if (m.asset, m.recipient) == (asset, executor) and m.sender != executor)
