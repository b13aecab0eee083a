"""An agent and its signer that look at another chain, and a member who looks there again."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from pnyx_contracts.chains import ARBITRUM
from pnyx_contracts.messages import alias
from pnyx_contracts.types import Vote
from pnyx_policies.context import OtherChains, read_context
from pnyx_tools.journal import Stage
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import deploy, encode_call
from pnyx_tools.testing.faults.forks import run_fork

from .conftest import Agent, MakeAgent, pnyx

INBOX = "0x4Dbd4fc535Ac27206064B68FfCf827b0A60BAB3f"
TICKET = "createRetryableTicket(address,uint256,uint256,address,address,uint256,uint256,bytes)"
THIEF = "0x00000000000000000000000000000000000B0b5E"


@pytest.fixture(scope="module")
def node() -> Iterator[Anvil]:
    with Anvil(chain_id=1, calm=True, extra_arguments=("--slots-in-an-epoch", "1")) as running:
        running.set_code(INBOX, b"\0")
        yield running


@pytest.fixture
def arbitrum() -> Iterator[Anvil]:
    with Anvil(chain_id=ARBITRUM) as running:
        yield running


def tidy_up(agent: Agent, arbitrum: Anvil, pool: str) -> int:
    """The pool over there goes to a stranger, and nothing at home shows it."""
    arbitrum.mine()
    gift = encode_call(TICKET, pool, 0, 0, THIEF, THIEF, 100_000, 0, encode_call("tidyUp(address)", THIEF))
    text = f"# Tidy up\n\nThe DAO calls tidyUp of its pool {pool} on Arbitrum, through the inbox {INBOX}."
    proposal = agent.dao.propose([INBOX], [0], [gift], text)
    agent.dao.advance_to_active(proposal)
    return proposal


def test_what_is_hidden_on_the_other_chain_is_voted_against(make_agent: MakeAgent, arbitrum: Anvil) -> None:
    lines = f'[[{{}}.other]]\nchain_id = {ARBITRUM}\nrpc = "{arbitrum.url}"\n'
    agent = make_agent(chain_lines=lines.format("chain"), signer_lines=lines.format("signer"))
    pool = deploy(arbitrum, "Pool", alias(agent.dao.timelock))
    examined = " ".join(pnyx(agent, "doctor").stdout.split())
    assert f"{ARBITRUM}, where messages are simulated at block" in examined
    agent.start()
    proposal = tidy_up(agent, arbitrum, pool)
    case = agent.until_stage(proposal, Stage.DONE)
    assert [vote.vote for vote in agent.votes(proposal)] == [Vote.AGAINST]
    dossier = agent.dossier(case)
    (run,) = read_context(OtherChains, dossier.context, ()).runs
    assert run.simulation is not None
    assert [(change.contract, change.subject) for change in run.simulation.changes] == [(pool, THIEF)]
    assert agent.stop() == 0

    reviewed = pnyx(agent, "review", agent.dao.governor, proposal)
    assert f"On chain {ARBITRUM} (Arbitrum One), 1 message (calls 0.0)" in " ".join(reviewed.stdout.split())
    places = [
        "verify", "--rpc", agent.node.url, "--log", agent.log, "--evidence", str(agent.folder / "evidence"),
        "--upto", "latest", "--json",
    ]  # fmt: skip
    alone = run_fork(places, timeout=60)
    checked = run_fork([*places, "--other-rpc", arbitrum.url], timeout=60)
    assert (alone.returncode, checked.returncode) == (0, 0), checked.stderr
    assert f"no endpoint of chain {ARBITRUM} (Arbitrum One) is configured" in alone.stdout
    assert "no endpoint" not in checked.stdout
    steps = [json.loads(said.stdout)["writers"][0]["steps"]["15"]["matches"] for said in (alone, checked)]
    assert steps[0] + 1 == steps[1]


def test_a_signer_looks_there_itself(make_agent: MakeAgent, arbitrum: Anvil) -> None:
    """A daemon that is told nothing about the other chain, or says so, gets no vote that rests on silence."""
    chain_lines = f'[[chain.other]]\nchain_id = {ARBITRUM}\nrpc = "http://127.0.0.1:9"\n'
    signer_lines = f'[[signer.other]]\nchain_id = {ARBITRUM}\nrpc = "{arbitrum.url}"\n'
    rules = RULES_THAT_OVERLOOK
    agent = make_agent(chain_lines=chain_lines, signer_lines=signer_lines, rules=rules)
    pool = deploy(arbitrum, "Pool", alias(agent.dao.timelock))
    agent.start()
    proposal = tidy_up(agent, arbitrum, pool)
    agent.until("the signer refuses", lambda: "the rules give 'against'" in agent.output)
    assert agent.votes(proposal) == []
    assert agent.stop() == 0


RULES_THAT_OVERLOOK = """
name = "test"
version = "1"

[[rule]]
id = "hidden"
because = "It hides something."
when = ["finding.privilege-grant is critical"]
then = "against"

[[rule]]
id = "calm"
because = "Nothing that is seen speaks against it."
when = ["finding.privilege-grant is none"]
then = "for"
"""
