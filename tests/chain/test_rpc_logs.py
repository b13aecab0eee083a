"""`Rpc.logs` against providers that refuse wide ranges: everything is found, and an error never looks like nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from pnyx_contracts.types import Log
from pnyx_tools.reader import MethodMissingError, RpcError, TooManyRequestsError
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import deploy, encode_call
from pnyx_tools.testing.provider import Provider, Question, Reply, error, result

BLOCKS = 400


@pytest.fixture(scope="module")
def transfers() -> Iterator[tuple[Anvil, str, list[Log]]]:
    """A chain of 500 blocks with transfers here and there."""
    with Anvil() as node:
        token = deploy(node, "VotesTokenBlock", node.accounts[0], 1000)
        for gap in (1, 100, 0, 7, 250, 3, 0):
            node.mine(gap)
            node.send(token, encode_call("transfer(address,uint256)", node.accounts[1], gap))
        node.mine(BLOCKS - node.rpc.block().number)
        logs = node.rpc.logs(0, BLOCKS, [], [token])
        assert len(logs) == 8
        yield node, token, logs


@pytest.fixture
def limited(transfers: tuple[Anvil, str, list[Log]]) -> Iterator[Provider]:
    with Provider(transfers[0].url) as provider:
        yield provider


def width(question: Question) -> int:
    if question["method"] != "eth_getLogs":
        return 0
    query = question["params"][0]
    return int(query["toBlock"], 16) - int(query["fromBlock"], 16) + 1


@pytest.mark.parametrize(
    "refusal",
    [
        lambda q: error(q, -32005, "query returned more than 10000 results"),
        lambda q: error(
            q, -32602, "Log response size exceeded. You can make eth_getLogs requests with up to a 2K range"
        ),
        lambda q: error(q, -32614, "eth_getLogs is limited to a 10,000 range"),
        lambda q: error(q, -32000, "something nobody ever said before"),
        lambda _: (413, b"too large"),
        lambda _: (504, b"<html>gateway time-out</html>"),
    ],
)
def test_refused_ranges_are_halved_until_all_is_found(limited, transfers, refusal):
    limited.rule = lambda q: refusal(q) if width(q) > 70 else None
    assert Rpc(limited.url).logs(0, BLOCKS, [], [transfers[1]]) == transfers[2]


@pytest.mark.parametrize("limit", [1, 3, 20])
def test_a_fixed_limit_is_learned(limited, transfers, limit):
    limited.rule = lambda q: error(q, -32000, "range is too wide") if width(q) > limit else None
    rpc = Rpc(limited.url)
    assert rpc.logs(0, BLOCKS, [], [transfers[1]]) == transfers[2]
    answered = [q for q in limited.asked if width(q) <= limit]
    assert sum(width(q) for q in answered) == BLOCKS + 1, "every block was read exactly once"
    assert len(limited.asked) < len(answered) * 1.3 + 15, "refusals are few"

    limited.asked.clear()
    assert rpc.logs(0, BLOCKS, [], [transfers[1]]) == transfers[2]
    assert width(limited.asked[0]) <= limit + 3, "the limit is remembered"


def test_too_many_results_are_read_in_parts(limited, transfers):
    def at_most_one_result(question: Question) -> Reply | None:
        if question["method"] != "eth_getLogs":
            return None
        query = question["params"][0]
        inside = [
            log for log in transfers[2] if int(query["fromBlock"], 16) <= log.block_number <= int(query["toBlock"], 16)
        ]
        return error(question, -32005, "too many results") if len(inside) > 1 else None

    limited.rule = at_most_one_result
    assert Rpc(limited.url).logs(0, BLOCKS, [], [transfers[1]]) == transfers[2]


def test_a_bad_hour_does_not_make_a_search_too_long(limited, transfers):
    """Ranges got short in it. A search that may take few requests only begins with longer ones."""
    rpc = Rpc(limited.url)
    limited.rule = lambda q: (504, b"") if width(q) > 1 else None
    rpc.logs(0, 40, [], [transfers[1]])
    limited.rule = lambda _: None
    assert rpc.logs(0, BLOCKS, [], [transfers[1]], 10) == transfers[2]
    limited.rule = lambda q: error(q, -32000, "range is too wide") if width(q) > 20 else None
    with pytest.raises(TooManyRequestsError):
        rpc.logs(0, BLOCKS, [], [transfers[1]], 10)


def test_slow_wide_ranges_are_halved(limited, transfers):
    def slow_when_wide(question: Question) -> None:
        if width(question) > 200:
            time.sleep(0.6)

    limited.rule = slow_when_wide
    assert Rpc(limited.url, timeout_seconds=0.3).logs(0, BLOCKS, [], [transfers[1]]) == transfers[2]


def test_a_node_that_never_answers_is_given_up_soon(limited):
    limited.rule = lambda _: time.sleep(0.2)
    with pytest.raises(RpcError, match="no answer within"):
        Rpc(limited.url, timeout_seconds=0.05).logs(0, BLOCKS, [])
    assert len(limited.asked) == 5


def test_a_single_refused_block_is_an_error_and_not_silence(limited, transfers):
    bad = transfers[2][4].block_number

    def refuses_one_block(question: Question) -> Reply | None:
        query = question["params"][0]
        hit = int(query["fromBlock"], 16) <= bad <= int(query["toBlock"], 16)
        return error(question, -32000, "pruned history unavailable") if hit else None

    limited.rule = refuses_one_block
    rpc = Rpc(limited.url)
    with pytest.raises(RpcError, match="pruned history"):
        rpc.logs(0, BLOCKS, [])
    limited.rule = lambda _: None
    limited.asked.clear()
    assert rpc.logs(0, BLOCKS, [], [transfers[1]]) == transfers[2]
    assert len(limited.asked) == 1, "the width of the range was not the reason, so it is not remembered"


def test_what_is_no_matter_of_width_is_not_halved(limited):
    limited.rule = lambda q: error(q, -32601, "the method eth_getLogs does not exist")
    with pytest.raises(MethodMissingError):
        Rpc(limited.url).logs(0, BLOCKS, [])
    assert len(limited.asked) == 1


def log_json(**changes: object) -> dict[str, object]:
    honest: dict[str, object] = {
        "address": "0x" + "11" * 20,
        "topics": ["0x" + "22" * 32],
        "data": "0x",
        "blockNumber": "0x5",
        "blockHash": "0x" + "33" * 32,
        "transactionHash": "0x" + "44" * 32,
        "logIndex": "0x0",
        "removed": False,
    }
    return honest | changes


def ask(provider: Provider, *logs: object) -> list[Log]:
    provider.rule = lambda question: result(question, list(logs))
    return Rpc(provider.url).logs(4, 6, [b"\x22" * 32], ["0x" + "11" * 20])


def test_honest_logs_are_put_in_order(provider: Provider):
    later = log_json(blockNumber="0x6")
    second = log_json(logIndex="0xb")
    logs = ask(provider, later, second, log_json())
    assert [(log.block_number, log.log_index) for log in logs] == [(5, 0), (5, 11), (6, 0)]


@pytest.mark.parametrize(
    "lie",
    [
        {"blockNumber": "0x7"},
        {"blockNumber": None},
        {"blockHash": "0x33"},
        {"address": "0x" + "12" * 20},
        {"address": "0x11"},
        {"topics": []},
        {"topics": ["0x" + "23" * 32]},
        {"topics": ["0x22"]},
        {"topics": ["0x" + "22" * 32] * 5},
        {"topics": None},
        {"data": "0x1"},
        {"data": None},
        {"logIndex": -1},
        {"removed": True},
        {"transactionHash": 5},
    ],
)
def test_logs_that_were_not_asked_for_or_are_malformed_are_refused(provider: Provider, lie: dict[str, object]):
    with pytest.raises(RpcError):
        ask(provider, log_json(**lie))


def test_the_same_log_twice_is_refused(provider: Provider):
    with pytest.raises(RpcError, match="twice"):
        ask(provider, log_json(), log_json())
