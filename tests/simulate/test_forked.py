"""A node that can do nothing but read state is forked: what the fork shows is what a better node would have shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from pnyx_contracts.types import Call
from pnyx_policies.facts import Simulation, SimulationStatus
from pnyx_policies.probes import Probe
from pnyx_tools.fork import Fork
from pnyx_tools.gather import gather_facts
from pnyx_tools.pinned import PinnedReader
from pnyx_tools.reader import ReorganisedError
from pnyx_tools.rpc import Rpc
from pnyx_tools.simulate import simulate
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import Governance, deploy, encode_call
from pnyx_tools.testing.provider import Provider

Half = Callable[..., Provider]


@pytest.fixture
def poor(half: Half) -> Iterator[Provider]:
    """An endpoint of the cheapest kind."""
    with half("eth_simulateV1", "debug_traceCall") as node:
        yield node


@pytest.fixture
def fork(poor: Provider) -> Iterator[Fork]:
    """What an operator starts beside an agent."""
    with Anvil(extra_arguments=("--fork-url", poor.url)) as node:
        yield Fork(node.url)


def shown(simulation: Simulation) -> dict[str, object]:
    kept = simulation.model_dump(exclude={"method", "passed_over"})
    return kept | {"results": [(r.path, r.succeeded, r.error) for r in simulation.results]}


def test_it_shows_what_the_node_would_have_shown(dao: Governance, store: str, poor: Provider, fork: Fork) -> None:
    person, second = dao.node.accounts[5], deploy(dao.node, "ParameterStoreV2")
    dao.node.send(dao.token, encode_call("transfer(address,uint256)", dao.timelock, 100))
    calls = [
        Call(target=person, value_wei=3, calldata=b""),
        Call(target=dao.token, value_wei=0, calldata=encode_call("transfer(address,uint256)", person, 100)),
        Call(target=dao.token, value_wei=0, calldata=encode_call("transfer(address,uint256)", person, 1)),
        Call(target=store, value_wei=0, calldata=encode_call("upgradeToAndCall(address,bytes)", second, b"")),
        Call(target=dao.governor, value_wei=0, calldata=encode_call("setVotingDelay(uint48)", 7)),
    ]
    probe = Probe(name="balance", contract=dao.token, calldata=encode_call("balanceOf(address)", dao.timelock))
    asked = {"governor": dao.governor, "probes": [probe], "seats_of": [store], "code_at": [person]}
    block = dao.node.rpc.block()
    whole = simulate(dao.node.rpc, dao.timelock, calls, block, **asked)
    blind = simulate(Rpc(poor.url), dao.timelock, calls, block, **asked)
    forked = simulate(PinnedReader(Rpc(poor.url), fork=fork), dao.timelock, calls, block, **asked)
    assert (blind.status, whole.status) == (SimulationStatus.SKIPPED, SimulationStatus.REVERTED)
    assert forked.method == "eth_simulateV1 on a fork"
    assert [skipped.step for skipped in forked.passed_over] == ["eth_simulateV1", "debug_traceCall"]
    assert shown(forked) == shown(whole)


def test_each_look_is_at_its_own_block(dao: Governance, poor: Provider, fork: Fork) -> None:
    """The chain went on, and somebody looks at the past once more."""
    person = dao.node.accounts[5]
    pay = [Call(target=dao.token, value_wei=0, calldata=encode_call("transfer(address,uint256)", person, 100))]
    before = dao.node.rpc.block()
    dao.node.send(dao.token, encode_call("transfer(address,uint256)", dao.timelock, 100))
    now = dao.node.rpc.block()
    reader = PinnedReader(Rpc(poor.url), fork=fork)
    statuses = [simulate(reader, dao.timelock, pay, block).status for block in (now, before, now)]
    assert statuses == [SimulationStatus.SUCCEEDED, SimulationStatus.REVERTED, SimulationStatus.SUCCEEDED]


def test_a_whole_review_needs_no_better_endpoint(dao: Governance, poor: Provider, fork: Fork) -> None:
    """The other live proposals are run before this one, there as well."""
    person = dao.node.accounts[5]
    dao.node.set_balance(dao.timelock, 10)
    dao.propose([person], [10], [b""], "# All of it\n\nPay everything.")
    number = dao.propose([person], [1], [b""], f"# Pay\n\nPay 1 wei to {person}.")
    dao.advance_to_active(number)
    block = dao.node.rpc.block().number
    poorly = gather_facts(
        PinnedReader(Rpc(poor.url), fork=fork), dao.adapter, dao.profile, dao.proposals[number], block=block
    )
    well = gather_facts(dao.node.rpc, dao.adapter, dao.profile, dao.proposals[number], block=block)
    assert poorly.simulation.method == "eth_simulateV1 on a fork"
    assert poorly.context == well.context
    assert shown(poorly.simulation) == shown(well.simulation)


def test_a_fork_of_another_chain_shows_nothing(dao: Governance, poor: Provider) -> None:
    block, pay = dao.node.mine(3), [Call(target=dao.node.accounts[5], value_wei=0, calldata=b"")]
    with Anvil() as other, Anvil(extra_arguments=("--fork-url", other.url)) as node:
        other.mine(block.number + 1)
        simulation = simulate(PinnedReader(Rpc(poor.url), fork=Fork(node.url)), dao.timelock, pay, block)
    assert simulation.status is SimulationStatus.SKIPPED
    assert "the fork stands on block" in simulation.why_skipped


def test_a_fork_that_another_program_moves_shows_nothing(dao: Governance, poor: Provider) -> None:
    block = dao.node.mine(2)
    with Anvil(extra_arguments=("--fork-url", poor.url)) as node:
        fork = Fork(node.url)
        with pytest.raises(ReorganisedError, match="the fork stands on block"), fork.at(block):
            node.rpc.request("anvil_reset", [{"forking": {"blockNumber": block.number - 1}}])
        with fork.at(block) as again:
            assert again.block("latest").hash == block.hash


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", None], ids=["nobody", "no anvil"])
def test_without_a_fork_that_works_each_action_is_tried_alone(dao: Governance, poor: Provider, url: str | None) -> None:
    fork = Fork(url or poor.url)
    pay = [Call(target=dao.node.accounts[5], value_wei=0, calldata=b"")]
    simulation = simulate(PinnedReader(Rpc(poor.url), fork=fork), dao.timelock, pay, dao.node.rpc.block())
    assert (simulation.status, simulation.method) == (SimulationStatus.SKIPPED, "eth_call")
    assert simulation.passed_over[-1].step == "eth_simulateV1 on a fork"
    assert simulation.passed_over[-1].why in simulation.why_skipped
    assert "127.0.0.1" not in simulation.why_skipped
