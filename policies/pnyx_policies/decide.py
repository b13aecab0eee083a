"""The decision: a pure, total function of ruleset, facts, reports, opinions. A member runs it again and gets the same.

    1. eligibility   no vote possible: skip; what a vote needs is unknown: hold
    2. rules         in order; each answers yes, no or unknown
    3. the verdict   the first rule that says yes, unless an unknown rule before it might have said something else
    4. default       no rule says yes: hold

Step 3 is what "unknown never leads to a vote in favour" rests on. Each unknown rule may or may not match; the decision
is `for` only if every way of filling in what is unknown ends in `for`. So knowing less can turn any decision into
`hold`, and never one into `for`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pnyx_policies.advice import take_advice
from pnyx_policies.analysis import Opinion
from pnyx_policies.checks.protocol import CheckReport
from pnyx_policies.conditions import Truth
from pnyx_policies.decision import Judgement, Outcome, RuleOutcome
from pnyx_policies.eligibility import Standing, stand
from pnyx_policies.facts import Facts
from pnyx_policies.fields import Situation
from pnyx_policies.finding import Severity
from pnyx_policies.ruleset import Rule, Ruleset
from pnyx_policies.text import one_line

REASON_BYTES = 200
EXPLANATION_BYTES = 2_000
FOUND_BY = " Found by: "
"""Between the reason of a rule and the checks behind it."""


def decide(ruleset: Ruleset, facts: Facts, reports: Sequence[CheckReport], opinions: Sequence[Opinion]) -> Judgement:
    """What the ruleset says. Never raises, never guesses."""
    standing = stand(facts, ruleset.limits)
    if standing.standing in _BARRED:
        verdict = _Verdict(_BARRED[standing.standing], f"No vote: {standing.reason}.", "eligibility")
        return _judgement(ruleset, facts, verdict, ())
    situation = Situation(facts, tuple(reports), tuple(opinions), ruleset.checks)
    judged = tuple(_judge(rule, situation) for rule in ruleset.rules)
    return _judgement(ruleset, facts, _verdict(judged, situation), tuple(j.outcome_for_record() for j in judged))


_BARRED = {Standing.NEVER: Outcome.SKIP, Standing.UNKNOWN: Outcome.HOLD}


@dataclass(frozen=True, slots=True)
class _Judged:
    """One rule, asked."""

    rule: Rule
    truth: Truth
    outcome: Outcome
    """What the rule decides if it matches; a model's advice is resolved already."""
    words: str
    objection: str = ""
    """Why a model's advice was not followed."""

    def outcome_for_record(self) -> RuleOutcome:
        return RuleOutcome(
            rule=self.rule.id,
            matched=self.truth is Truth.YES,
            then=self.rule.then,
            explanation=one_line(f"{_TRUTH[self.truth]}: {self.words}", EXPLANATION_BYTES),
        )


_TRUTH = {Truth.YES: "matches", Truth.NO: "does not match", Truth.UNKNOWN: "cannot be told"}


@dataclass(frozen=True, slots=True)
class _Verdict:
    outcome: Outcome
    reason: str
    decided_by: str


def _judge(rule: Rule, situation: Situation) -> _Judged:
    answer = rule.judge(situation)
    truth, words = answer.truth, answer.words
    if rule.model is None:
        return _Judged(rule, truth, Outcome(rule.then), words)
    outcome, advice = take_advice(rule.model, situation.opinions)
    objection = advice if outcome is Outcome.HOLD else ""
    return _Judged(rule, truth, outcome, f"{words}; advice: {advice}", objection)


def _verdict(judged: Sequence[_Judged], situation: Situation) -> _Verdict:
    doubtful: list[_Judged] = []
    for one in judged:
        if one.truth is Truth.UNKNOWN:
            doubtful.append(one)
        elif one.truth is Truth.YES:
            differing = next((d for d in doubtful if d.outcome is not one.outcome), None)
            if differing is None or one.outcome is Outcome.HOLD:
                return _by_rule(one, situation)
            return _by_doubt(differing)
    return _by_doubt(doubtful[0]) if doubtful else _Verdict(Outcome.HOLD, "No rule matches: people decide.", "default")


def _by_doubt(judged: _Judged) -> _Verdict:
    reason = f"Too little is known to tell whether rule {judged.rule.id} matches: people decide."
    return _Verdict(Outcome.HOLD, reason, judged.rule.id)


def _by_rule(judged: _Judged, situation: Situation) -> _Verdict:
    reason = f"{judged.rule.because} [{judged.rule.id}]"
    found_by = _worst_checks(situation.reports) if judged.outcome in {Outcome.AGAINST, Outcome.HOLD} else ""
    if judged.objection:
        full = f"{reason} {judged.objection.capitalize()}."
    else:
        full = f"{reason}{FOUND_BY}{found_by}" if found_by else reason
    return _Verdict(judged.outcome, full if len(full.encode()) <= REASON_BYTES else reason, judged.rule.id)


def _worst_checks(reports: Sequence[CheckReport]) -> str:
    """Names of the checks behind the worst findings, when these are high or critical. Operators chose the names."""
    worst = max((f.severity for r in reports for f in r.findings), default=Severity.INFO)
    names = {r.check for r in reports for f in r.findings if f.severity is worst}
    return ", ".join(sorted(names)) if worst >= Severity.HIGH else ""


def _judgement(ruleset: Ruleset, facts: Facts, verdict: _Verdict, rules: tuple[RuleOutcome, ...]) -> Judgement:
    return Judgement(
        outcome=verdict.outcome,
        reason=one_line(verdict.reason, REASON_BYTES),
        decided_by=verdict.decided_by,
        rules=rules,
        review_digest=facts.review_digest,
        ruleset_hash=ruleset.hash,
    )
