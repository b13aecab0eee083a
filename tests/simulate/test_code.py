"""Which code runs at an address, and which addresses a proposal reaches."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode
from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.selectors import selector_of
from pnyx_contracts.types import Call
from pnyx_tools.code import reached_addresses, read_target
from pnyx_tools.gather import review_digest_now
from pnyx_tools.opcodes import reachable_opcodes, selectors_in
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import Governance, artifact, deploy, encode_call

IMPLEMENTATION = to_checksum_address("0x" + "11" * 20)
SOMEWHERE = to_checksum_address("0x" + "22" * 20)
BEACON = to_checksum_address("0x" + "33" * 20)
CODE = bytes.fromhex("60016001")
EIP1967 = "0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc"
EIP1967_BEACON = "0xa3f0ad74e5423aebfd80d3ef4346578335a9a72aeaee59ff6cb3582b35133d50"
ZEPPELINOS = "0x7050c9e0f4ca769c69bd3a8ef740bc37934f8e2c036e5a723fd8ee048ed3f8c3"
SAFE_1_3 = (
    "608060405273ffffffffffffffffffffffffffffffffffffffff600054167fa619486e00000000000000000000000000000000000000000000000000"
    "00000060003514156050578060005260206000f35b3660008037600080366000845af43d6000803e60008114156070573d6000fd5b3d6000f3fe"
)
SAFE_1_5 = (
    "608060405260005463a619486e60003560e01c14156024578060601b606c5260206060f35b3660008037600080366000845af43d6000803e806040"
    "573d6000fd5b3d6000f3fe"
)


@pytest.fixture
def node(dao: Governance) -> Anvil:
    dao.node.set_code(IMPLEMENTATION, CODE)
    return dao.node


def store_address(node: Anvil, slot: str, address: str) -> None:
    node.request("anvil_setStorageAt", SOMEWHERE, slot, "0x" + "00" * 12 + address[2:])
    node.mine()


def test_an_account_without_code(node: Anvil) -> None:
    facts = read_target(node.rpc, SOMEWHERE, "latest")
    assert (facts.has_code, facts.code_hash, facts.implementation) == (False, keccak(b""), None)


def test_plain_code(node: Anvil) -> None:
    facts = read_target(node.rpc, IMPLEMENTATION, "latest")
    assert (facts.has_code, facts.code_hash, facts.implementation) == (True, keccak(CODE), None)


@pytest.mark.parametrize("slot", [EIP1967, ZEPPELINOS])
def test_proxies_by_storage_slot(node: Anvil, slot: str) -> None:
    node.set_code(SOMEWHERE, b"\x00")
    store_address(node, slot, IMPLEMENTATION)
    facts = read_target(node.rpc, SOMEWHERE, "latest")
    assert (facts.implementation, facts.implementation_code_hash) == (IMPLEMENTATION, keccak(CODE))
    assert facts.code_hash == keccak(b"\x00")


def test_a_beacon_proxy_is_followed_through_its_beacon(node: Anvil) -> None:
    node.set_code(SOMEWHERE, b"\x00")
    # PUSH20 implementation, PUSH0, MSTORE, PUSH1 32, PUSH0, RETURN
    node.set_code(BEACON, bytes.fromhex("73" + IMPLEMENTATION[2:] + "5f5260205ff3"))
    store_address(node, EIP1967_BEACON, BEACON)
    assert read_target(node.rpc, SOMEWHERE, "latest").implementation == IMPLEMENTATION


def test_a_beacon_that_reverts_leaves_the_implementation_open(node: Anvil) -> None:
    node.set_code(SOMEWHERE, b"\x00")
    node.set_code(BEACON, bytes.fromhex("5f5ffd"))
    store_address(node, EIP1967_BEACON, BEACON)
    assert read_target(node.rpc, SOMEWHERE, "latest").implementation is None


def answering(word: str) -> bytes:
    """Code that answers every call with one word."""
    return bytes.fromhex(f"7f{word:0>64}5f5260205ff3")


def test_what_answers_implementation_is_followed(node: Anvil) -> None:
    """Compound's delegators and Aragon 1 apps use none of the slots."""
    node.set_code(SOMEWHERE, answering(IMPLEMENTATION[2:]))
    facts = read_target(node.rpc, SOMEWHERE, "latest")
    assert (facts.implementation, facts.implementation_code_hash) == (IMPLEMENTATION, keccak(CODE))
    assert facts.code_hash == keccak(answering(IMPLEMENTATION[2:]))


@pytest.mark.parametrize(
    "code", [answering("ff" * 32), answering(""), bytes.fromhex("5f5ffd"), bytes.fromhex("60205f20")]
)
def test_what_answers_nonsense_has_no_implementation(node: Anvil, code: bytes) -> None:
    node.set_code(SOMEWHERE, code)
    facts = read_target(node.rpc, SOMEWHERE, "latest")
    assert (facts.code_hash, facts.implementation) == (keccak(code), None)


@pytest.mark.parametrize("slot", [EIP1967, ZEPPELINOS])
def test_an_answer_never_replaces_what_lies_in_a_slot(node: Anvil, slot: str) -> None:
    node.set_code(SOMEWHERE, answering(BEACON[2:]))
    store_address(node, slot, IMPLEMENTATION)
    assert read_target(node.rpc, SOMEWHERE, "latest").implementation == IMPLEMENTATION


def test_an_answer_never_replaces_that_of_a_beacon(node: Anvil) -> None:
    node.set_code(SOMEWHERE, answering(SOMEWHERE[2:]))
    node.set_code(BEACON, answering(IMPLEMENTATION[2:]))
    store_address(node, EIP1967_BEACON, BEACON)
    assert read_target(node.rpc, SOMEWHERE, "latest").implementation == IMPLEMENTATION


def test_new_code_behind_an_answer_changes_the_review(dao: Governance) -> None:
    dao.node.set_code(IMPLEMENTATION, CODE)
    dao.node.set_code(SOMEWHERE, answering(IMPLEMENTATION[2:]))
    proposal = dao.proposals[dao.propose([SOMEWHERE], [0], [b""], "call it")]
    before = review_digest_now(dao.node.rpc, dao.profile, proposal)
    dao.node.set_code(IMPLEMENTATION, CODE + CODE)
    assert review_digest_now(dao.node.rpc, dao.profile, proposal) != before


def test_minimal_clone(node: Anvil) -> None:
    node.set_code(SOMEWHERE, bytes.fromhex(f"363d3d373d3d3d363d73{IMPLEMENTATION[2:]}5af43d82803e903d91602b57fd5bf3"))
    assert read_target(node.rpc, SOMEWHERE, "latest").implementation == IMPLEMENTATION


def test_delegated_account(node: Anvil) -> None:
    node.set_code(SOMEWHERE, bytes.fromhex("ef0100" + IMPLEMENTATION[2:]))
    facts = read_target(node.rpc, SOMEWHERE, "latest")
    assert (facts.has_code, facts.implementation) == (True, IMPLEMENTATION)


@pytest.mark.parametrize("code", [SAFE_1_3, SAFE_1_5])
def test_safe_proxy(node: Anvil, code: str) -> None:
    node.set_code(SOMEWHERE, bytes.fromhex(code))
    store_address(node, "0x" + "00" * 32, IMPLEMENTATION)
    assert read_target(node.rpc, SOMEWHERE, "latest").implementation == IMPLEMENTATION


def test_a_real_proxy_at_two_blocks(dao: Governance, store: str) -> None:
    before = dao.node.rpc.block()
    second = deploy(dao.node, "ParameterStoreV2")
    dao.node.impersonate(dao.timelock)
    dao.node.send(store, encode_call("upgradeToAndCall(address,bytes)", second, b""), sender=dao.timelock)
    first = read_target(dao.node.rpc, store, "0x" + before.hash.hex())
    now = read_target(dao.node.rpc, store, "latest")
    assert now.implementation == second
    assert first.implementation != second
    assert first.code_hash == now.code_hash
    assert first.implementation_code_hash != now.implementation_code_hash


def test_reached_addresses_cover_callers_and_new_code_but_not_other_chains() -> None:
    safe, library, proxy, foreign = (to_checksum_address(bytes([n]) * 20) for n in (1, 2, 3, 4))
    upgrade = selector_of("upgradeTo(address)") + encode(["address"], [IMPLEMENTATION])
    packed = b"\x00" + bytes.fromhex(proxy[2:]) + bytes(32) + len(upgrade).to_bytes(32, "big") + upgrade
    batch = selector_of("multiSend(bytes)") + encode(["bytes"], [packed])
    signature = "execTransactionFromModule(address,uint256,bytes,uint8)"
    through_safe = selector_of(signature) + encode(["address", "uint256", "bytes", "uint8"], [library, 0, batch, 1])
    message = selector_of("sendTxToL1(address,bytes)") + encode(["address", "bytes"], [foreign, upgrade])
    calls = decode_calls(
        (
            Call(target=safe, value_wei=0, calldata=through_safe),
            Call(target=SOMEWHERE, value_wei=0, calldata=message),
        ),
        1,
    )
    assert reached_addresses(calls) == (safe, library, proxy, IMPLEMENTATION, SOMEWHERE)


def test_dangerous_instructions_are_found_where_they_can_be_reached() -> None:
    assert reachable_opcodes(bytes.fromhex("33ff")) == ("SELFDESTRUCT",)
    assert reachable_opcodes(bytes.fromhex("5f5f5f5f5f5af4505f5f5f5ff55b00")) == ("CREATE2", "DELEGATECALL")
    assert reachable_opcodes(bytes.fromhex("60025600ff")) == ()  # behind a STOP, and no JUMPDEST
    assert reachable_opcodes(bytes.fromhex("600456005b33ff")) == ("SELFDESTRUCT",)


@pytest.mark.parametrize("harmless", ["60ff00", "7f" + "ff" * 32 + "00", "62ff", "615bff00", "fe5f5ff4", "0cff"])
def test_data_of_a_push_and_what_lies_behind_an_end_is_no_instruction(harmless: str) -> None:
    assert reachable_opcodes(bytes.fromhex(harmless)) == ()


def test_what_a_proxy_runs_is_looked_at_too(dao: Governance, store: str) -> None:
    facts = read_target(dao.node.rpc, store, "latest")
    assert "DELEGATECALL" in facts.opcodes
    assert not facts.can_destroy_itself
    assert facts.implementation is not None
    dao.node.set_code(facts.implementation, bytes.fromhex("33ff"))
    assert read_target(dao.node.rpc, store, "latest").implementation_opcodes == ("SELFDESTRUCT",)
    assert read_target(dao.node.rpc, store, "latest").can_destroy_itself


@pytest.mark.parametrize("name", ["Governor5Block", "Timelock4", "VotesTokenBlock", "ParameterStoreV2", "VoteGate"])
def test_ordinary_contracts_cannot_destroy_themselves(name: str) -> None:
    assert "SELFDESTRUCT" not in reachable_opcodes(bytes.fromhex(artifact(name)["deployedBytecode"][2:]))


def test_functions_are_found_by_how_solidity_looks_for_them() -> None:
    equal, subtracted, small = "8063aabbccdd14", "63010203048103", "620102031857"
    assert selectors_in(bytes.fromhex(equal + subtracted + small)) == {
        b"\xaa\xbb\xcc\xdd", b"\x01\x02\x03\x04", b"\x00\x01\x02\x03",
    }  # fmt: skip
    data_of_a_push, a_constant = "6663aabbccdd1400", "63aabbccdd50"
    assert selectors_in(bytes.fromhex(data_of_a_push + a_constant)) == frozenset()
    assert selectors_in(bytes.fromhex("63aabbccdd")) == frozenset(), "the code ends"
