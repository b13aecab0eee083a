"""Cancelling what is not wanted any more and still holds a nonce: by the sender, and the signer that allows it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from pnyx_contracts.entry import EntryKind
from pnyx_contracts.errors import RefusedError
from pnyx_tools.sender import GivenUpError
from pnyx_tools.signer.protocol import NotYetError, SignCancel
from pnyx_tools.signer.settings import WriterKind

from .parliament import GWEI, STRANGER, Parliament
from .senders import World


def too_late(world: World, **parts: Any) -> Callable[[], None]:
    """Sends a vote that nobody mines and that closes meanwhile."""
    wanted = iter([True, False])

    def send() -> None:
        with pytest.raises(GivenUpError, match="too late for it"):
            world.sender().send(world.entry("vote", is_urgent=True, is_wanted=lambda: next(wanted), **parts))

    return send


def cancellation(world: World) -> str:
    return f"cancel:{world.key.address}:1"


def test_a_vote_that_is_too_late_is_cancelled_when_nothing_else_needs_its_nonce(world: World) -> None:
    world.automine(False)
    world.signer.cancels = True
    too_late(world)()

    vote, nothing = world.effort("vote").attempts[-1], world.effort(cancellation(world)).attempts[-1]
    assert nothing.nonce == vote.nonce
    assert nothing.max_fee_per_gas * 1000 >= vote.max_fee_per_gas * 1125
    world.node.mine()
    receipt = world.chain.receipt(nothing.transaction_hash)
    assert receipt is not None
    assert receipt["status"] == "0x1"
    assert int(receipt["gasUsed"], 16) == 21_000
    assert world.chain.receipt(vote.transaction_hash) is None
    assert world.seq == 0


def test_a_cancellation_that_waits_makes_way_for_the_next_errand(world: World) -> None:
    world.automine(False)
    world.signer.cancels = True
    too_late(world)()
    nothing = world.effort(cancellation(world)).attempts[-1]
    world.clock.on_sleep = lambda: world.node.mine() and None

    world.sender().send(world.entry("note"))

    note = world.effort("note").attempts[-1]
    assert note.nonce == nothing.nonce
    assert world.chain.receipt(nothing.transaction_hash) is None
    assert world.seq == 1
    assert world.heard == []


def test_what_is_followed_at_once_is_not_cancelled(world: World) -> None:
    world.automine(False)
    world.signer.cancels = True
    too_late(world, is_followed=True)()
    assert cancellation(world) not in world.outbox.contents


def test_with_others_in_the_queue_nothing_is_cancelled(world: World) -> None:
    """They take the nonce."""
    world.automine(False)
    world.signer.cancels = True
    sender, wanted = world.sender(), iter([True, False])
    note = threading.Thread(target=lambda: sender.send(world.entry("note")))

    def another_comes() -> None:
        if note.ident is None:
            note.start()
            while not sender._turns.anyone_waits:
                note.join(0.001)
        elif not world.signer.tickets[1:]:
            return
        else:
            world.node.mine()

    world.clock.on_sleep = another_comes
    with pytest.raises(GivenUpError):
        sender.send(world.entry("vote", is_urgent=True, is_wanted=lambda: next(wanted)))
    note.join(30)

    assert not note.is_alive()
    assert cancellation(world) not in world.outbox.contents
    assert world.effort("note").attempts[0].nonce == world.effort("vote").attempts[0].nonce
    assert world.seq == 1


def test_a_cancellation_above_the_fee_limit_is_left(world: World) -> None:
    world.automine(False)
    world.signer.cancels = True
    limit, wanted = world.chain.fees().max_fee + 1, iter([True, False])
    with pytest.raises(GivenUpError):
        world.sender(max_fee_per_gas=limit).send(world.entry("vote", is_wanted=lambda: next(wanted)))
    assert cancellation(world) not in world.outbox.contents


# --- the signer ------------------------------------------------------------------------------------------------------


def cancel(parliament: Parliament, **parts: Any) -> SignCancel:
    return SignCancel(ticket=parliament.ticket(**{"gas_limit": 40_000, "max_fee_per_gas": 40 * GWEI, **parts}))


@pytest.fixture
def waiting(parliament: Parliament) -> Parliament:
    """A vote (or the entry that announces it) was signed for the key's next nonce and is not mined."""
    parliament.signer().sign(parliament.ask_vote(parliament.dossier(parliament.open())))
    return parliament


def test_it_signs_nothing_to_itself_and_every_kind_of_account_takes_it(waiting: Parliament) -> None:
    before = waiting.state().seq
    receipt = waiting.land(waiting.signer().sign(cancel(waiting)))
    assert receipt["status"] == "0x1"
    assert receipt["from"] == receipt["to"] == waiting.key.address.lower()
    assert receipt["logs"] == []
    transaction = waiting.node.request("eth_getTransactionByHash", receipt["transactionHash"])
    assert (transaction["value"], transaction["input"]) == ("0x0", "0x")
    assert int(receipt["gasUsed"], 16) < 30_000
    assert waiting.state().seq == before


def test_after_a_cancellation_the_same_vote_can_still_be_signed(waiting: Parliament) -> None:
    """It took a nonce, not the decision."""
    dossier = waiting.dossier(waiting.open())
    signed = waiting.signer().sign(waiting.ask_vote(dossier))
    waiting.land(waiting.signer().sign(cancel(waiting)))
    again = waiting.signer().sign(waiting.ask_vote(dossier))
    assert again.nonce == signed.nonce + 1


def test_a_nonce_that_it_signed_nothing_for_is_not_its_to_cancel(parliament: Parliament) -> None:
    with pytest.raises(RefusedError, match="nothing was signed here for nonce"):
        parliament.signer().sign(cancel(parliament))


def test_a_nonce_before_what_it_signed_is_its_to_fill(parliament: Parliament) -> None:
    """Another program's transaction was there, and is gone with its block."""
    before = parliament.node.snapshot()
    stranger = {"from": parliament.key.address, "to": parliament.key.address, "value": "0x1"}
    parliament.node.impersonate(parliament.key.address)
    parliament.node.request("eth_sendTransaction", stranger)
    behind = parliament.signer().sign(parliament.ask_vote(parliament.dossier(parliament.open())))
    parliament.node.revert(before)
    filled = parliament.signer().sign(cancel(parliament))
    assert filled.nonce == behind.nonce - 1
    assert parliament.land(filled)["status"] == "0x1"


@pytest.mark.parametrize("distance", [-1, 1])
def test_only_the_next_nonce_is_cancelled(waiting: Parliament, distance: int) -> None:
    waiting.node.send(waiting.key.address, sender=waiting.key.address)
    nonce = waiting.node.rpc.nonce(waiting.key.address) + distance
    with pytest.raises(NotYetError, match="the key's next nonce on chain is"):
        waiting.signer().sign(cancel(waiting, nonce=nonce))


@pytest.mark.parametrize(
    ("parts", "limit"),
    [
        ({"gas_limit": 500_001}, "max_gas"),
        ({"max_fee_per_gas": 401 * GWEI}, "max_fee_gwei"),
        ({"max_priority_fee_per_gas": 41 * GWEI}, "the priority fee"),
    ],
)
def test_its_limits_hold_for_cancellations_too(waiting: Parliament, parts: dict[str, int], limit: str) -> None:
    with pytest.raises(RefusedError, match=limit):
        waiting.signer().sign(cancel(waiting, **parts))


def test_the_cost_of_one_transaction_is_limited(gate: Parliament) -> None:
    cost = 300_000 * 20 * GWEI
    limits = gate.settings.limits.model_copy(update={"max_spend_wei": cost - 1})
    settings = gate.settings.model_copy(update={"limits": limits})
    request = gate.ask_vote(gate.dossier(gate.open()))
    expected = rf"without a vote \(max_spend_per_vote_ether\) would be {cost} wei; this signer's limit is {cost - 1}"
    with pytest.raises(RefusedError, match=expected):
        gate.signer(settings).sign(request)
    assert gate.signer().sign(request).raw


def test_a_cancellation_counts_as_what_it_replaces_does(found: Callable[..., Parliament]) -> None:
    """Cancelled entries take the money of entries, cancelled votes that of votes: spam cannot change sides."""
    gate = found(kind=WriterKind.GATE)
    cost = 300_000 * 20 * GWEI
    limits = gate.settings.limits.model_copy(update={"daily_wei": 4 * cost})
    gate.settings = gate.settings.model_copy(update={"limits": limits})
    for _ in range(2):
        gate.signer().sign(gate.ask_entry(gate.dossier(gate.open(to=STRANGER)), EntryKind.HOLD))
        gate.land(gate.signer().sign(cancel(gate)))
    with pytest.raises(RefusedError, match="entries without a vote"):
        gate.signer().sign(gate.ask_entry(gate.dossier(gate.open(to=STRANGER)), EntryKind.HOLD))
    for _ in range(2):
        gate.signer().sign(gate.ask_vote(gate.dossier(gate.open())))
        gate.land(gate.signer().sign(cancel(gate)))
    with pytest.raises(RefusedError, match="max_spend_per_day_ether"):
        gate.signer().sign(gate.ask_vote(gate.dossier(gate.open())))
