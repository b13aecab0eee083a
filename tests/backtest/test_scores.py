"""The figures, against their definitions."""

from __future__ import annotations

from collections import Counter
from itertools import product
from math import isclose, sqrt

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pnyx_contracts.types import BlockRef, ProposalState
from pnyx_policies.audit.story import ModelUse
from pnyx_policies.backtest import Result, Share, Trial, result_of, score
from pnyx_policies.backtest.report import sum_of
from pnyx_policies.backtest.scores import SIDES, Pair, always_for, like_proposers_last
from pnyx_policies.decision import Outcome

PAIRS = st.lists(st.sampled_from(list(product(Result, Outcome))), max_size=60)


@given(st.integers(1, 5_000).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
@example(counts=(1, 3531))
def test_wilsons_interval_is_where_the_score_test_ends(counts: tuple[int, int]) -> None:
    """Its ends are the shares p with |found - p| = z * sqrt(p (1 - p) / n), to the nearest hundredth of a percent."""
    count, total = counts
    share = Share.of(count, total)
    assert share.share is not None
    assert share.low is not None
    assert share.high is not None
    assert 0 <= share.low <= share.share <= share.high <= 10_000
    found = count / total

    def inside(p: float) -> float:
        """How far p is inside the interval: nothing at an end, less than nothing outside."""
        p = min(max(p, 0.0), 1.0)
        return 1.959963984540054 * sqrt(p * (1 - p) / total) - abs(found - p)

    half = 0.5 / 10_000
    if count:
        low = share.low / 10_000
        assert inside(low - half) <= 1e-9
        assert inside(low + half) >= -1e-9
    if count < total:
        high = share.high / 10_000
        assert inside(high + half) <= 1e-9
        assert inside(high - half) >= -1e-9


@given(st.integers(0, 200), st.integers(1, 50))
def test_an_interval_is_narrower_when_more_is_known(count: int, times: int) -> None:
    few, many = Share.of(count, 200), Share.of(count * times, 200 * times)
    assert (few.low or 0) <= (many.low or 0)
    assert (many.high or 0) <= (few.high or 0)
    assert few.share == many.share


def test_a_share_of_nothing_is_none() -> None:
    assert Share.of(0, 0) == Share(count=0, total=0, share=None, low=None, high=None)


def test_two_intervals_as_numbers() -> None:
    assert (Share.of(0, 10).low, Share.of(0, 10).high) == (0, 2775)
    assert (Share.of(5, 10).low, Share.of(5, 10).high) == (2366, 7634)


@given(PAIRS)
def test_a_score_is_what_its_parts_say(pairs: list[Pair]) -> None:
    found = score(pairs)
    sided = [(result, said) for result, said in pairs if said in SIDES]
    assert {(r, o): n for r, row in found.matrix.items() for o, n in row.items() if n} == Counter(pairs)
    assert (found.coverage.count, found.coverage.total) == (len(sided), len(pairs))
    agreed = [(r, o) for r, o in sided if (o is Outcome.FOR) == (r is Result.PASSED)]
    assert (found.agreement.count, found.agreement.total) == (len(agreed), len(sided))
    assert found.always_for.count == sum(r is Result.PASSED for r, _ in sided)
    for result in Result:
        assert found.recall[result].total == sum(r is result for r, _ in sided)
        assert found.recall[result].count == sum(r is result for r, _ in agreed)


@given(PAIRS)
def test_correlation_is_pearsons_of_two_yes_or_no(pairs: list[Pair]) -> None:
    """The Matthews coefficient of a 2x2 table is the Pearson correlation of its two columns."""
    sided = [(int(r is Result.PASSED), int(o is Outcome.FOR)) for r, o in pairs if o in SIDES]
    found = score(pairs)
    passed = sum(x for x, _ in sided)
    if passed in {0, len(sided)}:
        assert found.correlation is found.balanced_accuracy is None
        return
    assert found.correlation is not None
    mean_x, mean_y = passed / len(sided), sum(y for _, y in sided) / len(sided)
    covariance = sum((x - mean_x) * (y - mean_y) for x, y in sided)
    spread = sqrt(sum((x - mean_x) ** 2 for x, _ in sided) * sum((y - mean_y) ** 2 for _, y in sided))
    assert isclose(found.correlation / 10_000, covariance / spread if spread else 0.0, abs_tol=1e-4)


@given(PAIRS, st.sampled_from(list(SIDES)))
def test_who_always_says_the_same_gains_nothing(pairs: list[Pair], always: Outcome) -> None:
    found = score([(result, always) for result, _ in pairs])
    assert found.balanced_accuracy in {None, 5_000}
    assert found.correlation in {None, 0}


@given(PAIRS)
def test_the_order_does_not_matter(pairs: list[Pair]) -> None:
    assert score(pairs) == score(reversed(pairs))


def test_what_ended_how() -> None:
    ended = {state: result_of(state) for state in ProposalState}
    assert {s.name for s, r in ended.items() if r is Result.PASSED} == {"SUCCEEDED", "QUEUED", "EXECUTED", "EXPIRED"}
    assert {s.name for s, r in ended.items() if r is Result.DEFEATED} == {"DEFEATED"}


def trial(result: Result | None, proposer: str = "0x" + "11" * 20, start: int = 0, end: int = 10) -> Trial:
    return Trial(
        proposal_id=1, title="", proposer=proposer, created_block=0, vote_start=start, vote_end=end,
        opened=BlockRef(number=1, hash=bytes(32), timestamp=0), state=ProposalState.EXECUTED, result=result,
        votes_before=False, findings=(), checks_skipped=(), steps_skipped=(), opinions=(), use=ModelUse(), judged=(),
    )  # fmt: skip


def test_the_proposers_last_counts_only_once_it_has_ended() -> None:
    """No later information, in a baseline too."""
    lost, other = trial(Result.DEFEATED, end=10), "0x" + "22" * 20
    after, meanwhile = trial(Result.DEFEATED, start=11, end=20), trial(Result.DEFEATED, start=10, end=20)
    stranger = trial(Result.DEFEATED, proposer=other, start=50, end=60)
    assert like_proposers_last([lost, after]).count == 1, "the first one is unknown: for"
    assert like_proposers_last([lost, meanwhile]).count == 0
    assert like_proposers_last([lost, stranger]).count == 0
    assert like_proposers_last([lost, trial(None, start=30, end=40)]).total == 1
    assert always_for([lost, trial(Result.PASSED), trial(None)]) == Share.of(1, 2)


@pytest.mark.parametrize(
    ("costs", "expected"), [((), None), ((None,), None), (("0.1", None, "0.25"), "0.35"), (("0.5", "0.5"), "1")]
)
def test_costs_add_up_exactly(costs: tuple[str | None, ...], expected: str | None) -> None:
    uses = [ModelUse(requests=2, input_tokens=3, cost=cost, unpriced=() if cost else ("x",)) for cost in costs]
    found = sum_of(uses)
    assert (found.cost, found.requests, found.input_tokens) == (expected, 2 * len(costs), 3 * len(costs))
    assert found.unpriced == (("x",) if None in costs else ())
