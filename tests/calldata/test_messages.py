"""Messages to other chains: which chain, what runs there, by whom; and what only its receiver can read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from eth_abi.abi import encode
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from pnyx_contracts import chains
from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.decoded import DecodedCall
from pnyx_contracts.messages import MESSAGES, RETRYABLE_MAGIC, alias
from pnyx_contracts.selectors import call_data, known_functions
from pnyx_contracts.types import Call

TOKEN = "0x00000000000000000000000000000000000000A1"
SAFE = "0x00000000000000000000000000000000000000b2"
PERSON = "0x00000000000000000000000000000000000000D4"
TIMELOCK = "0x00000000000000000000000000000000000000E5"
ARBITRUM_INBOX = "0x4Dbd4fc535Ac27206064B68FfCf827b0A60BAB3f"
ARBSYS = "0x0000000000000000000000000000000000000064"
OP_MESSENGER = "0x25ace71c97B33Cc4729CF772ae268934F7ab5fA1"
BASE_PORTAL = "0x49048044D57e1C92A77f79988d21Fa8fAF74E97e"

TRANSFER = "transfer(address,uint256)"
TICKET = "createRetryableTicket(address,uint256,uint256,address,address,uint256,uint256,bytes)"
MODULE = "execTransactionFromModule(address,uint256,bytes,uint8)"
SEND = "send((uint32,bytes32,bytes,bytes,bool),address)"
WORD = bytes(12) + bytes.fromhex(TOKEN[2:])


def decode(data: bytes, target: str = SAFE, value_wei: int = 0, chain_id: int = 1) -> DecodedCall:
    (decoded,) = decode_calls((Call(target=target, value_wei=value_wei, calldata=data, signature=""),), chain_id)
    return decoded


def transfer() -> bytes:
    return call_data(TRANSFER, PERSON, 7)


def ticket(data: bytes, to: str = TOKEN, value: int = 0) -> bytes:
    return call_data(TICKET, to, value, 1, PERSON, PERSON, 1, 1, data)


# --- which chain -----------------------------------------------------------------------------------------------------


DEPOSIT = "depositTransaction(address,uint256,uint64,bool,bytes)"
ZKSYNC = "requestL2TransactionDirect((uint256,uint256,address,uint256,bytes,uint256,uint256,bytes[],address))"
SCROLL = ("0x6774Bcbd5ceCeF1336b5300fb5186a12DDD8b367", "sendMessage(address,uint256,bytes,uint256)")
GNOSIS = ("0x4C36d2919e407f0Cc2Ee3c993ccF8ac26d9CE64e", "requireToPassMessage(address,bytes,uint256)")


@pytest.mark.parametrize(
    ("chain_id", "bridge", "data", "arrives"),
    [
        (1, ARBITRUM_INBOX, ticket(transfer()), 42161),
        (1, OP_MESSENGER, call_data("sendMessage(address,bytes,uint32)", TOKEN, transfer(), 1), 10),
        (1, BASE_PORTAL, call_data(DEPOSIT, TOKEN, 0, 1, False, transfer()), 8453),
        (42161, ARBSYS, call_data("sendTxToL1(address,bytes)", TOKEN, transfer()), 1),
        (1, SCROLL[0], call_data(SCROLL[1], TOKEN, 0, transfer(), 1), 534352),
        (1, GNOSIS[0], call_data(GNOSIS[1], TOKEN, transfer(), 1), 100),
        (1, SAFE, call_data(ZKSYNC, (324, 1, TOKEN, 0, transfer(), 1, 1, [], PERSON)), 324),
    ],
)
def test_a_known_bridge_tells_the_chain(chain_id: int, bridge: str, data: bytes, arrives: int) -> None:
    decoded = decode(data, bridge, chain_id=chain_id)
    (inner,) = decoded.inner
    assert (inner.other_chain, inner.chain_id, inner.target, inner.signature) == (True, arrives, TOKEN, TRANSFER)
    assert f"a message to chain {arrives} ({chains.NAMES[arrives]})" in decoded.note
    assert (decoded.other_chain, decoded.chain_id) == (False, None)


@pytest.mark.parametrize("chain_id", [2, 31337])
def test_a_bridge_is_known_on_its_own_chain_only(chain_id: int) -> None:
    (inner,) = decode(ticket(transfer()), ARBITRUM_INBOX, chain_id=chain_id).inner
    assert (inner.other_chain, inner.chain_id, inner.signature) == (True, None, TRANSFER)


def test_a_message_inside_a_message_starts_from_the_chain_where_it_is_sent() -> None:
    back = call_data("sendTxToL1(address,bytes)", TOKEN, transfer())
    there, again = list(decode(ticket(back, ARBSYS), ARBITRUM_INBOX).walk())[1:]
    assert (there.chain_id, again.chain_id, again.other_chain) == (42161, 1, True)


@pytest.mark.parametrize("chain_id", [0, 2**53, 2**256 - 1])
def test_a_number_that_is_no_chain_leaves_the_message_unknown(chain_id: int) -> None:
    decoded = decode(call_data("forwardMessage(uint256,address,uint256,bytes)", chain_id, TOKEN, 1, b"\x01"))
    assert (decoded.signature, decoded.inner) == (None, ())
    assert "no chain has the id" in decoded.note


def test_the_tables_hold_checksummed_addresses_and_named_chains() -> None:
    assert all(to_checksum_address(bridge) == bridge for _, bridge in chains.BRIDGES)
    named = {chain for chain, _ in chains.BRIDGES} | set(chains.BRIDGES.values())
    for table in (chains.LAYERZERO, chains.WORMHOLE, chains.CCIP, chains.AXELAR):
        named |= set(table.values())
    assert named <= set(chains.NAMES)


def test_every_message_is_in_the_table_of_functions() -> None:
    assert set(MESSAGES) <= {f.signature for fs in known_functions().values() for f in fs}


# --- who sends it ----------------------------------------------------------------------------------------------------


def test_a_contracts_address_is_shifted_on_an_arbitrum_chain() -> None:
    through_safe = call_data(MODULE, ARBITRUM_INBOX, 0, ticket(transfer()), 0)
    (inbox,) = decode(through_safe, SAFE).inner
    assert inbox.caller == SAFE
    assert inbox.inner[0].caller == alias(SAFE) == "0x11110000000000000000000000000000000011C3"
    assert alias("0xffffFFFFfFFffffffffFFffFFffFFFfFffffFFff") == "0x1111000000000000000000000000000000001110"


def test_the_executors_shifted_address_is_not_known_from_calldata() -> None:
    decoded = decode(ticket(transfer()), ARBITRUM_INBOX)
    assert decoded.inner[0].caller is None
    assert "shifted by 0x1111000000000000000000000000000000001111" in decoded.note


def magic(inbox: str = ARBITRUM_INBOX) -> bytes:
    types = ["address", "address", "uint256", "uint256", "uint256", "bytes"]
    return encode(types, [inbox, TOKEN, 5, 1, 1, transfer()])


SCHEDULE = "schedule(address,uint256,bytes,bytes32,bytes32,uint256)"


def test_arbitrums_timelock_turns_its_magic_call_into_a_ticket() -> None:
    schedule = call_data(SCHEDULE, RETRYABLE_MAGIC, 0, magic(), bytes(32), bytes(32), 1)
    message = call_data("sendTxToL1(address,bytes)", TIMELOCK, schedule)
    on_l1, on_l2 = list(decode(message, ARBSYS, chain_id=42161).walk())[1:]
    assert (on_l1.chain_id, on_l1.name) == (1, "schedule")
    assert (on_l2.chain_id, on_l2.target, on_l2.value_wei, on_l2.signature) == (42161, TOKEN, 5, TRANSFER)
    assert on_l2.caller == alias(TIMELOCK)
    assert "retryable ticket" in on_l2.note


def test_a_magic_call_that_is_no_ticket_leaves_the_wrapper_unknown() -> None:
    decoded = decode(call_data(SCHEDULE, RETRYABLE_MAGIC, 0, magic()[:-32], bytes(32), bytes(32), 1), TIMELOCK)
    assert (decoded.signature, decoded.inner) == (None, ())


@pytest.mark.parametrize(
    "data",
    [
        ticket(b"\x60\x00", "0x" + "00" * 20),
        call_data(DEPOSIT, TOKEN, 0, 1, True, b"\x60\x00"),
    ],
)
def test_a_contract_that_is_created_elsewhere_is_not_read(data: bytes) -> None:
    decoded = decode(data)
    assert (decoded.signature, decoded.inner) == (None, ())
    assert "creates a contract" in decoded.note


def test_lineas_fee_is_part_of_the_value() -> None:
    data = call_data("sendMessage(address,uint256,bytes)", TOKEN, 3, transfer())
    assert decode(data, value_wei=10).inner[0].value_wei == 7
    assert decode(data, value_wei=2).signature is None


# --- payloads --------------------------------------------------------------------------------------------------------


def layerzero(payload: bytes) -> bytes:
    return call_data(SEND, (30110, WORD, payload, b"", False), PERSON)


RELAY = "sendPayloadToEvm(uint16,address,bytes,uint256,uint256)"
PAYLOADS: dict[str, tuple[Callable[[bytes], bytes], int | None]] = {
    "FxPortal": (lambda p: call_data("sendMessageToChild(address,bytes)", TOKEN, p), None),
    "Aave": (lambda p: call_data("forwardMessage(uint256,address,uint256,bytes)", 10, TOKEN, 1, p), 10),
    "LayerZero": (layerzero, 42161),
    "Axelar": (lambda p: call_data("callContract(string,string,bytes)", "Avalanche", TOKEN, p), 43114),
    "CCIP": (
        lambda p: call_data(
            "ccipSend(uint64,(bytes,bytes,(address,uint256)[],address,bytes))",
            15971525489660198786,
            (WORD, p, [(TOKEN, 1)], PERSON, b""),
        ),
        8453,
    ),
    "Hyperlane": (lambda p: call_data("dispatch(uint32,bytes32,bytes)", 10, WORD, p), None),
    "Wormhole": (lambda p: call_data(RELAY, 23, TOKEN, p, 0, 1), 42161),
}


@pytest.mark.parametrize("protocol", PAYLOADS)
@pytest.mark.parametrize("payload", [transfer(), b"", b"\x01" * 40])
def test_a_payload_is_never_named_as_a_call(protocol: str, payload: bytes) -> None:
    send, chain_id = PAYLOADS[protocol]
    decoded = decode(send(payload))
    (inner,) = decoded.inner
    assert decoded.signature is not None
    assert (inner.target, inner.chain_id, inner.other_chain) == (TOKEN, chain_id, True)
    assert (inner.calldata, inner.signature, inner.inner) == (payload, None, ())
    assert "its receiver reads" in inner.note


UPGRADE = "upgradeTo(address)"
AAVE = ["address[]", "uint256[]", "string[]", "bytes[]", "bool[]"]
WORMHOLE = ["address[]", "uint256[]", "bytes[]", "address", "uint16"]
READABLE = {
    "Compound": (AAVE[:4], [[PERSON], [1], [UPGRADE], [encode(["address"], [SAFE])]], TOKEN),
    "Aave": (AAVE, [[PERSON], [1], [UPGRADE], [encode(["address"], [SAFE])], [False]], TOKEN),
    "Polygon": (["address[]", "bytes[]", "uint256[]"], [[PERSON], [call_data(UPGRADE, SAFE)], [1]], TOKEN),
    "Uniswap Wormhole": (WORMHOLE, [[PERSON], [1], [call_data(UPGRADE, SAFE)], TIMELOCK, 4], TIMELOCK),
}


@pytest.mark.parametrize("whose", READABLE)
def test_what_a_well_known_receiver_would_do_is_shown_and_proves_nothing(whose: str) -> None:
    types, values, receiver = READABLE[whose]
    (message,) = decode(layerzero(encode(types, values))).inner
    assert message.signature is None
    assert f"{whose}" in message.note
    assert "nothing proves" in message.note
    (inner,) = message.inner
    assert (inner.signature, inner.target, inner.value_wei, inner.caller) == (UPGRADE, PERSON, 1, receiver)
    assert inner.other_chain


def test_a_delegatecall_of_an_aave_executor_runs_as_the_executor() -> None:
    payload = encode(AAVE, [[PERSON], [0], ["execute()"], [b""], [True]])
    ((inner,),) = [m.inner for m in decode(layerzero(payload)).inner]
    assert (inner.delegatecall, inner.caller, inner.target) == (True, TOKEN, PERSON)


def test_calldata_without_a_selector_is_read_as_a_payload_too() -> None:
    """Compound's receivers take the payload as calldata."""
    types, values, _ = READABLE["Compound"]
    (message,) = decode(ticket(encode(types, values)), ARBITRUM_INBOX).inner
    assert message.signature is None
    assert [c.signature for c in message.inner] == [UPGRADE]


def test_bytes_on_this_chain_are_no_payload() -> None:
    types, values, _ = READABLE["Compound"]
    assert decode(encode(types, values)).inner == ()


def test_wormhole_names_the_receiver_in_its_payload() -> None:
    types, values, receiver = READABLE["Uniswap Wormhole"]
    publish = "publishMessage(uint32,bytes,uint8)"
    (message,) = decode(call_data(publish, 0, encode(types, values), 1)).inner
    assert (message.target, message.chain_id, message.signature) == (receiver, 56, None)
    assert [(c.signature, c.caller) for c in message.inner] == [(UPGRADE, receiver)]
    assert decode(call_data(publish, 0, b"\x01\x02", 1)).signature is None


def test_a_receiver_that_is_no_address_leaves_the_message_unknown() -> None:
    solana = call_data(SEND, (30168, b"\x07" * 32, b"\x01", b"", False), PERSON)
    assert (decode(solana).signature, decode(solana).inner) == (None, ())
    elsewhere = call_data("callContract(string,string,bytes)", "osmosis", "osmo1abc", b"\x01")
    assert decode(elsewhere).signature is None


@given(st.sampled_from(sorted(PAYLOADS)), st.data())
def test_no_payload_raises(protocol: str, data: st.DataObject) -> None:
    types, values, _ = READABLE[data.draw(st.sampled_from(sorted(READABLE)))]
    payload = bytearray(encode(types, values))
    for _ in range(data.draw(st.integers(0, 3))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    (message,) = decode(PAYLOADS[protocol][0](bytes(payload))).inner
    assert message.signature is None
