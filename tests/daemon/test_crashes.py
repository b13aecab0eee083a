"""Killed, restarted, cut off: no proposal missed, no vote twice."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable

import httpx
import pytest

from pnyx_contracts.entry import EntryKind
from pnyx_contracts.errors import UnreachableError
from pnyx_tools.journal import Stage
from pnyx_tools.testing.deploy import DAY, TOKEN, encode_call
from pnyx_tools.testing.openai_server import OpenAIServer, answer, refusal, slow
from pnyx_tools.testing.provider import Provider, Question, Reply, error, result

from .conftest import Agent, MakeAgent, children, pay, pnyx, position_of
from .test_whole_job import ADVICE

SECONDS_TO_STOP = 5

Moment = Callable[[Agent, Question], bool]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def bundle_is_stored(agent: Agent, question: Question) -> bool:
    """After the record is sealed, before anything is signed: the first look at the log's state."""
    return bool(list((agent.folder / "evidence").glob("*.json"))) and question["method"] == "eth_getTransactionCount"


def about_to_send(_agent: Agent, question: Question) -> bool:
    """The signed transaction is in the outbox and has not left."""
    return question["method"] == "eth_sendRawTransaction"


def nothing(_question: Question) -> None:
    """Happens then."""


def kill_at(
    agent: Agent,
    moment: Moment,
    killed: threading.Event,
    *,
    before: Callable[[Question], object] = nothing,
    after: Callable[[Question], object] = nothing,
) -> Callable[[Question], Reply | None]:
    """Once. The event is set when the process is gone: the next one may begin."""
    one_at_a_time = threading.Lock()

    def rule(question: Question) -> Reply | None:
        with one_at_a_time:
            if killed.is_set() or not moment(agent, question):
                return None
            before(question)
            agent.kill()
            after(question)
            killed.set()
        return error(question, -32000, "nobody is there to hear this")

    return rule


@pytest.mark.parametrize("gate", [True, False])
@pytest.mark.parametrize("moment", [bundle_is_stored, about_to_send])
def test_kill_minus_nine_before_the_transaction_left(
    make_agent: MakeAgent, provider: Provider, moment: Moment, gate: bool
) -> None:
    agent, killed = make_agent(gate=gate, rpc=provider.url), threading.Event()
    provider.rule = kill_at(agent, moment, killed)
    check_one_entry_and_one_vote(agent, killed)


@pytest.mark.parametrize("gate", [True, False])
def test_kill_minus_nine_after_the_transaction_was_mined(make_agent: MakeAgent, provider: Provider, gate: bool) -> None:
    agent, killed = make_agent(gate=gate, rpc=provider.url), threading.Event()

    def send(question: Question) -> None:
        agent.node.request("eth_sendRawTransaction", *question["params"])

    provider.rule = kill_at(agent, about_to_send, killed, before=send)
    check_one_entry_and_one_vote(agent, killed)


@pytest.mark.parametrize("gate", [True, False])
def test_a_signed_vote_is_carried_out_even_when_its_workflow_is_lost(
    make_agent: MakeAgent, provider: Provider, gate: bool
) -> None:
    agent, killed = make_agent(gate=gate, rpc=provider.url), threading.Event()

    def lose_workflows(_question: Question) -> None:
        for file in (agent.folder / "data").glob("workflows.sqlite*"):
            file.unlink()

    provider.rule = kill_at(agent, about_to_send, killed, after=lose_workflows)
    proposal = check_one_entry_and_one_vote(agent, killed)
    case = agent.case(proposal)
    assert case is not None
    assert case.tries == 2
    assert len(list((agent.folder / "evidence").glob("*.json"))) == 2, "one bundle, one configuration"


def check_one_entry_and_one_vote(agent: Agent, killed: threading.Event) -> int:
    agent.start()
    proposal = pay(agent)
    agent.until("the kill", killed.is_set)
    agent.start()
    agent.until_stage(proposal, Stage.DONE)
    assert agent.stop() == 0
    assert len(agent.votes(proposal)) == 1
    assert [entry.kind for entry in agent.entries()] == [EntryKind.VOTE]
    return proposal


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


@pytest.mark.parametrize("gate", [True, False])
def test_a_vote_that_a_reorganisation_took_away_is_cast_again(make_agent: MakeAgent, gate: bool) -> None:
    """No final block goes: only the vote and what came with it, not what it rests on."""
    agent = make_agent(gate=gate, confirmations=3)
    agent.mines = False
    proposal = pay(agent)
    agent.start()
    agent.until_stage(proposal, Stage.REVIEWED)
    agent.node.mine(2)
    if not gate:
        agent.node.mine()
        agent.until("the entry", agent.entries)
        agent.node.mine(2)
    assert agent.votes(proposal) == []
    before = agent.node.snapshot()
    agent.node.mine()
    agent.until("the vote", lambda: agent.votes(proposal))
    first = agent.until_stage(proposal, Stage.CONFIRMING)
    (vote,) = agent.votes(proposal)
    agent.node.revert(before)
    assert agent.votes(proposal) == []
    agent.node.mine()
    agent.until("the vote", lambda: agent.votes(proposal))
    agent.node.mine(3)
    last = agent.until_stage(proposal, Stage.DONE)
    (again,) = agent.votes(proposal)
    assert (again.vote, again.reason) == (vote.vote, vote.reason)
    assert last.record_root == first.record_root
    assert [entry.kind for entry in agent.entries()] == [EntryKind.VOTE]


def test_a_decision_whose_proposal_vanished_is_void(make_agent: MakeAgent) -> None:
    """Reviewed at the head, taken away before anything was written; what comes afterwards is handled as ever."""
    agent = make_agent(confirmations=5)
    before = agent.node.snapshot()
    agent.start()
    agent.until("the agent to follow", lambda: '"read history"' in agent.output)
    vanishes = pay(agent)
    agent.until_stage(vanishes, Stage.REVIEWED)
    agent.node.revert(before)
    agent.node.mine(30)
    agent.until_stage(vanishes, Stage.VOID)
    assert agent.entries() == []
    stays = pay(agent, wei=TOKEN // 20)
    agent.until_stage(stays, Stage.REVIEWED)
    assert agent.entries() == [], "it waits for five blocks above its proposal"
    agent.mines = True
    agent.until_stage(stays, Stage.DONE)
    assert [entry.kind for entry in agent.entries()] == [EntryKind.VOTE]
    case = agent.case(vanishes)
    assert case is not None
    assert case.stage is Stage.VOID


def test_an_endpoint_of_another_chain_is_waited_for(make_agent: MakeAgent, provider: Provider) -> None:
    """At the start, so that a service manager tries again; and later, when people are told once."""

    def elsewhere(question: Question) -> Reply | None:
        return result(question, "0x1") if question["method"] == "eth_chainId" else None

    agent = make_agent(rpc=provider.url)
    provider.rule = elsewhere
    assert agent.start().wait(60) == UnreachableError.exit_code
    assert "serves chain 1, expected is chain 31337" in agent.output
    failed = next(r for r in json.loads(pnyx(agent, "doctor", "--json").stdout) if r["name"].startswith("chain id"))
    assert failed["status"] == "failed"
    assert "correct chain.rpc" in failed["do"]

    provider.rule = lambda _: None
    agent.start()
    agent.until("the agent to follow", lambda: '"following"' in agent.output)
    provider.rule = elsewhere
    proposal = pay(agent)
    agent.until("people to be told", lambda: "there is no other: nothing is read or written" in agent.output)
    asked = provider.requests
    agent.until("some more tries", lambda: provider.requests > asked + 10)
    provider.rule = lambda _: None
    agent.until_stage(proposal, Stage.DONE)
    assert agent.output.count('"message": "an endpoint serves another chain') == 1


def test_what_an_earlier_configuration_began_is_decided_by_the_new_one(
    make_agent: MakeAgent, provider: Provider
) -> None:
    agent = make_agent(mode="observe", signer=False, rpc=provider.url)
    provider.rule = lambda question: (503, b"away") if question["method"] == "eth_getBalance" else None
    agent.start()
    proposal = pay(agent)
    agent.until("a step that waits", lambda: '"establish:0"' in agent.output)
    agent.kill()
    rules = agent.folder / "rules.toml"
    rules.write_text(rules.read_text().replace("Nothing speaks against it.", "New rules."))
    provider.rule = lambda _: None
    agent.start()
    case = agent.until_stage(proposal, Stage.DONE)
    assert (case.tries, case.reason) == (2, "New rules. [calm]")
    assert len(list((agent.folder / "evidence").glob("*.json"))) == 2, "one bundle, one configuration"


def test_a_signer_that_died_ends_the_daemon(make_agent: MakeAgent) -> None:
    agent = make_agent()
    process = agent.start()
    agent.until("the daemon to follow", lambda: '"following"' in agent.output)
    (signer,) = children(agent.pid)
    os.kill(signer, signal.SIGKILL)
    assert process.wait(timeout=20) == 3
    assert json.loads(agent.output.splitlines()[-2])["error"].startswith("the signer ended by itself")
    agent.start()
    agent.until_stage(pay(agent), Stage.DONE)


def test_sigterm_does_not_wait_for_a_slow_model(make_agent: MakeAgent) -> None:
    with OpenAIServer([slow(120, refusal()), refusal()]) as server:
        model = f'[[model]]\nmodel = "scripted"\nbase_url = "{server.base_url}"\napi_key_env = ""\nmax_attempts = 1\n'
        agent = make_agent(mode="observe", signer=False, lines=model + 'sees = ["facts-and-text"]\n')
        agent.start()
        proposal = pay(agent)
        agent.until("the question", lambda: server.requests)
        began = time.monotonic()
        assert agent.stop() == 0
        assert time.monotonic() - began < SECONDS_TO_STOP
        agent.start()
        agent.until_stage(proposal, Stage.DONE)
        assert len(server.requests) == 2
    assert "Traceback" not in agent.output


def test_what_a_model_answered_before_the_crash_is_not_paid_for_again(make_agent: MakeAgent) -> None:
    """The reader of the text has answered, the reader of facts alone is still at it."""
    with OpenAIServer([answer(ADVICE), slow(120, refusal()), answer(ADVICE)]) as server:
        model = f'[[model]]\nmodel = "scripted"\nbase_url = "{server.base_url}"\napi_key_env = ""\nmax_attempts = 1\n'
        agent = make_agent(mode="observe", signer=False, lines=model)
        agent.start()
        proposal = pay(agent)
        agent.until("both questions", lambda: len(server.requests) == 2)
        agent.kill()
        agent.start()
        case = agent.until_stage(proposal, Stage.DONE)
        assert len(server.requests) == 3
    dossier = agent.dossier(case)
    assert [(attempt.outcome, attempt.reused) for attempt in dossier.attempts] == [("ok", True), ("ok", False)]
    assert all(opinion.analysis == ADVICE for opinion in dossier.opinions)


def test_a_node_that_is_away_for_a_while(make_agent: MakeAgent, provider: Provider) -> None:
    """It goes on by itself, says so without a flood of lines, counts it, and shows nobody the key in the URL."""
    key = "0123456789abcdefSECRET"
    port = free_port()
    agent = make_agent(rpc=f"{provider.url}/v2/{key}", agent_lines=f"[metrics]\nport = {port}")
    agent.start()
    agent.until("the daemon to follow", lambda: '"following"' in agent.output)

    def away(_question: Question) -> Reply:
        return 503, f"no such key: {key}".encode()

    provider.rule = away
    proposal = pay(agent)
    agent.until("the daemon to notice", lambda: "failed; it is tried again" in agent.output)
    provider.rule = lambda _: None
    agent.until_stage(proposal, Stage.DONE)
    assert len(agent.votes(proposal)) == 1
    failed, works = agent.output.count(" failed; it is tried again"), agent.output.count(" works again")
    assert 1 <= failed <= 10
    assert works == 1

    def metrics() -> str:
        return httpx.get(f"http://127.0.0.1:{port}/metrics").text

    agent.until("the next count", lambda: 'pnyx_proposals{stage="done"} 1.0' in metrics())
    assert 'pnyx_failures_total{what="following"}' in metrics()
    assert f"pnyx_followed_block {float(position_of(agent).head.number)}" in metrics()
    assert f'pnyx_endpoint_failures{{endpoint="{provider.url}",number="1"}} 0.0' in metrics()
    assert httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    assert httpx.get(f"http://127.0.0.1:{port}/readyz").json() == {"problems": []}
    assert pnyx(agent, "pause").returncode == 0
    unready = httpx.get(f"http://127.0.0.1:{port}/readyz")
    assert (unready.status_code, unready.json()["problems"]) == (503, ["all votes are held: paused by the operator"])
    assert agent.stop() == 0
    files = [p for p in agent.folder.rglob("*") if p.is_file() and p != agent.config]
    assert [p.name for p in files if key.encode() in p.read_bytes()] == []


def test_a_proposal_that_a_reorganisation_moved_is_decided_once(make_agent: MakeAgent) -> None:
    agent = make_agent(mode="observe", confirmations=20)
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
    agent.mines = True
    case = agent.until_stage(again, Stage.DONE)
    recorded = agent.dossier(case).proposal
    assert recorded.created_block == agent.dao.proposals[again].created_block
    assert len(agent.entries()) == 1


def test_a_vote_that_a_stranger_made_revert_is_cast_all_the_same(make_agent: MakeAgent, provider: Provider) -> None:
    """Anybody may activate a due change of the gate; that takes the number which the vote was signed for."""
    agent = make_agent(rpc=provider.url)
    node, somebody = agent.node, "0x" + "22" * 20
    node.send(agent.writer, encode_call("announceGovernor(address,bool)", somebody, True))
    node.increase_time(2 * DAY)
    overtaken = threading.Event()

    def overtake_once(question: Question) -> None:
        if question["method"] == "eth_sendRawTransaction" and not overtaken.is_set():
            overtaken.set()
            node.send(agent.writer, encode_call("activateGovernor(address)", somebody), sender=node.accounts[9])

    provider.rule = overtake_once
    agent.start()
    proposal = pay(agent)
    agent.until_stage(proposal, Stage.DONE)
    assert overtaken.is_set()
    assert len(agent.votes(proposal)) == 1
    kinds = [EntryKind.GOVERNOR_ANNOUNCED, EntryKind.GOVERNOR_ACTIVATED, EntryKind.VOTE]
    assert [entry.kind for entry in agent.entries()] == kinds


def test_a_vote_that_a_pause_made_revert_is_missed_when_it_closed(make_agent: MakeAgent, provider: Provider) -> None:
    agent = make_agent(rpc=provider.url)
    paused = threading.Event()

    def pause_once(question: Question) -> None:
        if question["method"] == "eth_sendRawTransaction" and not paused.is_set():
            paused.set()
            agent.node.send(agent.writer, encode_call("pauseVotes()"))

    provider.rule = pause_once
    agent.start()
    proposal = pay(agent)
    agent.until("the vote to be tried again", lambda: "does not land yet" in agent.output)
    agent.dao.advance_to_closed(proposal)
    agent.until_stage(proposal, Stage.DONE)
    assert agent.votes(proposal) == []
    assert [entry.kind for entry in agent.entries()] == [EntryKind.PAUSED, EntryKind.MISSED]
