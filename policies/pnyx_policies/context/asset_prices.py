"""What the declared assets cost, and how much of each the treasury holds."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from pnyx_contracts.types import Address, Uint, Value
from pnyx_policies.asset_prices import MAX_PRICES, PRICE_DECIMALS
from pnyx_policies.context.reading import Reading


class AssetPrice(Value):
    """One declared asset."""

    asset: Address | None
    """None for the chain's own coin."""
    decimals: int | None = Field(ge=0, le=255)
    """None where the token does not say: then it has no price either."""
    price: Uint | None
    """Of one whole token, times 10**18, in the unit that all declared prices share; None where it could not be read."""
    why_not: str = ""
    """Why there is no price."""
    held: Uint | None
    """By the executor, in smallest units; None where the token does not say."""

    def worth(self, units: int) -> int | None:
        """So many smallest units, in whole units of account, rounded down."""
        if self.price is None or self.decimals is None:
            return None
        return int(units * self.price // 10 ** (self.decimals + PRICE_DECIMALS))


class AssetPrices(Reading):
    """At the pinned block: of a pool of Uniswap's version 3 the average of the last half hour, else of that moment."""

    TOOL: ClassVar = "asset_prices"
    VERSION: ClassVar = "1"

    prices: tuple[AssetPrice, ...] = Field(max_length=MAX_PRICES)
    """In the order in which they are declared; empty where none is."""

    def of(self, asset: str | None) -> AssetPrice | None:
        return next((price for price in self.prices if price.asset == asset), None)
