"""Where prices come from that the calls hand to a protocol, or that a market lends by afterwards."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from pnyx_contracts.types import Address, Uint, Value
from pnyx_policies.context.proposer_account import AccountKind
from pnyx_policies.context.reading import Reading
from pnyx_policies.facts import Holding

MAX_SOURCES = 16


class PriceSetter(Value):
    """A function after which the price was another one, when it was tried. Nothing was sent."""

    contract: Address
    signature: str
    by: Address | None
    """Who called it; None for a stranger, so anybody may."""
    kind: AccountKind
    """What kind of account that is; a key's for a stranger."""


class PricePool(Value):
    """A pool that is read for the price."""

    pool: Address
    reads_past: bool | None
    """Whether more of it is read than what it says of this moment: what it remembers of the past. None for Curve's
    pools, of which that cannot be told.
    """
    holds: tuple[Holding, ...]
    """Its first two tokens, as far as they answer."""


class PriceSource(Value):
    """A contract that gives a price, and what this price rests on."""

    source: Address
    signature: str
    """The function that gives it."""
    asset: Address | None
    """What it was asked about; None where the contract has one price."""
    path: str
    """The call that names it, or that lists a market which goes by it."""
    answer: Uint
    """The number that it gives, in its own unit; 0 for a negative one."""
    decimals: Uint | None
    """Of a feed that tells of rounds, as far as it says."""
    updated_at: Uint | None
    """When it was told, in seconds since the epoch; None where it does not say."""
    setters: tuple[PriceSetter, ...]
    """Of contracts that no source before this one was read from."""
    pools: tuple[PricePool, ...]
    left_out: int
    """Contracts behind it in which functions that set it were not looked for."""


class PriceSources(Reading):
    """As they are before the actions."""

    TOOL: ClassVar = "price_sources"
    VERSION: ClassVar = "1"

    sources: tuple[PriceSource, ...] = Field(max_length=MAX_SOURCES)
    left_out: int
    """Contracts that the calls name, and sources, that were not looked at."""
