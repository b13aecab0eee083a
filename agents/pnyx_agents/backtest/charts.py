"""Where the pieces of the charts lie. The page draws them as SVG; their figures stand beside them as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pnyx_policies.backtest import BacktestReport, Score, Share
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
    """Whoever takes no side is nowhere."""
    found = [_dot(str(number), one.score) for number, one in enumerate(report.rulesets, start=1)]
    found += [_dot(f"M{number}", one.score) for number, one in enumerate(report.advice, start=1)]
    if report.always_for.share is not None:
        found.append(Dot("A", LENGTH, _height(report.always_for.share), is_baseline=True))
    return [dot for dot in found if dot is not None]


def _dot(label: str, score: Score) -> Dot | None:
    coverage, agreement = score.coverage.share, score.agreement.share
    if coverage is None or agreement is None:
        return None
    return Dot(label, coverage * LENGTH // WHOLE, _height(agreement))


def _height(agreement: int) -> int:
    return LENGTH - agreement * LENGTH // WHOLE
