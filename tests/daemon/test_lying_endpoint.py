"""Three endpoints, the first of which lies about what a decision rests on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from pnyx_contracts.types import Vote, to_hex
from pnyx_tools.journal import Stage
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.provider import Provider, Question, Reply, result

from .conftest import Agent, MakeAgent, pay, pnyx


@pytest.fixture
def providers(node: Anvil) -> Iterator[list[Provider]]:
    with ExitStack() as stack:
        yield [stack.enter_context(Provider(node.url)) for _ in range(3)]


def of_three(make_agent: MakeAgent, providers: list[Provider]) -> Agent:
    agent = make_agent(rpc=providers[0].url)
    text, urls = agent.config.read_text(), json.dumps([each.url for each in providers])
    agent.config.write_text(text.replace(f'rpc = "{providers[0].url}"', f"rpc = {urls}\nquorum = 2", 1))
    return agent


def test_one_that_calls_a_vote_not_open_yet_does_not_silence_it(
    make_agent: MakeAgent, providers: list[Provider]
) -> None:
    agent = of_three(make_agent, providers)
    state = to_hex(agent.dao.adapter.read_state(agent.dao.profile, 0).data)[:10]

    def pending(question: Question) -> Reply | None:
        is_asked = question["method"] == "eth_call" and state in json.dumps(question["params"])
        return result(question, to_hex(bytes(32))) if is_asked else None

    providers[0].rule = pending
    agent.start()
    proposal = pay(agent)
    agent.until_stage(proposal, Stage.DONE)
    assert [vote.vote for vote in agent.votes(proposal)] == [Vote.FOR]


def test_doctor_names_the_one_that_is_alone(make_agent: MakeAgent, providers: list[Provider]) -> None:
    agent = of_three(make_agent, providers)
    (found,) = looked_at(agent)
    assert (found["status"], "they show the same at block" in found["found"]) == ("ok", True)
    providers[1].rule = lambda asked: result(asked, hex(7)) if asked["method"] == "eth_getBalance" else None
    (found,) = looked_at(agent)
    words = f"about the balance of {agent.dao.timelock}, 2 ({providers[1].url}) says 7; the others say {100 * 10**18}"
    assert (found["status"], found["found"]) == ("failed", words)


def looked_at(agent: Agent) -> list[dict[str, str]]:
    return [each for each in json.loads(pnyx(agent, "doctor", "--json").stdout) if each["name"] == "endpoints"]
