"""What a client sees of an endpoint that fails and lies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from eth_hash.auto import keccak

from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import deploy
from pnyx_tools.testing.faults.proxy import Fault, FaultProxy
from pnyx_tools.testing.faults.schedule import Schedule


@pytest.fixture(scope="module")
def stranger() -> Iterator[Anvil]:
    with Anvil(chain_id=1) as running:
        yield running


@contextmanager
def always(node: Anvil, fault: Fault, stranger: Anvil | None = None) -> Iterator[FaultProxy]:
    """Each request that it fits meets this fault."""
    schedule = Schedule(1, [fault], every=1, most=1000)
    schedule.is_on = True
    with FaultProxy(node.url, schedule, stranger=stranger.url if stranger else None, hang_seconds=0.2) as proxy:
        yield proxy


def ask(proxy: FaultProxy, method: str, *params: Any) -> httpx.Response:
    question = {"jsonrpc": "2.0", "id": 7, "method": method, "params": list(params)}
    return httpx.post(proxy.url, json=question, timeout=5)


def send(node: Anvil, proxy: FaultProxy) -> tuple[str, httpx.Response]:
    """A signed transaction, through the proxy; its hash."""
    transaction = {"from": node.accounts[4], "to": node.accounts[5], "value": "0x1", "gas": "0x5208"}
    fees = {"maxFeePerGas": hex(10**11), "maxPriorityFeePerGas": "0x1", "chainId": hex(31337), "type": "0x2"}
    nonce = hex(node.rpc.nonce(node.accounts[4]))
    signed = node.request("eth_signTransaction", transaction | fees | {"nonce": nonce})
    return "0x" + keccak(bytes.fromhex(signed[2:])).hex(), ask(proxy, "eth_sendRawTransaction", signed)


def is_mined(node: Anvil, transaction: str) -> bool:
    return node.rpc.receipt(bytes.fromhex(transaction[2:])) is not None


@pytest.mark.parametrize("fault", [Fault.TIMEOUT, Fault.DROPPED, Fault.CUT])
def test_connections_break(node: Anvil, fault: Fault) -> None:
    with always(node, fault) as proxy, pytest.raises(httpx.TransportError):
        ask(proxy, "eth_chainId")


@pytest.mark.parametrize(
    ("fault", "statuses", "retry_after"),
    [
        (Fault.THROTTLED, {429}, None), (Fault.THROTTLED_PATIENTLY, {429}, "1"),
        (Fault.SERVER_ERROR, {500, 502, 503, 504}, None), (Fault.WEB_PAGE, {200}, None),
    ],
)  # fmt: skip
def test_answers_that_are_none(node: Anvil, fault: Fault, statuses: set[int], retry_after: str | None) -> None:
    with always(node, fault) as proxy:
        answer = ask(proxy, "eth_chainId")
    assert answer.status_code in statuses
    assert answer.headers.get("retry-after") == retry_after
    assert "result" not in answer.text


def test_truncated_json(node: Anvil) -> None:
    with always(node, Fault.TRUNCATED) as proxy, pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        ask(proxy, "eth_chainId").json()


@pytest.mark.parametrize(
    ("fault", "wrong"),
    [
        (Fault.WRONG_ID, {"id": "not 7", "result": "0x7a69"}), (Fault.NEITHER, {"id": 7}),
        (Fault.WRONG_TYPE, {"id": 7, "result": {"unexpected": True}}),
    ],
)  # fmt: skip
def test_wrong_json(node: Anvil, fault: Fault, wrong: dict[str, Any]) -> None:
    with always(node, fault) as proxy:
        assert ask(proxy, "eth_chainId").json() == {"jsonrpc": "2.0", **wrong}


def test_logs_that_are_there_are_denied(node: Anvil) -> None:
    deploy(node, "VotesTokenBlock", node.accounts[0], 1)
    assert node.request("eth_getLogs", {"fromBlock": "0x0"}) != []
    with always(node, Fault.EMPTY_LOGS) as proxy:
        assert ask(proxy, "eth_chainId").json()["result"] == "0x7a69"
        assert ask(proxy, "eth_getLogs", {"fromBlock": "0x0"}).json()["result"] == []


def test_a_dropped_transaction_looks_taken(node: Anvil) -> None:
    with always(node, Fault.TRANSACTION_DROPPED) as proxy:
        transaction, answer = send(node, proxy)
    assert answer.json()["result"] == transaction
    assert not is_mined(node, transaction)


def test_a_swallowed_answer_hides_a_transaction_that_was_taken(node: Anvil) -> None:
    before = node.rpc.nonce(node.accounts[4])
    with always(node, Fault.TRANSACTION_SWALLOWED) as proxy, pytest.raises(httpx.TransportError):
        send(node, proxy)
    assert node.rpc.nonce(node.accounts[4]) == before + 1


def test_a_transaction_that_is_sent_twice_lands_once(node: Anvil) -> None:
    before = node.rpc.nonce(node.accounts[4])
    with always(node, Fault.TRANSACTION_TWICE) as proxy:
        transaction, _ = send(node, proxy)
    assert is_mined(node, transaction)
    assert node.rpc.nonce(node.accounts[4]) == before + 1


def test_a_lagging_endpoint_is_consistently_behind(node: Anvil) -> None:
    node.mine(20)
    with always(node, Fault.LAGGING) as proxy:
        seen = int(ask(proxy, "eth_blockNumber").json()["result"], 16)
        assert node.rpc.block().number - 12 <= seen < node.rpc.block().number
        assert ask(proxy, "eth_getBlockByNumber", "latest", False).json()["result"]["number"] == hex(seen)
        assert ask(proxy, "eth_getBlockByNumber", hex(seen + 1), False).json()["result"] is None
        assert "error" in ask(proxy, "eth_getBalance", node.accounts[0], hex(seen + 1)).json()


def test_another_fork_has_other_hashes_and_nothing_in_it(node: Anvil) -> None:
    node.mine(20)
    receipt = node.send(node.accounts[6], value_wei=1)
    number = receipt["blockNumber"]
    with always(node, Fault.OTHER_FORK) as proxy:
        block = ask(proxy, "eth_getBlockByNumber", number, False).json()["result"]
        assert block["hash"] != receipt["blockHash"]
        assert ask(proxy, "eth_getBlockByHash", block["hash"], False).json()["result"] == block
        assert ask(proxy, "eth_getTransactionReceipt", receipt["transactionHash"]).json()["result"] is None
        assert ask(proxy, "eth_getBlockByNumber", "0x1", False).json()["result"]["hash"] == node.request(
            "eth_getBlockByNumber", "0x1", False
        )["hash"]  # fmt: skip


def test_another_chain_answers(node: Anvil, stranger: Anvil) -> None:
    with always(node, Fault.WRONG_CHAIN, stranger) as proxy:
        assert ask(proxy, "eth_chainId").json()["result"] == "0x1"


def test_batches_meet_faults_too(node: Anvil) -> None:
    questions = [{"jsonrpc": "2.0", "id": n, "method": "eth_chainId", "params": []} for n in (1, 2)]
    with always(node, Fault.WRONG_ID) as proxy:
        assert [answer["id"] for answer in httpx.post(proxy.url, json=questions).json()] == ["not 1", "not 2"]


def test_the_same_seed_gives_the_same_faults() -> None:
    def course(seed: int) -> list[Fault | None]:
        schedule = Schedule(seed, tuple(Fault), every=4, most=50)
        schedule.is_on = True
        return [schedule.take(lambda _: True) for _ in range(400)]

    assert course(1) == course(1) != course(2)
    assert 50 == len([fault for fault in course(1) if fault]) == sum(Counter(course(3)).values()) - 350


def test_a_fault_waits_for_a_request_that_it_fits() -> None:
    schedule = Schedule(1, ["only for odd"], every=1, most=1)
    schedule.is_on = True
    assert [schedule.take(lambda _, number=number: number % 2 == 1) for number in (0, 2, 4, 5, 7)] == [
        None, None, None, "only for odd", None,
    ]  # fmt: skip
    assert schedule.part == 1.0


def test_honest_from_now_on(node: Anvil) -> None:
    with always(node, Fault.LAGGING) as proxy:
        node.mine(20)
        ask(proxy, "eth_blockNumber")
        proxy.be_honest()
        assert int(ask(proxy, "eth_blockNumber").json()["result"], 16) == node.rpc.block().number
