"""The local node of tests and demo: it starts, and it surely ends."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pnyx_contracts.errors import PnyxError, UsageError
from pnyx_tools.reader import RevertedError
from pnyx_tools.testing.anvil import Anvil, find_anvil
from pnyx_tools.testing.deploy import deploy_log


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def ends(port: int) -> bool:
    deadline = time.monotonic() + 10
    while listens(port) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not listens(port)


def test_options_and_time():
    with Anvil(chain_id=7, hardfork="shanghai", timestamp=1_700_000_000) as node:
        assert node.rpc.chain_id() == 7
        assert node.rpc.block(0).timestamp == 1_700_000_000
        assert len(node.accounts) == 10
        start = node.rpc.block()
        assert node.mine(5).number == start.number + 5
        assert node.increase_time(1000).timestamp >= start.timestamp + 1000
        snapshot = node.snapshot()
        node.send(node.accounts[1], value_wei=5)
        node.revert(snapshot)
        assert node.rpc.block().number == start.number + 6
    assert ends(int(node.url.rpartition(":")[2]))


def test_blocks_come_by_themselves_when_asked():
    with Anvil(block_time=1) as node:
        receipt = node.send(node.accounts[1], value_wei=1)
        assert int(receipt["blockNumber"], 16) >= 1


def test_blocks_are_replaced():
    with Anvil(states=1_200) as node:
        log = deploy_log(node)
        node.mine(1_100)
        sender, receiver = node.accounts[:2]
        before = node.rpc.nonce(sender)
        sent = node.send(receiver, value_wei=5)
        raw = node.request("eth_getRawTransactionByHash", sent["transactionHash"])
        node.send(receiver, value_wei=6)
        head = node.mine(10)
        assert node.reorg(12, [(raw, 7)]).number == head.number
        assert node.rpc.nonce(sender) == before + 1
        again = node.rpc.receipt(bytes.fromhex(sent["transactionHash"][2:]))
        assert int(again["blockNumber"], 16) == head.number - 12 + 1 + 7
        assert node.rpc.code(log)


def test_empty_blocks_are_replaced_by_others():
    with Anvil(calm=True) as node:
        for _ in range(8):
            before = node.mine(5)
            after = node.reorg(4)
            assert (after.number, after.hash == before.hash) == (before.number, False)


def test_a_node_that_loses_its_contracts_with_the_blocks_says_so():
    with Anvil() as node:
        deploy_log(node)
        node.mine(1_100)
        with pytest.raises(PnyxError, match=r"lost all contracts when it replaced the last 30 of 11\d\d blocks"):
            node.reorg(30)


def test_a_transaction_that_fails_is_an_error():
    with Anvil() as node:
        node.set_code("0x" + "12" * 20, b"\xfe")
        with pytest.raises(RevertedError):
            node.send("0x" + "12" * 20)


def test_the_node_ends_with_a_process_that_is_killed():
    script = (
        "import time; from pnyx_tools.testing.anvil import Anvil\n"
        "with Anvil() as node: print(node.url, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline().rpartition(":")[2])
        assert listens(port)
        process.send_signal(signal.SIGKILL)
    assert ends(port)


def test_a_port_that_is_taken_is_said():
    with Anvil() as node, pytest.raises(UsageError, match="cannot listen on port"):
        Anvil(port=int(node.url.rpartition(":")[2])).start()


def test_where_the_binary_comes_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    found = find_anvil()
    monkeypatch.setenv("PNYX_ANVIL", found)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_anvil() == found
    monkeypatch.setenv("PNYX_ANVIL", str(tmp_path / "nothing"))
    with pytest.raises(UsageError, match="PNYX_ANVIL names"):
        find_anvil()
    monkeypatch.delenv("PNYX_ANVIL")
    (tmp_path / "anvil").symlink_to(found)
    assert find_anvil() == str(tmp_path / "anvil")


def test_without_a_binary_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.delenv("PNYX_ANVIL", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("pnyx_tools.testing.anvil.__file__", str(tmp_path / "a" / "anvil.py"))
    with pytest.raises(UsageError, match="no `anvil` found") as caught:
        find_anvil()
    assert "@foundry-rs/anvil" in caught.value.hint
