"""A node that lacks a method is asked by the next one: what it shows is the same, and the record says which it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from pnyx_contracts.types import Call
from pnyx_policies.facts import Simulation, SimulationStatus
from pnyx_policies.probes import Probe
from pnyx_tools.quorum import Quorum
from pnyx_tools.reader import MethodMissingError
from pnyx_tools.rpc import Rpc
from pnyx_tools.simulate import MAX_TRACED, simulate
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy, encode_call
from pnyx_tools.testing.provider import Provider, Question, Reply, error, result

Half = Callable[..., Provider]


def call(target: str, data: bytes = b"", value_wei: int = 0) -> Call:
    return Call(target=target, value_wei=value_wei, calldata=data)


def both(dao: Governance, half: Half, calls: Sequence[Call], probes: Sequence[Probe] = ()) -> Simulation:
    """The traced simulation, which shows what the other one shows."""
    block = dao.node.rpc.block()
    whole = simulate(dao.node.rpc, dao.timelock, calls, block, governor=dao.governor, probes=probes)
    with half("eth_simulateV1") as node:
        traced = simulate(Rpc(node.url), dao.timelock, calls, block, governor=dao.governor, probes=probes)
    assert (whole.method, traced.method) == ("eth_simulateV1", "debug_traceCall")
    assert (whole.passed_over, [s.step for s in traced.passed_over]) == ((), ["eth_simulateV1"])
    assert "127.0.0.1" not in traced.passed_over[0].why
    assert _shown(traced) == _shown(whole)
    return traced


def _shown(simulation: Simulation) -> dict[str, object]:
    shown = simulation.model_dump(exclude={"method", "passed_over"})
    return shown | {"results": [(r.path, r.succeeded, r.error) for r in simulation.results]}


def token_probe(dao: Governance, holder: str) -> Probe:
    return Probe(name="balance", contract=dao.token, calldata=encode_call("balanceOf(address)", holder))


def test_each_action_sees_what_those_before_it_did(dao: Governance, half: Half, store: str) -> None:
    """Slots that become zero, coin, power, code that is replaced, a call that reverts in between."""
    person, spender = dao.node.accounts[5:7]
    second = deploy(dao.node, "ParameterStoreV2")
    dao.node.send(dao.token, encode_call("transfer(address,uint256)", dao.timelock, 100))
    calls = [
        call(person, value_wei=3),
        call(dao.token, encode_call("transfer(address,uint256)", person, 100)),
        call(dao.token, encode_call("transfer(address,uint256)", person, 1)),
        call(dao.token, encode_call("approve(address,uint256)", spender, 5)),
        call(dao.token, encode_call("approve(address,uint256)", spender, 0)),
        call(store, encode_call("upgradeToAndCall(address,bytes)", second, b"")),
        call(dao.timelock, encode_call("grantRole(bytes32,address)", bytes(32), person)),
        call(person, value_wei=2),
    ]
    probes = [token_probe(dao, dao.timelock), Probe(name="v", contract=store, calldata=encode_call("version()"))]
    simulation = both(dao, half, calls, probes)
    assert [r.succeeded for r in simulation.results] == [True, True, False, True, True, True, True, True]
    assert "ERC20InsufficientBalance" in simulation.results[2].error
    assert [
        (int.from_bytes(r.before.data, "big"), int.from_bytes(r.after.data, "big")) for r in simulation.readings
    ] == [
        (100, 0),
        (1, 2),
    ]
    assert {c.kind for c in simulation.changes} == {"upgraded", "role-granted"}


def test_a_governor_changes_itself_and_relays_coin(dao: Governance, half: Half) -> None:
    person = dao.node.accounts[5]
    dao.node.set_balance(dao.governor, TOKEN)
    simulation = both(
        dao,
        half,
        [
            call(dao.governor, encode_call("setVotingDelay(uint48)", 11)),
            call(dao.governor, encode_call("relay(address,uint256,bytes)", person, 9, b"")),
        ],
    )
    assert simulation.status is SimulationStatus.SUCCEEDED
    assert [(m.sender, m.recipient, m.amount) for m in simulation.movements] == [(dao.governor, person, 9)]


@pytest.mark.parametrize("place", [0, 1])
def test_value_that_the_executor_lacks(dao: Governance, half: Half, place: int) -> None:
    calls = [call(dao.node.accounts[5], value_wei=1) for _ in range(3)]
    calls[place] = call(dao.node.accounts[5], value_wei=10**24)
    probes = [token_probe(dao, dao.timelock)]
    assert [r.succeeded for r in both(dao, half, calls, probes).results] == [i < place for i in range(3)]


def test_probes_alone_and_no_action(dao: Governance, half: Half) -> None:
    silent = Probe(name="silent", contract=dao.token, calldata=b"\x12\x34\x56\x78")
    (reading,) = both(dao, half, [], [silent]).readings
    assert (reading.before.data, reading.before.error) == (b"", "reverts without a reason")


def test_a_reason_that_the_simulation_keeps_is_told_by_the_trace(dao: Governance) -> None:
    """Only on top of the first action does the second one revert so."""
    dao.node.send(dao.token, encode_call("transfer(address,uint256)", dao.timelock, 5))
    move = call(dao.token, encode_call("transfer(address,uint256)", dao.node.accounts[5], 5))

    def taciturn(question: Question) -> Reply | None:
        if question["method"] != "eth_simulateV1":
            return None
        status, body = 200, provider._pass_on(question)
        for answer in body["result"][0]["calls"]:
            answer["returnData"] = "0x"
        return status, body

    with Provider(dao.node.url, taciturn) as provider:
        simulation = simulate(Rpc(provider.url), dao.timelock, [move, move], dao.node.rpc.block())
    assert simulation.method == "eth_simulateV1"
    assert simulation.results[1].error.startswith("ERC20InsufficientBalance(")


def test_more_actions_than_are_traced_are_tried_alone(dao: Governance, half: Half) -> None:
    calls = [call(dao.node.accounts[5])] * (MAX_TRACED + 1)
    with half("eth_simulateV1") as node:
        simulation = simulate(Rpc(node.url), dao.timelock, calls, dao.node.rpc.block())
    assert simulation.status is SimulationStatus.SKIPPED
    assert "more than are traced" in simulation.passed_over[1].why


def test_a_node_that_passes_over_overrides_is_not_believed(dao: Governance) -> None:
    """It would trace each action on top of the pinned block, as if none had come before."""

    def forgetful(question: Question) -> Reply | None:
        if question["method"] == "eth_simulateV1":
            return error(question, -32601, "no such method")
        if question["method"] != "debug_traceCall":
            return None
        transaction, block, options = question["params"]
        options = {key: value for key, value in options.items() if key != "stateOverrides"}
        return 200, provider._pass_on({**question, "params": [transaction, block, options]})

    with Provider(dao.node.url, forgetful) as provider:
        simulation = simulate(Rpc(provider.url), dao.timelock, [call(dao.node.accounts[5])], dao.node.rpc.block())
    assert simulation.status is SimulationStatus.SKIPPED
    assert "does not take state overrides" in simulation.passed_over[1].why


class OnlyTraces:
    """A node without `eth_simulateV1`."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    def __getattr__(self, name: str) -> object:
        return getattr(self._rpc, name)

    def request(self, method: str, params: list[object]) -> object:
        if method == "eth_simulateV1":
            raise MethodMissingError("eth_simulateV1: not here")
        return self._rpc.request(method, params)


CALLS_ITSELF = bytes.fromhex("3615601457600060006001360360006000305af15b00")
"""With one byte of calldata less each time, until none is left."""


@pytest.mark.parametrize(
    ("depth", "statuses"),
    [(300, {SimulationStatus.SUCCEEDED}), (900, {SimulationStatus.SUCCEEDED, SimulationStatus.SKIPPED})],
)
def test_no_depth_of_calls_stops_a_review(
    dao: Governance, depth: int, statuses: set[SimulationStatus], monkeypatch: pytest.MonkeyPatch
) -> None:
    """How deep a trace can be read is a matter of the interpreter's stack."""
    monkeypatch.setattr("pnyx_tools.transport.BACKOFF_SECONDS", ())
    deep = dao.node.accounts[9]
    dao.node.set_code(deep, CALLS_ITSELF)
    block, reader = dao.node.mine(), OnlyTraces(Rpc(dao.node.url))
    calls = [call(deep, bytes(depth)), call(dao.node.accounts[5], value_wei=1)]
    for node in (reader, Quorum([reader, reader], 2)):
        assert simulate(node, dao.timelock, calls, block).status in statuses


@pytest.mark.parametrize("answer", [None, [], {}, {"gasUsed": "0x1", "type": "CALL", "logs": [{}]}])
def test_a_malformed_trace_is_no_success(dao: Governance, answer: object) -> None:
    def lie(question: Question) -> Reply | None:
        if question["method"] == "eth_simulateV1":
            return error(question, -32601, "no such method")
        return result(question, answer) if question["method"] == "debug_traceCall" else None

    with Provider(dao.node.url, lie) as provider:
        simulation = simulate(Rpc(provider.url), dao.timelock, [call(dao.node.accounts[5])], dao.node.rpc.block())
    assert simulation.status is SimulationStatus.SKIPPED
    assert simulation.movements == ()


def test_who_watches_hears_which_action_it_is_at(dao: Governance, half: Half) -> None:
    heard: list[str] = []
    calls = [call(dao.node.accounts[5], value_wei=1)] * 3
    with half("eth_simulateV1") as node:
        simulate(Rpc(node.url), dao.timelock, calls, dao.node.rpc.block(), tell=heard.append)
    assert heard[:3] == [
        "simulating 3 actions by eth_simulateV1", "simulating 3 actions by debug_traceCall", "simulating action 1 of 3",
    ]  # fmt: skip
    assert heard[-1] == "simulating action 3 of 3"
