"""`pnyx run` on OpenZeppelin 4.3.3, 4.9.6 and 5.7 governors, both clocks, with a gate and with a plain key."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from eth_hash.auto import keccak

from pnyx_contracts.entry import EntryKind
from pnyx_contracts.types import ProposalState, Vote
from pnyx_policies.analysis import Analysis, Recommendation
from pnyx_policies.bundle import Bundle
from pnyx_policies.rulesets import shipped_ruleset
from pnyx_tools.journal import Stage
from pnyx_tools.keystore import keystore_address
from pnyx_tools.rpc import Rpc
from pnyx_tools.rulebook import read_ruleset
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import TOKEN, Clock
from pnyx_tools.testing.openai_server import OpenAIServer, answer, refusal
from pnyx_tools.testing.rollup import Rollup
from pnyx_tools.testing.settling import RULES
from pnyx_tools.verifier import verify

from .conftest import Agent, MakeAgent, pay, pnyx


def check_as_a_stranger(agent: Agent) -> None:
    """Everything that can be checked holds."""
    report = verify(Rpc(agent.node.url), agent.log, agent.writer, agent.folder / "evidence", upto="latest")
    assert report.ok, [str(problem) for problem in report.problems]


@pytest.mark.parametrize(
    ("version", "clock", "gate"),
    [
        (5, "block", True), (5, "timestamp", True), (4, "block", True), (4, "timestamp", True),
        (5, "block", False), (4, "timestamp", False),
    ],
)  # fmt: skip
def test_a_decided_vote_lands_and_is_what_was_decided(
    make_agent: MakeAgent, version: int, clock: Clock, gate: bool
) -> None:
    agent = make_agent(version, clock, gate=gate)
    agent.start()
    proposal = pay(agent)
    case = agent.until_stage(proposal, Stage.DONE)
    assert agent.stop() == 0
    (vote,) = agent.votes(proposal)
    assert (vote.vote, vote.reason) == (Vote.FOR, case.reason)
    assert vote.weight > 0
    (entry,) = agent.entries()
    assert entry.kind is EntryKind.VOTE
    assert (entry.transaction_hash == vote.transaction_hash) is gate
    check_as_a_stranger(agent)


@pytest.mark.parametrize("gate", [True, False])
def test_4_3_is_active_in_the_block_of_its_snapshot_and_voted_on_after_it(make_agent: MakeAgent, gate: bool) -> None:
    agent = make_agent(4, contract="Governor43Block", gate=gate)
    node, dao = agent.node, agent.dao
    text = f"# Payment\n\nSends 0.1 ETH to {node.accounts[7]} for the documentation."
    proposal = dao.propose([node.accounts[7]], [TOKEN // 10], [b""], text)
    node.mine(dao.proposals[proposal].vote_start - node.rpc.block().number)
    assert dao.state(proposal) is ProposalState.ACTIVE
    agent.mines = False  # while we look, the snapshot's block is the last one
    agent.start()
    agent.until_stage(proposal, Stage.WAITING)
    assert agent.entries() == []
    agent.mines = not gate
    node.mine()
    agent.until_stage(proposal, Stage.DONE)
    assert agent.stop() == 0
    (vote,) = agent.votes(proposal)
    assert vote.vote is Vote.FOR
    assert vote.weight > 0
    check_as_a_stranger(agent)


@pytest.mark.parametrize("gate", [True, False])
def test_where_contracts_see_other_block_numbers_the_vote_lands_in_time(
    make_agent: MakeAgent, node: Anvil, gate: bool
) -> None:
    """As on Arbitrum, with a governor that has no clock of its own."""
    with Rollup(node, 300_000_000) as rollup:
        agent = make_agent(4, contract="Governor43Block", gate=gate, rpc=rollup.url, signer_rpc=rollup.url)
        agent.start()
        proposal = pay(agent)
        case = agent.until_stage(proposal, Stage.DONE)
        assert agent.stop() == 0
        assert [vote.vote for vote in agent.votes(proposal)] == [Vote.FOR], case.reason
        if gate:  # a plain key's vote stays open for ten thousand blocks
            agent.dao.advance_to_closed(proposal)
        report = verify(Rpc(rollup.url), agent.log, agent.writer, agent.folder / "evidence", upto="latest")
    assert report.ok, [str(problem) for problem in report.problems]


EXTENDING = """
name = "own"
version = "1"
extends = "guardian"

[[rule]]
id = "anything"
because = "Whatever the guards let pass."
when = ["calls.count is 1"]
then = "for"
"""


def test_a_hidden_power_is_voted_against_by_the_guards_of_the_extended_ruleset(make_agent: MakeAgent) -> None:
    """Signer and verifier read the whole text in the record; nobody else has the files."""
    agent = make_agent(rules=EXTENDING)
    agent.start()
    dao = agent.dao
    proposal = dao.propose([agent.node.accounts[8]], [30 * 10**18], [b""], "")
    dao.advance_to_active(proposal)
    case = agent.until_stage(proposal, Stage.DONE)
    assert agent.stop() == 0
    assert [vote.vote for vote in agent.votes(proposal)] == [Vote.AGAINST]
    check_as_a_stranger(agent)
    bundle = agent.folder / "evidence" / f"{case.record_root.removeprefix('0x')}.json"
    recorded = Bundle.parse(bundle.read_bytes()).dossier.ruleset
    assert recorded == read_ruleset("rules.toml", agent.folder).text
    assert "extends" not in tomllib.loads(recorded)
    explained = pnyx(agent, "policy", "explain", "steward", proposal, "--json")
    assert json.loads(explained.stdout)["decided_by"] == "hidden-or-hostile", explained.stderr


def model_lines(server: OpenAIServer) -> str:
    return f'[[model]]\nmodel = "scripted"\nbase_url = "{server.base_url}"\napi_key_env = "MODEL_KEY"\n'


ADVICE = Analysis(
    summary="It pays for documentation. The amount is small.",
    key_points=(),
    stated_intent="Pay for documentation.",
    claimed_effects=(),
    risks=(),
    recommendation=Recommendation.FOR,
    confidence_percent=90,
)


def test_the_bytes_at_the_model_are_those_that_the_record_binds(make_agent: MakeAgent) -> None:
    secret = "sk-very-secret-key"
    with OpenAIServer([answer(ADVICE)], api_key=secret) as server:
        agent = make_agent(rules=shipped_ruleset("guardian"), lines=model_lines(server))
        agent.environment = {"MODEL_KEY": secret}
        agent.start()
        proposal = pay(agent)
        case = agent.until_stage(proposal, Stage.DONE)
        sent = [r.body for r in server.requests if r.method == "POST"]
    assert agent.stop() == 0
    assert [vote.vote for vote in agent.votes(proposal)] == [Vote.FOR]
    bundle = agent.bundle(case)
    assert [attempt.request_hash for attempt in bundle.dossier.attempts] == [keccak(body) for body in sent]
    assert [bundle.bodies[attempt.request_hash] for attempt in bundle.dossier.attempts] == sent
    reads_the_text, sees_facts_alone = (json.loads(body)["messages"][1]["content"] for body in sent)
    assert "Sends 0.1 ETH" in reads_the_text
    assert "Sends 0.1 ETH" not in sees_facts_alone
    check_as_a_stranger(agent)
    everything = [p for p in agent.folder.rglob("*") if p.is_file()]
    assert [p for p in everything if secret.encode() in p.read_bytes()] == []


def test_a_refusing_model_holds_the_vote(make_agent: MakeAgent) -> None:
    with OpenAIServer([refusal()]) as server:
        lines = model_lines(server).replace('"MODEL_KEY"', '""') + "max_attempts = 2\n"
        agent = make_agent(rules=shipped_ruleset("guardian"), lines=lines)
        agent.start()
        proposal = pay(agent)
        case = agent.until_stage(proposal, Stage.HELD)
    assert agent.votes(proposal) == []
    assert [entry.kind for entry in agent.entries()] == [EntryKind.HOLD]
    attempts = agent.dossier(case).attempts
    assert [attempt.outcome for attempt in attempts] == ["refusal"] * 4, "twice in each of its two seats"


def test_without_voting_power_it_is_skipped(make_agent: MakeAgent) -> None:
    agent = make_agent(powerful=False)
    agent.start()
    proposal = pay(agent)
    case = agent.until_stage(proposal, Stage.DONE)
    assert case.outcome == "skip"
    assert "voting power" in case.reason
    assert agent.votes(proposal) == []
    assert [entry.kind for entry in agent.entries()] == [EntryKind.SKIP]


@pytest.mark.parametrize("gate", [True, False])
def test_what_is_voted_already_is_skipped(make_agent: MakeAgent, gate: bool) -> None:
    """The vote came from somewhere else: an operator who voted by hand, a key in two places."""
    agent = make_agent(gate=gate)
    proposal = pay(agent)
    agent.node.set_balance(agent.writer, 10**18)
    agent.node.impersonate(agent.writer)
    agent.dao.vote(proposal, Vote.ABSTAIN, agent.writer)
    before = own_transactions(agent)
    agent.start()
    case = agent.until_stage(proposal, Stage.DONE)
    assert (case.outcome, case.reason) == ("skip", "No vote: this account has voted already.")
    assert [vote.vote for vote in agent.votes(proposal)] == [Vote.ABSTAIN]
    assert [entry.kind for entry in agent.entries()] == [EntryKind.SKIP]
    assert own_transactions(agent) == before + 1, "the entry, and nothing else"


def test_what_closes_too_soon_is_skipped(make_agent: MakeAgent) -> None:
    agent = make_agent(rules=RULES + "\n[limits]\nmin_blocks_left = 390\n")
    proposal = pay(agent)
    agent.node.mine(20)  # of 400
    before = own_transactions(agent)
    agent.start()
    case = agent.until_stage(proposal, Stage.DONE)
    assert case.outcome == "skip"
    assert re.fullmatch(r"No vote: the deadline is too near: 3[78]\d blocks left, 390 needed\.", case.reason)
    assert agent.dao.state(proposal) is ProposalState.ACTIVE
    assert agent.votes(proposal) == []
    assert [entry.kind for entry in agent.entries()] == [EntryKind.SKIP]
    assert own_transactions(agent) == before + 1, "the entry, and nothing else"
    check_as_a_stranger(agent)


def own_transactions(agent: Agent) -> int:
    """Of the signer's key, mined."""
    return agent.node.rpc.nonce(keystore_address(agent.folder / "signer.json"))


def test_a_vote_that_closed_meanwhile_is_recorded_as_missed_for_good(make_agent: MakeAgent) -> None:
    agent = make_agent()
    proposal = pay(agent)
    agent.dao.advance_to_closed(proposal)
    agent.start("--since", "0")
    missed = agent.until_stage(proposal, Stage.DONE)
    assert agent.stop() == 0

    agent.start()  # a start takes up whatever is not finished
    later = pay(agent)
    agent.until_stage(later, Stage.DONE)
    assert agent.case(proposal) == missed
    assert [entry.kind for entry in agent.entries()] == [EntryKind.MISSED, EntryKind.VOTE]
    assert agent.votes(proposal) == []


def test_announced_blocks_are_looked_at_at_once(make_agent: MakeAgent, node: Anvil) -> None:
    """With an hour between two polls, nothing but the announcement can be the reason."""
    agent = make_agent(poll_seconds=3600, chain_lines=f'websocket = "{node.websocket_url}"')
    agent.mines = True
    agent.start()
    agent.until("the agent to follow", lambda: '"following"' in agent.output)
    agent.until_stage(pay(agent), Stage.REVIEWED, Stage.VOTING, Stage.CONFIRMING, Stage.DONE)


def test_a_first_run_looks_only_at_what_can_still_be_voted_on_until_it_is_asked_for_more(make_agent: MakeAgent) -> None:
    agent = make_agent()
    over = [pay(agent) for _ in range(3)]
    agent.dao.advance_to_closed(over[-1])
    still_open = pay(agent)
    agent.start()
    agent.until_stage(still_open, Stage.DONE)
    for proposal in over:
        agent.until_stage(proposal, Stage.PAST)
    assert agent.stop() == 0
    assert [entry.kind for entry in agent.entries()] == [EntryKind.VOTE]
    told = [line for line in agent.output.splitlines() if '"pnyx.notify"' in line]
    assert len(told) == 1, "nobody hears of what was over before"
    agent.start("--since", str(agent.case(over[1]).created_block))
    for proposal in over[1:]:
        agent.until_stage(proposal, Stage.DONE)
    assert agent.stop() == 0
    assert agent.case(over[0]).stage is Stage.PAST, "older than what was asked for"
    assert [entry.kind for entry in agent.entries()] == [EntryKind.VOTE, EntryKind.MISSED, EntryKind.MISSED]


def test_observing_with_a_key_records_decisions_and_never_votes(make_agent: MakeAgent) -> None:
    agent = make_agent(mode="observe")
    agent.start()
    proposal = pay(agent)
    case = agent.until_stage(proposal, Stage.DONE)
    assert case.outcome == "for"
    assert agent.votes(proposal) == []
    assert [entry.kind for entry in agent.entries()] == [EntryKind.DECISION]
    check_as_a_stranger(agent)


def test_observing_without_a_key_needs_nothing_on_chain(make_agent: MakeAgent) -> None:
    agent = make_agent(mode="observe", signer=False)
    agent.start()
    proposal = pay(agent)
    case = agent.until_stage(proposal, Stage.DONE)
    assert agent.dossier(case).decision.outcome.value == case.outcome == "for"
    assert list(Path(agent.folder / "evidence").glob("*.json"))
