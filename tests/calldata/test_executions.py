"""Executions of ERC-7579, by an account here and by an executor on another chain (GovernorCrosschain)."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.decoded import DecodedCall
from pnyx_contracts.selectors import selector_of
from pnyx_contracts.types import Call

TOKEN = "0x00000000000000000000000000000000000000A1"
SAFE = "0x00000000000000000000000000000000000000b2"
PERSON = "0x00000000000000000000000000000000000000D4"
EXECUTOR = "0x00000000000000000000000000000000000000E5"
TRANSFER = "transfer(address,uint256)"
DATA = selector_of(TRANSFER) + encode(["address", "uint256"], [PERSON, 7])

SINGLE, TRYING, BATCH, DELEGATECALL = (
    bytes.fromhex(mode).ljust(32, b"\0") for mode in ("0000", "0001", "0100", "ff00")
)
ONE = bytes.fromhex(TOKEN[2:]) + (5).to_bytes(32, "big") + DATA
TWO = encode(["(address,uint256,bytes)[]"], [[(TOKEN, 0, DATA), (PERSON, 9, b"")]])
CODE = bytes.fromhex(TOKEN[2:]) + DATA


def decode(data: bytes, target: str = SAFE) -> DecodedCall:
    (decoded,) = decode_calls((Call(target=target, value_wei=0, calldata=data),), 1)
    return decoded


def execute(mode: bytes, execution: bytes, name: str = "execute") -> DecodedCall:
    return decode(selector_of(f"{name}(bytes32,bytes)") + encode(["bytes32", "bytes"], [mode, execution]))


def interoperable(chain_id: int, account: str = EXECUTOR, kind: bytes = b"\0\0", version: bytes = b"\0\1") -> bytes:
    """ERC-7930."""
    reference = chain_id.to_bytes((chain_id.bit_length() + 7) // 8, "big")
    return version + kind + bytes((len(reference),)) + reference + bytes((20,)) + bytes.fromhex(account[2:])


def relay(mode: bytes, execution: bytes, executor: bytes) -> DecodedCall:
    signature = "relayCrosschain(address,bytes,bytes32,bytes)"
    return decode(
        selector_of(signature) + encode(["address", "bytes", "bytes32", "bytes"], [PERSON, executor, mode, execution])
    )


@pytest.mark.parametrize("name", ["execute", "executeFromExecutor"])
def test_an_account_executes_one_call(name: str) -> None:
    (inner,) = execute(SINGLE, ONE, name).inner
    assert (inner.signature, inner.target, inner.value_wei, inner.caller) == (TRANSFER, TOKEN, 5, SAFE)


def test_an_account_executes_many_calls() -> None:
    first, second = execute(BATCH, TWO).inner
    assert (first.signature, first.target) == (TRANSFER, TOKEN)
    assert (second.calldata, second.target, second.value_wei) == (b"", PERSON, 9)


def test_an_account_runs_code_with_its_own_rights() -> None:
    (inner,) = execute(DELEGATECALL, CODE).inner
    assert (inner.delegatecall, inner.target, inner.caller, inner.signature) == (True, TOKEN, SAFE, TRANSFER)


def test_calls_that_may_fail_are_called_so() -> None:
    assert "may fail" in execute(TRYING, ONE).note
    assert "may fail" not in execute(SINGLE, ONE).note


@pytest.mark.parametrize(
    ("mode", "execution"),
    [
        (b"\2" + bytes(31), ONE),
        (b"\0\2" + bytes(30), ONE),
        (bytes.fromhex("01000000000078210001").ljust(32, b"\0"), TWO),
        (SINGLE, ONE[:51]),
        (DELEGATECALL, CODE[:19]),
        (BATCH, TWO[:-32]),
        (BATCH, TWO + b"\0"),
        (SINGLE, bytes(20) + ONE[20:]),
    ],
    ids=["call type", "execution type", "selector", "short", "short code", "cut", "more", "the zero address"],
)
def test_what_is_no_execution_leaves_the_wrapper_unknown(mode: bytes, execution: bytes) -> None:
    decoded = execute(mode, execution)
    assert (decoded.signature, decoded.inner) == (None, ())
    assert decoded.note.startswith("not decoded: this would be execute(bytes32,bytes), but ")


@pytest.mark.parametrize(("mode", "execution"), [(SINGLE, ONE), (BATCH, TWO), (DELEGATECALL, CODE)])
def test_a_governor_sends_an_execution_to_another_chain(mode: bytes, execution: bytes) -> None:
    decoded = relay(mode, execution, interoperable(10))
    assert decoded.name == "relayCrosschain"
    (message,) = decoded.inner
    assert (message.signature, message.target, message.other_chain, message.chain_id) == (None, EXECUTOR, True, 10)
    assert "nothing proves" in message.note
    first = message.inner[0]
    assert (first.signature, first.target, first.caller) == (TRANSFER, TOKEN, EXECUTOR)
    assert (first.other_chain, first.chain_id, first.delegatecall) == (True, 10, mode == DELEGATECALL)


def test_a_gateway_takes_the_same_message() -> None:
    signature = "sendMessage(bytes,bytes,bytes[])"
    data = encode(["bytes", "bytes", "bytes[]"], [interoperable(8453), SINGLE + ONE, []])
    (message,) = decode(selector_of(signature) + data).inner
    assert (message.chain_id, [inner.signature for inner in message.inner]) == (8453, [TRANSFER])


def test_an_executor_on_a_chain_that_is_not_named() -> None:
    (message,) = relay(SINGLE, ONE, interoperable(0)).inner
    assert (message.other_chain, message.chain_id, message.target) == (True, None, EXECUTOR)


@pytest.mark.parametrize(
    "executor",
    [
        b"",
        interoperable(10)[:-1],
        interoperable(10) + b"\0",
        interoperable(10, kind=b"\0\2"),
        interoperable(10, version=b"\0\2"),
        interoperable(2**64),
        b"\0\1\0\0\2\0\x0a\x14" + bytes.fromhex(EXECUTOR[2:]),
    ],
    ids=["nothing", "cut", "more", "solana", "version", "no chain", "zeros before"],
)
def test_a_receiver_that_is_no_account_leaves_the_message_unknown(executor: bytes) -> None:
    decoded = relay(SINGLE, ONE, executor)
    assert (decoded.signature, decoded.inner) == (None, ())
    assert "ERC-7930" in decoded.note
