"""Why a ruleset decides as it does: every line of every rule, with the value that it saw."""

from __future__ import annotations

from collections.abc import Sequence

from pnyx_contracts.types import Bytes32, Value
from pnyx_policies.advice import take_advice
from pnyx_policies.analysis import Opinion
from pnyx_policies.checks.protocol import CheckReport
from pnyx_policies.conditions import Answer, Truth
from pnyx_policies.decide import decide
from pnyx_policies.decision import Outcome
from pnyx_policies.facts import Facts
from pnyx_policies.fields import Situation
from pnyx_policies.ruleset import Rule, Ruleset


class ExplainedLine(Value):
    line: str
    answer: Truth
    seen: str | None
    """The value, as it stands in rules; None when it is unknown."""
    why: str
    """Why it is unknown, or only a lower bound; empty when it is exact."""


class ExplainedRule(Value):
    rule: str
    then: str
    answer: Truth
    """Whether it matches."""
    decides: bool
    advice: str
    """What the rule makes of the models' advice; empty when it asks for none."""
    when: tuple[ExplainedLine, ...]
    any: tuple[ExplainedLine, ...]


class Explanation(Value):
    """A decision, and how it came about."""

    ruleset: str
    version: str
    ruleset_hash: Bytes32
    outcome: Outcome
    decided_by: str
    """A rule, or ``eligibility``, or ``default``."""
    reason: str
    rules: tuple[ExplainedRule, ...]
    """All of them, also when eligibility decided before any was asked."""


def explain(ruleset: Ruleset, facts: Facts, reports: Sequence[CheckReport], opinions: Sequence[Opinion]) -> Explanation:
    """Pure: what `decide` says, in detail."""
    decision = decide(ruleset, facts, reports, opinions)
    situation = Situation(facts, tuple(reports), tuple(opinions), ruleset.checks)
    return Explanation(
        ruleset=ruleset.name,
        version=ruleset.version,
        ruleset_hash=ruleset.hash,
        outcome=decision.outcome,
        decided_by=decision.decided_by,
        reason=decision.reason,
        rules=tuple(_explained(rule, situation, decision.decided_by) for rule in ruleset.rules),
    )


def _explained(rule: Rule, situation: Situation, decided_by: str) -> ExplainedRule:
    answer = rule.judge(situation)
    return ExplainedRule(
        rule=rule.id,
        then=rule.then,
        answer=answer.truth,
        decides=rule.id == decided_by,
        advice=take_advice(rule.model, situation.opinions)[1] if rule.model is not None else "",
        when=tuple(map(_line, answer.when)),
        any=tuple(map(_line, answer.some)),
    )


def _line(answer: Answer) -> ExplainedLine:
    return ExplainedLine(line=answer.condition.text, answer=answer.truth, seen=answer.value, why=answer.seen.why)
