"""What a ruleset would have done with past proposals, and how that compares with what the voters did. Pure."""

from pnyx_policies.backtest.report import FORMAT, BacktestReport, Ground, Tried, report_of
from pnyx_policies.backtest.scores import Score, score
from pnyx_policies.backtest.shares import Share
from pnyx_policies.backtest.trial import Judged, Result, Said, Seen, Trial, Untried, result_of

__all__ = [
    "FORMAT",
    "BacktestReport",
    "Ground",
    "Judged",
    "Result",
    "Said",
    "Score",
    "Seen",
    "Share",
    "Trial",
    "Tried",
    "Untried",
    "report_of",
    "result_of",
    "score",
]
