"""A decided vote waits: for a veto, for the margin before the end; and what ends the wait early."""

from __future__ import annotations

from eth_hash.auto import keccak

from pnyx_agents.cli.cases import open_journal
from pnyx_agents.settings import load_settings
from pnyx_contracts.entry import EntryKind
from pnyx_contracts.types import Vote, to_hex
from pnyx_tools.journal import Stage

from .conftest import Agent, MakeAgent, pay, pnyx
from .test_whole_job import check_as_a_stranger


def decided_with_veto_time(make_agent: MakeAgent) -> tuple[Agent, int]:
    agent = make_agent(agent_lines="delay_seconds = 600")
    agent.start()
    proposal = pay(agent)
    agent.until_stage(proposal, Stage.REVIEWED)
    assert agent.votes(proposal) == []
    return agent, proposal


def test_a_veto_stops_a_vote_also_after_a_restart(make_agent: MakeAgent) -> None:
    agent, proposal = decided_with_veto_time(make_agent)
    assert agent.stop() == 0
    agent.start()
    agent.until("the second start", lambda: agent.output.count('"following"') == 2)
    early = pnyx(agent, "approve", proposal)
    assert (early.returncode, "is cast by itself" in early.stderr) == (1, True)
    assert agent.votes(proposal) == [], "a stop does not end the wait"
    assert pnyx(agent, "reject", proposal, "--comment", "Wait.").returncode == 0
    agent.until_stage(proposal, Stage.DONE)
    assert [entry.kind for entry in agent.entries()] == [EntryKind.HOLD]
    assert agent.votes(proposal) == []
    check_as_a_stranger(agent)


def test_a_veto_outlives_a_new_review_of_the_same_decision(make_agent: MakeAgent) -> None:
    """The work failed after a person had said no, and is taken up again."""
    agent, proposal = decided_with_veto_time(make_agent)
    assert pnyx(agent, "reject", proposal, "--comment", "Wait.").returncode == 0
    case = agent.until_stage(proposal, Stage.DONE)
    assert agent.stop() == 0
    journal = open_journal(load_settings(agent.folder / "pnyx.toml"))
    journal.advance(case.proposal, Stage.FAILED)
    journal.close()
    agent.start()
    agent.until("the work is taken up", lambda: "trying again" in agent.output)
    assert "rejected" in agent.until_stage(proposal, Stage.DONE).detail
    assert {entry.kind for entry in agent.entries()} == {EntryKind.HOLD}
    assert agent.votes(proposal) == []
    check_as_a_stranger(agent)


def test_the_veto_time_leaves_the_vote_half_of_its_time(make_agent: MakeAgent) -> None:
    agent, proposal = decided_with_veto_time(make_agent)
    agent.node.mine(250)  # of 400
    agent.until_stage(proposal, Stage.DONE)
    assert len(agent.votes(proposal)) == 1


def test_a_vote_waits_for_the_margin_that_the_operator_set(make_agent: MakeAgent) -> None:
    """By the governor's clock."""
    agent = make_agent(clock="timestamp", agent_lines='vote = "30 minutes before the end"')
    agent.start()
    proposal = pay(agent)
    agent.until_detail(proposal, "vote for")
    deadline = agent.dao.proposals[proposal].vote_end
    assert agent.votes(proposal) == []
    agent.node.request("evm_setNextBlockTimestamp", deadline - 29 * 60)
    agent.node.mine()
    agent.until_stage(proposal, Stage.DONE)
    assert len(agent.votes(proposal)) == 1


def test_a_vote_that_people_gave_waits_for_the_margin_as_well_and_can_be_rejected_until_then(
    make_agent: MakeAgent,
) -> None:
    agent = make_agent(mode="propose", clock="timestamp", agent_lines='vote = "30 minutes before the end"')
    agent.start()
    wanted, regretted = pay(agent), pay(agent)
    for proposal in (wanted, regretted):
        agent.until_stage(proposal, Stage.HELD)
        assert pnyx(agent, "approve", proposal).returncode == 0
        agent.until_stage(proposal, Stage.REVIEWED)
        agent.until_detail(proposal, "vote for, approved by")
    assert pnyx(agent, "reject", regretted).returncode == 0
    agent.until_stage(regretted, Stage.DONE)
    assert agent.votes(wanted) == []
    agent.node.request("evm_setNextBlockTimestamp", agent.dao.proposals[wanted].vote_end - 29 * 60)
    agent.node.mine()
    case = agent.until_stage(wanted, Stage.DONE)
    assert "approved by" in case.detail
    assert (len(agent.votes(wanted)), len(agent.votes(regretted))) == (1, 0)
    check_as_a_stranger(agent)


VOTE_DURATION_BIT, CANCELED_BIT = 208, 248


def rewrite_proposal(agent: Agent, proposal: int, bit: int, bits: int, value: int) -> None:
    """What extensions of a governor do in their own ways (end a vote early, move its deadline): here in its storage.

    OpenZeppelin 5 packs a proposal into a word: proposer, start (48 bits), duration (32), executed, canceled (8 each).
    """
    node, governor = agent.node, agent.dao.governor
    start = agent.dao.proposals[proposal].vote_start
    for place in range(20):
        slot = int.from_bytes(keccak(proposal.to_bytes(32, "big") + place.to_bytes(32, "big")), "big")
        word = int.from_bytes(node.rpc.storage(governor, slot), "big")
        if (word >> 160) % 2**48 == start:
            mask = (2**bits - 1) << bit
            changed = (word & ~mask) | (value << bit)
            node.request("anvil_setStorageAt", governor, hex(slot), to_hex(changed.to_bytes(32, "big")))
            node.mine()
            return
    raise AssertionError("the proposal's storage was not found")


def test_a_deadline_that_comes_nearer_ends_the_veto_time(make_agent: MakeAgent) -> None:
    agent, proposal = decided_with_veto_time(make_agent)
    since = agent.node.rpc.block().number - agent.dao.proposals[proposal].vote_start
    rewrite_proposal(agent, proposal, VOTE_DURATION_BIT, 32, since + 50)  # of 400
    agent.until_stage(proposal, Stage.DONE)
    assert [vote.vote for vote in agent.votes(proposal)] == [Vote.FOR]


def test_a_vote_that_ends_early_ends_the_veto_time_and_is_recorded(make_agent: MakeAgent) -> None:
    agent, proposal = decided_with_veto_time(make_agent)
    rewrite_proposal(agent, proposal, CANCELED_BIT, 8, 1)
    case = agent.until_stage(proposal, Stage.DONE)
    assert (case.outcome, case.reason) == ("skip", "No vote: the proposal is canceled, not active.")
    assert [entry.kind for entry in agent.entries()] == [EntryKind.SKIP]
    assert agent.votes(proposal) == []


def test_a_held_proposal_whose_vote_ends_early_says_so(make_agent: MakeAgent) -> None:
    agent = make_agent(mode="propose")
    agent.start()
    proposal = pay(agent)
    agent.until_stage(proposal, Stage.HELD)
    rewrite_proposal(agent, proposal, CANCELED_BIT, 8, 1)
    case = agent.until_stage(proposal, Stage.DONE)
    assert case.detail == "hold, the vote was ended before its deadline"
    assert [entry.kind for entry in agent.entries()] == [EntryKind.HOLD], "nobody was late"
