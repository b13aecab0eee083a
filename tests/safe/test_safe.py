"""What a Safe's owners sign, held against the real contracts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils.address import to_checksum_address
from hypothesis import given, settings
from hypothesis import strategies as st

from pnyx_contracts.errors import UsageError
from pnyx_contracts.safe import (
    EXECUTED_TOPIC,
    GUARD_SLOT,
    SafeTx,
    domain_separator,
    executed_hash,
    read_is_owner,
)
from pnyx_contracts.types import UINT256_MAX, to_hex
from pnyx_tools.context.asking import number_of
from pnyx_tools.safe.reading import read_safe
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import encode_call
from pnyx_tools.testing.safe import VERSIONS, LocalSafe, deploy_safe
from pnyx_tools.wire import parse_logs

ADDRESSES = st.binary(min_size=20, max_size=20).map(to_checksum_address)
NUMBERS = st.integers(0, UINT256_MAX)


@pytest.fixture(scope="module")
def node() -> Iterator[Anvil]:
    with Anvil() as started:
        yield started


@pytest.fixture(scope="module")
def safes(node: Anvil) -> dict[str, LocalSafe]:
    return {version: deploy_safe(node, version) for version in VERSIONS}


@pytest.fixture(params=VERSIONS)
def safe(request: pytest.FixtureRequest, safes: dict[str, LocalSafe]) -> LocalSafe:
    return safes[request.param]


def test_a_safe_says_who_can_act_for_it(safe: LocalSafe) -> None:
    found = read_safe(safe.node.rpc, safe.address)
    assert set(found.owners) == {owner.address for owner in safe.owners}
    assert (found.threshold, found.modules, found.guard, found.cautions) == (2, (), None, ())
    assert found.version in VERSIONS
    assert safe.node.rpc.read(read_is_owner(safe.address, safe.owners[0].address))


@settings(max_examples=20)
@given(to=ADDRESSES, value=NUMBERS, data=st.binary(max_size=100), nonce=NUMBERS)
def test_the_hash_is_the_contracts_and_the_wallets(
    safes: dict[str, LocalSafe], to: str, value: int, data: bytes, nonce: int
) -> None:
    for safe in safes.values():
        made = safe.transaction(to, data, nonce=nonce, value_wei=value)
        types = "address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,uint256"
        own_hash = number_of(safe.address, f"getTransactionHash({types})", *made.fields.values())
        assert safe.node.rpc.read(own_hash).to_bytes(32, "big") == made.hash
        signable = encode_typed_data(full_message=made.typed_data)
        assert (signable.header, signable.body) == (domain_separator(made.chain_id, safe.address), made.message_hash)


@given(chain_id=st.integers(1, 2**64), other=st.integers(1, 2**64), address=ADDRESSES)
def test_a_signature_counts_on_one_chain_only(chain_id: int, other: int, address: str) -> None:
    same = domain_separator(chain_id, address) == domain_separator(other, address)
    assert same == (chain_id == other)


def test_the_hashes_of_safe_eth_py() -> None:
    """`safe_eth_py.json` was made by safe-eth-py 7.27.0: `SafeTx(...).safe_tx_hash`, for both versions."""
    cases = json.loads(Path(__file__).with_name("safe_eth_py.json").read_text(encoding="utf-8"))
    assert len(cases) > 3
    for case in cases:
        assert to_hex(SafeTx.model_validate(case["transaction"]).hash) == case["hash"]


def test_two_of_three_owners_act_and_the_safe_names_the_hash(safe: LocalSafe) -> None:
    made = safe.transaction(safe.node.accounts[5], b"")
    with pytest.raises(Exception, match="GS020"):
        safe.execute(made, safe.owners[:1])
    receipt = safe.execute(made, safe.owners[1:])
    events = [log for log in parse_logs(receipt["logs"]) if log.topics[0] == EXECUTED_TOPIC]
    assert [executed_hash(event) for event in events] == [made.hash]
    assert read_safe(safe.node.rpc, safe.address).nonce == made.nonce + 1


def test_modules_guards_and_lonely_owners_are_said(node: Anvil) -> None:
    alone = deploy_safe(node, owners=1, threshold=1, seed="alone")
    module = node.accounts[6]
    alone.act(alone.address, encode_call("enableModule(address)", module))
    guard = node.accounts[7]
    node.request("anvil_setStorageAt", alone.address, hex(GUARD_SLOT), "0x" + guard[2:].rjust(64, "0"))
    found = read_safe(node.rpc, alone.address)
    assert (found.modules, found.guard) == ((module,), guard)
    assert any(guard in caution for caution in found.cautions)
    assert any(module in caution for caution in found.cautions)
    assert any("one owner" in caution for caution in found.cautions)


@pytest.mark.parametrize("what", ["nobody", "another contract", "another version"])
def test_what_is_no_known_safe_is_refused(node: Anvil, what: str, change_version: Callable[[], str]) -> None:
    address = {"nobody": lambda: node.accounts[3], "another contract": lambda: deploy_other(node)}.get(
        what, change_version
    )()
    with pytest.raises(UsageError, match="1.9.0" if what == "another version" else "no Safe"):
        read_safe(node.rpc, address)


@pytest.fixture
def change_version(node: Anvil) -> Callable[[], str]:
    """A contract that answers everything with the text 1.9.0."""

    def change() -> str:
        answer = (32).to_bytes(32, "big") + (5).to_bytes(32, "big") + b"1.9.0".ljust(32, b"\0")
        stores = b"".join(b"\x7f" + answer[at : at + 32] + b"\x60" + bytes([at]) + b"\x52" for at in (0, 32, 64))
        address = str(Account.create().address)
        node.set_code(address, stores + bytes.fromhex("60606000f3"))
        return address

    return change


def deploy_other(node: Anvil) -> str:
    from pnyx_tools.testing.deploy import deploy_log

    return deploy_log(node)
