"""The public fake answers as a node does, and knows nothing that it was not told."""

from __future__ import annotations

import pytest

from pnyx_contracts.errors import UsageError
from pnyx_contracts.types import Log, to_hex
from pnyx_tools.reader import ChainReader, MethodMissingError, RevertedError, RpcError
from pnyx_tools.testing.fake_reader import FakeReader

ADDRESS = "0x00000000000000000000000000000000DeaDBeef"


def log(topic: int) -> Log:
    return Log(
        address=ADDRESS,
        topics=(bytes([topic]) * 32,),
        data=b"",
        block_number=0,
        block_hash=bytes(32),
        transaction_hash=bytes([topic]) * 32,
        log_index=0,
    )


def test_it_knows_what_it_was_told():
    reader = FakeReader(chain_id=5)
    chain: ChainReader = reader
    account = reader.account(ADDRESS)
    account.balance_wei, account.nonce, account.storage = 7, 3, {1: b"\x09" * 32}
    reader.answer(ADDRESS, b"\x01\x02\x03\x04", b"short")
    reader.answer(ADDRESS, b"\x01\x02\x03\x04\x05", lambda data: data[::-1])
    reader.methods["eth_gasPrice"] = lambda: "0x1"
    assert (chain.chain_id(), chain.balance(ADDRESS), chain.nonce(ADDRESS.lower())) == (5, 7, 3)
    assert (chain.storage(ADDRESS, 1), chain.storage(ADDRESS, 2)) == (b"\x09" * 32, bytes(32))
    assert chain.call(ADDRESS, b"\x01\x02\x03\x04\x06") == b"short"
    assert chain.call(ADDRESS, b"\x01\x02\x03\x04\x05") == b"\x05\x04\x03\x02\x01"
    assert chain.request("eth_gasPrice", []) == "0x1"


def test_it_does_not_know_the_rest():
    reader = FakeReader()
    assert reader.call(ADDRESS, b"\x01\x02\x03\x04") == b"", "no code, no answer"
    reader.account(ADDRESS).code = b"\xfe"
    with pytest.raises(RevertedError):
        reader.call(ADDRESS, b"\x01\x02\x03\x04")
    with pytest.raises(MethodMissingError):
        reader.request("eth_simulateV1", [])
    for unknown in (1, "0x" + "11" * 32, "pending"):
        with pytest.raises(RpcError):
            reader.block(unknown)
    with pytest.raises(RpcError):
        reader.logs(0, 1, [])
    assert reader.receipt(bytes(32)) is None
    assert reader.transaction(bytes(32)) is None


def test_blocks_logs_and_reorganisations():
    reader = FakeReader(confirmations=1)
    first = reader.mine(log(1), log(2))
    second = reader.mine(log(3))
    assert reader.block(to_hex(first.hash)) == first == reader.block("finalized")
    assert [(found.block_number, found.log_index) for found in reader.logs(0, 2, [])] == [(1, 0), (1, 1), (2, 0)]
    assert reader.logs(0, 2, [b"\x02" * 32])[0].block_hash == first.hash

    reader.reorg(1)
    replacement = reader.mine()
    assert replacement.number == second.number
    assert replacement.hash != second.hash
    assert reader.logs(0, 2, [b"\x03" * 32]) == []
    with pytest.raises(UsageError):
        reader.reorg(3)
