"""Markets that begin to lend against their tokens: which calls do that, and what has to be read to judge them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from pnyx_contracts.decoded import DecodedCall
from pnyx_contracts.selectors import selector_of
from pnyx_policies.probes import DERIVED, Probe

MAX_MARKETS: Final = 16
"""Of one proposal, whose supply is read."""

_COLLATERAL: Final = {
    "_setCollateralFactor(address,uint256)": 1,
    "setCollateralFactor(address,uint256,uint256)": 1,
}
"""Functions of lending protocols made after Compound (Venus has the second), and the place of the factor. The market
comes first.
"""


@dataclass(frozen=True, slots=True)
class Collateral:
    """A call that lets people borrow against a market's tokens."""

    path: str
    market: str

    @property
    def supply(self) -> Probe:
        """How much of them there is."""
        return Probe(
            name=f"{DERIVED}supply of {self.market}", contract=self.market, calldata=selector_of("totalSupply()")
        )


def collateral(calls: Iterable[DecodedCall]) -> tuple[Collateral, ...]:
    """Each market once, by the first call that raises its factor from nothing or to something."""
    found: dict[str, Collateral] = {}
    for outer in calls:
        for each in filter(None, map(_collateral, outer.walk())):
            found.setdefault(each.market, each)
    return tuple(found.values())[:MAX_MARKETS]


def derived_probes(calls: Iterable[DecodedCall]) -> Iterator[Probe]:
    """What the calls themselves say must be read before and after them, whatever the operator declared."""
    return (each.supply for each in collateral(calls))


def _collateral(call: DecodedCall) -> Collateral | None:
    place = _COLLATERAL.get(call.signature or "")
    if place is None or call.other_chain or call.arguments[place].value == "0":
        return None
    return Collateral(call.path, call.arguments[0].value)
