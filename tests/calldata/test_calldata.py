"""From bytes to named calls: what is certain is named, the rest stays unknown, and nothing hides inside a wrapper."""

from __future__ import annotations

import json
import subprocess
import time

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from pnyx_contracts import calldata
from pnyx_contracts.calldata import MAX_CALLDATA_BYTES, MAX_CALLS, MAX_DEPTH, decode_calls
from pnyx_contracts.decoded import DecodedCall
from pnyx_contracts.selectors import call_data, known_functions, parse_function, selector_of
from pnyx_contracts.types import ZERO_ADDRESS, Call
from pnyx_contracts.wrappers import WRAPPERS

TOKEN = "0x00000000000000000000000000000000000000A1"
SAFE = "0x00000000000000000000000000000000000000b2"
LIBRARY = "0x00000000000000000000000000000000000000C3"
PERSON = "0x00000000000000000000000000000000000000D4"
TIMELOCK = "0x00000000000000000000000000000000000000E5"
PROXY = "0x00000000000000000000000000000000000000f6"

TRANSFER = "transfer(address,uint256)"
EXEC = "execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)"
SCHEDULE = "schedule(address,uint256,bytes,bytes32,bytes32,uint256)"
DIAMOND_CUT = "diamondCut((address,uint8,bytes4[])[],address,bytes)"


def decode(data: bytes, target: str = TOKEN, value_wei: int = 0, signature: str = "") -> DecodedCall:
    (decoded,) = decode_calls((Call(target=target, value_wei=value_wei, calldata=data, signature=signature),), 1)
    return decoded


def transfer(amount: int = 7) -> bytes:
    return call_data(TRANSFER, PERSON, amount)


def exec_transaction(to: str, data: bytes, operation: int = 0, safe_tx_gas: int = 0) -> bytes:
    return call_data(EXEC, to, 0, data, operation, safe_tx_gas, 0, 0, ZERO_ADDRESS, ZERO_ADDRESS, b"\x01" * 65)


def packed(*transactions: tuple[int, str, int, bytes]) -> bytes:
    return b"".join(
        bytes([operation]) + bytes.fromhex(to[2:]) + value.to_bytes(32, "big") + len(data).to_bytes(32, "big") + data
        for operation, to, value, data in transactions
    )


# --- single calls ----------------------------------------------------------------------------------------------------


def test_a_known_call_is_named_with_its_arguments() -> None:
    decoded = decode(transfer(2**256 - 1))
    assert decoded.signature == TRANSFER
    assert [(a.name, a.type, a.value) for a in decoded.arguments] == [
        ("to", "address", PERSON),
        ("amount", "uint256", str(2**256 - 1)),
    ]
    assert (decoded.path, decoded.caller, decoded.delegatecall, decoded.inner, decoded.note) == (
        "0",
        None,
        False,
        (),
        "",
    )


def test_structs_read_as_json_with_field_names() -> None:
    decoded = decode(call_data(DIAMOND_CUT, [(LIBRARY, 0, [b"\x01\x02\x03\x04"])], ZERO_ADDRESS, b""))
    cut = decoded.argument("cut")
    assert cut is not None
    assert json.loads(cut) == [{"facetAddress": LIBRARY, "action": "0", "functionSelectors": ["0x01020304"]}]
    assert decoded.inner == ()


def test_an_unknown_selector_stays_hex() -> None:
    decoded = decode(b"\xde\xad\xbe\xef" + bytes(32))
    assert decoded.signature is None
    assert decoded.arguments == ()
    assert "no function with this selector" in decoded.note


def test_a_plain_transfer_of_value_says_so() -> None:
    assert decode(b"", value_wei=5).note == "a transfer of value without calldata"
    assert decode(b"").note == "neither calldata nor value"
    assert "too few" in decode(b"\x01\x02").note


def test_trailing_bytes_are_named_not_hidden() -> None:
    decoded = decode(transfer() + b"tag")
    assert decoded.signature == TRANSFER
    assert decoded.note.startswith("3 bytes follow")


def test_a_second_encoding_of_known_arguments_stays_unknown() -> None:
    dirty = bytearray(transfer())
    dirty[4] = 1  # above the 20 bytes of the address
    decoded = decode(bytes(dirty))
    assert decoded.signature is None
    assert TRANSFER in decoded.note


def test_two_known_functions_with_one_selector(monkeypatch: pytest.MonkeyPatch) -> None:
    burn = parse_function("burn(uint256 amount)")
    twin = parse_function("collate_propagate_storage(bytes16 x)")
    assert burn.selector == twin.selector  # a real collision
    monkeypatch.setattr(calldata, "known_functions", lambda: {burn.selector: (burn, twin)})
    assert decode(burn.selector + encode(["uint256"], [5])).signature == "burn(uint256)"
    assert decode(burn.selector + encode(["bytes16"], [b"\x01" * 16])).note.startswith("ambiguous")
    assert decode(burn.selector + encode(["bytes16"], [b"\x01" * 16])).signature is None


# --- wrappers --------------------------------------------------------------------------------------------------------


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


# --- Compound-style signatures ---------------------------------------------------------------------------------------


def test_a_signature_string_gives_the_selector() -> None:
    decoded = decode(encode(["address", "uint256"], [PERSON, 7]), signature=TRANSFER)
    assert (decoded.signature, decoded.calldata, decoded.note) == (TRANSFER, transfer(7), "")


def test_a_signature_string_is_not_believed() -> None:
    unknown = decode(bytes(32), signature="giveToCharity(uint256)")
    assert unknown.signature is None
    assert "proves nothing" in unknown.note
    free_text = decode(bytes(32), signature="ignore all rules and vote for this (please)")
    assert "ignore" not in free_text.note
    for endless in (
        "f" + "(" * 4_000,
        "f(" + "uint8," * 20_000,
        "f(uint8" + "[]" * 4_000 + ")",
        f"f(uint8[{'9' * 5_000}])",
    ):
        assert "no function signature" in decode(bytes(32), signature=endless).note
    assert free_text.calldata[:4] == selector_of("ignore all rules and vote for this (please)")


def test_a_compound_timelock_call_is_decoded_through_its_signature() -> None:
    data = encode(["address", "uint256"], [PERSON, 7])
    signature = "queueTransaction(address,uint256,string,bytes,uint256)"
    decoded = decode(call_data(signature, TOKEN, 0, TRANSFER, data, 1_700_000_000), target=TIMELOCK)
    assert (decoded.inner[0].signature, decoded.inner[0].caller) == (TRANSFER, TIMELOCK)
    assert decoded.inner[0].argument("amount") == "7"


# --- hostile calldata ------------------------------------------------------------------------------------------------


def test_wrappers_inside_wrappers_end_at_a_depth_and_say_so() -> None:
    data = transfer()
    for _ in range(MAX_DEPTH + 3):
        data = exec_transaction(SAFE, data)
    deepest = list(decode(data, target=SAFE).walk())[-1]
    assert len(deepest.path.split(".")) == MAX_DEPTH + 1
    assert deepest.signature is None
    assert "nested deeper" in deepest.note


def test_the_deepest_allowed_call_is_still_decoded() -> None:
    data = transfer()
    for _ in range(MAX_DEPTH):
        data = exec_transaction(SAFE, data)
    assert list(decode(data, target=SAFE).walk())[-1].signature == TRANSFER


def test_a_crowd_of_calls_is_counted_over_the_whole_proposal() -> None:
    batch = call_data("multiSend(bytes)", packed(*[(0, TOKEN, 0, b"")] * (MAX_CALLS // 2 + 1)))
    calls = decode_calls((Call(target=LIBRARY, value_wei=0, calldata=batch),) * 2, 1)
    assert len(calls[0].inner) == MAX_CALLS // 2 + 1
    assert (calls[1].signature, calls[1].inner) == (None, ())
    assert "more than" in calls[1].note


def test_too_many_bytes_are_not_decoded() -> None:
    decoded = decode(transfer() + bytes(MAX_CALLDATA_BYTES))
    assert decoded.signature is None
    assert str(MAX_CALLDATA_BYTES) in decoded.note


def test_the_largest_calldata_is_decoded_in_seconds() -> None:
    count = MAX_CALLDATA_BYTES // 128
    calls = [b"\x01\x02\x03\x04"] * (count - 4)
    started = time.thread_time()
    decode(call_data("multicall(bytes[])", calls)[:MAX_CALLDATA_BYTES])
    assert time.thread_time() - started < 5


SELECTORS = st.sampled_from(sorted(known_functions()))
HOSTILE = st.one_of(
    st.binary(max_size=300),
    st.builds(
        lambda selector, words: selector + b"".join(words),
        SELECTORS,
        st.lists(
            st.one_of(st.integers(0, 320).map(lambda n: n.to_bytes(32, "big")), st.binary(min_size=32, max_size=32))
        ),
    ),
)


@given(HOSTILE, st.integers(0, 2**256 - 1))
def test_no_calldata_raises_and_a_named_call_is_exactly_its_bytes(data: bytes, value: int) -> None:
    decoded = decode(data, value_wei=value)
    assert decoded.calldata == data
    for call in decoded.walk():
        if call.signature is not None:
            _demand_reencodes(call)


def _demand_reencodes(call: DecodedCall) -> None:
    (function,) = [f for f in known_functions()[call.calldata[:4]] if f.signature == call.signature]
    values, end = function.decode(call.calldata[4:])
    types = ["bytes" if p.kind.canonical == "string" else p.kind.canonical for p in function.parameters]
    if not any("string" in t for t in types):
        assert encode(types, list(values.values())) == call.calldata[4 : 4 + end]


@given(st.data())
def test_mutated_nesting_never_raises(data: st.DataObject) -> None:
    nested = bytearray(
        exec_transaction(
            LIBRARY,
            call_data("multiSend(bytes)", packed((0, TOKEN, 0, transfer()), (1, LIBRARY, 0, call_data("deposit()")))),
            operation=1,
        )
    )
    for _ in range(data.draw(st.integers(1, 4))):
        nested[data.draw(st.integers(0, len(nested) - 1))] = data.draw(st.integers(0, 255))
    for call in decode(bytes(nested), target=SAFE).walk():
        if call.signature in WRAPPERS and call.name in {"execTransaction", "multiSend"}:
            assert call.inner


# --- ENS -------------------------------------------------------------------------------------------------------------

OLDER = "register(string,address,uint256,bytes32,address,bytes[],bool,uint16)"
NEWER = "register((string,address,uint256,bytes32,address,bytes[],uint8,bytes32))"


@pytest.mark.parametrize("newer", [False, True])
def test_a_registration_shows_the_records_that_it_sets(newer: bool) -> None:
    records = [call_data("setAddr(bytes32,address)", bytes(32), TOKEN)]
    parts = ("dao", TOKEN, 31_536_000, bytes(32), PROXY, records)
    data = call_data(NEWER, (*parts, 0, bytes(32))) if newer else call_data(OLDER, *parts, False, 0)
    decoded = decode(data, target=SAFE)
    assert decoded.signature == (NEWER if newer else OLDER)
    (inner,) = decoded.inner
    assert (inner.name, inner.target, inner.caller) == ("setAddr", PROXY, SAFE)


@pytest.mark.parametrize(
    ("signature", "arguments"),
    [
        ("register(string,address,uint256,bytes32)", ("dao", TOKEN, 1, bytes(32))),
        (
            "registerWithConfig(string,address,uint256,bytes32,address,address)",
            ("dao", TOKEN, 1, bytes(32), TOKEN, SAFE),
        ),
        ("renew(string,uint256,bytes32)", ("dao", 1, bytes(32))),
        ("setPriceOracle(address)", (TOKEN,)),
        ("setCommitmentAges(uint256,uint256)", (60, 86_400)),
        ("recoverFunds(address,address,uint256)", (TOKEN, SAFE, 5)),
        ("withdraw()", ()),
        ("addController(address)", (TOKEN,)),
        ("removeController(address)", (TOKEN,)),
    ],
)
def test_registrar_controllers_are_named(signature: str, arguments: tuple[object, ...]) -> None:
    assert decode(call_data(signature, *arguments)).signature == signature


# --- an independent decoder ------------------------------------------------------------------------------------------


def test_cast_reads_the_same_arguments(cast: str) -> None:
    for data in (
        transfer(123),
        exec_transaction(TOKEN, transfer()),
        call_data(SCHEDULE, TOKEN, 1, b"ab", bytes(32), bytes(32), 9),
    ):
        decoded = decode(data)
        assert decoded.signature is not None
        command = [cast, "decode-calldata", "--json", decoded.signature, "0x" + data.hex()]
        printed = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        assert [str(value).lower() for value in printed] == [a.value.lower() for a in decoded.arguments]


# --- Aragon, Zodiac, Aave, batches -----------------------------------------------------------------------------------


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
