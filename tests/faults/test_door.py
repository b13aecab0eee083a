"""While a node behind a door mines, nobody reads."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from pnyx_contracts.errors import PnyxError
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.door import Door
from pnyx_tools.testing.serving import Answer, Asked, HttpServer

MINING = "anvil_mine"


class Slow(HttpServer):
    """A node that needs its time, and remembers what it did at once."""

    def __init__(self) -> None:
        super().__init__()
        self.together: list[set[str]] = []
        self._now: list[str] = []
        self._lock = threading.Lock()

    def answer(self, asked: Asked) -> Answer:
        method = asked.json["method"]
        with self._lock:
            self._now.append(method)
            self.together.append(set(self._now))
        self.wait(0.02)
        with self._lock:
            self._now.remove(method)
        return Answer.of({"jsonrpc": "2.0", "id": asked.json["id"], "result": method})


def ask(url: str, method: str, *params: Any) -> Any:
    return httpx.post(url, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).json()["result"]


@pytest.mark.parametrize("mines", [MINING, "eth_sendRawTransaction", "evm_increaseTime"])
def test_nobody_reads_meanwhile(mines: str) -> None:
    with Slow() as node, Door(node.url) as door, ThreadPoolExecutor(8) as people:
        asked = [*["eth_call", "eth_getCode"] * 8, mines] * 3
        assert list(people.map(lambda method: ask(door.url, method), asked)) == asked
    assert {"eth_call", "eth_getCode"} in node.together
    alone = {mines, MINING}
    assert all(len(methods) == 1 for methods in node.together if methods & alone)


def test_each_transaction_gets_its_block() -> None:
    with Anvil(calm=True) as node:
        before = node.rpc.block().number
        receipt = node.send(node.accounts[1], value_wei=1)
        assert int(receipt["blockNumber"], 16) == before + 1 == node.rpc.block().number


def test_what_the_node_refuses_gets_none() -> None:
    with Anvil(calm=True) as node:
        with pytest.raises(PnyxError, match="decode"):
            node.request("eth_sendRawTransaction", "0x1234")
        assert node.rpc.block().number == 0


def test_blocks_can_wait() -> None:
    with Anvil(calm=True) as node:
        before = node.rpc.block().number
        node.request("evm_setAutomine", False)
        sent = node.request("eth_sendTransaction", {"from": node.accounts[0], "to": node.accounts[1], "value": "0x1"})
        assert node.rpc.block().number == before
        assert node.mine().number == before + 1
        assert node.rpc.receipt(bytes.fromhex(sent[2:]))
