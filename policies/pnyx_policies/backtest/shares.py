"""Shares of few, with what they can say about many."""

from __future__ import annotations

from math import sqrt
from typing import Final, Self

from pnyx_contracts.types import Value

WHOLE: Final = 10_000
"""Shares are hundredths of a percent: whole numbers, the same on every machine."""
_Z: Final = 1.959963984540054
"""Of the normal distribution: 95% lie within so many standard deviations."""


class Share(Value):
    """`count` of `total`. The rest in hundredths of a percent; None for a share of nothing."""

    count: int
    total: int
    share: int | None
    low: int | None
    """The 95% interval of Wilson (1927): what the share may be among many like these."""
    high: int | None

    @classmethod
    def of(cls, count: int, total: int) -> Self:
        if not total:
            return cls(count=0, total=0, share=None, low=None, high=None)
        low, high = _wilson(count, total)
        return cls(count=count, total=total, share=round(WHOLE * count / total), low=low, high=high)


def _wilson(count: int, total: int) -> tuple[int, int]:
    """Holds for few cases and at 0 and 1, where the usual interval has no width."""
    share, square = count / total, _Z * _Z
    scale = 1 + square / total
    middle = (share + square / (2 * total)) / scale
    half = _Z * sqrt(share * (1 - share) / total + square / (4 * total * total)) / scale
    low = 0 if count == 0 else round(WHOLE * (middle - half))
    high = WHOLE if count == total else round(WHOLE * (middle + half))
    return low, high
