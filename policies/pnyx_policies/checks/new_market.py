"""new-market: does a market lend against tokens of which there are none?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pnyx_policies.checks.protocol import CheckSkipped, CheckView
from pnyx_policies.facts import Facts
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.markets import Collateral, collateral

THIN: Final = 1_000
"""Smallest units of a market's token. Below this, whoever supplies next decides what one of them is worth."""


class NewMarket:
    """High when a market gets a collateral factor and has (almost) no supply after the simulated actions: the first one
    to supply can make one unit worth everything, and borrow against it. Low when its supply cannot be read.

    Reads ``totalSupply()`` of the market in the functions of Compound's descendants; `price-source` looks at the
    oracle. Where calls are only scheduled, the supply is that of before. Answers incident I-20 (Sonne), check K13.
    """

    name = "new-market"
    version = "1"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        return tuple(self._findings(view.facts))

    def _findings(self, facts: Facts) -> Iterator[Finding]:
        readings = {reading.name: reading.after for reading in facts.simulation.readings}
        for each in collateral(facts.calls):
            answer = readings.get(each.supply.name)
            if answer is None:
                raise CheckSkipped("a market's supply is read in the simulation, and nothing was simulated")
            supply = each.supply.number(answer.data)
            if supply is None:
                why = answer.error or "its answer is no number"
                yield self._finding(each, Severity.LOW, f"The supply of the market {each.market} cannot be read: {why}")
            elif supply < THIN:
                title = f"The market {each.market} lends against its tokens, of which there are {supply}"
                yield self._finding(each, Severity.HIGH, title)

    def _finding(self, each: Collateral, severity: Severity, title: str) -> Finding:
        return Finding(check=self.name, severity=severity, title=title, calls=(each.path,), evidence=(each.market,))
