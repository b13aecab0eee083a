"""Advice can only lower trust: what must hold for every committee, whatever its members say."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pnyx_contracts.types import Vote
from pnyx_policies import lowering
from pnyx_policies.advice import take_advice
from pnyx_policies.analysis import Analysis, Analyst, Opinion, Recommendation, Risk, RiskLevel, View
from pnyx_policies.checks import CheckView, builtin_checks, run_checks
from pnyx_policies.decide import decide
from pnyx_policies.decision import Outcome
from pnyx_policies.ruleset import ModelLimits, Ruleset, RulesetError
from pnyx_tools.testing.facts import address_of, call_of, facts_for, proposal_of

ADVICE = st.sampled_from(Recommendation)
CONFIDENCE = st.integers(0, 100)


def opinion(name, view, sample, advice, confidence, risk) -> Opinion:
    analysis = Analysis(
        summary="s", key_points=(), stated_intent="", claimed_effects=(), risks=(Risk(level=risk, text="r"),),
        recommendation=advice, confidence_percent=confidence,
    )  # fmt: skip
    return Opinion(analyst=Analyst(name=name, is_language_model=True, view=view, sample=sample), analysis=analysis)


def opinions(advice=ADVICE):
    return st.builds(
        opinion, st.sampled_from("abc"), st.sampled_from(View), st.integers(0, 2), advice,
        st.one_of(st.just(90), CONFIDENCE), st.sampled_from([RiskLevel.LOW, RiskLevel.LOW, RiskLevel.HIGH]),
    )  # fmt: skip


@st.composite
def committees(draw, max_size=5):
    """Most say the same: those that differ say nothing worth a property."""
    advice = draw(ADVICE)
    alike = st.lists(opinions(st.just(advice)), max_size=max_size)
    return tuple(draw(st.one_of(alike, st.lists(opinions(), max_size=max_size))))


limits = st.builds(
    ModelLimits, st.frozensets(st.sampled_from(Vote), min_size=1), st.integers(0, 100), st.integers(1, 3)
)


def with_analysis(one: Opinion, **changes) -> Opinion:
    return one.model_copy(update={"analysis": one.analysis.model_copy(update=changes)})


@st.composite
def worse(draw, one: Opinion) -> Opinion:
    """The same opinion, believed less; its vote is the same, or none."""
    analysis = one.analysis
    return draw(
        st.sampled_from(
            [
                one.model_copy(update={"analysis": None, "failure": "timeout"}),
                one.model_copy(update={"failure": "cost cap reached"}),
                one.model_copy(update={"struck": (*one.struck, "key_points[0]: names no source")}),
                one.model_copy(update={"analyst": one.analyst.model_copy(update={"is_language_model": False})}),
                with_analysis(one, recommendation=Recommendation.HOLD),
                with_analysis(one, confidence_percent=draw(st.integers(0, analysis.confidence_percent))),
                with_analysis(one, risks=(*analysis.risks, Risk(level=RiskLevel.HIGH, text="x"))),
            ]
        )
    )


def models_of(committee) -> int:
    return len({one.analyst.name for one in committee})


def enough(limit: ModelLimits, committee) -> bool:
    return models_of(committee) >= limit.min_agreeing


def come_to(limit, committee) -> Outcome:
    return take_advice(limit, committee)[0]


@given(limits, committees(), opinions(), st.data())
def test_one_opinion_more_gives_the_same_vote_or_a_hold(limit, committee, another, data):
    place = data.draw(st.integers(0, len(committee)))
    larger = (*committee[:place], another, *committee[place:])
    if enough(limit, committee):
        assert come_to(limit, larger) in {come_to(limit, committee), Outcome.HOLD}


@given(limits, committees().filter(bool), st.data())
def test_an_opinion_that_is_worse_gives_the_same_vote_or_a_hold(limit, committee, data):
    place = data.draw(st.integers(0, len(committee) - 1))
    changed = (*committee[:place], data.draw(worse(committee[place])), *committee[place + 1 :])
    assert come_to(limit, changed) in {come_to(limit, committee), Outcome.HOLD}


@given(limits, committees().filter(bool), st.data())
def test_no_change_to_the_worse_brings_a_vote_in_favour(limit, committee, data):
    """Not even another vote: an advice against in place of one for."""
    place = data.draw(st.integers(0, len(committee) - 1))
    advice = data.draw(st.sampled_from([r for r in Recommendation if r is not Recommendation.FOR]))
    changed = with_analysis(committee[place], recommendation=advice)
    assert come_to(limit, (*committee[:place], changed, *committee[place + 1 :])) is not Outcome.FOR


@given(limits, committees())
def test_a_vote_is_what_all_say_and_the_rule_allows(limit, committee):
    outcome, words = take_advice(limit, committee)
    if outcome is Outcome.HOLD:
        assert words.startswith("held, ")
        return
    assert {Outcome(one.analysis.recommendation.value) for one in committee} == {outcome}
    assert outcome.vote in limit.allow
    assert enough(limit, committee)
    assert min(one.analysis.confidence_percent for one in committee) >= limit.min_confidence_percent


@given(limits, committees(), st.randoms(use_true_random=False))
def test_the_order_of_a_committee_decides_nothing(limit, committee, chance):
    shuffled = list(committee)
    chance.shuffle(shuffled)
    assert take_advice(limit, shuffled) == take_advice(limit, committee)


# Whole rulesets

LINES = (
    "calls.count > 0",
    "calls.count > 3",
    "model.recommendation is against",
    "model.recommendation in [hold, against]",
    "not model.recommendation is for",
    "model.recommendation is for",
    "model.recommendation is hold",
    "model.confidence_percent >= 60",
    "model.confidence_percent < 60",
    "model.confidence_percent is 90",
    "not model.confidence_percent > 80",
    "model.is_language_model is yes",
)
RULES = st.lists(
    st.tuples(
        st.lists(st.sampled_from(LINES), min_size=1, max_size=2, unique=True),
        st.sampled_from(["for", "against", "abstain", "hold", "skip", "model", "model"]),
    ),
    min_size=1,
    max_size=4,
)
WORST_FIRST = [Recommendation(value) for value in lowering.WORST_FIRST["model.recommendation"]]
FACTS = facts_for(proposal_of([call_of(address_of("alice"), value_wei=1)], "Pay Alice 1 wei."))
REPORTS = run_checks(builtin_checks(), CheckView(FACTS))


def ruleset(rules) -> Ruleset:
    text = 'name = "test"\nversion = "1"\n'
    for place, (lines, then) in enumerate(rules):
        text += (
            f'[[rule]]\nid = "rule-{place}"\nbecause = "Rule {place}."\nwhen = {json.dumps(lines)}\nthen = "{then}"\n'
        )
        if then == "model":
            text += f'[rule.model]\nallow = ["for", "against"]\nmin_confidence_percent = {20 * place}\n'
    return Ruleset.parse(text, "test")


@settings(max_examples=150, suppress_health_check=[HealthCheck.filter_too_much])
@given(RULES, opinions(), st.data())
def test_worse_advice_never_turns_another_decision_into_a_vote_in_favour(rules, one, data):
    try:
        parsed = ruleset([*rules, (["calls.count is 1"], "for")])
    except RulesetError:
        assume(False)
    changed = data.draw(worse(one))
    if changed.analysis is not None:
        advice = data.draw(st.sampled_from(WORST_FIRST[: WORST_FIRST.index(one.analysis.recommendation) + 1]))
        changed = with_analysis(changed, recommendation=advice)
    if decide(parsed, FACTS, REPORTS, [changed]).outcome is Outcome.FOR:
        assert decide(parsed, FACTS, REPORTS, [one]).outcome is Outcome.FOR


@pytest.mark.parametrize(
    ("line", "then"),
    [
        ("model.recommendation is for", "hold"),
        ("model.recommendation is hold", "against"),
        ("model.recommendation in [for, against]", "hold"),
        ("model.confidence_percent > 50", "hold"),
        ("not model.confidence_percent < 50", "skip"),
        ("model.is_language_model is yes", "hold"),
        ("model.confidence_percent >= 90", "model"),
    ],
)
def test_a_rule_that_bad_advice_lifts_is_refused(line, then):
    with pytest.raises(
        RulesetError, match=r"stands before one that can vote in favour, and .* when the advice is worse"
    ):
        ruleset([([line], then), (["calls.count is 1"], "for")])
    ruleset([([line], then), (["calls.count is 1"], "against")])


def test_a_rule_that_bad_advice_makes_vote_in_favour_is_refused():
    with pytest.raises(RulesetError, match=r"rule 'rule-0' can vote in favour, and 'model.conf.*' holds when"):
        ruleset([(["model.confidence_percent < 50"], "model")])


def test_two_answers_of_one_model_are_no_second_model():
    two = ModelLimits(frozenset(Vote), 0, min_agreeing=2)
    said = [
        opinion(name, view, sample, Recommendation.FOR, 90, RiskLevel.LOW)
        for name, view, sample in (("a", View.FACTS_AND_TEXT, 0), ("a", View.FACTS_AND_TEXT, 1), ("a", *_ALONE))
    ]
    assert take_advice(two, said) == (Outcome.HOLD, "held, 1 of 2 models needed")
    other = opinion("b", View.FACTS_AND_TEXT, 0, Recommendation.FOR, 80, RiskLevel.LOW)
    assert take_advice(two, (*said, other)) == (Outcome.FOR, "4 of 4 say for, confidence at least 80%")


_ALONE = (View.FACTS_ALONE, 0)
