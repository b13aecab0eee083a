"""The decision: values only. `decide.decide` makes it."""

from __future__ import annotations

from enum import Enum

from pnyx_contracts.types import Bytes32, Value, Vote


class Mode(Enum):
    """What an agent may do with a decision."""

    OBSERVE = "observe"
    """Decide and log, never vote."""
    PROPOSE = "propose"
    """A person approves each vote."""
    AUTONOMOUS = "autonomous"
    """Vote when the ruleset says so."""


class Outcome(Enum):
    FOR = "for"
    AGAINST = "against"
    ABSTAIN = "abstain"
    HOLD = "hold"
    """People decide; no vote meanwhile."""
    SKIP = "skip"
    """No vote possible or sensible: no voting power, voted already, closed."""

    @property
    def vote(self) -> Vote | None:
        """The vote that this outcome asks for, None for hold and skip."""
        return Vote(self.value) if self.value in {v.value for v in Vote} else None


class RuleOutcome(Value):
    """What one rule did, in words that a member understands."""

    rule: str
    matched: bool
    then: str
    """An `Outcome` value, or ``model`` for "the model's advice inside these limits"."""
    explanation: str
    """Which conditions held or failed, with the values seen."""


class Decision(Value):
    """What the ruleset says about one proposal. What each rule did is a field of its own in the record, so that it can
    be sealed: nothing here repeats it.
    """

    outcome: Outcome
    reason: str
    """One line for people; also the reason string on chain, at most 200 bytes of UTF-8."""
    decided_by: str
    """Id of the rule that decided, or ``eligibility`` or ``default``."""
    review_digest: Bytes32
    ruleset_hash: Bytes32


class Judgement(Decision):
    """The decision, and how it came about. Pure function of facts, findings, opinions, ruleset."""

    rules: tuple[RuleOutcome, ...]

    @property
    def decision(self) -> Decision:
        return Decision.model_validate(self.model_dump(exclude={"rules"}))
