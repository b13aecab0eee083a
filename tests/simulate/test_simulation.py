"""Simulation on a real node, compared where possible with what the chain then really does."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from pnyx_contracts.types import Call, Vote, to_hex
from pnyx_policies.facts import Movement, Simulation, SimulationStatus
from pnyx_tools.effects import NATIVE, Event, changes, movements
from pnyx_tools.reader import MethodMissingError, ReorganisedError, RpcError
from pnyx_tools.rpc import Rpc
from pnyx_tools.simulate import simulate
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy, encode_call
from pnyx_tools.testing.provider import Provider, Question, Reply

PROPOSER_ROLE = bytes.fromhex("b09aa5aeb3702cfd50b6b62bc4532604938f21248a27a1d5ca736082b6819cc1")


def call(target: str, data: bytes = b"", value_wei: int = 0) -> Call:
    return Call(target=target, value_wei=value_wei, calldata=data)


def run(dao: Governance, *calls: Call) -> Simulation:
    return simulate(dao.node.rpc, dao.timelock, calls, dao.node.rpc.block(), governor=dao.governor)


def execute_for_real(dao: Governance, *calls: Call) -> list[Event]:
    """Proposes, votes, queues and executes; the events of the execution."""
    proposal = dao.propose([c.target for c in calls], [c.value_wei for c in calls], [c.calldata for c in calls], "real")
    dao.advance_to_active(proposal)
    dao.vote(proposal, Vote.FOR, dao.node.accounts[0])
    dao.advance_to_closed(proposal)
    dao.queue(proposal)
    dao.execute(proposal)
    head = dao.node.rpc.block().number
    return [Event(log.address, log.topics, log.data) for log in dao.node.rpc.logs(head, head, [])]


def test_transfers_and_allowances_are_seen(dao: Governance) -> None:
    person, spender = dao.node.accounts[5], dao.node.accounts[6]
    dao.node.send(dao.token, encode_call("transfer(address,uint256)", dao.timelock, 100 * TOKEN))
    simulation = run(
        dao,
        call(person, value_wei=3),
        call(dao.token, encode_call("transfer(address,uint256)", person, 7)),
        call(dao.token, encode_call("approve(address,uint256)", spender, 2**256 - 1)),
    )
    assert simulation.status is SimulationStatus.SUCCEEDED
    assert simulation.executor == dao.timelock
    assert simulation.movements == (
        Movement(kind="transfer", asset=None, sender=dao.timelock, recipient=person, amount=3),
        Movement(kind="transfer", asset=dao.token, sender=dao.timelock, recipient=person, amount=7),
        Movement(kind="approval", asset=dao.token, sender=dao.timelock, recipient=spender, amount=2**256 - 1),
    )
    assert [r.path for r in simulation.results] == ["0", "1", "2"]
    assert all(r.gas_used >= 21_000 for r in simulation.results)


def test_nothing_of_it_happens(dao: Governance) -> None:
    before = dao.node.rpc.balance(dao.timelock)
    run(dao, call(dao.node.accounts[5], value_wei=10**18))
    assert dao.node.rpc.balance(dao.timelock) == before


def test_later_actions_see_what_earlier_ones_did(dao: Governance) -> None:
    """The timelock has no tokens; the first action gets them from somebody who allowed it."""
    person = dao.node.accounts[0]
    dao.node.send(dao.token, encode_call("approve(address,uint256)", dao.timelock, 50))
    simulation = run(
        dao,
        call(dao.token, encode_call("transferFrom(address,address,uint256)", person, dao.timelock, 50)),
        call(dao.token, encode_call("transfer(address,uint256)", dao.node.accounts[5], 50)),
    )
    assert simulation.status is SimulationStatus.SUCCEEDED


def test_a_role_grant_is_a_change(dao: Governance) -> None:
    attacker = dao.node.accounts[7]
    simulation = run(dao, call(dao.timelock, encode_call("grantRole(bytes32,address)", PROPOSER_ROLE, attacker)))
    (change,) = simulation.changes
    assert (change.kind, change.contract, change.subject) == ("role-granted", dao.timelock, attacker)
    assert "PROPOSER_ROLE" in change.detail


def test_an_upgrade_is_a_change(dao: Governance, store: str) -> None:
    implementation = deploy(dao.node, "ParameterStoreV2")
    simulation = run(dao, call(store, encode_call("upgradeToAndCall(address,bytes)", implementation, b"")))
    assert simulation.status is SimulationStatus.SUCCEEDED
    (change,) = simulation.changes
    assert (change.kind, change.contract, change.subject) == ("upgraded", store, implementation)


def test_a_revert_is_told_with_its_reason(dao: Governance, store: str) -> None:
    person = dao.node.accounts[5]
    simulation = run(
        dao,
        call(person, value_wei=1),
        call(dao.token, encode_call("transfer(address,uint256)", person, 1)),
        call(store, encode_call("setParameter(uint256)", 1)),
        call(dao.timelock, b"\x12\x34\x56\x78"),
    )
    assert simulation.status is SimulationStatus.REVERTED
    assert [r.succeeded for r in simulation.results] == [True, False, True, False]
    assert simulation.results[1].error == f"ERC20InsufficientBalance(sender={dao.timelock}, balance=0, needed=1)"
    assert simulation.results[3].error != ""
    assert [m.amount for m in simulation.movements] == [1]


def test_the_word_of_an_old_contract_is_passed_on(dao4: Governance) -> None:
    simulation = run(dao4, call(dao4.governor, encode_call("setVotingDelay(uint48)", 1)))
    assert simulation.status is SimulationStatus.REVERTED
    simulation = simulate(
        dao4.node.rpc,
        dao4.node.accounts[3],
        [call(dao4.governor, encode_call("setVotingDelay(uint256)", 1))],
        dao4.node.rpc.block(),
        governor=dao4.governor,
    )
    assert simulation.results[0].error == "Governor: onlyGovernance"


@pytest.mark.parametrize("place", range(6))
def test_value_that_the_executor_lacks_is_a_revert(dao: Governance, place: int) -> None:
    person = dao.node.accounts[5]
    calls = [call(person, value_wei=1) for _ in range(6)]
    calls[place] = call(person, value_wei=10**24)
    simulation = run(dao, *calls)
    assert simulation.status is SimulationStatus.REVERTED
    assert [r.succeeded for r in simulation.results] == [i < place for i in range(6)]
    assert "does not cover" in simulation.results[place].error
    assert {r.error for r in simulation.results[place + 1 :]} <= {f"not run: action {place} before it cannot be paid"}
    assert len(simulation.movements) == place


@pytest.mark.parametrize("version", ["dao", "dao4"])
def test_a_governor_may_change_itself_as_inside_execute(version: str, request: pytest.FixtureRequest) -> None:
    dao: Governance = request.getfixturevalue(version)
    width = {"dao": (48, 32), "dao4": (256, 256)}[version]
    calls = (
        call(dao.governor, encode_call(f"setVotingDelay(uint{width[0]})", 11)),
        call(dao.node.accounts[5], value_wei=9),
        call(dao.governor, encode_call(f"setVotingPeriod(uint{width[1]})", 77)),
    )
    simulation = run(dao, *calls)
    assert [r.error for r in simulation.results] == ["", "", ""]
    assert simulation.status is SimulationStatus.SUCCEEDED
    assert [(c.kind, c.subject, c.detail) for c in simulation.changes] == [
        ("governor-setting", "VotingDelay", "was 1, is 11"),
        ("governor-setting", "VotingPeriod", "was 50, is 77"),
    ]
    assert simulation.changes == changes(execute_for_real(dao, *calls))


def test_a_bad_setting_still_reverts(dao: Governance) -> None:
    simulation = run(dao, call(dao.governor, encode_call("setVotingPeriod(uint32)", 0)))
    assert simulation.status is SimulationStatus.REVERTED
    assert "panic" not in simulation.results[0].error


def test_a_governor_whose_queue_is_not_found_is_skipped(dao: Governance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pnyx_tools.simulate.LIKELY_SLOTS", (1000, 1001))
    simulation = run(
        dao, call(dao.governor, encode_call("setVotingPeriod(uint32)", 5)), call(dao.node.accounts[5], value_wei=1)
    )
    assert simulation.status is SimulationStatus.SKIPPED
    assert "inside the governor's execute()" in simulation.why_skipped
    assert len(simulation.movements) == 1


def test_simulated_effects_are_the_real_ones(dao: Governance, store: str) -> None:
    person = dao.node.accounts[5]
    dao.node.send(dao.token, encode_call("transfer(address,uint256)", dao.timelock, 100))
    calls = (
        call(dao.token, encode_call("transfer(address,uint256)", person, 60)),
        call(dao.token, encode_call("approve(address,uint256)", person, 40)),
        call(store, encode_call("grantRole(bytes32,address)", bytes(32), person)),
        call(dao.timelock, encode_call("updateDelay(uint256)", 3600)),
        call(
            dao.governor,
            encode_call(
                "relay(address,uint256,bytes)", dao.token, 0, encode_call("approve(address,uint256)", person, 5)
            ),
        ),
    )
    simulation = run(dao, *calls)
    real = execute_for_real(dao, *calls)
    assert simulation.status is SimulationStatus.SUCCEEDED
    assert simulation.movements == movements(real)
    assert simulation.changes == changes(real)
    assert len(simulation.movements) == 3
    assert {c.kind for c in simulation.changes} == {"role-granted", "governor-setting"}


def test_a_signature_string_is_used_as_the_chain_would(dao: Governance) -> None:
    data = encode_call("approve(address,uint256)", dao.node.accounts[5], 4)[4:]
    action = Call(target=dao.token, value_wei=0, calldata=data, signature="approve(address,uint256)")
    (movement,) = run(dao, action).movements
    assert movement.amount == 4


def test_a_node_without_the_methods_is_skipped_with_the_reason(dao: Governance, half: Callable[..., Provider]) -> None:
    person = dao.node.accounts[5]
    calls = [
        call(person, value_wei=1),
        call(dao.token, encode_call("transfer(address,uint256)", person, 1)),
        call(person, value_wei=10**24),
    ]
    with half("eth_simulateV1", "debug_traceCall") as node:
        simulation = simulate(Rpc(node.url), dao.timelock, calls, dao.node.rpc.block())
    assert simulation.status is SimulationStatus.SKIPPED
    assert simulation.why_skipped.startswith("eth_simulateV1: ")
    assert simulation.method == "eth_call"
    assert [skipped.step for skipped in simulation.passed_over] == ["eth_simulateV1", "debug_traceCall"]
    assert "127.0.0.1" not in simulation.why_skipped
    assert (simulation.movements, simulation.changes) == ((), ())
    assert [r.succeeded for r in simulation.results] == [True, False, False]
    assert "ERC20InsufficientBalance" in simulation.results[1].error
    assert "does not cover" in simulation.results[2].error


def test_a_node_that_does_not_answer_is_an_error(dao: Governance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pnyx_tools.transport.BACKOFF_SECONDS", ())
    block = dao.node.rpc.block()
    with pytest.raises(RpcError, match="cannot be reached"):
        simulate(Rpc("http://127.0.0.1:9"), dao.timelock, [call(dao.timelock)], block)


def test_one_bad_moment_of_an_endpoint_does_not_skip_the_simulation(dao: Governance) -> None:
    bad = [(200, b"<!doctype html>")]

    def once(question: Question) -> Reply | None:
        return bad.pop() if bad and question["method"] == "eth_simulateV1" else None

    with Provider(dao.node.url, once) as provider:
        simulation = simulate(Rpc(provider.url), dao.timelock, [call(dao.node.accounts[5])], dao.node.rpc.block())
    assert bad == []
    assert simulation.status is SimulationStatus.SUCCEEDED


def test_an_endpoint_that_fails_in_ever_other_ways_is_an_error(dao: Governance) -> None:
    bad = itertools.cycle([(200, b"<!doctype html>"), (200, {"id": "another", "result": []})])

    def never(question: Question) -> Reply | None:
        return next(bad) if question["method"] == "eth_simulateV1" else None

    with Provider(dao.node.url, never) as provider, pytest.raises(RpcError, match="eth_simulateV1"):
        simulate(Rpc(provider.url), dao.timelock, [call(dao.node.accounts[5])], dao.node.rpc.block())


def test_another_block_with_the_same_number_is_refused(dao: Governance) -> None:
    before = dao.node.snapshot()
    block = dao.node.mine()
    dao.node.revert(before)
    dao.node.increase_time(100)
    assert dao.node.rpc.block(block.number).hash != block.hash
    with pytest.raises(ReorganisedError, match="reorganised"):
        simulate(dao.node.rpc, dao.timelock, [call(dao.timelock)], block)


def test_the_state_is_that_of_the_pinned_block(dao: Governance) -> None:
    action = call(dao.token, encode_call("transfer(address,uint256)", dao.node.accounts[5], 1))
    before = dao.node.mine()
    dao.node.send(dao.token, encode_call("transfer(address,uint256)", dao.timelock, 1))
    now = dao.node.rpc.block()
    assert simulate(dao.node.rpc, dao.timelock, [action], before).status is SimulationStatus.REVERTED
    assert simulate(dao.node.rpc, dao.timelock, [action], now).status is SimulationStatus.SUCCEEDED


class _Lying:
    """A node that answers one method as told, and has no other way to simulate."""

    def __init__(self, rpc: Rpc, answer: object) -> None:
        self._rpc = rpc
        self._answer = answer

    def __getattr__(self, name: str) -> object:
        return getattr(self._rpc, name)

    def request(self, method: str, params: list[object]) -> object:
        if method == "debug_traceCall":
            raise MethodMissingError("debug_traceCall: not here")
        return self._answer if method == "eth_simulateV1" else self._rpc.request(method, params)


OK = {"status": "0x1", "gasUsed": "0x1", "returnData": "0x", "logs": []}


@pytest.mark.parametrize(
    "answer",
    [
        None, [], [{}], [{"calls": []}], [{"calls": [OK, OK]}], [{"calls": [None]}], {"calls": [OK]},
        [{"calls": [{**OK, "status": None}]}], [{"calls": [{**OK, "gasUsed": "many"}]}],
        [{"calls": [{**OK, "logs": [{"address": "0x1", "topics": [], "data": "0x"}]}]}],
        [{"calls": [{**OK, "logs": [{"address": NATIVE, "topics": ["0x12"], "data": "0x"}]}]}],
    ],
)  # fmt: skip
def test_a_malformed_answer_is_no_success(dao: Governance, answer: object) -> None:
    reader = _Lying(dao.node.rpc, answer)
    simulation = simulate(reader, dao.timelock, [call(dao.node.accounts[5])], dao.node.rpc.block())
    assert simulation.status is SimulationStatus.SKIPPED
    assert "eth_simulateV1" in simulation.why_skipped


def test_the_reason_is_found_where_geth_puts_it(dao: Governance) -> None:
    data = "0x08c379a0" + (32).to_bytes(32, "big").hex() + (4).to_bytes(32, "big").hex() + b"no\n!".hex() + "00" * 28
    error = {"code": 3, "message": "execution reverted", "data": data}
    answer = [{"calls": [{"status": "0x0", "gasUsed": "0x1", "returnData": "0x", "error": error}]}]
    simulation = simulate(_Lying(dao.node.rpc, answer), dao.timelock, [call(dao.timelock)], dao.node.rpc.block())
    assert simulation.results[0].error == "no\N{REPLACEMENT CHARACTER}!"


def test_the_reason_is_asked_for_when_the_simulation_keeps_it(dao: Governance) -> None:
    answer = [
        {"calls": [{"status": "0x0", "gasUsed": "0x1", "error": {"code": -32000, "message": "execution failed"}}]}
    ]
    reader = _Lying(dao.node.rpc, answer)
    action = call(dao.token, encode_call("transfer(address,uint256)", dao.node.accounts[5], 1))
    assert "ERC20InsufficientBalance" in simulate(reader, dao.timelock, [action], dao.node.rpc.block()).results[0].error
    fine = call(dao.node.accounts[5])
    assert "not by itself" in simulate(reader, dao.timelock, [fine], dao.node.rpc.block()).results[0].error


def test_native_address_is_what_the_node_uses(dao: Governance) -> None:
    assert NATIVE.lower() == "0x" + "ee" * 20
    block = dao.node.rpc.block()
    transaction = {"from": dao.timelock, "to": dao.node.accounts[5], "value": "0x1"}
    question = {"blockStateCalls": [{"calls": [transaction]}], "traceTransfers": True}
    answer = dao.node.request("eth_simulateV1", question, to_hex(block.number.to_bytes(1, "big")))
    assert answer[0]["calls"][0]["logs"][0]["address"] == NATIVE.lower()
