"""How decisions compare with results. Holds, abstentions and skips take no side: they count as coverage, not as errors.

"Agrees" means: for, and it passed; against, and it was defeated. It does not mean "right".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import sqrt

from pnyx_contracts.types import Value
from pnyx_policies.backtest.shares import WHOLE, Share
from pnyx_policies.backtest.trial import Result, Trial
from pnyx_policies.decision import Outcome

SIDES = {Outcome.FOR: Result.PASSED, Outcome.AGAINST: Result.DEFEATED}
"""Which result each vote agrees with."""

Pair = tuple[Result, Outcome]
"""What the voters decided, and what the rules say."""


class Score(Value):
    """What is known from pairs of result and decision. In hundredths of a percent where nothing else is said."""

    matrix: dict[Result, dict[Outcome, int]]
    coverage: Share
    """Of all proposals with a result, those on which the rules take a side."""
    agreement: Share
    """Of these, those that ended so."""
    always_for: Share
    """Of the same, those that passed: the agreement of who votes for everything."""
    recall: dict[Result, Share]
    """By result: of those on which the rules take a side, those that they got."""
    balanced_accuracy: int | None
    """The mean of both recalls; 50% for who always says the same. None where one of the results did not happen."""
    correlation: int | None
    """Matthews (1975), from -10,000 to 10,000; 0 for who always says the same, None where only one result happened."""


def score(pairs: Iterable[Pair]) -> Score:
    """Of all pairs together, in any order."""
    counts = Counter(pairs)
    sided = {pair: count for pair, count in counts.items() if pair[1] in SIDES}
    total, taken = counts.total(), sum(sided.values())
    recall = {result: _recall(sided, result) for result in Result}
    return Score(
        matrix={result: {outcome: counts[result, outcome] for outcome in Outcome} for result in Result},
        coverage=Share.of(taken, total),
        agreement=Share.of(sum(count for (result, said), count in sided.items() if SIDES[said] is result), taken),
        always_for=Share.of(recall[Result.PASSED].total, taken),
        recall=recall,
        balanced_accuracy=_balanced(recall),
        correlation=_correlation(sided),
    )


def _recall(sided: dict[Pair, int], wanted: Result) -> Share:
    of_this = {said: count for (result, said), count in sided.items() if result is wanted}
    return Share.of(sum(n for said, n in of_this.items() if SIDES[said] is wanted), sum(of_this.values()))


def _balanced(recall: dict[Result, Share]) -> int | None:
    shares = [share for share in recall.values() if share.total]
    if len(shares) < len(Result):
        return None
    return round(WHOLE * sum(share.count / share.total for share in shares) / len(shares))


def _correlation(sided: dict[Pair, int]) -> int | None:
    both, none = sided.get((Result.PASSED, Outcome.FOR), 0), sided.get((Result.DEFEATED, Outcome.AGAINST), 0)
    missed, wrong = sided.get((Result.PASSED, Outcome.AGAINST), 0), sided.get((Result.DEFEATED, Outcome.FOR), 0)
    if not (both + missed and none + wrong):
        return None
    spread = (both + wrong) * (both + missed) * (none + wrong) * (none + missed)
    return round(WHOLE * (both * none - wrong * missed) / sqrt(spread)) if spread else 0


def always_for(trials: Sequence[Trial]) -> Share:
    """How often who votes for everything agrees, over all that have a result."""
    results = [trial.result for trial in trials if trial.result is not None]
    return Share.of(results.count(Result.PASSED), len(results))


def like_proposers_last(trials: Sequence[Trial]) -> Share:
    """How often who votes as most earlier proposals of the same proposer ended agrees, over all that have a result.

    Earlier are those whose vote was to end before this one's began. For, where there are none, or as many of both.
    """
    agreed = [_as_before(trial, trials) is trial.result for trial in trials if trial.result is not None]
    return Share.of(sum(agreed), len(agreed))


def _as_before(trial: Trial, trials: Sequence[Trial]) -> Result:
    earlier = [t.result for t in trials if t.proposer == trial.proposer and t.vote_end < trial.vote_start]
    return Result.DEFEATED if earlier.count(Result.DEFEATED) > earlier.count(Result.PASSED) else Result.PASSED
