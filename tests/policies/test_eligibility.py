"""Whether the agent can vote now."""

from __future__ import annotations

import pytest

from pnyx_contracts.types import ClockMode, ProposalState
from pnyx_policies.decide import decide
from pnyx_policies.decision import Outcome
from pnyx_policies.eligibility import Standing, StandingReport, stand
from pnyx_policies.facts import Facts
from pnyx_policies.ruleset import Ruleset
from pnyx_tools.testing.facts import address_of, call_of, facts_for, proposal_of

RULESET = Ruleset.parse(
    """
    name = "test"
    version = "1"
    [limits]
    min_voting_power = "1_000"
    min_blocks_left = 10
    min_seconds_left = 600
    [[rule]]
    id = "anything"
    because = "There are calls."
    when = ["calls.count > 0"]
    then = "for"
    """,
    "test.toml",
)
PROPOSAL = proposal_of([call_of(address_of("alice"), value_wei=1)], "Pay one wei to Alice.")


def standing(facts: Facts) -> StandingReport:
    return stand(facts, RULESET.limits)


def test_an_active_vote_with_power_and_time_is_eligible():
    facts = facts_for(PROPOSAL)
    assert standing(facts) == StandingReport(Standing.READY)
    assert decide(RULESET, facts, (), ()).outcome is Outcome.FOR


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"voting_power": 0}, "there was no voting power at the snapshot"),
        ({"voting_power": 999}, "the voting power is below the ruleset's minimum"),
        ({"has_voted": True}, "this account has voted already"),
        ({"has_voted": True, "state": ProposalState.PENDING}, "this account has voted already"),
        ({"state": ProposalState.EXECUTED}, "the proposal is executed, not active"),
        ({"state": ProposalState.CANCELED}, "the proposal is canceled, not active"),
        ({"can_vote": False}, "votes of this governor cannot be encoded for certain"),
        ({"now": 1_991}, "the deadline is too near: 9 blocks left, 10 needed"),
        ({"now": 2_005}, "the deadline is too near: 0 blocks left, 10 needed"),
        ({"now": 1_401, "clock": ClockMode.TIMESTAMP}, "the deadline is too near: 599 seconds left, 600 needed"),
    ],
)
def test_what_makes_a_vote_impossible_is_a_skip_with_the_reason(changes, reason):
    facts = facts_for(PROPOSAL, **changes)
    assert standing(facts) == StandingReport(Standing.NEVER, reason)
    decision = decide(RULESET, facts, (), ())
    assert (decision.outcome, decision.decided_by) == (Outcome.SKIP, "eligibility")
    assert decision.reason == f"No vote: {reason}."
    assert decision.rules == ()


def test_the_least_that_is_needed_is_enough():
    assert standing(facts_for(PROPOSAL, voting_power=1_000, now=1_990)).standing is Standing.READY
    assert standing(facts_for(PROPOSAL, now=1_400, clock=ClockMode.TIMESTAMP)).standing is Standing.READY


def test_unknown_voting_power_is_held_not_skipped():
    facts = facts_for(PROPOSAL, voting_power=None)
    assert standing(facts).standing is Standing.UNKNOWN
    assert decide(RULESET, facts, (), ()).outcome is Outcome.HOLD


def test_a_pending_proposal_is_previewed_not_skipped():
    facts = facts_for(PROPOSAL, state=ProposalState.PENDING, voting_power=None, now=850)
    assert standing(facts) == StandingReport(Standing.WAITING, "voting has not started yet")
    assert decide(RULESET, facts, (), ()).outcome is Outcome.FOR


def test_active_in_the_block_of_the_snapshot_is_waiting_not_held():
    """OpenZeppelin 4.3: power is not known yet, so a decision would be a hold that nobody looks at again."""
    at_snapshot = facts_for(PROPOSAL, voting_power=None)
    governor = at_snapshot.governor.model_copy(update={"now": at_snapshot.governor.snapshot})
    facts = at_snapshot.model_copy(update={"governor": governor})
    assert standing(facts) == StandingReport(Standing.WAITING, "voting has not started yet")
    assert decide(RULESET, facts, (), ()).outcome is Outcome.FOR


@pytest.mark.parametrize("state", list(ProposalState))
def test_a_review_without_a_voter_asks_the_rules_whatever_the_state(state):
    facts = facts_for(PROPOSAL, voter=None, state=state)
    assert standing(facts).standing is Standing.REVIEW
    assert decide(RULESET, facts, (), ()).outcome is Outcome.FOR
