"""What several opinions come to: one vote that they all advise, or a hold. Advice can only lower trust.

    trust    for > abstain > hold > against, in how far a proposal is believed
    votes    for, against and abstain are no more or less of one another; hold is less than each of them

The merge is the meet of all opinions among the votes: what all say, else hold. So once there are as many models as the
rule asks for, one opinion more, or one that is worse (it failed, is less sure, rests on nothing, sees a high risk,
says hold), gives the same vote or a hold, never another vote. And no change to the worse of any opinion, down to an
advice against, leads to a vote in favour that was not there before.

Two answers of one model are no second model: `min_agreeing` counts models, and the views and repetitions of each only
add ways to disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from pnyx_contracts.types import Vote
from pnyx_policies.analysis import Analysis, Analyst, Opinion, Recommendation, RiskLevel
from pnyx_policies.decision import Outcome
from pnyx_policies.ruleset import ModelLimits


def take_advice(limits: ModelLimits, opinions: Sequence[Opinion]) -> tuple[Outcome, str]:
    """The advice that all opinions share, inside the limits; anything else holds. With the reason in words."""
    analyses = [o.analysis for o in opinions if o.analysis is not None]
    if objection := _to_opinions(opinions, analyses) or _to_advice(limits, opinions, analyses):
        return Outcome.HOLD, f"held, {objection}"
    advice = Outcome(analyses[0].recommendation.value)
    least = min(a.confidence_percent for a in analyses)
    return advice, f"{len(analyses)} of {len(analyses)} say {advice.value}, confidence at least {least}%"


def _to_opinions(opinions: Sequence[Opinion], analyses: Sequence[Analysis]) -> str:
    """Why no advice is taken, whatever it is."""
    if not opinions:
        return "there is no analysis"
    if any(not o.analyst.is_language_model for o in opinions):
        return "an analysis was made without a language model, so it gives no advice"
    if len(analyses) < len(opinions) or any(o.failure for o in opinions):
        return "an analysis failed"
    if struck := sum(len(o.struck) for o in opinions):
        return f"claims that rest on nothing were struck out: {struck}"
    return ""


def _to_advice(limits: ModelLimits, opinions: Sequence[Opinion], analyses: Sequence[Analysis]) -> str:
    """Why this advice is not taken."""
    if difference := _difference(opinions):
        return difference
    models = len({o.analyst.name for o in opinions})
    if models < limits.min_agreeing:
        return f"{models} of {limits.min_agreeing} models needed"
    if min(a.confidence_percent for a in analyses) < limits.min_confidence_percent:
        return f"confidence is below {limits.min_confidence_percent}%"
    advice = analyses[0].recommendation
    if advice is Recommendation.FOR and any(r.level is RiskLevel.HIGH for a in analyses for r in a.risks):
        return "an analysis says for and sees a high risk"
    allowed = {vote.value for vote in Vote if vote in limits.allow}
    return "" if advice.value in allowed else f"the rule does not allow {advice.value}"


_DIFFERENCES: tuple[tuple[Callable[[Analyst], Hashable], str], ...] = (
    (lambda a: (a.name, a.view), "a model gave different answers to the same question"),
    (lambda a: a.name, "a model advises otherwise when it does not see the text"),
    (lambda _: (), "the opinions differ"),
)
"""Who should say the same, from the closest readers on; and what it is when they do not."""


def _difference(opinions: Sequence[Opinion]) -> str:
    said = [(o.analyst, o.analysis.recommendation) for o in opinions if o.analysis is not None]
    for readers, words in _DIFFERENCES:
        answers = {(readers(analyst), advice) for analyst, advice in said}
        if len(answers) > len({reader for reader, _ in answers}):
            return words
    return ""
