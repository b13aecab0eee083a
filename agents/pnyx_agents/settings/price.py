"""Where prices stand on chain, as an operator writes it."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final, Self

from pydantic import BeforeValidator, model_validator

from pnyx_contracts.types import Address, Value
from pnyx_policies.asset_prices import PRICE_DECIMALS, PriceOrigin
from pnyx_policies.prices import DecimalText

COIN: Final = "coin"


def _no_token(value: object) -> object:
    return None if value == COIN else value


class PriceSettings(Value):
    """``[[price]]``: one asset, and where its price is read. Declared."""

    asset: Annotated[Address | None, BeforeValidator(_no_token)]
    """A token; ``coin`` for the chain's own coin."""
    feed: Address | None = None
    pool: Address | None = None
    counts_as: DecimalText | None = None
    """The operator's word: ``"1"`` for a stablecoin."""

    @model_validator(mode="after")
    def _require_sense(self) -> Self:
        self.origin()
        return self

    def origin(self) -> PriceOrigin:
        """What is declared. Raises `ValueError` that says what is wrong."""
        places = [name for name in ("feed", "pool", "counts_as") if getattr(self, name) is not None]
        if len(places) != 1:
            raise ValueError(f"expected one of feed, pool, counts_as, got {' and '.join(places) or 'none'}")
        if self.asset is None and self.pool is not None:
            raise ValueError("pools exchange tokens: the coin's price takes a feed")
        return PriceOrigin(asset=self.asset, feed=self.feed, pool=self.pool, fixed=self._fixed())

    def _fixed(self) -> int | None:
        if self.counts_as is None:
            return None
        fixed = Decimal(self.counts_as).scaleb(PRICE_DECIMALS)
        if fixed != int(fixed) or not fixed:
            raise ValueError(f"counts_as: expected more than nothing, with at most {PRICE_DECIMALS} decimals")
        return int(fixed)
