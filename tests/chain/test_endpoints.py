"""Several endpoints of one chain: one that is well answers, and the bad ones are left alone for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from pnyx_contracts.errors import UsageError
from pnyx_tools.endpoints import (
    DISTRUSTED_SECONDS,
    LAG_BLOCKS,
    LONGEST_REST_SECONDS,
    STILL_SECONDS,
    WRONG_CHAIN_REST_SECONDS,
    Pool,
    WrongChainError,
)
from pnyx_tools.reader import ChainReader, MethodMissingError, RevertedError, RpcError
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.provider import Provider, Question, error, result
from pnyx_tools.testing.serving import Answer, Asked, throttled

CHAIN_ID = 31337


@pytest.fixture(scope="module")
def node() -> Iterator[Anvil]:
    with Anvil() as running:
        running.mine(100)
        yield running


@dataclass
class Time:
    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Endpoints:
    """Two or more providers in front of one node, and the pool over them."""

    providers: list[Provider]
    pool: Pool
    time: Time

    @property
    def asked(self) -> list[list[str]]:
        """Methods by provider, without the question for the chain that comes with each; forgotten when read."""
        methods = [
            [question["method"] for question in provider.asked if question["method"] != "eth_chainId"]
            for provider in self.providers
        ]
        for provider in self.providers:
            provider.asked.clear()
        return methods


@pytest.fixture
def endpoints(node: Anvil) -> Iterator[Endpoints]:
    with ExitStack() as stack:
        providers = [stack.enter_context(Provider(node.url)) for _ in range(2)]
        time = Time()
        yield Endpoints(providers, Pool.of([p.url for p in providers], CHAIN_ID, clock=time), time)


def away(_question: Question):
    return 503, b"away"


def test_one_endpoint_is_asked_while_it_is_well(endpoints: Endpoints):
    for _ in range(3):
        endpoints.pool.balance("0x" + "11" * 20)
    assert endpoints.asked == [["eth_getBalance"] * 3, []]


@pytest.mark.parametrize(
    "fails",
    [
        away,
        lambda _: (429, b"slow down"),
        lambda _: (200, b"<html>"),
        lambda _: (200, b'{"jsonrpc": "2.0", "id": '),
        lambda _: (200, {"jsonrpc": "2.0", "id": -1, "result": "0x1"}),
        lambda q: error(q, -32005, "rate limit exceeded"),
    ],
)
def test_the_next_one_answers_at_once_when_it_fails(endpoints: Endpoints, fails):
    endpoints.providers[0].rule = fails
    assert endpoints.pool.block(5).number == 5
    assert endpoints.asked == [["eth_getBlockByNumber"]] * 2
    endpoints.pool.block(6)
    assert endpoints.asked == [[], ["eth_getBlockByNumber"]], "the first one rests"
    assert [health.rests for health in endpoints.pool.health()] == [True, False]


def test_an_endpoint_that_failed_rests_ever_longer_and_comes_back(endpoints: Endpoints):
    endpoints.providers[0].rule = away
    rests = []
    for _ in range(8):
        endpoints.pool._circle.current = endpoints.pool._circle.endpoints[0]
        endpoints.pool.block(5)
        rests.append(endpoints.pool._circle.endpoints[0].rests_until - endpoints.time.now)
        endpoints.time.now += rests[-1]
    assert rests == [1, 2, 4, 8, 16, 32, LONGEST_REST_SECONDS, LONGEST_REST_SECONDS]
    endpoints.providers[0].rule = lambda _: None
    endpoints.pool._circle.current = endpoints.pool._circle.endpoints[0]
    endpoints.pool.block(5)
    assert [health.failures for health in endpoints.pool.health()] == [0, 0]


def test_an_endpoint_gets_the_pause_that_it_asks_for(node: Anvil):
    class Limiting(Provider):
        def answer(self, asked: Asked) -> Answer:
            return throttled(9)

    with Limiting(node.url) as limiting, Provider(node.url) as well:
        time = Time()
        pool = Pool.of([limiting.url, well.url], CHAIN_ID, clock=time)
        pool.block(5)
        assert pool._circle.endpoints[0].rests_until == time.now + 9


def test_an_endpoint_of_another_chain_is_never_believed(node: Anvil):
    with Anvil(chain_id=1) as other:
        other.mine(200)
        time = Time()
        pool = Pool.of([other.url, node.url], CHAIN_ID, clock=time)
        assert pool.block(50) == node.rpc.block(50)
        assert pool._circle.endpoints[0].rests_until == time.now + WRONG_CHAIN_REST_SECONDS
        with pytest.raises(RpcError, match="serves chain 1, expected is chain 31337"):
            Pool.of([other.url], CHAIN_ID).block(50)


def elsewhere(question: Question):
    return result(question, "0x1") if question["method"] == "eth_chainId" else None


def test_an_endpoint_that_turns_to_another_chain_is_passed_over(endpoints: Endpoints):
    pool = endpoints.pool
    pool.block(5)
    endpoints.providers[0].rule = elsewhere
    assert pool.block(6).number == 6
    assert [health.rests for health in pool.health()] == [True, False]
    endpoints.providers[1].rule = elsewhere
    for ask in (pool.chain_id, pool.block, lambda: pool.logs(0, 5, [])):
        with pytest.raises(WrongChainError, match="serves chain 1, expected is chain 31337"):
            ask()
    endpoints.providers[1].rule = lambda _: None
    assert pool.block(5).number == 5, "right again"


@pytest.mark.parametrize("most_together", [0, 1_000])
@pytest.mark.parametrize(
    "says",
    [
        lambda q: result(q, "0x"),
        lambda q: error(q, -32000, "header not found"),
        lambda q: error(q, -32601, "method not found"),
        lambda q: error(q, 3, "execution reverted", "0x"),
    ],
)
def test_no_answer_of_another_chain_is_believed(node: Anvil, most_together: int, says):
    """Not even one that comes in the middle of many, and not an error either."""
    with Provider(node.url, most_together=most_together) as provider:
        pool = Pool.of([provider.url], CHAIN_ID)
        pool.block(5)
        provider.rule = lambda q: elsewhere(q) or says(q)
        with pytest.raises(WrongChainError):
            pool.call("0x" + "11" * 20, b"")
        with pytest.raises(WrongChainError):
            pool.ask_together([("eth_blockNumber", [])] * 2) if most_together else pool.block()
        provider.rule = lambda _: None
        assert pool.call("0x" + "11" * 20, b"") == b""


def test_a_pool_without_a_chain_stays_with_the_first_one_that_it_saw(endpoints: Endpoints):
    pool = Pool.of([provider.url for provider in endpoints.providers])
    assert pool.chain_id() == CHAIN_ID
    endpoints.providers[0].rule = elsewhere
    assert pool.block(5).number == 5
    assert [health.rests for health in pool.health()] == [True, False]


def test_an_endpoint_without_batches_is_asked_one_at_a_time(node: Anvil):
    with Provider(node.url, most_together=0) as provider:
        pool = Pool.of([provider.url], CHAIN_ID)
        pool.block(5)
        assert provider.requests == 3, "the refused batch, the question, the chain"
        pool.block(5)
        assert provider.requests == 5


def test_a_revert_is_an_answer(endpoints: Endpoints):
    def reverts(question: Question):
        return error(question, 3, "execution reverted", "0x") if question["method"] == "eth_call" else None

    endpoints.providers[0].rule = reverts
    with pytest.raises(RevertedError):
        endpoints.pool.call("0x" + "11" * 20, b"")
    assert endpoints.asked[1] == []


def test_a_method_that_one_lacks_another_may_have(endpoints: Endpoints):
    def lacks(question: Question):
        return error(question, -32601, "method not found") if question["method"] == "web3_clientVersion" else None

    endpoints.providers[0].rule = lacks
    assert "anvil" in endpoints.pool.request("web3_clientVersion", [])
    assert [health.rests for health in endpoints.pool.health()] == [False, False]
    endpoints.providers[1].rule = lacks
    with pytest.raises(MethodMissingError):
        endpoints.pool.request("web3_clientVersion", [])


def test_a_block_that_one_lacks_another_may_have(endpoints: Endpoints):
    def lacks(question: Question):
        return result(question, None) if question["params"][:1] == ["0x5"] else None

    endpoints.providers[0].rule = lacks
    assert endpoints.pool.block(5).number == 5
    assert [health.rests for health in endpoints.pool.health()] == [False, False]


def test_a_lagging_endpoint_is_asked_last(endpoints: Endpoints, node: Anvil):
    stuck = node.rpc.block().number - LAG_BLOCKS - 1

    def lags(question: Question):
        if question["params"][:1] != ["latest"]:
            return None
        return result(question, node.request("eth_getBlockByNumber", hex(stuck), False))

    endpoints.providers[0].rule = lags
    assert endpoints.pool.block("latest").number == stuck
    assert endpoints.pool.block("latest").number == stuck, "nobody knows better yet"
    endpoints.time.now += STILL_SECONDS
    endpoints.pool.block("latest")
    assert endpoints.pool.block("latest") == node.rpc.block()
    assert [health.lag_blocks for health in endpoints.pool.health()] == [LAG_BLOCKS + 1, 0]


def test_the_others_are_those_that_are_well(endpoints: Endpoints):
    (other,) = endpoints.pool.others()
    reader: ChainReader = other
    endpoints.pool.block(5)
    reader.block(5)
    assert [methods[-1:] for methods in endpoints.asked] == [["eth_getBlockByNumber"]] * 2
    endpoints.providers[1].rule = away
    with pytest.raises(RpcError):
        reader.block(5)
    assert endpoints.pool.others() == []
    assert endpoints.asked[0] == [], "each is asked alone"
    assert endpoints.pool.block(5).number == 5


def test_one_that_is_distrusted_is_asked_last(endpoints: Endpoints):
    endpoints.pool.distrust("they disagree about block 5")
    assert endpoints.pool.outvoted() == {f"1 ({endpoints.providers[0].url})": "they disagree about block 5"}
    assert endpoints.pool.outvoted() == {}, "told once"
    endpoints.pool.block(5)
    assert endpoints.asked == [[], ["eth_getBlockByNumber"]]
    assert endpoints.pool.others() == []
    endpoints.providers[1].rule = away
    with pytest.raises(RpcError):
        endpoints.pool.block(5)
    assert endpoints.pool.block(5).number == 5, "better than none"
    endpoints.time.now += DISTRUSTED_SECONDS
    assert len(endpoints.pool.others()) == 1


def test_a_single_endpoint_has_no_council_and_is_tried_again(node: Anvil):
    with Provider(node.url) as provider:
        pool = Pool.of([provider.url], CHAIN_ID)
        assert pool.council is None
        provider.rule = lambda q: away(q) if provider.requests < 3 else None
        assert pool.block(5).number == 5


def test_all_of_them_away_is_the_last_ones_error(endpoints: Endpoints):
    for provider in endpoints.providers:
        provider.rule = away
    with pytest.raises(RpcError, match="HTTP status 503"):
        endpoints.pool.block(5)
    with pytest.raises(RpcError, match="HTTP status 503"):
        endpoints.pool.block(5)
    for provider in endpoints.providers:
        provider.rule = lambda _: None
    assert endpoints.pool.block(5).number == 5, "they are asked even while they rest, when no other is left"


def test_the_same_endpoint_twice_is_no_second_opinion(node: Anvil):
    with pytest.raises(UsageError, match="different"):
        Pool.of([node.url, node.url])
