"""A fee spike, and after it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pnyx_contracts.types import to_hex
from pnyx_tools.chain import Chain, FeeMarket
from pnyx_tools.reader import RpcError
from pnyx_tools.sender import (
    Attempt,
    GivenUpError,
)
from pnyx_tools.sender.fees import Urgency, offer

from .moments import Killed
from .senders import World, raising


@pytest.fixture
def spiked(world: World) -> tuple[int, Attempt]:
    """The limit, and a vote that was bumped almost there, given up, and dropped by every mempool."""
    world.automine(False)
    limit = world.chain.fees().max_fee * 12 // 10
    wanted = iter([True, True, True, False])
    with pytest.raises(GivenUpError):
        world.sender(max_fee_per_gas=limit).send(world.entry("vote-closed", is_wanted=lambda: next(wanted)))
    for attempt in world.effort("vote-closed").attempts:
        world.node.request("anvil_dropTransaction", to_hex(attempt.transaction_hash))
    rival = world.effort("vote-closed").attempts[-1]
    assert not world.is_pending(rival)
    assert offer(world.chain.fee_market(), Urgency.CALM, limit, rival) is None
    return limit, rival


def test_a_given_up_transaction_at_the_limit_is_sent_again_and_frees_its_nonce(
    world: World, spiked: tuple[int, Attempt]
) -> None:
    limit, rival = spiked
    world.clock.on_sleep = world.node.mine
    receipt = world.sender(max_fee_per_gas=limit).send(world.entry("next", number=2))

    assert receipt["status"] == "0x1"
    assert world.chain.receipt(rival.transaction_hash) is not None
    assert [a.nonce for a in world.effort("next").attempts] == [rival.nonce + 1]
    assert world.seq == 2


@pytest.mark.parametrize(
    "complaint", ["max fee per gas less than block base fee", "transaction underpriced: tip needed 1, tip permitted 0"]
)
def test_a_given_up_transaction_that_no_node_takes_is_no_rival(
    world: World, spiked: tuple[int, Attempt], complaint: str
) -> None:
    limit, rival = spiked
    world.clock.on_sleep = world.node.mine

    class Forgetful(Chain):
        def send_raw(self, signed: bytes) -> bytes:
            if signed == rival.raw:
                raise RpcError(f"the node: {complaint}")
            return super().send_raw(signed)

    receipt = world.sender(Forgetful.of([world.node.url]), max_fee_per_gas=limit).send(world.entry("next"))

    assert receipt["status"] == "0x1"
    assert [a.nonce for a in world.effort("next").attempts] == [rival.nonce]
    assert world.chain.receipt(rival.transaction_hash) is None


def test_after_a_crash_a_transaction_that_no_node_takes_does_not_block_the_others(world: World) -> None:
    world.automine(False)
    world.clock.on_sleep = raising(Killed)
    with pytest.raises(Killed):
        world.sender().send(world.entry())
    lost = world.effort().attempts[-1]
    world.node.request("anvil_dropTransaction", to_hex(lost.transaction_hash))

    class Forgetful(Chain):
        def send_raw(self, signed: bytes) -> bytes:
            if signed == lost.raw:
                raise RpcError("the node: insufficient funds for gas * price + value")
            return super().send_raw(signed)

    world.clock.on_sleep = world.node.mine
    assert world.sender(Forgetful.of([world.node.url])).send(world.entry("entry:2"))["status"] == "0x1"


amounts = st.integers(0, 10**12)


@given(limit=amounts, base=amounts, tip=amounts, rival=st.none() | st.tuples(amounts, amounts))
def test_fees_stay_within_the_limit_and_pay_for_the_block_and_the_replacement(
    limit: int, base: int, tip: int, rival: tuple[int, int] | None
) -> None:
    before = None
    if rival is not None:
        before = Attempt(
            nonce=1, transaction_hash=bytes(32), raw=b"", max_fee_per_gas=max(rival),
            max_priority_fee_per_gas=min(rival), signed_at=0,
        )  # fmt: skip
    fees = offer(FeeMarket(base, (tip, tip, tip, tip)), Urgency.CALM, limit, before)
    if fees is None:
        dearest = max(base + tip, (max(rival) * 115 // 100 + 2) if rival else 0)
        assert dearest > limit or (rival and 2 * base + tip > limit)
        return
    assert fees.max_priority_fee <= fees.max_fee <= limit
    assert fees.max_fee >= base + tip
    if before is not None:
        assert fees.max_fee * 1000 >= before.max_fee_per_gas * 1125
