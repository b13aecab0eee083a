"""Calls inside calls: who makes them, with whose rights, and which may fail."""

from __future__ import annotations

import pytest
from tests.calldata.building import (
    DIAMOND_CUT,
    LIBRARY,
    PERSON,
    PROXY,
    SAFE,
    SCHEDULE,
    TIMELOCK,
    TOKEN,
    TRANSFER,
    decode,
    exec_transaction,
    packed,
    transfer,
)

from pnyx_contracts.selectors import call_data, selector_of


def test_safe_call_runs_as_the_safe() -> None:
    (inner,) = decode(exec_transaction(TOKEN, transfer()), target=SAFE).inner
    assert (inner.path, inner.target, inner.caller, inner.delegatecall) == ("0.0", TOKEN, SAFE, False)
    assert inner.signature == TRANSFER


def test_multisend_by_delegatecall_runs_its_calls_as_the_safe() -> None:
    batch = call_data("multiSend(bytes)", packed((0, TOKEN, 0, transfer(1)), (1, LIBRARY, 0, b""), (0, PERSON, 3, b"")))
    multi_send = decode(exec_transaction(LIBRARY, batch, operation=1), target=SAFE).inner[0]
    assert (multi_send.target, multi_send.caller, multi_send.delegatecall) == (LIBRARY, SAFE, True)
    assert [(c.path, c.target, c.caller, c.delegatecall, c.value_wei) for c in multi_send.inner] == [
        ("0.0.0", TOKEN, SAFE, False, 0),
        ("0.0.1", LIBRARY, SAFE, True, 0),
        ("0.0.2", PERSON, SAFE, False, 3),
    ]


def test_multisend_called_plainly_acts_for_itself() -> None:
    batch = call_data("multiSend(bytes)", packed((0, TOKEN, 0, transfer())))
    assert decode(batch, target=LIBRARY).inner[0].caller == LIBRARY


def test_a_safe_that_goes_on_after_a_failure_is_noted() -> None:
    assert "fails" in decode(exec_transaction(TOKEN, transfer(), safe_tx_gas=1), target=SAFE).note
    module = call_data("execTransactionFromModule(address,uint256,bytes,uint8)", TOKEN, 0, transfer(), 0)
    assert "fails" in decode(module, target=SAFE).note


@pytest.mark.parametrize("operation", [2, 255])
def test_an_operation_that_does_not_exist_leaves_the_wrapper_unknown(operation: int) -> None:
    decoded = decode(exec_transaction(TOKEN, transfer(), operation), target=SAFE)
    assert (decoded.signature, decoded.inner) == (None, ())
    assert f"operation {operation} does not exist" in decoded.note


@pytest.mark.parametrize("cut", [1, 20, 84, 86, 150])
def test_packed_transactions_that_end_too_early_leave_the_wrapper_unknown(cut: int) -> None:
    whole = packed((0, TOKEN, 0, transfer()), (0, TOKEN, 0, transfer()))
    decoded = decode(call_data("multiSend(bytes)", whole[:-cut]), target=LIBRARY)
    assert (decoded.signature, decoded.inner) == (None, ())
    assert "packed transaction" in decoded.note


def test_timelock_schedule_tells_the_delay_and_who_acts() -> None:
    decoded = decode(call_data(SCHEDULE, TOKEN, 5, transfer(), bytes(32), bytes(32), 172_800), target=TIMELOCK)
    assert "172800 seconds" in decoded.note
    assert (decoded.inner[0].caller, decoded.inner[0].value_wei) == (TIMELOCK, 5)


@pytest.mark.parametrize(
    ("signature", "tail"),
    [
        ("scheduleBatch(address[],uint256[],bytes[],bytes32,bytes32,uint256)", (bytes(32), bytes(32), 1)),
        ("executeBatch(address[],uint256[],bytes[],bytes32,bytes32)", (bytes(32), bytes(32))),
        ("propose(address[],uint256[],bytes[],string)", ("text",)),
        ("queue(address[],uint256[],bytes[],bytes32)", (bytes(32),)),
        ("execute(address[],uint256[],bytes[],bytes32)", (bytes(32),)),
    ],
)
def test_batches_show_every_call_and_refuse_uneven_lists(signature: str, tail: tuple[object, ...]) -> None:
    decoded = decode(call_data(signature, [TOKEN, PERSON], [0, 9], [transfer(), b""], *tail), target=TIMELOCK)
    assert [(c.name, c.value_wei, c.caller) for c in decoded.inner] == [("transfer", 0, TIMELOCK), ("", 9, TIMELOCK)]
    uneven = decode(call_data(signature, [TOKEN, PERSON], [0], [transfer()], *tail), target=TIMELOCK)
    assert uneven.signature is None
    assert "different lengths" in uneven.note


def test_relay_acts_as_the_governor() -> None:
    decoded = decode(call_data("relay(address,uint256,bytes)", TOKEN, 0, transfer()), target=PROXY)
    assert (decoded.inner[0].signature, decoded.inner[0].caller) == (TRANSFER, PROXY)


def test_what_an_upgrade_runs_is_shown_as_code_with_the_proxys_rights() -> None:
    renounce = call_data("renounceOwnership()")
    direct = decode(call_data("upgradeToAndCall(address,bytes)", LIBRARY, renounce), target=PROXY).inner[0]
    by_admin = decode(call_data("upgradeAndCall(address,address,bytes)", PROXY, LIBRARY, renounce), target=SAFE).inner[
        0
    ]
    for inner in (direct, by_admin):
        assert (inner.target, inner.caller, inner.delegatecall) == (LIBRARY, PROXY, True)
        assert inner.name == "renounceOwnership"
    assert decode(call_data("upgradeToAndCall(address,bytes)", LIBRARY, b""), target=PROXY).inner == ()


def test_diamond_cut_shows_its_initializer() -> None:
    decoded = decode(call_data(DIAMOND_CUT, [], LIBRARY, b"\x12\x34\x56\x78"), target=PROXY)
    (inner,) = decoded.inner
    assert (inner.target, inner.caller, inner.delegatecall, inner.signature) == (LIBRARY, PROXY, True, None)


def test_multicall_calls_its_own_contract_as_the_callers_caller() -> None:
    decoded = decode(call_data("multicall(bytes[])", [transfer(1), transfer(2)]))
    assert [(c.target, c.caller, c.name) for c in decoded.inner] == [(TOKEN, None, "transfer")] * 2


def test_messages_to_other_chains_are_marked_all_the_way_down() -> None:
    schedule = call_data(SCHEDULE, TOKEN, 0, transfer(), bytes(32), bytes(32), 1)
    decoded = decode(call_data("sendTxToL1(address,bytes)", TIMELOCK, schedule), target=LIBRARY)
    assert not decoded.other_chain
    assert [c.other_chain for c in decoded.walk()] == [False, True, True]
    assert "a message to L1" in decoded.note
    (deepest,) = decoded.inner[0].inner
    assert (deepest.signature, deepest.caller) == (TRANSFER, TIMELOCK)


def test_retryable_ticket_carries_its_l2_value() -> None:
    signature = "createRetryableTicket(address,uint256,uint256,address,address,uint256,uint256,bytes)"
    decoded = decode(call_data(signature, TOKEN, 11, 1, PERSON, PERSON, 1, 1, transfer()), value_wei=99)
    assert (decoded.inner[0].value_wei, decoded.inner[0].other_chain) == (11, True)


def test_aragon_notes_actions_that_may_fail() -> None:
    signature = "execute(bytes32,(address,uint256,bytes)[],uint256)"
    decoded = decode(call_data(signature, bytes(32), [(TOKEN, 0, transfer())], 1), target=SAFE)
    assert "may fail" in decoded.note
    assert decoded.inner[0].caller == SAFE


def script(*calls: tuple[str, bytes]) -> bytes:
    return b"\x00\x00\x00\x01" + b"".join(bytes.fromhex(to[2:]) + len(d).to_bytes(4, "big") + d for to, d in calls)


@pytest.mark.parametrize(
    ("signature", "rest"),
    [("forward(bytes)", ()), ("newVote(bytes,string)", ("t",)), ("newVote(bytes,string,bool,bool)", ("t", True, True))],
)
def test_an_aragon_script_shows_its_calls(signature: str, rest: tuple[object, ...]) -> None:
    data = call_data(signature, script((TOKEN, transfer()), (PERSON, b"")), *rest)
    decoded = decode(data, target=SAFE)
    assert [(c.target, c.name, c.caller) for c in decoded.inner] == [(TOKEN, "transfer", SAFE), (PERSON, "", SAFE)]


@pytest.mark.parametrize(
    "bad", [b"", b"\x00\x00\x00\x02" + bytes(24), script((TOKEN, transfer()))[:-1], script((TOKEN, b"")) + b"\x01"]
)
def test_a_script_that_is_none_leaves_the_wrapper_unknown(bad: bytes) -> None:
    decoded = decode(call_data("forward(bytes)", bad), target=SAFE)
    assert (decoded.signature, decoded.inner) == (None, ())
    assert "script" in decoded.note


FROM_MODULE = (TOKEN, 3, transfer(), 0)


@pytest.mark.parametrize(
    ("signature", "arguments", "value"),
    [
        ("execTransactionWithRole(address,uint256,bytes,uint8,uint16,bool)", (*FROM_MODULE, 1, True), 3),
        ("execTransactionWithRole(address,uint256,bytes,uint8,bytes32,bool)", (*FROM_MODULE, bytes(32), True), 3),
        ("executeNextTx(address,uint256,bytes,uint8)", FROM_MODULE, 3),
        ("executeProposal(uint32,address[],uint256[],bytes[],uint8[])", (1, [TOKEN], [3], [transfer()], [0]), 3),
        ("executeTransaction(address,uint256,string,bytes,bool)", (TOKEN, 3, "", transfer(), False), 3),
        ("queueTransaction(address,uint256,string,bytes,uint256,bool)", (TOKEN, 3, "", transfer(), 9, False), 3),
        ("queue(address[],uint256[],string[],bytes[],bool[])", ([TOKEN], [3], [""], [transfer()], [False]), 3),
        ("submitProposal((address,uint96,bytes)[],string)", ([(TOKEN, 3, transfer())], "t"), 3),
        ("safeExecute(address,bytes)", (TOKEN, transfer()), 0),
        ("aggregate((address,bytes)[])", ([(TOKEN, transfer())],), 0),
        ("tryAggregate(bool,(address,bytes)[])", (True, [(TOKEN, transfer())]), 0),
        ("aggregate3((address,bool,bytes)[])", ([(TOKEN, False, transfer())],), 0),
        ("aggregate3Value((address,bool,uint256,bytes)[])", ([(TOKEN, False, 3, transfer())],), 3),
        ("executeBatch((address,uint256,bytes)[])", ([(TOKEN, 3, transfer())],), 3),
        ("executeBatch(address[],bytes[])", ([TOKEN], [transfer()]), 0),
        ("executeBatch(address[],uint256[],bytes[])", ([TOKEN], [3], [transfer()]), 3),
        ("forward(address,bytes)", (TOKEN, transfer()), 0),
    ],
)
def test_a_wrapper_shows_the_call_that_it_makes(signature: str, arguments: tuple[object, ...], value: int) -> None:
    decoded = decode(call_data(signature, *arguments), target=SAFE)
    assert decoded.signature == signature
    (inner,) = decoded.inner
    assert (inner.signature, inner.target, inner.value_wei, inner.caller) == (TRANSFER, TOKEN, value, SAFE)
    assert not inner.delegatecall
    assert "may fail" not in decoded.note


@pytest.mark.parametrize(
    ("signature", "arguments"),
    [
        ("aggregate3((address,bool,bytes)[])", ([(TOKEN, True, transfer())],)),
        ("tryAggregate(bool,(address,bytes)[])", (False, [(TOKEN, transfer())])),
    ],
)
def test_calls_that_may_fail_are_noted(signature: str, arguments: tuple[object, ...]) -> None:
    assert "may fail" in decode(call_data(signature, *arguments)).note


def test_aaves_delegatecalls_are_marked() -> None:
    data = call_data("executeTransaction(address,uint256,string,bytes,bool)", LIBRARY, 0, "execute()", b"", True)
    (inner,) = decode(data, target=SAFE).inner
    assert (inner.delegatecall, inner.caller, inner.calldata) == (True, SAFE, selector_of("execute()"))


@pytest.mark.parametrize("signature", ["multicall(uint256,bytes[])", "multicall(bytes32,bytes[])"])
def test_multicalls_with_a_condition_call_their_own_contract(signature: str) -> None:
    condition: object = 9 if "uint256" in signature else bytes(32)
    (inner,) = decode(call_data(signature, condition, [transfer()])).inner
    assert (inner.target, inner.caller, inner.signature) == (TOKEN, None, TRANSFER)
