"""From bytes to named calls: what is certain is named, the rest stays unknown, and nothing hides inside a wrapper."""

from __future__ import annotations

import json
import subprocess
import time

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st
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

from pnyx_contracts import calldata
from pnyx_contracts.calldata import MAX_CALLDATA_BYTES, MAX_CALLS, MAX_DEPTH, decode_calls
from pnyx_contracts.decoded import DecodedCall
from pnyx_contracts.selectors import call_data, known_functions, parse_function, selector_of
from pnyx_contracts.types import ZERO_ADDRESS, Call
from pnyx_contracts.wrappers import WRAPPERS

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
            assert call.inner or call.argument("transactions") == "0x"


def test_nothing_to_send_is_no_error() -> None:
    sent = decode(call_data("multiSend(bytes)", b""), target=LIBRARY)
    assert (sent.signature, sent.inner, sent.argument("transactions")) == ("multiSend(bytes)", (), "0x")


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
