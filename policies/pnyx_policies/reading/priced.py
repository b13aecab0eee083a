"""What context tools found about prices, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pnyx_policies.asset_prices import PRICE_DECIMALS
from pnyx_policies.context import AccountKind, AssetPrice, AssetPrices, PricePool, PriceSetter, PriceSources
from pnyx_policies.facts import Facts
from pnyx_policies.reading.amounts import decimal, who
from pnyx_policies.reading.blocks import Bullet, Line, bad, bullet, code, line, warn

KIND: Final = {
    AccountKind.KEY: "key's account",
    AccountKind.DELEGATED: "key's account that runs a contract's code",
    AccountKind.CONTRACT: "contract",
}
_RESTS_ON: Final = {
    False: line(warn("is that of this moment"), " in"),
    None: line("is read from"),
    True: line("follows the past of"),
}


def sources_of_prices(found: PriceSources, facts: Facts) -> Iterator[Bullet]:
    if not found.sources:
        yield bullet("The calls name no contract that gives a price, and list no market whose oracle answers")
    for source in found.sources:
        about = line(" of ", *who(facts, source.asset)) if source.asset else ()
        rests = [*(_setter(facts, setter) for setter in source.setters), *(_pool(facts, pool) for pool in source.pools)]
        yield bullet(*who(facts, source.source), " gives a price", *about, inner=tuple(rests))
    if found.left_out:
        yield bullet(warn(f"Contracts that were not looked at: {found.left_out}"))


def _setter(facts: Facts, setter: PriceSetter) -> Bullet:
    if setter.by is None:
        return bullet(bad("Anybody can set it"), " by ", code(setter.signature), " of ", *who(facts, setter.contract))
    return bullet(*who(facts, setter.by), f", a {KIND[setter.kind]}, can set it by ", code(setter.signature))


def _pool(facts: Facts, pool: PricePool) -> Bullet:
    return bullet("It ", *_RESTS_ON[pool.reads_past], " the pool ", *who(facts, pool.pool))


def prices_of_assets(found: AssetPrices, facts: Facts) -> Iterator[Bullet]:
    if not found.prices:
        yield bullet("No prices are declared: what votes cost, and what the treasury is worth, is not known")
    for price in found.prices:
        yield bullet(*_asset(facts, price), *_cost(price))


def _asset(facts: Facts, price: AssetPrice) -> Line:
    return who(facts, price.asset) if price.asset else line("The chain's coin")


def _cost(price: AssetPrice) -> Line:
    if price.price is None:
        return line(": ", warn("no price"), f", {price.why_not}")
    worth = None if price.held is None else price.worth(price.held)
    held = "" if worth is None else f"; what the treasury holds of it is worth {worth:,}"
    return line(f": {decimal(price.price, PRICE_DECIMALS)} for a whole one{held}")
