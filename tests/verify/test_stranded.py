"""Entries whose proposals a reorganisation took away, and the VOID entries that take them back."""

from __future__ import annotations

from pnyx_contracts.entry import EntryKind
from pnyx_policies.verify import Status, Step

from .test_clean_logs import assert_clean

FOR = (1).to_bytes(32, "big")
HOLDING = """
name = "people"
version = "1"
"""


def taken_away(world, agent):
    """A decision about a proposal that the chain does not have any more."""
    before = world.node.rpc.block().number
    sealed = agent.review(world.blocks, world.open_proposal())
    world.node.reorg(world.node.rpc.block().number - before)
    world.node.mine(10)
    return sealed


def enter(agent, sealed, kind, action=bytes(32)):
    agent.enter(sealed.dossier.proposal.key, kind, sealed.bundle.record_root, sealed.bundle.prompt_hash, action)


def test_an_announced_vote_whose_proposal_is_gone(world):
    agent = world.plain_key()
    sealed = taken_away(world, agent)
    enter(agent, sealed, EntryKind.VOTE, FOR)
    assert {(Step.ANNOUNCED_VOTES, ""), (Step.PROPOSAL, "")} <= world.check_fails()
    enter(agent, sealed, EntryKind.VOID)
    report = world.check()
    assert_clean(report)
    (told,) = (v for v in world.verdicts if v.step is Step.PROPOSAL and v.reason)
    assert str(told) == "matches: void: the proposal is gone, and entry 2 takes this one back"
    assert [v.step for v in report.kept(Status.NOT_CHECKABLE)].count(Step.ANNOUNCED_VOTES) == 1


def test_an_entry_without_a_vote_whose_proposal_is_gone(world):
    agent = world.gate(ruleset=HOLDING)
    sealed = taken_away(world, agent)
    enter(agent, sealed, EntryKind.HOLD)
    assert (Step.PROPOSAL, "") in world.check_fails()
    enter(agent, sealed, EntryKind.VOID)
    assert_clean(world.check())


def test_an_entry_about_a_proposal_that_is_there_is_not_taken_back(world):
    """To hold, and to unsay it: whoever answered once has answered."""
    agent = world.gate(ruleset=HOLDING)
    sealed = agent.act(world.blocks, world.open_proposal())
    enter(agent, sealed, EntryKind.VOID)
    problem = world.only_problem(world.check())
    assert (problem.step, problem.where) == (Step.ANNOUNCED_VOTES, "proposal")
    assert "it takes entry 1 back, and the proposal is there" in problem.reason


def test_a_proposal_that_came_again_has_to_be_answered_again(world):
    agent = world.plain_key()
    sealed = taken_away(world, agent)
    enter(agent, sealed, EntryKind.VOTE, FOR)
    enter(agent, sealed, EntryKind.VOID)
    world.node.mine()
    calls, text = sealed.dossier.proposal.calls, sealed.dossier.proposal.text
    again = world.blocks.propose(
        [c.target for c in calls], [c.value_wei for c in calls], [c.calldata for c in calls], text
    )
    assert again == sealed.dossier.proposal.key.proposal_id
    world.blocks.advance_to_closed(again)
    problem = world.only_problem(world.check())
    assert (problem.step, problem.status) == (Step.COMPLETENESS, Status.MISSING)
