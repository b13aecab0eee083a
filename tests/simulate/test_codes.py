"""Code that the actions create, destroy or replace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
import rlp
from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from pnyx_contracts.types import Call
from pnyx_tools.rpc import Rpc
from pnyx_tools.simulate import simulate
from pnyx_tools.simulate.next_contracts import MAX_MAKERS, NEXT
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import deploy, encode_call
from pnyx_tools.testing.incidents.case import person
from pnyx_tools.testing.provider import Provider, Question, Reply, error

SENDER = person("an executor")
SALT = bytes(32)
RETURNS_ONE = bytes.fromhex("600a600c600039600a6000f3600160005260206000f3")
"""Makes code of ten bytes."""


@pytest.fixture(scope="module")
def shanghai() -> Iterator[Anvil]:
    """Where code can still be destroyed."""
    with Anvil(hardfork="shanghai") as node:
        yield node


def no_simulation(question: Question) -> Reply | None:
    return error(question, -32601, "unknown method") if question["method"] == "eth_simulateV1" else None


def simulated(node: Anvil, calls: Sequence[Call], code_at: Sequence[str]) -> list[tuple[str, str]]:
    """Both methods show the same."""
    block = node.rpc.block()
    whole = simulate(node.rpc, SENDER, calls, block, code_at=code_at)
    with Provider(node.url, no_simulation) as half:
        traced = simulate(Rpc(half.url), SENDER, calls, block, code_at=code_at)
    assert (whole.method, traced.method) == ("eth_simulateV1", "debug_traceCall")
    assert traced.changes == whole.changes
    return [(change.kind, change.contract) for change in whole.changes]


def call(target: str, signature: str, *arguments: object) -> Call:
    return Call(target=target, value_wei=0, calldata=encode_call(signature, *arguments))


def made_by(factory: str, code: bytes) -> str:
    """EIP-1014."""
    return to_checksum_address(keccak(b"\xff" + bytes.fromhex(factory[2:]) + SALT + keccak(code))[12:])


def test_code_that_is_made_is_seen_where_somebody_looks(shanghai: Anvil) -> None:
    factory = deploy(shanghai, "Create2Factory")
    make = call(factory, "make(bytes32,bytes)", SALT, RETURNS_ONE)
    made, elsewhere = made_by(factory, RETURNS_ONE), person("elsewhere")
    assert simulated(shanghai, [make], [SENDER, factory, elsewhere, made]) == [("code-created", made)]
    assert simulated(shanghai, [make], [factory]) == []


def test_code_that_is_destroyed_is_seen(shanghai: Anvil) -> None:
    maker, other = (deploy(shanghai, "TransientMaker") for _ in range(2))
    assert simulated(shanghai, [call(maker, "destroy()")], [other, maker]) == [("code-destroyed", maker)]


def test_coin_for_an_account_without_code_makes_none(shanghai: Anvil) -> None:
    shanghai.set_balance(SENDER, 10)
    pays = Call(target=person("a new account"), value_wei=1, calldata=b"")
    assert simulated(shanghai, [pays], [pays.target]) == []


def test_many_addresses_are_read_in_portions(shanghai: Anvil) -> None:
    maker = deploy(shanghai, "TransientMaker")
    many = [person(f"nobody {place}") for place in range(130)]
    assert simulated(shanghai, [call(maker, "destroy()")], [*many, maker]) == [("code-destroyed", maker)]


TELLS_WHEN_MADE = bytes.fromhex("60006000a0600a6011600039600a6000f3600160005260206000f3")
"""The same, after an event without topics."""


def test_code_that_is_made_where_nobody_looks_is_seen_when_it_tells_of_something(shanghai: Anvil) -> None:
    factory = deploy(shanghai, "Create2Factory")
    quiet, telling = RETURNS_ONE, TELLS_WHEN_MADE
    makes = [call(factory, "make(bytes32,bytes)", SALT, code) for code in (quiet, telling)]
    assert simulated(shanghai, makes, [factory]) == [("code-created", made_by(factory, telling))]
    looked_at = [factory, made_by(factory, telling)]
    assert simulated(shanghai, makes, looked_at) == [("code-created", made_by(factory, telling))]


def test_contracts_that_were_there_are_not_new_when_they_tell_of_something(shanghai: Anvil) -> None:
    token = deploy(shanghai, "PlainToken", SENDER, 10)
    pay = call(token, "transfer(address,uint256)", person("somebody"), 1)
    assert simulated(shanghai, [pay], []) == []


# --- contracts that others create by CREATE


def created(maker: str, number: int) -> str:
    return to_checksum_address(keccak(rlp.encode([bytes.fromhex(maker[2:]), number]))[12:])


def test_what_a_reached_contract_creates_in_silence_is_seen(shanghai: Anvil) -> None:
    maker = deploy(shanghai, "TransientMaker")
    make = call(maker, "make(bytes)", RETURNS_ONE)
    assert simulated(shanghai, [make, make], [maker]) == [("code-created", created(maker, n)) for n in (1, 2)]
    shanghai.send(maker, make.calldata)
    assert simulated(shanghai, [make], [maker]) == [("code-created", created(maker, 2))]
    first_ones = [("code-created", created(maker, 2 + place)) for place in range(NEXT)]
    assert simulated(shanghai, [make] * (NEXT + 1), [maker]) == first_ones


def test_what_a_proxy_creates_is_seen_by_the_code_that_it_runs(shanghai: Anvil) -> None:
    proxy = deploy(shanghai, "RewardsProxy", SENDER, deploy(shanghai, "TransientMaker"))
    make = call(proxy, "make(bytes)", RETURNS_ONE)
    assert simulated(shanghai, [make], [proxy]) == [("code-created", created(proxy, 1))]


def test_so_many_creators_are_asked(shanghai: Anvil) -> None:
    makers = [deploy(shanghai, "TransientMaker") for _ in range(MAX_MAKERS + 1)]
    makes = [call(maker, "make(bytes)", RETURNS_ONE) for maker in makers]
    seen = simulated(shanghai, makes, [deploy(shanghai, "PlainToken", SENDER, 1), *makers])
    assert seen == [("code-created", created(maker, 1)) for maker in makers[:MAX_MAKERS]]
