"""Killed, restarted, cut off: no proposal missed, no vote twice."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from pnyx_contracts.entry import EntryKind
from pnyx_tools.journal import Stage
from pnyx_tools.testing.provider import Provider, Question, Reply, error

from .conftest import Agent, MakeAgent, pay

Moment = Callable[[Agent, Question], bool]


def bundle_is_stored(agent: Agent, question: Question) -> bool:
    """After the record is sealed, before anything is signed: the first look at the log's state."""
    return bool(list((agent.folder / "evidence").glob("*.json"))) and question["method"] == "eth_getTransactionCount"


def about_to_send(_agent: Agent, question: Question) -> bool:
    """The signed transaction is in the outbox and has not left."""
    return question["method"] == "eth_sendRawTransaction"


@pytest.mark.parametrize("gate", [True, False])
@pytest.mark.parametrize("moment", [bundle_is_stored, about_to_send])
def test_kill_minus_nine_before_the_transaction_left(
    make_agent: MakeAgent, provider: Provider, moment: Moment, gate: bool
) -> None:
    agent = make_agent(gate=gate, rpc=provider.url)
    killed = threading.Event()

    def kill_once(question: Question) -> Reply | None:
        if killed.is_set() or not moment(agent, question):
            return None
        killed.set()
        agent.kill()
        return error(question, -32000, "nobody is there to hear this")

    provider.rule = kill_once
    check_one_entry_and_one_vote(agent, killed)


@pytest.mark.parametrize("gate", [True, False])
def test_kill_minus_nine_after_the_transaction_was_mined(make_agent: MakeAgent, provider: Provider, gate: bool) -> None:
    agent = make_agent(gate=gate, rpc=provider.url)
    killed = threading.Event()

    def send_then_kill(question: Question) -> Reply | None:
        if killed.is_set() or question["method"] != "eth_sendRawTransaction":
            return None
        agent.node.request("eth_sendRawTransaction", *question["params"])
        killed.set()
        agent.kill()
        return error(question, -32000, "nobody is there to hear this")

    provider.rule = send_then_kill
    check_one_entry_and_one_vote(agent, killed)


def check_one_entry_and_one_vote(agent: Agent, killed: threading.Event) -> None:
    agent.start()
    proposal = pay(agent)
    agent.until("the kill", killed.is_set)
    agent.start()
    agent.until_stage(proposal, Stage.DONE)
    assert agent.stop() == 0
    assert len(agent.votes(proposal)) == 1
    assert [entry.kind for entry in agent.entries()] == [EntryKind.VOTE]


def test_every_log_line_is_one_json_object(make_agent: MakeAgent) -> None:
    agent = make_agent()
    agent.start()
    agent.until_stage(pay(agent), Stage.DONE)
    assert agent.stop() == 0
    loggers = {json.loads(line)["logger"] for line in agent.output.splitlines()}
    assert {"pnyx.steward", "pnyx.signer"} <= loggers


def test_sigterm_is_clean_and_the_next_start_goes_on(make_agent: MakeAgent) -> None:
    agent = make_agent(mode="propose")
    agent.start()
    held = pay(agent)
    agent.until_stage(held, Stage.HELD)
    assert agent.stop() == 0
    assert "Traceback" not in agent.output
    missed_meanwhile = pay(agent)
    agent.start()
    agent.until_stage(missed_meanwhile, Stage.HELD)
    assert agent.stop() == 0
    assert "Traceback" not in agent.output
    assert [entry.kind for entry in agent.entries()] == [EntryKind.HOLD, EntryKind.HOLD]


def test_a_second_instance_is_refused(make_agent: MakeAgent) -> None:
    agent = make_agent()
    first = agent.start()
    agent.until("the first to follow", lambda: '"following"' in agent.output)
    second = agent.start()
    assert second.wait(timeout=30) == 1
    assert f"another daemon (process {first.pid})" in agent.output
    assert first.poll() is None


def test_a_node_that_is_away_for_a_while(make_agent: MakeAgent, provider: Provider) -> None:
    agent = make_agent(rpc=provider.url)
    agent.start()
    agent.until("the daemon to follow", lambda: '"following"' in agent.output)
    asked_while_away: list[Any] = []

    def away(question: Question) -> Reply:
        asked_while_away.append(question)
        return 503, b"down for maintenance"

    provider.rule = away
    proposal = pay(agent)
    agent.until("the daemon to notice", lambda: len(asked_while_away) > 3)
    provider.rule = lambda _: None
    agent.until_stage(proposal, Stage.DONE)
    assert len(agent.votes(proposal)) == 1


def test_a_proposal_that_a_reorganisation_moved_is_decided_once(make_agent: MakeAgent) -> None:
    agent = make_agent(mode="observe")
    agent.start()
    agent.until("the daemon to follow", lambda: '"following"' in agent.output)
    snapshot = agent.node.snapshot()
    receiver = agent.node.accounts[7]
    text = f"# Payment\n\nSends 0.1 ETH to {receiver} for the documentation."
    first = agent.dao.propose([receiver], [10**17], [b""], text)
    agent.until("the proposal", lambda: agent.case(first))
    agent.node.revert(snapshot)
    agent.node.mine(4)
    again = agent.dao.propose([receiver], [10**17], [b""], text)
    assert again == first
    agent.dao.advance_to_active(again)
    case = agent.until_stage(again, Stage.DONE)
    recorded = agent.dossier(case).proposal
    assert recorded.created_block == agent.dao.proposals[again].created_block
    assert len(agent.entries()) == 1
