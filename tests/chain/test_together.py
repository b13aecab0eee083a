"""Many questions in one request: what a batch does not answer is asked alone, and each answer is its own question's."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pnyx_contracts.types import to_hex
from pnyx_tools.endpoints import Pool
from pnyx_tools.pinned import CallOf, PinnedReader
from pnyx_tools.quorum import DisagreementError, Quorum
from pnyx_tools.reader import RevertedError, RpcError
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.provider import INVALID, Provider, Question, error, result
from pnyx_tools.transport import MAX_TOGETHER

SOMEBODY = "0x323A76393544d5ecca80cd6ef2A560C6a395b7E3"
BLOCK = to_hex(b"\x07" * 32)
TOO_LARGE = {"jsonrpc": "2.0", "id": 1, "error": {"code": -32600, "message": "batch too large"}}


def echo(question: Question):
    """A call answers with its data; the chain is ours."""
    if question["method"] == "eth_chainId":
        return result(question, "0x1")
    return result(question, question["params"][0]["data"])


def calls(number: int) -> list[CallOf]:
    return [CallOf(SOMEBODY, n.to_bytes(2, "big"), BLOCK) for n in range(number)]


def ask(rpc: Any, number: int) -> Sequence[Any]:
    return rpc.ask_together([call.asked() for call in calls(number)])


def answers(number: int) -> list[str]:
    return [to_hex(call.data) for call in calls(number)]


@pytest.mark.parametrize(
    "refusal",
    [INVALID, (200, [TOO_LARGE]), (413, b"<html>"), (400, TOO_LARGE), (200, b"")],
    ids=["one error", "one error in a list", "HTTP 413", "HTTP 400", "nothing"],
)
@pytest.mark.parametrize(("most", "batches"), [(MAX_TOGETHER, 3), (50, 6), (10, 35)])
def test_a_batch_that_is_too_large_is_halved_until_it_is_not(refusal, most: int, batches: int):
    with Provider(rule=echo, most_together=most, refusal=refusal) as provider:
        rpc = Rpc(provider.url)
        assert ask(rpc, 2 * MAX_TOGETHER + 5) == answers(2 * MAX_TOGETHER + 5)
        first = provider.requests
        assert ask(rpc, 2 * MAX_TOGETHER + 5) == answers(2 * MAX_TOGETHER + 5)
        assert provider.requests - first <= batches
        assert len(provider.asked) == 2 * (2 * MAX_TOGETHER + 5), "none is asked twice"


def test_a_node_that_takes_none_is_tried_a_few_times_and_never_again():
    with Provider(rule=echo, most_together=0) as provider:
        rpc = Rpc(provider.url)
        assert ask(rpc, 40) == [None] * 40
        assert provider.requests <= MAX_TOGETHER.bit_length()
        provider.requests = 0
        assert ask(rpc, 40) == [None] * 40
        assert provider.requests == 0


@pytest.mark.parametrize("limited", [(429, b"slow down"), (200, {**TOO_LARGE, "error": {"message": "rate limit"}})])
def test_a_limit_is_not_taken_for_a_batch_that_is_too_large(limited):
    with Provider(rule=echo, most_together=0, refusal=limited) as provider:
        rpc = Rpc(provider.url)
        with pytest.raises(RpcError):
            ask(rpc, 40)
        provider._most_together = MAX_TOGETHER
        provider.requests = 0
        assert ask(rpc, 40) == answers(40)
        assert provider.requests == 1


def test_what_was_answered_before_the_node_went_away_counts():
    def rule(question: Question):
        return (502, b"") if len(provider.asked) > MAX_TOGETHER else echo(question)

    with Provider(rule=rule) as provider:
        assert ask(Rpc(provider.url), MAX_TOGETHER + 3) == [*answers(MAX_TOGETHER), None, None, None]


def test_answers_out_of_order_go_to_their_questions():
    class Shuffling(Provider):
        def reply_to(self, request):
            status, body = super().reply_to(request)
            return status, [*reversed(body), "no object", {"id": 10**9, "result": "0xff"}, {"result": "0xff"}]

    with Shuffling(rule=echo) as provider:
        assert ask(Rpc(provider.url), 5) == answers(5)


def test_another_endpoint_answers_all_when_the_first_one_is_away():
    with Provider(rule=echo) as away, Provider(rule=echo) as well:
        pool = Pool.of([away.url, well.url], 1)
        away.rule = lambda _: (503, b"away")
        assert ask(pool, 40) == answers(40)
        assert [health.rests for health in pool.health()] == [True, False]
        assert well.requests == 1, "its chain comes in the same batch"


# --- a look at many things -------------------------------------------------------------------------------------------


def test_a_look_asks_once_also_for_what_is_now():
    with Provider(rule=echo) as provider:
        asked = [CallOf(SOMEBODY, bytes([n]), "latest") for n in range(30)]
        look = PinnedReader(Rpc(provider.url), latest_stands=True)
        look.ask_ahead(asked)
        assert [look.call(SOMEBODY, call.data) for call in asked] == [call.data for call in asked]
        assert provider.requests == 1
        pinned = PinnedReader(Rpc(provider.url))
        pinned.ask_ahead(asked)
        assert provider.requests == 1, "nothing that changes is kept for longer than a look"


def test_threads_share_a_look():
    """It forgets all the time, and is asked for the same things by all of them."""
    calls = [CallOf(SOMEBODY, bytes([n]), 1) for n in range(20)]
    with Provider(rule=echo) as provider, ThreadPoolExecutor(8) as pool:
        look = PinnedReader(Rpc(provider.url), most_answers=3)

        def read(start: int) -> list[bytes]:
            look.ask_ahead(calls[start : start + 4])
            return [look.call(call.to, call.data, call.block) for call in calls[start:]]

        for start, found in enumerate(pool.map(read, range(16))):
            assert found == [call.data for call in calls[start:]]


def test_a_bad_answer_in_a_batch_is_one_questions_trouble():
    def rule(question: Question):
        match question["params"][0].get("data"):
            case "0x01":
                return error(question, 3, "execution reverted", "0x1234")
            case "0x02":
                return result(question, "0xnonsense")
            case "0x03":
                return error(question, -32000, "header not found")
        return echo(question)

    with Provider(rule=rule) as provider:
        look = PinnedReader(Rpc(provider.url), latest_stands=True)
        look.ask_ahead([CallOf(SOMEBODY, bytes([n]), "latest") for n in range(5)])
        assert (look.call(SOMEBODY, b"\x00"), look.call(SOMEBODY, b"\x04")) == (b"\x00", b"\x04")
        with pytest.raises(RevertedError) as reverted:
            look.call(SOMEBODY, b"\x01")
        assert reverted.value.data == b"\x12\x34"
        assert provider.requests == 1
        with pytest.raises(RpcError, match="malformed"):
            look.call(SOMEBODY, b"\x02")
        with pytest.raises(RpcError, match="header not found"):
            look.call(SOMEBODY, b"\x03")


def test_a_call_to_nobody_is_asked_once_for_each_block():
    with Provider(rule=echo) as provider:
        look = PinnedReader(Rpc(provider.url))
        for _ in range(3):
            assert look.request("eth_call", [{"data": "0x43"}, {"blockHash": BLOCK}]) == "0x43"
        assert provider.requests == 1
        for _ in range(2):
            look.request("eth_call", [{"data": "0x43"}, "latest"])
        assert provider.requests == 3


def test_enough_endpoints_must_say_the_same_to_each_question():
    def lies(question: Question):
        return result(question, "0xff") if question["params"][0].get("data") == "0x0001" else echo(question)

    with Provider(rule=echo) as honest, Provider(rule=lies) as liar:
        quorum = Quorum([Rpc(honest.url), Rpc(liar.url)], 2)
        assert ask(quorum, 3) == ["0x0000", None, "0x0002"]
        look = PinnedReader(quorum)
        look.ask_ahead(calls(3))
        assert look.call(SOMEBODY, b"\x00\x02", BLOCK) == b"\x00\x02"
        with pytest.raises(DisagreementError):
            look.call(SOMEBODY, b"\x00\x01", BLOCK)


def test_what_several_threads_want_to_know_is_asked_once():
    """Also when it is on its way in a batch, or alone."""
    everybody = threading.Barrier(8)

    def slow(question: Question):
        time.sleep(0.05)  # the others come meanwhile
        return echo(question)

    with Provider(rule=slow) as provider, ThreadPoolExecutor(8) as pool:
        look = PinnedReader(Rpc(provider.url))

        def one(thread: int) -> list[bytes]:
            everybody.wait(60)
            if thread % 2:
                look.ask_ahead(calls(5))
            return [look.call(call.to, call.data, call.block) for call in calls(5)]

        assert list(pool.map(one, range(8))) == [[call.data for call in calls(5)]] * 8
        asked = [question["params"][0]["data"] for question in provider.asked if question["method"] == "eth_call"]
        assert sorted(asked) == sorted(answers(5))


def test_who_waited_for_an_answer_that_did_not_come_asks_alone():
    failed = threading.Event()

    def fails_once(question: Question):
        if question["method"] == "eth_chainId" or failed.is_set():
            return echo(question)
        time.sleep(0.05)
        failed.set()
        return 403, b"no"

    with Provider(rule=fails_once) as provider, ThreadPoolExecutor(4) as pool:
        look = PinnedReader(Rpc(provider.url))
        (call,) = calls(1)
        outcomes = [pool.submit(look.call, call.to, call.data, call.block) for _ in range(4)]
        assert sum(isinstance(outcome.exception(), RpcError) for outcome in outcomes) == 1
        assert {outcome.result() for outcome in outcomes if not outcome.exception()} == {call.data}
