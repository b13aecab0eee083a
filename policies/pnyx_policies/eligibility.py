"""Whether the agent can vote now. Cheap questions with certain answers, asked before any rule."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from pnyx_contracts.types import ClockMode, ProposalState
from pnyx_policies.facts import GovernorFacts, VoterFacts
from pnyx_policies.ruleset import Limits


class Standing(Enum):
    """Where the agent stands with one proposal."""

    READY = "ready"
    """A vote can be cast now."""
    WAITING = "waiting"
    """Not yet: voting has not started. What the rules say now is a preview, not a reason to skip."""
    REVIEW = "review"
    """Nobody would vote: the rules are asked for their opinion only."""
    NEVER = "never"
    """No vote is possible or sensible any more: the proposal is skipped."""
    UNKNOWN = "unknown"
    """What must be known for a vote is not: people decide."""


@dataclass(frozen=True, slots=True)
class StandingReport:
    standing: Standing
    reason: str = ""
    """One line; empty when a vote can be cast."""


class Situated(Protocol):
    """`Facts`, or the state in a record."""

    @property
    def governor(self) -> GovernorFacts: ...

    @property
    def voter(self) -> VoterFacts | None: ...


def stand(facts: Situated, limits: Limits) -> StandingReport:
    """The first obstacle in the way, in a fixed order."""
    governor, voter = facts.governor, facts.voter
    if voter is None:
        return StandingReport(Standing.REVIEW, "this is a review: there is no voter")
    if not governor.profile.can_vote:
        return StandingReport(Standing.NEVER, "votes of this governor cannot be encoded for certain")
    if voter.has_voted:
        return StandingReport(Standing.NEVER, "this account has voted already")
    if is_waiting(governor.state, governor.snapshot, governor.now):
        return StandingReport(Standing.WAITING, "voting has not started yet")
    if governor.state is not ProposalState.ACTIVE:
        return StandingReport(Standing.NEVER, f"the proposal is {governor.state.name.lower()}, not active")
    return _power(voter.voting_power, limits) or _time(facts, limits) or StandingReport(Standing.READY)


def is_waiting(state: ProposalState, snapshot: int, now: int) -> bool:
    """Voting has not started. OpenZeppelin 4.3 is active already in the block of the snapshot: nobody's power is known
    there, and no vote can be cast.
    """
    return state is ProposalState.PENDING or (state is ProposalState.ACTIVE and now <= snapshot)


def _power(voting_power: int | None, limits: Limits) -> StandingReport | None:
    if voting_power is None:
        return StandingReport(Standing.UNKNOWN, "the voting power at the snapshot is unknown")
    if voting_power == 0:
        return StandingReport(Standing.NEVER, "there was no voting power at the snapshot")
    if voting_power < limits.min_voting_power:
        return StandingReport(Standing.NEVER, "the voting power is below the ruleset's minimum")
    return None


def _time(facts: Situated, limits: Limits) -> StandingReport | None:
    by_blocks = facts.governor.profile.clock_mode is ClockMode.BLOCK
    least, unit = (limits.min_blocks_left, "blocks") if by_blocks else (limits.min_seconds_left, "seconds")
    left = facts.governor.deadline - facts.governor.now
    if left >= least:
        return None
    return StandingReport(Standing.NEVER, f"the deadline is too near: {max(left, 0)} {unit} left, {least} needed")
