"""claimed-share: is it the part of the treasury that the text says?"""

from __future__ import annotations

import re
from fractions import Fraction

from pnyx_policies import text as reading
from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.money import by_asset, outflows
from pnyx_policies.shares import share_of_treasury

_SHARE = re.compile(
    r"(\d{1,3}(?:[.,]\d{1,4})?)\s?(?:%|percent|per cent)\s+of\s+(?:[a-z]+(?:['\u2019]s?)?\s+){0,3}"
    r"(?:treasury|holdings|reserves|funds|balance)\b"
)

_MUCH_MORE = Fraction(5, 4)
"""The text may round, and prices move."""


class ClaimedShare:
    """Medium when the text says how much of the treasury it asks for ("5% of the treasury"), and the calls take more
    of at least one asset, by a quarter or more of what it says.

    A text may mean the value of all assets together, which nobody here knows the prices of: so it is no proof of a lie,
    and of several shares in a text the largest counts. Answers incident I-6 (Compound 289), check K5.
    """

    name = "claimed-share"
    version = "1"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        shown = reading.fold(reading.rendered(view.facts.proposal.text))
        claimed = max((Fraction(share.replace(",", ".")) for share in _SHARE.findall(shown)), default=None)
        if claimed is None:
            return ()
        groups = by_asset(view.facts, outflows(view.facts).items)
        shares = {items[0].asset: share_of_treasury(view.facts, items) for items in groups}
        return tuple(
            self._finding(asset, claimed, Fraction(share, 100))
            for asset, share in shares.items()
            if share is not None and Fraction(share, 100) > claimed * _MUCH_MORE
        )

    def _finding(self, asset: str | None, claimed: Fraction, taken: Fraction) -> Finding:
        return Finding(
            check=self.name,
            severity=Severity.MEDIUM,
            title=f"The text says {_percent(claimed)} of the treasury, the calls take {_percent(taken)}",
            detail=f"Of {asset or 'coin'}.",
            evidence=(asset,) if asset else (),
        )


def _percent(share: Fraction) -> str:
    """Two decimals, exactly: the same on every machine."""
    hundredths = int(share * 100)
    return f"{hundredths // 100}.{hundredths % 100:02}%"
