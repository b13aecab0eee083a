"""Where the operator says that the price of an asset stands on chain: declared, read at the pinned block."""

from __future__ import annotations

from typing import Final, Self

from pydantic import model_validator

from pnyx_contracts.types import Address, Uint, Value

MAX_PRICES: Final = 32
PRICE_DECIMALS: Final = 18
"""A price is what one whole token costs, times ten to this power."""


class PriceOrigin(Value):
    """Of one asset; exactly one place. All prices are in the same unit, whichever the feeds tell: US dollars mostly."""

    asset: Address | None
    """None for the chain's own coin."""
    feed: Address | None = None
    """A contract that answers as Chainlink's feeds do, in that unit."""
    pool: Address | None = None
    """A pool of Uniswap's version 2 or 3, or of a descendant, where the asset is exchanged for one that has a price."""
    fixed: Uint | None = None
    """The operator's word: a whole token counts as so much, times 10**18."""

    @model_validator(mode="after")
    def _require_one_place(self) -> Self:
        if sum(place is not None for place in (self.feed, self.pool, self.fixed)) != 1:
            raise ValueError("a price comes from exactly one of feed, pool, fixed")
        return self
