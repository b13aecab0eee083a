"""`pnyx run` with an account that runs AtomicAccount (EIP-7702), and with a writer that was succeeded."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from eth_account import Account

from pnyx_contracts.decision_log import encode_register, encode_succeed, read_operator, read_state
from pnyx_contracts.entry import Declaration, EntryKind
from pnyx_contracts.types import ZERO_ADDRESS, Vote
from pnyx_tools.chain import Chain
from pnyx_tools.journal import Stage
from pnyx_tools.keystore import load_account
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.deploy import DAY, TOKEN
from pnyx_tools.testing.settling import PASSWORD
from pnyx_tools.verifier import verify

from .conftest import Agent, MakeAgent, pay


def succeed(agent: Agent) -> None:
    """By the operator, while the agent runs."""
    node, new = agent.node, Account.create().address
    operator, _ = node.rpc.read(read_operator(agent.log, agent.writer))
    node.set_balance(new, TOKEN)
    node.impersonate(new)
    declared = Declaration(config_hash=b"\x07" * 32, governors=(agent.dao.governor,), evidence_uri="")
    node.send(agent.log, encode_register(operator, DAY, declared), sender=new)
    seq = node.rpc.read(read_state(agent.log, agent.writer)).seq + 1
    node.send(agent.log, encode_succeed(agent.writer, seq, new), sender=operator)


def test_an_atomic_account_votes_as_long_as_it_runs_its_code(make_agent: MakeAgent) -> None:
    agent = make_agent(gate=False, atomic=True)
    agent.start()
    first = pay(agent)
    agent.until_stage(first, Stage.DONE)
    (vote,), (entry,) = agent.votes(first), agent.entries()
    assert vote.vote is Vote.FOR
    assert (entry.kind, entry.transaction_hash) == (EntryKind.VOTE, vote.transaction_hash)

    code = agent.node.rpc.code(agent.writer)
    agent.node.set_code(agent.writer, b"")
    second = pay(agent)
    failed = agent.until_stage(second, Stage.FAILED)
    assert "does not run AtomicAccount" in failed.detail
    assert (agent.votes(second), agent.entries()) == ([], [entry])
    assert agent.stop() == 0
    assert agent.start().wait(timeout=60) == 2
    assert "does not run AtomicAccount" in agent.output.splitlines()[-2]

    agent.node.set_code(agent.writer, code)
    agent.start()
    agent.until_stage(second, Stage.DONE)
    assert agent.stop() == 0
    assert len(agent.votes(second)) == 1
    report = verify(Rpc(agent.node.url), agent.log, agent.writer, agent.folder / "evidence", upto="latest")
    assert (report.ok, [writer["tier"] for writer in report.to_json()["writers"]]) == (True, ["atomic"])


def signed(agent: Agent) -> list[dict[str, Any]]:
    """What the signer signed, as its log says."""
    lines = (json.loads(line) for line in agent.output.splitlines() if line.startswith("{"))
    return [line for line in lines if line.get("event") == "signed"]


def clear_delegation(agent: Agent) -> str:
    agent.node.set_code(agent.writer, b"")
    return "no code"


def delegate_elsewhere(agent: Agent) -> str:
    """By a transaction of the key that pays more, and so takes the place of the vote that is on its way."""
    key, chain = load_account(agent.folder / "signer.json", PASSWORD), Chain.of([agent.node.url])
    nonce, fees, chain_id = chain.nonce(key.address), chain.fees(), chain.chain_id()
    authorization = key.sign_authorization({"chainId": chain_id, "address": agent.dao.token, "nonce": nonce + 1})
    transaction = {
        "type": 4, "chainId": chain_id, "nonce": nonce, "to": ZERO_ADDRESS, "value": 0, "data": b"", "gas": 100_000,
        "maxFeePerGas": fees.max_fee * 10, "maxPriorityFeePerGas": fees.max_fee * 5,
        "authorizationList": [authorization],
    }  # fmt: skip
    chain.send_raw(bytes(key.sign_transaction(transaction).raw_transaction))
    return f"the code at {agent.dao.token}"


@pytest.mark.parametrize("lose", [clear_delegation, delegate_elsewhere])
def test_a_delegation_that_is_lost_after_the_vote_was_signed(
    make_agent: MakeAgent, lose: Callable[[Agent], str]
) -> None:
    agent = make_agent(gate=False, atomic=True)
    node, ours = agent.node, agent.node.rpc.code(agent.writer)
    proposal = pay(agent)
    node.request("evm_setAutomine", False)
    try:
        agent.start()
        agent.until("the vote is on its way", lambda: node.request("txpool_status")["pending"] != "0x0")
        runs = lose(agent)
        node.mine()
    finally:
        node.request("evm_setAutomine", True)
    told = f"account {agent.writer} lost its delegation: it runs {runs}"
    agent.until("people are told", lambda: told in agent.output)
    agent.until("it tried again", lambda: agent.output.count("a step waits and tries again") >= 3)
    assert [line["request"] for line in signed(agent)] == ["sign-vote"]
    assert (agent.votes(proposal), agent.entries()) == ([], [])
    assert agent.output.count(told) == 1, "once, however often it is tried"

    node.set_code(agent.writer, ours)
    agent.until_stage(proposal, Stage.DONE)
    assert agent.stop() == 0
    assert [line["request"] for line in signed(agent)] == ["sign-vote"] * 2
    assert len(agent.votes(proposal)) == len(agent.entries()) == 1


def test_the_agent_of_a_writer_that_was_succeeded_stops_and_says_why(make_agent: MakeAgent) -> None:
    agent = make_agent()
    process = agent.start()
    agent.until_stage(pay(agent), Stage.DONE)
    succeed(agent)
    assert process.wait(timeout=30) == 1
    assert "another writer succeeded this one" in agent.output
    assert agent.start().wait(timeout=60) == 2, "systemd does not start it again"
    last = agent.entries()[-1]
    assert last.kind is EntryKind.SUCCEEDED
