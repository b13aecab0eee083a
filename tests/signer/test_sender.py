"""Getting a transaction mined, on a real node: crashes, stuck transactions, reorganisations, limits."""

from __future__ import annotations

import contextlib
import itertools
import threading
from typing import Any

import pytest

from pnyx_contracts.governors import TransactionCall
from pnyx_contracts.types import to_hex
from pnyx_tools.chain import Chain
from pnyx_tools.reader import RevertedError
from pnyx_tools.sender import (
    Errand,
    FailedTransactionError,
    GivenUpError,
)
from pnyx_tools.sender.turns import LocalTurns
from pnyx_tools.signer.protocol import DailyLimitError, NotYetError, Signed

from .moments import Killed
from .senders import REPLACE_AFTER, Wish, World, raising


def test_a_transaction_is_stored_before_it_is_sent_and_lands(world: World) -> None:
    stored: list[bytes] = []

    class Watched(Chain):
        def send_raw(self, signed: bytes) -> bytes:
            stored.append(signed)
            assert [a.raw for a in world.effort().attempts] == stored
            return super().send_raw(signed)

    receipt = world.sender(Watched.of([world.node.url])).send(world.entry())

    assert receipt["status"] == "0x1"
    assert len(stored) == 1
    assert world.seq == 1
    ticket = world.signer.tickets[0]
    assert ticket.nonce == 1
    assert ticket.gas_limit > int(receipt["gasUsed"], 16)


def test_asked_again_it_answers_from_the_chain(world: World) -> None:
    first = world.sender().send(world.entry())
    again = world.sender().send(world.entry())
    assert again["transactionHash"] == first["transactionHash"]
    assert len(world.signer.tickets) == 1
    assert world.seq == 1


@pytest.mark.parametrize(
    ("step", "call"), [("sign", 1), ("save", 1), ("save", 2), ("save", 3), ("send", 1), ("receipt", 1), ("receipt", 2)]
)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_at_any_step_and_started_again_there_is_one_entry(
    world: World, step: str, call: int, moment: str
) -> None:
    owner, name = {
        "sign": (world.signer, "sign"),
        "save": (world.outbox, "save"),
        "send": (world.chain, "send_raw"),
        "receipt": (world.chain, "receipt"),
    }[step]
    original = getattr(owner, name)
    calls = 0

    def fatal(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        answer = original(*arguments) if calls < call or moment == "after" else None
        if calls == call:
            raise Killed
        return answer

    setattr(owner, name, fatal)
    world.automine(step != "receipt")
    world.clock.on_sleep = world.node.mine
    with pytest.raises(Killed):
        world.sender().send(world.entry(charged_to="a vote"))
    setattr(owner, name, original)

    receipt = world.sender().send(world.entry(charged_to="a vote"))

    assert receipt["status"] == "0x1"
    assert world.seq == 1
    assert world.chain.nonce(world.key.address) == 2


def test_a_stuck_transaction_is_replaced_at_its_nonce_by_the_same_call_with_a_higher_fee(world: World) -> None:
    world.automine(False)

    def fees_rise_then_a_miner_comes() -> None:
        if len(world.effort().attempts) == 3:
            world.node.mine()

    world.clock.on_sleep = fees_rise_then_a_miner_comes

    receipt = world.sender().send(world.entry())

    attempts = world.effort().attempts
    assert len(attempts) == 3
    assert {a.nonce for a in attempts} == {1}
    for before, after in itertools.pairwise(attempts):
        assert after.max_fee_per_gas * 1000 >= before.max_fee_per_gas * 1125
        assert after.max_priority_fee_per_gas * 1000 >= before.max_priority_fee_per_gas * 1125
    assert receipt["transactionHash"] == to_hex(attempts[-1].transaction_hash)
    assert world.seq == 1


def test_at_the_fee_limit_it_waits_instead_of_paying_more(world: World) -> None:
    world.automine(False)
    limit = world.chain.fees().max_fee * 12 // 10
    waited = 0

    def long_wait() -> None:
        nonlocal waited
        waited += 1
        if waited == 25:
            world.node.mine()

    world.clock.on_sleep = long_wait

    receipt = world.sender(max_fee_per_gas=limit).send(world.entry())

    assert receipt["status"] == "0x1"
    assert all(a.max_fee_per_gas <= limit for a in world.effort().attempts)
    assert len(world.effort().attempts) == 2


def test_fees_above_the_limit_are_waited_for_and_send_nothing(world: World) -> None:
    with pytest.raises(GivenUpError, match="not mined after 0 attempts"):
        world.sender(max_fee_per_gas=1).send(world.entry())
    assert world.signer.tickets == []
    assert world.clock.time >= 1_000_600


def test_a_stuck_entry_makes_way_for_a_vote(world: World) -> None:
    """They share a sender in two threads; the entry is at its fee limit and no miner wants it."""
    world.automine(False)
    sender = world.sender(patience_seconds=10**9)
    results: dict[str, Any] = {}

    def vote() -> None:
        results["vote"] = sender.send(world.entry("vote", is_urgent=True))

    voting = threading.Thread(target=vote)

    def world_goes_on() -> None:
        if not voting.is_alive() and "vote" not in results:
            voting.start()
        if "vote" in world.outbox.contents and world.effort("vote").attempts:
            world.node.mine()

    world.clock.on_sleep = world_goes_on
    with pytest.raises(GivenUpError, match="entry:1"):
        sender.send(world.entry())
    voting.join(30)

    assert results["vote"]["status"] == "0x1"
    assert world.effort("vote").attempts[0].nonce == world.effort("entry:1").attempts[0].nonce


def test_it_gives_up_in_a_clear_state_and_the_next_takes_the_nonce(world: World) -> None:
    world.automine(False)
    wanted = iter([True, True, False])
    with pytest.raises(GivenUpError, match="entry:1: not mined after 2 attempts"):
        world.sender().send(world.entry(is_wanted=lambda: next(wanted)))
    assert world.effort().given_up
    assert world.is_pending(world.effort().attempts[-1])

    world.clock.on_sleep = world.node.mine
    receipt = world.sender().send(world.entry("entry:other"))

    mine = world.effort("entry:other").attempts[-1]
    assert receipt["transactionHash"] == to_hex(mine.transaction_hash)
    assert mine.nonce == world.effort().attempts[-1].nonce
    assert mine.max_fee_per_gas > world.effort().attempts[-1].max_fee_per_gas
    assert world.chain.receipt(world.effort().attempts[-1].transaction_hash) is None
    assert world.seq == 1


def test_after_a_crash_another_errand_lets_the_one_in_flight_land_first(world: World) -> None:
    world.automine(False)
    world.clock.on_sleep = raising(Killed)
    with pytest.raises(Killed):
        world.sender().send(world.entry())

    world.clock.on_sleep = world.node.mine
    world.sender().send(world.entry("entry:2", number=2))

    assert world.seq == 2
    assert len(world.effort("entry:1").attempts) == 1
    assert world.effort("entry:2").attempts[0].nonce == world.effort("entry:1").attempts[0].nonce + 1
    world.sender().send(world.entry())
    assert len(world.signer.tickets) == 2


def test_a_transaction_that_a_reorganisation_took_away_is_sent_again(world: World) -> None:
    first = world.sender().send(world.entry())
    world.node.reorg(1)
    assert world.seq == 0

    again = world.sender().send(world.entry())

    assert again["transactionHash"] == first["transactionHash"]
    assert world.seq == 1


def test_a_receipt_counts_once_it_is_deep_enough(world: World) -> None:
    blocks = 0

    def mine() -> None:
        nonlocal blocks
        blocks += 1
        world.node.mine()

    world.clock.on_sleep = mine
    world.sender(confirmations=12, replace_after_seconds=30).send(world.entry())
    assert blocks >= 11
    assert len(world.signer.tickets) == 1


def test_what_would_revert_is_not_sent(world: World) -> None:
    with pytest.raises(RevertedError):
        world.sender().send(world.entry(number=7))
    assert world.signer.tickets == []


def test_when_somebody_else_used_the_nonce_it_starts_again_at_the_next(world: World) -> None:
    """A key that is used elsewhere too: nothing is counted here, so nothing can be out of step."""
    world.automine(False)

    def another_machine_is_quicker() -> None:
        world.clock.on_sleep = world.node.mine
        attempt = world.effort().attempts[-1]
        world.node.request("anvil_dropTransaction", to_hex(attempt.transaction_hash))
        payment = {"from": world.key.address, "to": world.node.accounts[0], "nonce": hex(attempt.nonce)}
        world.node.request("eth_sendTransaction", payment)
        world.node.mine()

    world.clock.on_sleep = another_machine_is_quicker
    receipt = world.sender().send(world.entry())

    attempts = world.effort().attempts
    assert [a.nonce for a in attempts] == [1, 2]
    assert receipt["transactionHash"] == to_hex(attempts[1].transaction_hash)
    assert world.seq == 1


def a_call_that_reverts(world: World) -> Errand:
    call = TransactionCall(world.log, b"\xde\xad\xbe\xef")
    world.chain.estimate_gas = lambda _sender, _call: 100_000
    return Errand("bad", lambda: (call, lambda ticket: Wish(call, ticket)))


def test_what_reverts_every_time_is_tried_so_often_and_no_more(world: World) -> None:
    errand = a_call_that_reverts(world)
    with pytest.raises(FailedTransactionError, match="bad: 3 transactions reverted or did nothing") as caught:
        world.sender().send(errand)
    assert caught.value.receipt["status"] == "0x0"
    assert [a.nonce for a in world.effort("bad").attempts] == [1, 2, 3]


def test_a_transaction_that_reverted_is_made_anew_from_what_is_so_now(world: World) -> None:
    """The call that failed is not the call that lands: each is prepared from the chain as it is."""
    world.automine(False)
    estimate = world.chain.estimate_gas
    made: list[int] = []

    def prepare() -> Any:
        made.append(world.seq + 1)
        return world.entry(number=made[-1]).prepare()

    def too_little_gas_at_first(sender: str, call: TransactionCall) -> int:
        return estimate(sender, call) if len(made) > 1 else 24_000

    world.chain.estimate_gas = too_little_gas_at_first
    world.clock.on_sleep = world.node.mine
    receipt = world.sender().send(Errand("entry:1", prepare))

    attempts = world.effort().attempts
    assert [a.nonce for a in attempts] == [1, 2]
    assert world.chain.receipt(attempts[0].transaction_hash)["status"] == "0x0"
    assert receipt["transactionHash"] == to_hex(attempts[1].transaction_hash)
    assert world.seq == 1


def test_after_a_revert_what_is_not_wanted_any_more_is_given_up(world: World) -> None:
    errand = a_call_that_reverts(world)
    wanted = iter([True, False])
    with pytest.raises(GivenUpError, match="not mined"):
        world.sender().send(Errand(errand.purpose, errand.prepare, is_wanted=lambda: next(wanted)))
    assert len(world.effort("bad").attempts) == 1


def test_a_revert_does_not_outlive_its_call(world: World) -> None:
    """The next `send` tries again; it is not told for ever what happened once."""
    with pytest.raises(FailedTransactionError):
        world.sender().send(a_call_that_reverts(world))
    del world.chain.estimate_gas
    good = world.entry()
    assert world.sender().send(Errand("bad", good.prepare))["status"] == "0x1"
    assert world.seq == 1


def test_a_signer_whose_node_lags_is_asked_again(world: World) -> None:
    world.signer.not_yet = 2
    assert world.sender().send(world.entry())["status"] == "0x1"
    world.signer.not_yet = 100
    with pytest.raises(NotYetError):
        world.sender().send(world.entry("entry:2", number=2))


def test_a_daily_limit_is_not_asked_for_every_few_seconds(world: World) -> None:
    asked: list[Wish] = []

    def over_the_cap(wish: Wish) -> Signed:
        asked.append(wish)
        raise DailyLimitError("the signer's limit is reached")

    world.signer.sign = over_the_cap
    before = world.clock.time
    with pytest.raises(DailyLimitError):
        world.sender().send(world.entry())
    assert len(asked) == 1
    assert world.clock.time == before


def test_a_note_that_waits_for_the_signer_makes_way_for_a_vote(world: World) -> None:
    sender = world.sender(replace_after_seconds=10**9, patience_seconds=10**9)
    sign = world.signer.sign

    def a_node_that_lags_for_notes(wish: Wish) -> Signed:
        if threading.current_thread() is not voting:
            raise NotYetError("the signer's node is behind")
        return sign(wish)

    voting = threading.Thread(target=lambda: sender.send(world.entry("vote", is_urgent=True)))
    world.signer.sign = a_node_that_lags_for_notes

    def vote_once() -> None:
        if voting.ident is None:
            voting.start()

    world.clock.on_sleep = vote_once
    with pytest.raises(NotYetError):
        sender.send(world.entry())
    voting.join(30)
    assert world.seq == 1


def test_a_vote_is_in_time_while_many_notes_wait_over_the_cap(world: World) -> None:
    """As the engine does it: each note tries again and again, in a thread of its own."""
    sender, stop, sign = world.sender(), threading.Event(), world.signer.sign
    refused = threading.Semaphore(0)

    def no_money_for_notes(wish: Wish) -> Signed:
        if threading.current_thread() is threading.main_thread():
            return sign(wish)
        refused.release()
        raise DailyLimitError("the signer's limit is reached")

    def note(number: int) -> None:
        while not stop.is_set():
            with contextlib.suppress(NotYetError, GivenUpError, RevertedError):
                sender.send(world.entry(f"note:{number}"))

    world.signer.sign = no_money_for_notes
    notes = [threading.Thread(target=note, args=(number,), daemon=True) for number in range(60)]
    for thread in notes:
        thread.start()
    for _ in range(10):
        assert refused.acquire(timeout=30)
    before = world.clock.time
    try:
        receipt = sender.send(world.entry("vote", is_urgent=True))
    finally:
        stop.set()
        for thread in notes:
            thread.join(30)
    assert receipt["status"] == "0x1"
    assert world.clock.time - before <= REPLACE_AFTER


def test_a_waiting_vote_gets_the_next_turn() -> None:
    turns, order = LocalTurns(), list[str]()

    def take(name: str, urgent: bool) -> None:
        with turns.take(urgent=urgent):
            order.append(name)

    with turns.take(urgent=False):
        threads = [threading.Thread(target=take, args=(f"note {i}", False)) for i in range(5)]
        for thread in threads:
            thread.start()
        threads.append(threading.Thread(target=take, args=("vote", True)))
        threads[-1].start()
        while not turns.urgent_waits:
            threads[-1].join(0.001)
    for thread in threads:
        thread.join(30)
    assert order[0] == "vote"
    assert len(order) == 6
    assert not turns.urgent_waits


def test_the_daily_limit_holds_over_restarts_and_frees_itself(world: World) -> None:
    world.sender().send(world.entry())
    cost = sum(t.gas_limit * t.max_fee_per_gas for t in world.signer.tickets)

    with pytest.raises(DailyLimitError, match="the daily limit is"):
        world.sender(daily_wei=cost + 1).send(world.entry("entry:2", number=2))
    assert len(world.signer.tickets) == 1

    world.clock.time += 24 * 60 * 60 + 1
    world.sender(daily_wei=cost * 2).send(world.entry("entry:2", number=2))
    assert world.seq == 2
