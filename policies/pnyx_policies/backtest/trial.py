"""One past proposal, tried: what was known when its vote opened, what the rules say about it, how it ended."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

from pnyx_contracts.types import Address, BlockRef, ProposalState, Uint, Value
from pnyx_policies.analysis import Opinion
from pnyx_policies.audit.story import ModelUse
from pnyx_policies.audit.title import title_of
from pnyx_policies.conditions import Truth
from pnyx_policies.decision import Outcome
from pnyx_policies.dossier import Dossier
from pnyx_policies.explanation import Explanation
from pnyx_policies.finding import SeverityName


def _to_state(value: Any) -> ProposalState:  # noqa: ANN401 - a validator sees what came in
    names = {state.name.lower(): state for state in ProposalState}
    return names[value] if isinstance(value, str) and value in names else ProposalState(value)


StateName = Annotated[
    ProposalState,
    BeforeValidator(_to_state),
    PlainSerializer(lambda state: state.name.lower(), return_type=str, when_used="json"),
]
"""In JSON its name in lower case."""


class Result(Enum):
    """What the voters decided."""

    PASSED = "passed"
    DEFEATED = "defeated"


_RESULTS = {
    ProposalState.SUCCEEDED: Result.PASSED,
    ProposalState.QUEUED: Result.PASSED,
    ProposalState.EXECUTED: Result.PASSED,
    ProposalState.EXPIRED: Result.PASSED,  # the vote did pass; nobody executed it in time
    ProposalState.DEFEATED: Result.DEFEATED,
}


def result_of(state: ProposalState) -> Result | None:
    """None while the vote is open, and for a cancelled proposal: it was taken back, whatever the voters wanted."""
    return _RESULTS.get(state)


class Seen(Value):
    """A finding, without its evidence: the proposal is on chain."""

    check: str
    severity: SeverityName
    title: str


class Said(Value):
    """What one analyst advised; with a `failure`, nothing."""

    analyst: str
    recommendation: str | None
    confidence_percent: int | None
    failure: str = ""

    @classmethod
    def of(cls, opinion: Opinion) -> Said:
        analysis = opinion.analysis
        return cls(
            analyst=opinion.analyst.seat,
            recommendation=analysis.recommendation.value if analysis else None,
            confidence_percent=analysis.confidence_percent if analysis else None,
            failure=opinion.failure,
        )


class Judged(Value):
    """What one ruleset says."""

    outcome: Outcome
    decided_by: str
    """A rule, or ``eligibility``, or ``default``."""
    reason: str
    rules: dict[str, Truth]
    """Whether each matches; all of them, also those after the one that decided."""

    @classmethod
    def of(cls, explanation: Explanation) -> Judged:
        return cls(
            outcome=explanation.outcome,
            decided_by=explanation.decided_by,
            reason=explanation.reason,
            rules={rule.rule: rule.answer for rule in explanation.rules},
        )


class Trial(Value):
    """One proposal, as it could be reviewed at the block `opened`, and what became of it later."""

    proposal_id: Uint
    title: str
    proposer: Address
    created_block: int
    vote_start: Uint
    vote_end: Uint
    """Timepoints of the governor's clock, as announced."""
    opened: BlockRef
    """The first block in which votes counted: everything was read there."""
    state: StateName
    """At the end of the range."""
    result: Result | None
    votes_before: bool
    """The opening block holds votes already, so that the tally was not empty."""
    findings: tuple[Seen, ...]
    checks_skipped: tuple[str, ...]
    steps_skipped: tuple[str, ...]
    opinions: tuple[Said, ...]
    use: ModelUse
    judged: tuple[Judged, ...]
    """One for each ruleset, in their order."""

    @classmethod
    def of(cls, dossier: Dossier, state: ProposalState, use: ModelUse, explanations: tuple[Explanation, ...]) -> Trial:
        proposal, governor = dossier.proposal, dossier.state.governor
        tally = governor.tally
        return cls(
            proposal_id=proposal.key.proposal_id,
            title=title_of(proposal.text),
            proposer=proposal.proposer,
            created_block=proposal.created_block,
            vote_start=proposal.vote_start,
            vote_end=proposal.vote_end,
            opened=dossier.state.block,
            state=state,
            result=result_of(state),
            votes_before=tally is not None and any((tally.for_votes, tally.against_votes, tally.abstain_votes)),
            findings=tuple(
                Seen(check=finding.check, severity=finding.severity, title=finding.title)
                for report in dossier.checks
                for finding in report.findings
            ),
            checks_skipped=tuple(report.check for report in dossier.checks if report.skipped),
            steps_skipped=tuple(skipped.step for skipped in dossier.state.skipped),
            opinions=tuple(map(Said.of, dossier.opinions)),
            use=use,
            judged=tuple(map(Judged.of, explanations)),
        )


class Untried(Value):
    """A proposal that could not be tried, and why."""

    proposal_id: Uint | None
    """None for an event that could not be read."""
    created_block: int
    title: str
    why: str
    node_lacks: bool = False
    """Another node may know: this one keeps no state of the block, or lacks a method."""
