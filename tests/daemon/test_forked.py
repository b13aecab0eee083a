"""An agent and its signer whose endpoint cannot simulate, with a fork of the chain beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from pnyx_contracts.types import Vote
from pnyx_policies.facts import SimulationStatus
from pnyx_tools.journal import Stage
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.faults.forks import run_fork
from pnyx_tools.testing.provider import Provider, Question, Reply, error

from .conftest import MakeAgent, pay, pnyx

SIMULATING = {"eth_simulateV1", "debug_traceCall"}


def poorly(question: Question) -> Reply | None:
    method = question["method"]
    return error(question, -32601, f"the method {method} does not exist") if method in SIMULATING else None


@pytest.fixture
def poor(node: Anvil) -> Iterator[Provider]:
    with Provider(node.url, poorly) as provider:
        yield provider


@pytest.fixture
def fork(poor: Provider) -> Iterator[Anvil]:
    with Anvil(extra_arguments=("--fork-url", poor.url)) as running:
        yield running


def test_it_votes_and_members_check_it(make_agent: MakeAgent, poor: Provider, fork: Anvil) -> None:
    agent = make_agent(rpc=poor.url, signer_rpc=poor.url, chain_lines=f'fork = "{fork.url}"')
    examined = pnyx(agent, "doctor")
    assert "on a fork, at block" in examined.stdout
    agent.start()
    proposal = pay(agent)
    case = agent.until_stage(proposal, Stage.DONE)
    assert [vote.vote for vote in agent.votes(proposal)] == [Vote.FOR]
    simulation = agent.dossier(case).simulation
    assert (simulation.status, simulation.method) == (SimulationStatus.SUCCEEDED, "eth_simulateV1 on a fork")
    assert agent.stop() == 0
    reviewed = pnyx(agent, "review", agent.dao.governor, proposal, "--json")
    assert json.loads(reviewed.stdout)["simulation"]["method"] == "eth_simulateV1 on a fork"
    places = ["--rpc", poor.url, "--log", agent.log, "--evidence", str(agent.folder / "evidence"), "--upto", "latest"]
    alone = run_fork(["verify", *places, "--json"], timeout=60)
    checked = run_fork(["verify", *places, "--json", "--fork", fork.url], timeout=60)
    assert (alone.returncode, checked.returncode) == (0, 0), checked.stderr
    assert "could not simulate" in alone.stdout
    assert "could not simulate" not in checked.stdout
