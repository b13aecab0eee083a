"""Where the pieces of the charts lie. The page draws them as SVG; their figures stand beside them as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pnyx_policies.backtest import BacktestReport, Share
from pnyx_policies.backtest.shares import WHOLE
from pnyx_policies.decision import Outcome

LENGTH: Final = 1_000
"""Of a bar, and of each side of the map."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a bar, from `begin` on."""

    word: str
    begin: int
    length: int


def bar(counts: dict[Outcome, int]) -> list[Piece]:
    """Pieces that fill the bar; none where nothing was counted."""
    total, before, pieces = sum(counts.values()), 0, list[Piece]()
    for outcome, count in counts.items():
        if count:
            begin, end = before * LENGTH // total, (before + count) * LENGTH // total
            pieces.append(Piece(outcome.value, begin, end - begin))
        before += count
    return pieces


@dataclass(frozen=True, slots=True)
class Whisker:
    """A share, and the interval around it."""

    low: int
    at: int
    high: int


def whisker(share: Share) -> Whisker | None:
    """None for a share of nothing."""
    if share.share is None or share.low is None or share.high is None:
        return None
    return Whisker(*(value * LENGTH // WHOLE for value in (share.low, share.share, share.high)))


@dataclass(frozen=True, slots=True)
class Dot:
    """On the map of coverage (to the right) and agreement (upwards)."""

    label: str
    x: int
    y: int
    is_baseline: bool = False


def dots(report: BacktestReport) -> list[Dot]:
    """Rulesets by their number; one that takes no side is nowhere."""
    found = [
        _dot(str(number), tried.score.coverage, tried.score.agreement)
        for number, tried in enumerate(report.rulesets, start=1)
    ]
    every = Share.of(report.always_for.total, report.always_for.total)
    found.append(_dot("A", every, report.always_for, is_baseline=True))
    return [dot for dot in found if dot is not None]


def _dot(label: str, coverage: Share, agreement: Share, *, is_baseline: bool = False) -> Dot | None:
    if coverage.share is None or agreement.share is None:
        return None
    return Dot(label, coverage.share * LENGTH // WHOLE, LENGTH - agreement.share * LENGTH // WHOLE, is_baseline)
