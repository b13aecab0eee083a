"""What an agent holds, by its own entries in the log, on a real node."""

from __future__ import annotations

from pathlib import Path

import pytest

from pnyx_contracts.decision_log import vote_action
from pnyx_contracts.entry import EntryKind
from pnyx_contracts.types import Vote
from pnyx_policies.checks import CheckView, HeldFlood
from pnyx_policies.checks.held_flood import MOST_OF_ONE
from pnyx_policies.context import HeldProposals
from pnyx_policies.finding import Severity
from pnyx_tools.context import HeldProposalsTool, OwnLog
from pnyx_tools.evidence import FolderStore
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.decisions import LocalAgent
from pnyx_tools.testing.deploy import Governance, deploy_log
from pnyx_tools.testing.provider import Provider, Question, Reply, error

ROOT = bytes(31) + b"\x01"
HOLDS_ALL = 'name = "holds all"\nversion = "1"\n'


@pytest.fixture
def agent(dao: Governance, tmp_path: Path) -> LocalAgent:
    agent = LocalAgent(dao.node, deploy_log(dao.node), [dao], FolderStore(tmp_path), HOLDS_ALL)
    agent.register()
    return agent


def propose(dao: Governance, text: str, sender: str | None = None) -> int:
    return dao.propose([dao.node.accounts[5]], [1], [b""], text, sender)


def hold(dao: Governance, agent: LocalAgent, proposal: int, kind: EntryKind = EntryKind.HOLD) -> None:
    action = vote_action(0) if kind is EntryKind.VOTE else bytes(32)
    agent.enter(dao.proposals[proposal].key, kind, ROOT, ROOT, action)


def look(dao: Governance, agent: LocalAgent | None, proposal: int, node: Rpc | None = None) -> HeldProposals:
    reader, own = node or dao.node.rpc, OwnLog(agent.log, agent.writer) if agent else None
    return HeldProposalsTool(own_log=own).run(reader, dao.adapter, dao.profile, dao.proposals[proposal], reader.block())


def test_what_is_held_and_can_be_voted_on_counts(dao: Governance, agent: LocalAgent) -> None:
    given_up = propose(dao, "given up")
    dao.cancel(given_up)
    hold(dao, agent, given_up)
    this, held, voted, taken_back, not_reviewed = (propose(dao, text) for text in "abcde")
    for number in (this, held, voted, taken_back):
        hold(dao, agent, number)
    hold(dao, agent, voted, EntryKind.VOTE)
    hold(dao, agent, taken_back, EntryKind.VOID)
    found = look(dao, agent, this)
    assert [one.proposal_id for one in found.newest] == [held]
    assert (found.held, found.held_of_proposer, found.log, found.writer) == (1, 1, agent.log, agent.writer)
    assert look(dao, agent, not_reviewed).held == 2
    dao.advance_to_closed(held)
    assert look(dao, agent, not_reviewed).held == 0


def test_only_its_own_entries_count(dao: Governance, agent: LocalAgent, tmp_path: Path) -> None:
    """Anybody may write to the log."""
    another = LocalAgent(dao.node, agent.log, [dao], FolderStore(tmp_path), HOLDS_ALL, key=dao.node.accounts[2])
    another.register()
    this, other = propose(dao, "this"), propose(dao, "other")
    hold(dao, another, other)
    assert look(dao, agent, this).held == 0
    assert look(dao, another, this).held == 1


def test_whose_proposals_they_are(dao: Governance, agent: LocalAgent) -> None:
    somebody = dao.node.accounts[3]
    dao.give_power(somebody, 1_000)
    theirs, ours, this = propose(dao, "theirs", somebody), propose(dao, "ours"), propose(dao, "this")
    hold(dao, agent, theirs)
    hold(dao, agent, ours)
    found = look(dao, agent, this)
    assert (found.held, found.held_of_proposer) == (2, 1)


def test_without_a_log_nobody_is_asked(dao: Governance) -> None:
    this = propose(dao, "this")
    propose(dao, "other")
    with Provider(dao.node.url) as provider:
        found = look(dao, None, this, Rpc(provider.url))
        assert [question["method"] for question in provider.asked] == ["eth_getBlockByNumber"]
    assert (found.log, found.writer, found.held) == (None, None, 0)


def test_a_node_that_shows_no_logs_of_long_ago(dao: Governance, agent: LocalAgent) -> None:
    """What is older than what it shows does not count, for anybody who looks as far."""
    old = propose(dao, "old")
    hold(dao, agent, old)
    begin = dao.proposals[propose(dao, "recent")].created_block
    this = propose(dao, "this")
    hold(dao, agent, old)

    def entries_of_the_last_blocks(question: Question) -> Reply | None:
        asked = question["params"][0] if question["method"] == "eth_getLogs" else {}
        too_far = asked and int(asked["fromBlock"], 16) < begin
        return error(question, -32000, "history is pruned") if too_far else None

    assert look(dao, agent, this).held == 1
    shown = HeldProposalsTool(begin, OwnLog(agent.log, agent.writer))
    proposal = dao.proposals[this]
    with Provider(dao.node.url, entries_of_the_last_blocks) as provider:
        reader = Rpc(provider.url)
        found = shown.run(reader, dao.adapter, dao.profile, proposal, reader.block())
    assert (found.from_block, found.held) == (begin, 0)
    assert shown.run(dao.node.rpc, dao.adapter, dao.profile, proposal, dao.node.rpc.block()) == found


def test_a_flood_is_a_finding_and_holds_what_a_rule_would_let_pass(dao: Governance, agent: LocalAgent) -> None:
    flood = [propose(dao, f"look at this {number}") for number in range(MOST_OF_ONE + 1)]
    routine = propose(dao, f"Pay 1 wei to {dao.node.accounts[5]}.")
    for number in flood[:-1]:
        hold(dao, agent, number)
    assert HeldFlood().run(CheckView(agent.facts(dao, routine))) == ()
    hold(dao, agent, flood[-1])
    (finding,) = HeldFlood().run(CheckView(agent.facts(dao, routine)))
    assert finding.severity is Severity.HIGH
    assert finding.title == "6 more proposals of the same account wait for people"
    assert finding.evidence == (dao.proposals[routine].proposer, *(str(number) for number in reversed(flood)))
    dao.advance_to_active(flood[-1])
    dao.vote(flood[-1], Vote.AGAINST, dao.node.accounts[0])
    hold(dao, agent, flood[-1], EntryKind.VOTE)
    assert HeldFlood().run(CheckView(agent.facts(dao, routine))) == (), "people answered one of them"
