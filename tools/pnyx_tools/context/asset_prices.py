"""What do the assets cost that the operator declares a price for, and how much of each does the treasury hold?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Self

from pnyx_contracts.errors import DecodingError
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import BlockRef, Proposal, to_hex
from pnyx_policies.asset_prices import PRICE_DECIMALS, PriceOrigin
from pnyx_policies.context.asset_prices import AssetPrice, AssetPrices
from pnyx_policies.facts import Grade, Holding
from pnyx_tools.context.price_quotes import NoPriceError, exchanged_in, told_by
from pnyx_tools.holdings import native_holding, questions_of, token_holding
from pnyx_tools.pinned import ask_ahead
from pnyx_tools.reader import ChainReader

_MOST_DECIMALS: Final = 77
"""More than that, and no amount is a whole token."""


class AssetPricesTool:
    """Reads nothing where nothing is declared."""

    name = AssetPrices.TOOL
    version = AssetPrices.VERSION
    grade = Grade.RE_READ
    description = "What the assets cost that the operator declares a price for, and how much the treasury holds."

    def __init__(self, origins: Sequence[PriceOrigin] = ()) -> None:
        self._origins = tuple(origins)

    def of(self, origins: Sequence[PriceOrigin]) -> Self:
        """Tools come without a configuration; whoever gathers facts says what is declared."""
        return type(self)(origins)

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,  # noqa: ARG002 - the protocol's
        profile: GovernorProfile,
        proposal: Proposal,  # noqa: ARG002 - the protocol's
        block: BlockRef,
    ) -> AssetPrices:
        return prices_at(reader, block, self._origins, profile.timelock or profile.address)


def prices_at(reader: ChainReader, block: BlockRef, origins: Sequence[PriceOrigin], holder: str) -> AssetPrices:
    """What they cost, and what `holder` has of each."""
    at = to_hex(block.hash)
    tokens = [origin.asset for origin in origins if origin.asset is not None]
    ask_ahead(reader, questions_of([holder], tokens, at))
    held = {origin.asset: _holding(reader, holder, origin.asset, at) for origin in origins}
    market = _Market(reader, block, {origin.asset: origin for origin in origins}, held)
    return AssetPrices(prices=tuple(market.priced(origin.asset) for origin in origins))


def _holding(reader: ChainReader, holder: str, asset: str | None, at: str) -> Holding | None:
    if asset is None:
        return native_holding(reader, holder, at)
    try:
        return token_holding(reader, holder, asset, at)
    except DecodingError:
        return None


@dataclass(frozen=True)
class _Market:
    """All declared prices at one block."""

    reader: ChainReader
    block: BlockRef
    origins: dict[str | None, PriceOrigin]
    held: dict[str | None, Holding | None]

    def priced(self, asset: str | None) -> AssetPrice:
        held = self.held[asset]
        price, why_not = None, ""
        try:
            price = int(self._price(asset) * 10**PRICE_DECIMALS)
        except NoPriceError as error:
            why_not = str(error)
        return AssetPrice(
            asset=asset,
            decimals=held.decimals if held else None,
            price=price,
            why_not=why_not,
            held=held.balance if held else None,
        )

    def _price(self, asset: str | None, through: tuple[str | None, ...] = ()) -> Fraction:
        """Of one whole token. `through`: assets whose prices rest on this one."""
        origin = self.origins.get(asset)
        if origin is None:
            raise NoPriceError(f"the pool exchanges it for {asset}, of which no price is declared")
        if asset in through:
            raise NoPriceError("its price rests on itself")
        if origin.fixed is not None:
            return Fraction(origin.fixed, 10**PRICE_DECIMALS)
        if origin.feed is not None:
            return told_by(self.reader, origin.feed, self.block)
        if asset is None or origin.pool is None:
            raise NoPriceError("pools exchange tokens, and not the chain's coin: it takes a feed")
        other, ratio = exchanged_in(self.reader, origin.pool, asset, to_hex(self.block.hash))
        price = self._price(other, (*through, asset))
        return ratio * self._whole(asset) / self._whole(other) * price

    def _whole(self, token: str) -> int:
        """Smallest units of a whole one."""
        held = self.held.get(token)
        if held is None or held.decimals is None or held.decimals > _MOST_DECIMALS:
            raise NoPriceError(f"the token {token} does not say how many decimals it has")
        return int(10**held.decimals)
