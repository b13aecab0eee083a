"""What is paid, and never more: by urgency, by the caps, by the money that is there."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pnyx_contracts.errors import PnyxError
from pnyx_tools.chain import HISTORY_BLOCKS, FeeMarket
from pnyx_tools.reader import RpcError
from pnyx_tools.sender import Attempt, GasMoneyError, GivenUpError, Sender, SpendingLimitError
from pnyx_tools.sender.errand import in_ether
from pnyx_tools.sender.fees import Urgency, bumped, offer, patience, urgency_of
from pnyx_tools.sender.money import Load, Purse
from pnyx_tools.signer.protocol import DailyLimitError

from .senders import GWEI, World

amounts = st.integers(0, 10**13)
markets = st.builds(
    lambda base, tips: FeeMarket(base, tuple(sorted(tips))), amounts, st.lists(amounts, min_size=4, max_size=4)
)
rivals = st.none() | st.builds(
    lambda one, two: Attempt(
        nonce=1, transaction_hash=bytes(32), raw=b"", max_fee_per_gas=max(one, two),
        max_priority_fee_per_gas=min(one, two), signed_at=0,
    ),
    amounts, amounts,
)  # fmt: skip


@given(market=markets, limit=amounts, rival=rivals, urgency=st.sampled_from(Urgency))
def test_an_offer_is_within_the_limit_and_enough(
    market: FeeMarket, limit: int, rival: Attempt | None, urgency: Urgency
) -> None:
    fees = offer(market, urgency, limit, rival)
    if fees is None:
        return
    assert fees.max_priority_fee <= fees.max_fee <= limit
    assert fees.max_fee >= market.base_fee + market.tips[Urgency.CALM]
    if rival is not None:
        assert fees.max_fee >= bumped(rival.max_fee_per_gas)
        assert fees.max_priority_fee >= bumped(rival.max_priority_fee_per_gas)
        assert fees.max_fee * 1000 >= rival.max_fee_per_gas * 1125


@given(market=markets, limit=amounts, rival=rivals)
def test_who_is_in_a_hurry_never_pays_less_and_is_never_refused_more(
    market: FeeMarket, limit: int, rival: Attempt | None
) -> None:
    offers = [offer(market, urgency, limit, rival) for urgency in Urgency]
    assert len({fees is None for fees in offers}) == 1
    made = [fees for fees in offers if fees is not None]
    assert [fees.max_priority_fee for fees in made] == sorted(fees.max_priority_fee for fees in made)
    assert [fees.max_fee for fees in made] == sorted(fees.max_fee for fees in made)


@given(market=markets, rival=rivals, limits=st.tuples(amounts, amounts))
def test_a_higher_limit_refuses_nothing_that_a_lower_one_allows(
    market: FeeMarket, rival: Attempt | None, limits: tuple[int, int]
) -> None:
    lower, higher = (offer(market, Urgency.HIGH, limit, rival) for limit in sorted(limits))
    assert lower is None or (higher is not None and higher.max_fee >= lower.max_fee)


@given(times=st.tuples(st.floats(-100, 10**7), st.floats(-100, 10**7)), interval=st.floats(1, 10**4))
def test_less_time_is_never_less_urgent_and_never_less_impatient(times: tuple[float, float], interval: float) -> None:
    nearer, farther = (urgency_of(seconds, interval) for seconds in sorted(times))
    assert nearer >= farther >= urgency_of(None, interval)
    assert patience(nearer, interval) <= patience(farther, interval) <= interval


def test_what_is_late_is_as_urgent_as_can_be() -> None:
    assert urgency_of(-1, 90) is Urgency.LAST


@given(
    market=markets, gas=st.integers(21_000, 10**6), rival=rivals, urgency=st.sampled_from(Urgency),
    balance=st.integers(0, 10**19), daily=st.integers(0, 10**19), spent=st.integers(0, 10**19),
    per_vote=st.integers(0, 10**18), on_vote=st.integers(0, 10**18), max_fee=amounts,
    after=st.just(0) | st.integers(21_000, 10**6), beside=st.integers(0, 10**17),
    promised=st.just(0) | st.integers(0, 10**19),
)  # fmt: skip
def test_no_cap_is_ever_passed(
    market: FeeMarket, gas: int, rival: Attempt | None, urgency: Urgency, balance: int, daily: int, spent: int,
    per_vote: int, on_vote: int, max_fee: int, after: int, beside: int, promised: int,
) -> None:  # fmt: skip
    load, later = Load(gas, beside), Load(after, beside)
    purse = Purse(load, market, max_fee, balance, "0xA", daily, spent, "a vote", per_vote, on_vote, later, promised)
    fees = purse.offer(urgency, rival)
    if fees is not None:
        cost = (gas + after) * fees.max_fee + 2 * beside
        assert fees.max_fee <= max_fee
        assert promised + cost <= balance
        assert spent + promised + cost <= daily
        assert on_vote + cost <= per_vote
        assert purse.refusal() is None


@pytest.mark.parametrize(
    ("short", "kind", "figures"),
    [
        ({"balance": 10**12}, GasMoneyError, "0xA has 0.000001 ether and needs at least 0.0012 ether"),
        ({"daily": 10**15}, DailyLimitError, "could cost 0.0012 ether; the daily limit is 0.001 ether"),
        ({"per_vote": 10**15}, SpendingLimitError, "would cost 0.0012 ether at least.*ether is 0.001 ether"),
    ],
)
def test_a_refusal_names_the_cap_and_both_figures(short: dict[str, int], kind: type[PnyxError], figures: str) -> None:
    market = FeeMarket(10 * GWEI, (2 * GWEI,) * 4)
    rich = {"balance": 10**18, "daily": 10**18, "per_vote": 10**18}
    purse = Purse(
        load=Load(100_000),
        market=market,
        max_fee_per_gas=10**12,
        address="0xA",
        spent_in_a_day=0,
        vote="v",
        **rich | short,
    )
    refusal = purse.refusal()
    assert isinstance(refusal, kind)
    assert re.search(figures, refusal.message)


def test_ether_is_shown_exactly() -> None:
    assert [in_ether(wei) for wei in (0, 1, 10**18, 12 * 10**17)] == [
        "0 ether", "0.000000000000000001 ether", "1 ether", "1.2 ether",
    ]  # fmt: skip


# --- on a node -------------------------------------------------------------------------------------------------------


def payment(world: World, gwei: int) -> dict[str, str]:
    """From one account to the next; each `gwei` has an account of its own, so that the order is that of the tips."""
    fees = {"maxFeePerGas": hex(100 * GWEI), "maxPriorityFeePerGas": hex(gwei * GWEI)}
    return {"from": world.node.accounts[gwei], "to": world.node.accounts[0], "gas": hex(21_000)} | fees


def test_near_its_deadline_a_vote_pays_more_and_is_replaced_sooner(world: World) -> None:
    """Each block holds tips from 1 to 4 gwei; nobody mines ours until it was replaced."""
    world.automine(False)
    for _ in range(HISTORY_BLOCKS):
        for gwei in range(1, 5):
            world.node.request("eth_sendTransaction", payment(world, gwei))
        world.node.mine()
    seconds_left, times = 10_000.0, list[float]()

    def run(purpose: str, number: int) -> Attempt:
        def after_two() -> None:
            if len(world.effort(purpose).attempts) == 2:
                world.node.mine()

        world.clock.on_sleep = after_two
        begun = world.clock.time
        world.sender(poll_seconds=2).send(
            world.entry(purpose, number, is_urgent=True, seconds_left=lambda: seconds_left)
        )
        attempts = world.effort(purpose).attempts
        times.append(attempts[1].signed_at - begun)
        return attempts[0]

    calm = run("calm", 1)
    seconds_left = 100.0
    last = run("last", 2)

    assert last.max_priority_fee_per_gas > calm.max_priority_fee_per_gas
    assert times[0] >= 60
    assert times[1] <= 20


def test_a_base_fee_that_shoots_up_is_paid_up_to_the_caps(world: World) -> None:
    world.automine(False)
    rose = False

    def base_fee_rises() -> None:
        nonlocal rose
        if not rose:
            world.node.request("anvil_setNextBlockBaseFeePerGas", hex(60 * GWEI))
            rose = True
        world.node.mine()

    world.clock.on_sleep = base_fee_rises
    receipt = world.sender(max_fee_per_gas=100 * GWEI).send(world.entry())

    attempts = world.effort().attempts
    assert len(attempts) > 1
    assert all(attempt.max_fee_per_gas <= 100 * GWEI for attempt in attempts)
    assert int(receipt["effectiveGasPrice"], 16) <= 100 * GWEI


def test_a_vote_that_is_too_dear_is_told_once_and_lands_when_fees_fall(world: World) -> None:
    base_fee = world.chain.fee_market().base_fee
    world.node.request("anvil_setNextBlockBaseFeePerGas", hex(500 * GWEI))
    world.node.mine()
    sender = world.sender(max_fee_per_gas=2_000 * GWEI, vote_wei=10**16)
    vote = world.entry("vote", is_urgent=True, charged_to="1:0xG:7")
    for _ in range(2):
        with pytest.raises(SpendingLimitError, match=r"the vote on 1:0xG:7 would cost .* is 0.01 ether"):
            sender.send(vote)
    assert world.signer.tickets == []
    assert {message.key for message in world.heard} == {"spending:1:0xG:7"}

    world.node.request("anvil_setNextBlockBaseFeePerGas", hex(max(base_fee, GWEI)))
    world.node.mine()
    sender.send(vote)

    ticket = world.signer.tickets[-1]
    assert ticket.gas_limit * ticket.max_fee_per_gas <= 10**16


def test_the_cap_per_vote_counts_all_that_was_signed_for_it(world: World) -> None:
    """A stranger takes the nonce of the first: what was signed for it counts on, under whatever purpose."""
    world.sender().send(world.entry("entry", charged_to="vote 7"))
    spent = world.signer.tickets[0].gas_limit * world.signer.tickets[0].max_fee_per_gas

    tight = world.sender(vote_wei=spent + 21_000)
    with pytest.raises(SpendingLimitError):
        tight.send(world.entry("ballot", number=2, charged_to="vote 7"))
    tight.send(world.entry("ballot of another", number=2, charged_to="vote 8"))
    assert world.seq == 2


def announced(world: World, votes: int) -> Sender:
    """The entry of "vote 7" is on chain. A sender that may pay for so many such transactions a day, and a bit."""
    entry = world.entry("entry", charged_to="vote 7", follows=lambda: world.entry().prepare()[0])
    world.sender().send(entry)
    (ticket,) = world.signer.tickets
    return world.sender(daily_wei=ticket.gas_limit * ticket.max_fee_per_gas * votes + 21_000)


def test_what_a_vote_still_takes_is_kept_from_all_others(world: World) -> None:
    sender = announced(world, votes=2)
    with pytest.raises(DailyLimitError):
        sender.send(world.entry("note", number=2))
    sender.send(world.entry("ballot", number=2, charged_to="vote 7"))
    assert world.seq == 2


def test_what_was_kept_for_a_vote_is_free_when_it_is_too_late_for_it(world: World) -> None:
    sender = announced(world, votes=2)
    with pytest.raises(GivenUpError, match="too late"):
        sender.send(world.entry("ballot", number=2, charged_to="vote 7", is_wanted=lambda: False))
    sender.send(world.entry("note", number=2))
    assert world.seq == 2


def test_gas_money_that_is_promised_to_a_vote_pays_for_nothing_else(world: World) -> None:
    announced(world, votes=2)
    (ticket,) = world.signer.tickets
    world.node.set_balance(world.key.address, ticket.gas_limit * ticket.max_fee_per_gas + 21_000)
    with pytest.raises(GasMoneyError):
        world.sender().send(world.entry("note", number=2))
    world.sender().send(world.entry("ballot", number=2, charged_to="vote 7"))
    assert world.seq == 2


def test_replacing_a_vote_ends_at_its_cap_and_the_last_one_keeps_waiting(world: World) -> None:
    world.automine(False)
    fees = world.chain.fees()
    slept = 0

    def late() -> None:
        nonlocal slept
        slept += 1
        if slept == 40:
            world.node.mine()

    world.clock.on_sleep = late
    gas = world.chain.estimate_gas(world.key.address, world.entry().prepare()[0]) * 5 // 4
    cap = gas * fees.max_fee * 13 // 10
    world.sender(vote_wei=cap).send(world.entry("vote", charged_to="vote 7"))

    assert len(world.effort("vote").attempts) == 2
    assert all(t.gas_limit * t.max_fee_per_gas <= cap for t in world.signer.tickets)
    assert world.heard == []


def test_low_gas_money_is_told_once_with_balance_and_need_and_mended_by_sending_some(world: World) -> None:
    world.node.set_balance(world.key.address, 10**12)
    for _ in range(2):
        with pytest.raises(GasMoneyError, match=f"{world.key.address} has 0.000001 ether and needs at least") as caught:
            world.sender().send(world.entry())
    assert (caught.value.address, caught.value.balance_wei) == (world.key.address, 10**12)
    assert caught.value.need_wei > 10**12
    assert len({message.key for message in world.heard}) == 1
    assert world.signer.tickets == []

    world.node.set_balance(world.key.address, 10**18)
    assert world.sender().send(world.entry())["status"] == "0x1"


def test_with_little_money_the_fee_is_lowered_before_anything_is_refused(world: World) -> None:
    fees = world.chain.fee_market()
    gas = world.chain.estimate_gas(world.key.address, world.entry().prepare()[0]) * 5 // 4
    balance = gas * (fees.base_fee + fees.tips[-1]) + 21_000
    world.node.set_balance(world.key.address, balance)
    assert world.sender().send(world.entry())["status"] == "0x1"
    assert gas * world.signer.tickets[0].max_fee_per_gas <= balance


def test_a_node_with_a_cap_of_its_own_is_told_about(world: World) -> None:
    def capped(_raw: bytes) -> bytes:
        raise RpcError("the node: tx fee (1.10 ether) exceeds the configured cap (1.00 ether)")

    world.chain.send_raw = capped
    with pytest.raises(GivenUpError, match="exceeds the configured cap"):
        world.sender().send(world.entry())
    assert {message.subject.partition(" (")[0] for message in world.heard} == {
        "the node refuses a transaction as too dear"
    }
