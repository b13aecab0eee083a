"""Two nodes are asked for the same, and whatever one shows and the other does not is named."""

from __future__ import annotations

import pytest

from pnyx_contracts.decision_log import ENTRY_TOPIC, REGISTERED_TOPIC
from pnyx_contracts.errors import UsageError
from pnyx_contracts.governors.openzeppelin import CREATED_TOPIC, VOTE_TOPIC
from pnyx_contracts.types import Vote
from pnyx_policies.verify import Step
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import deploy_log
from pnyx_tools.testing.passing_on import PassingOn
from pnyx_tools.verifier import verify, verify_chains


class Hiding(PassingOn):
    """A node that does not show the first event with this topic."""

    def __init__(self, honest, topic):
        super().__init__(honest)
        self._topic = topic

    def logs(self, *question):
        found = super().logs(*question)
        hidden = next((log for log in found if log.topics[0] == self._topic), None)
        return [log for log in found if log is not hidden]


@pytest.fixture
def votes(world):
    agent = world.plain_key()
    for _ in range(3):
        agent.act(world.blocks, world.open_proposal())
    return agent


@pytest.mark.usefixtures("votes")
def test_two_honest_nodes_agree(world):
    assert world.check(second_reader=world.node.rpc).ok


HIDDEN = {
    "entry": (ENTRY_TOPIC, Step.ENTRIES),
    "vote": (VOTE_TOPIC, Step.VOTES),
    "proposal": (CREATED_TOPIC, Step.COMPLETENESS),
    "registration": (REGISTERED_TOPIC, Step.ENTRIES),
}


@pytest.mark.parametrize("who", ["first", "second"])
@pytest.mark.parametrize("what", HIDDEN)
def test_what_one_of_them_hides(world, votes, what, who):
    topic, step = HIDDEN[what]
    honest, hiding = world.node.rpc, Hiding(world.node.rpc, topic)
    first, second = (hiding, honest) if who == "first" else (honest, hiding)
    report = verify(first, world.log, votes.writer, world.folder, upto="latest", second_reader=second)
    named = [v for v in report.problems if v.where == "nodes"]
    assert {v.step for v in named} == {step}
    other = "second" if who == "first" else "first"
    assert all(v.reason.startswith(f"only the {other} node shows") for v in named)


@pytest.mark.usefixtures("votes")
def test_another_chain_is_no_second_node(world):
    with Anvil() as other:
        other.mine(world.node.rpc.block().number)
        report = world.check(second_reader=other.rpc)
    assert [(v.step, v.where) for v in report.problems] == [(Step.LOG_CODE, "block")]
    assert report.writers == []


def test_one_log_on_two_chains(world, votes):
    """The same address on each; one report with each chain's own in it."""
    with Anvil(chain_id=10) as other:
        other.set_code(world.log, other.rpc.code(deploy_log(other)))
        registration = world.agent()
        registration.node, registration.evidence = other, world.store
        registration.register()
        told = []
        checked = verify_chains(
            [world.node.rpc, other.rpc], world.log, evidence=world.folder, upto="latest",
            second_readers=[other.rpc], on_verdict=lambda chain, _: told.append(chain),
        )  # fmt: skip
        assert checked.ok, [str(v) for report in checked.chains for v in report.problems]
        assert checked.exit_code == 0
        assert [report["chain_id"] for report in checked.to_json()["chains"]] == [31337, 10]
        assert set(told) == {31337, 10}
        votes.cast(world.blocks, world.blocks.proposals[world.open_proposal()].key, Vote.FOR)
        assert not verify_chains([world.node.rpc, other.rpc], world.log, evidence=world.folder, upto="latest").ok


@pytest.mark.usefixtures("votes")
def test_two_nodes_of_one_chain_are_not_two_chains(world):
    with pytest.raises(UsageError, match="two of the nodes are of chain 31337"):
        verify_chains([world.node.rpc, world.node.rpc], world.log, evidence=world.folder, upto="latest")
