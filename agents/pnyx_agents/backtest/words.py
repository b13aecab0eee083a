"""Figures of the report for people: on the terminal and on the page."""

from __future__ import annotations

from typing import Final

from pnyx_contracts.types import to_hex
from pnyx_policies.audit.story import ModelUse
from pnyx_policies.backtest import BacktestReport, Score, Share, Trial
from pnyx_policies.backtest.report import Tried, Voter
from pnyx_policies.backtest.scores import SIDES
from pnyx_policies.decision import Outcome
from pnyx_policies.reading.amounts import decimal

NONE: Final = "-"


def percent(hundredths: int | None) -> str:
    """``87.5%``; a dash for a share of nothing."""
    return NONE if hundredths is None else f"{decimal(hundredths, 2)}%"


def share(found: Share) -> str:
    """``7 of 8``"""
    return f"{found.count} of {found.total}"


def interval(found: Share) -> str:
    """``52.9% to 97.8%``"""
    return NONE if found.share is None else f"{percent(found.low)} to {percent(found.high)}"


def whole(found: Share) -> str:
    """``7 of 8: 87.5% (52.91% to 97.76%)``"""
    return share(found) if found.share is None else f"{share(found)}: {percent(found.share)} ({interval(found)})"


def correlation(value: int | None) -> str:
    """``-0.25``"""
    if value is None:
        return NONE
    return f"{'-' if value < 0 else ''}{decimal(abs(value), 4)}"


def ruleset(tried: Tried, report: BacktestReport) -> str:
    """Its name and version; with its hash where two are called the same."""
    name = f"{tried.name} {tried.version}"
    twins = sum((other.name, other.version) == (tried.name, tried.version) for other in report.rulesets)
    return name if twins == 1 else f"{name} ({to_hex(tried.hash)[:10]})"


def scored(report: BacktestReport) -> list[tuple[str, Score]]:
    """Rulesets by number, then the advice of each model by letter M and number."""
    rulesets = [(f"{n}. {ruleset(tried, report)}", tried.score) for n, tried in enumerate(report.rulesets, start=1)]
    models = [(f"M{n}. advice of {one.analyst} alone", one.score) for n, one in enumerate(report.advice, start=1)]
    return [*rulesets, *models]


def voter(found: Voter) -> str:
    if found.address is not None:
        return f"{found.address}, with the power that it had at each snapshot"
    return f"assumed: somebody with the voting power {found.power} (in token units), who has not voted"


def costs(use: ModelUse, currency: str) -> str:
    """One line."""
    if not use.requests:
        return "no language model was asked"
    words = [f"{use.requests:,} requests, {use.input_tokens:,} tokens in, {use.output_tokens:,} out"]
    words += [f"{use.cost} {currency}"] if use.cost is not None else []
    words += [f"without a price: {', '.join(use.unpriced)}"] if use.unpriced else []
    words += [f"{use.without_tokens} that did not say their tokens"] if use.without_tokens else []
    words += [f"{use.failures} of no use"] if use.failures else []
    return "; ".join(words)


def agrees(trial: Trial, outcome: Outcome) -> bool | None:
    """None where there is nothing to agree with, or no side was taken."""
    return None if trial.result is None or outcome not in SIDES else SIDES[outcome] is trial.result
