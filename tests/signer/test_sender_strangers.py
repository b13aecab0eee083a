"""What can happen to a nonce: nodes that forget, answers that nobody understands, gaps, other programs with the key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pnyx_contracts.types import to_hex
from pnyx_tools.notify import Urgency
from pnyx_tools.reader import RpcError
from pnyx_tools.sender import Attempt, GivenUpError

from .moments import Killed
from .senders import GWEI, World


def once(work: Callable[[], None], then: Callable[[], object]) -> Callable[[], None]:
    """`work` at the first call, `then` at all others."""
    calls: list[Callable[[], object]] = [work]
    return lambda: (calls.pop() if calls else then)() and None


def count_sent(world: World) -> list[bytes]:
    """Every sending to the node, as it happens."""
    sent: list[bytes] = []
    send = world.chain.send_raw

    def counted(raw: bytes) -> bytes:
        sent.append(raw)
        return send(raw)

    world.chain.send_raw = counted
    return sent


# --- nodes that forget, and say strange things -----------------------------------------------------------------------


def test_a_transaction_that_the_node_dropped_is_sent_again_as_it_is(world: World) -> None:
    world.automine(False)
    sent = count_sent(world)
    world.clock.on_sleep = once(lambda: world.drop(world.effort().attempts[-1]), world.node.mine)

    receipt = world.sender().send(world.entry())

    assert receipt["status"] == "0x1"
    assert len(world.signer.tickets) == 1
    assert sent[0] == sent[1]
    assert world.heard == []


def test_an_answer_that_nobody_understands_is_no_reason_to_sign_another_nonce(world: World) -> None:
    """Taken, or not taken: either way what was stored is what lands."""
    world.automine(False)
    send, strange = world.chain.send_raw, 3

    def mumbling(raw: bytes) -> bytes:
        nonlocal strange
        if strange:
            strange -= 1
            raise RpcError("the node: internal error (code -32603)")
        return send(raw)

    world.chain.send_raw = mumbling
    world.clock.on_sleep = lambda: world.node.mine() and None

    world.sender().send(world.entry())

    assert strange == 0
    assert {attempt.nonce for attempt in world.effort().attempts} == {1}
    assert world.seq == 1
    assert world.heard == []


def test_what_the_node_said_last_is_in_the_reason(world: World) -> None:
    def mumbling(_raw: bytes) -> bytes:
        raise RpcError("the node: computer says no")

    world.chain.send_raw = mumbling
    with pytest.raises(GivenUpError, match="given up; the node said: the node: computer says no"):
        world.sender().send(world.entry())
    assert {attempt.nonce for attempt in world.effort().attempts} == {1}


def test_after_a_restart_old_transactions_are_sent_first_even_when_they_are_old(world: World) -> None:
    world.automine(False)
    world.clock.on_sleep = _killed
    with pytest.raises(Killed):
        world.sender().send(world.entry())
    world.drop(world.effort().attempts[-1])
    world.clock.time += 86_400
    world.clock.on_sleep = lambda: world.node.mine() and None

    receipt = world.sender().send(world.entry())

    assert receipt["transactionHash"] == to_hex(world.effort().attempts[0].transaction_hash)
    assert len(world.signer.tickets) == 1


def test_nonce_too_low_after_a_restart_is_sorted_out_by_the_receipt(world: World) -> None:
    """It was mined while the daemon was away, by a node that knows nothing of the receipt at first."""
    world.automine(False)
    world.clock.on_sleep = _killed
    with pytest.raises(Killed):
        world.sender().send(world.entry())
    world.node.mine()
    mined, receipt, late = world.effort().attempts[-1], world.chain.receipt, 4

    def late_receipt(transaction_hash: bytes) -> dict[str, Any] | None:
        nonlocal late
        late -= 1
        return receipt(transaction_hash) if late < 0 else None

    world.chain.receipt = late_receipt
    world.clock.on_sleep = lambda: None

    assert world.sender().send(world.entry())["transactionHash"] == to_hex(mined.transaction_hash)
    assert len(world.signer.tickets) == 1
    assert world.heard == []


# --- reorganisations -------------------------------------------------------------------------------------------------


def test_while_it_waits_for_depth_a_reorganisation_makes_it_send_the_same_bytes_again(world: World) -> None:
    world.automine(False)
    sent, before = count_sent(world), world.node.snapshot()

    def back_and_on() -> None:
        if world.chain.receipt(world.effort().attempts[0].transaction_hash) is not None:
            world.node.revert(before)
            world.clock.on_sleep = lambda: world.node.mine() and None
        else:
            world.node.mine()

    world.clock.on_sleep = back_and_on
    receipt = world.sender(confirmations=3).send(world.entry())

    assert receipt["transactionHash"] == to_hex(world.effort().attempts[0].transaction_hash)
    assert len(world.signer.tickets) == 1
    assert len(sent) >= 2
    assert len(set(sent)) == 1
    assert world.chain.block().number - int(receipt["blockNumber"], 16) >= 2


def test_a_reorganisation_that_puts_a_strangers_first_is_answered_at_the_next_nonce(world: World) -> None:
    world.automine(False)
    before = world.node.snapshot()

    def stranger_wins() -> None:
        if world.chain.receipt(world.effort().attempts[0].transaction_hash) is not None:
            world.node.revert(before)
            world.stranger(1, gwei=400)
            world.clock.on_sleep = lambda: world.node.mine() and None
        world.node.mine()

    world.clock.on_sleep = stranger_wins
    receipt = world.sender(confirmations=3).send(world.entry())

    assert [attempt.nonce for attempt in world.effort().attempts] == [1, 2]
    assert receipt["transactionHash"] == to_hex(world.effort().attempts[1].transaction_hash)
    assert world.seq == 1
    assert [message.subject.partition(":")[0] for message in world.heard] == [
        f"another program uses the key of {world.key.address}"
    ]


@pytest.fixture
def gap(world: World) -> tuple[World, Attempt, Attempt]:
    """Two entries were signed for nonces 1 and 2, and a reorganisation undid both."""
    before = world.node.snapshot()
    world.sender().send(world.entry("entry:1"))
    world.sender().send(world.entry("entry:2", number=2))
    world.node.revert(before)
    world.automine(False)
    world.clock.on_sleep = lambda: world.node.mine() and None
    first, second = world.effort("entry:1").attempts[-1], world.effort("entry:2").attempts[-1]
    assert world.chain.nonce(world.key.address) == first.nonce == second.nonce - 1
    world.drop(first)
    world.drop(second)
    return world, first, second


def test_a_gap_is_filled_by_what_was_stored_for_it(gap: tuple[World, Attempt, Attempt]) -> None:
    world, first, second = gap
    receipt = world.sender().send(world.entry("entry:2", number=2))

    assert receipt["transactionHash"] == to_hex(second.transaction_hash)
    assert world.chain.receipt(first.transaction_hash) is not None
    assert len(world.signer.tickets) == 2
    assert world.seq == 2


def test_a_gap_that_no_stored_transaction_fills_is_filled_by_nothing(gap: tuple[World, Attempt, Attempt]) -> None:
    """The one in front is refused now (say, its fee is below the base fee): it is cancelled, not signed twice."""
    world, first, second = gap
    world.signer.cancels = True
    send = world.chain.send_raw

    def refuses_first(raw: bytes) -> bytes:
        if raw == first.raw:
            raise RpcError("the node: max fee per gas less than block base fee")
        return send(raw)

    world.chain.send_raw = refuses_first
    world.chain.estimate_gas = lambda _sender, _call: 60_000

    def gap_is_open() -> bool:
        return world.chain.nonce(world.key.address) == first.nonce

    with pytest.raises(GivenUpError):  # its number is that of an entry after the one that is gone: it could not land
        world.sender().send(world.entry("entry:2", number=2, is_wanted=gap_is_open))

    cancelled = world.effort(f"cancel:{world.key.address}:1").attempts[-1]
    assert world.chain.receipt(cancelled.transaction_hash) is not None
    assert [a.nonce for a in world.effort("entry:2").attempts] == [second.nonce]


# --- another program with the same key -------------------------------------------------------------------------------


def test_a_strangers_transaction_that_waits_gets_its_time_and_is_told_once(world: World) -> None:
    world.automine(False)
    theirs = world.stranger(1)
    looks: list[int] = []

    def mine_at_the_third_look() -> None:
        looks.append(len(world.signer.tickets))
        if len(looks) >= 3:
            world.node.mine()

    world.clock.on_sleep = mine_at_the_third_look
    receipt = world.sender().send(world.entry("vote", is_urgent=True))

    assert looks[:3] == [0, 0, 0]
    assert world.chain.receipt(theirs) is not None
    assert [attempt.nonce for attempt in world.effort("vote").attempts] == [2]
    assert receipt["status"] == "0x1"
    assert len({message.key for message in world.heard}) == 1
    assert world.heard[0].urgency is Urgency.ALERT


def test_near_the_deadline_a_strangers_transaction_is_outbid(world: World) -> None:
    world.automine(False)
    theirs = world.stranger(1, gwei=3)

    def when_it_is_in_the_pool() -> None:
        if world.is_pending(world.effort("vote").attempts[-1]):
            world.node.mine()

    world.clock.on_sleep = when_it_is_in_the_pool
    receipt = world.sender(patience_seconds=10**6).send(world.entry("vote", is_urgent=True, seconds_left=lambda: 30.0))

    attempts = world.effort("vote").attempts
    assert {attempt.nonce for attempt in attempts} == {1}
    assert receipt["transactionHash"] == to_hex(attempts[-1].transaction_hash)
    assert world.chain.transaction(theirs) is None
    assert world.seq == 1
    assert len({message.key for message in world.heard}) == 1


def test_a_strangers_transaction_above_our_limit_is_waited_for(world: World) -> None:
    world.automine(False)
    theirs = world.stranger(1, gwei=400)
    slept = 0

    def mine_late() -> None:
        nonlocal slept
        slept += 1
        if slept == 30 or (slept > 30 and world.effort("vote").attempts[-1].nonce == 2):
            world.node.mine()

    world.clock.on_sleep = mine_late
    world.sender(max_fee_per_gas=20 * GWEI).send(world.entry("vote", is_urgent=True, seconds_left=lambda: 30.0))

    assert world.chain.receipt(theirs) is not None
    assert world.effort("vote").attempts[-1].nonce == 2
    assert world.seq == 1
    assert len({message.key for message in world.heard}) == 1


def test_our_own_errands_are_no_strangers(world: World) -> None:
    """One was given up and lands after all, while the next waits at the same nonce."""
    world.automine(False)
    wanted = iter([True, False])
    with pytest.raises(GivenUpError):
        world.sender().send(world.entry("old", is_wanted=lambda: next(wanted)))
    old = world.effort("old").attempts[-1]

    def old_one_lands() -> None:
        world.drop(world.effort("new").attempts[-1])
        world.chain.send_raw(old.raw)
        world.node.mine()
        world.clock.on_sleep = lambda: world.node.mine() and None

    world.clock.on_sleep = old_one_lands
    world.chain.estimate_gas = lambda _sender, _call: 100_000
    receipt = world.sender().send(world.entry("new", number=2))

    assert world.chain.receipt(old.transaction_hash) is not None
    assert receipt["transactionHash"] == to_hex(world.effort("new").attempts[-1].transaction_hash)
    assert [attempt.nonce for attempt in world.effort("new").attempts] == [1, 2]
    assert world.seq == 2
    assert world.heard == []


def _killed() -> None:
    raise Killed
