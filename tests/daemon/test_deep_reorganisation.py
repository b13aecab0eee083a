"""The chain takes back what it had called final."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pnyx_tools.journal import Stage
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import TOKEN

from .conftest import MakeAgent, pay, pnyx, position_of


@pytest.fixture(scope="module")
def node() -> Iterator[Anvil]:
    """Of its own: the longer its chain, the more states it has in memory."""
    with Anvil(states=5_000, extra_arguments=("--slots-in-an-epoch", "1")) as running:
        yield running


def test_a_reorganisation_deeper_than_finality_holds_all_votes(make_agent: MakeAgent) -> None:
    agent = make_agent(confirmations=1)
    agent.mines = True
    agent.start()
    agent.until_stage(pay(agent), Stage.DONE)
    agent.mines = False
    agent.node.mine(10)
    agent.node.send(agent.node.accounts[7], value_wei=1)  # an empty block could come again with the same hash
    agent.node.mine(25)
    agent.until("a settled position", lambda: position_of(agent).final.number > agent.node.rpc.block().number - 10)
    agent.node.reorg(30)
    agent.node.mine(1)
    agent.until("the alarm", lambda: "all votes are held" in agent.output)
    resumed = pnyx(agent, "resume")
    assert (resumed.returncode, "followed anew from block" in resumed.stdout) == (0, True)
    agent.mines = True
    agent.until_stage(pay(agent, wei=TOKEN // 20), Stage.DONE)
