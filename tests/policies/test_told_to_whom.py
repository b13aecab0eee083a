"""Payments and the text: one amount beside two people, somebody who is passed over, a limit, a name behind a link."""

from __future__ import annotations

import pytest

from pnyx_contracts.types import ZERO_ADDRESS
from pnyx_policies.checks import CheckView, TextAgainstCalls
from pnyx_policies.context import EnsName, EnsNames
from pnyx_policies.finding import Severity
from pnyx_tools.testing.facts import (
    TIMELOCK,
    address_of,
    call_of,
    facts_for,
    holding,
    moved,
    proposal_of,
    simulated,
)

ALICE, BOB, CAROL, TOKEN, REGISTRY = map(address_of, ("alice", "bob", "carol", "token", "registry"))
POOL, SHARES, NFT = map(address_of, ("pool", "shares", "nft"))
LOW, HIGH = Severity.LOW, Severity.HIGH


def worst(text: str, *paid: tuple[str, int], context=()) -> tuple[Severity | None, str]:
    calls = [call_of(TOKEN, "transfer(address,uint256)", receiver, tokens * 10**6) for receiver, tokens in paid]
    treasury = [holding(TOKEN, 10**12, decimals=6, symbol="USDC")]
    view = CheckView(facts_for(proposal_of(calls, text), treasury=treasury, context=context))
    found = [f for f in TextAgainstCalls().run(view) if f.severity > Severity.INFO]
    gravest = max(found, key=lambda f: f.severity, default=None)
    return (gravest.severity, gravest.title.partition("the text names ")[2]) if gravest else (None, "")


def test_an_amount_beside_two_addresses_is_the_one_right_behind_it():
    text = f"The team (led by Alice, {ALICE}) laid 900 USDC out of its Safe {BOB}. We refund 900 USDC to the Safe."
    assert worst(text, (ALICE, 900)) == (HIGH, "the amount beside another address too, which gets nothing")
    group = f"Pay 900 USDC to the group led by Alice ({ALICE}) at its multisig {BOB}."
    assert worst(group, (BOB, 900)) == (None, "")
    vesting = f"Alice ({ALICE}) gets 900 USDC, vested in the contract {BOB}."
    assert worst(vesting, (BOB, 900)) == (None, "")


OFFERS = f"Two offers: 900 USDC, to {ALICE}.\n\nOr 400 USDC, to {BOB}. The second one is better, and this pays it."


def test_whom_the_text_gives_an_amount_gets_something():
    assert worst(OFFERS, (ALICE, 900)) == (HIGH, f"the amount, and another for {BOB}, who gets nothing")
    assert worst(OFFERS, (ALICE, 900), (BOB, 400)) == (None, "")


@pytest.mark.parametrize(
    "text",
    [
        f"Pay 900 USDC to {ALICE}, who hands them on:\n\n- 500 USDC to {BOB}\n- 400 USDC to {CAROL}",
        f"Pay 900 USDC to the distributor {ALICE}. The largest reward is of 400 USDC, for {BOB}.",
        f"Pay 900 USDC to {ALICE}.\n\nThe last group was paid 400 USDC at {BOB}.",
        f"Lumen donated 900 USDC from {BOB}. The DAO matches them: 900 USDC to {ALICE}.",
        f"Pay 900 USDC to {ALICE}.\n\nSigned by {BOB}, who owns 3 dogs.",
    ],
)
def test_parts_of_a_payment_and_those_of_others_are_no_promise(text):
    assert worst(text, (ALICE, 900))[0] is not HIGH


def test_a_limit_is_not_what_is_asked_for():
    receipts = f"Up to 900 USDC are possible for {ALICE}. Alice has receipts of 40 USDC, and asks for a refund."
    assert worst(receipts, (ALICE, 900)) == (HIGH, "the amount as a limit, beside 40")
    honest = f"Up to 900 USDC are possible. Alice ({ALICE}) has receipts of 40 USDC, and asks for a refund."
    assert worst(honest, (ALICE, 40)) == (None, "")
    prizes = f"A range of 500 to 900 USDC was announced. {ALICE} gets the least, 500 USDC."
    assert worst(prizes, (ALICE, 900))[0] is HIGH
    assert worst(f"A budget of up to 900 USDC, paid to {ALICE}.", (ALICE, 900)) == (None, "")
    assert worst(f"Up to 900 USDC may be spent. All 900 USDC go to {ALICE}; last year 40 USDC did.", (ALICE, 900)) == (
        None, "",
    )  # fmt: skip


def test_what_the_text_asks_for_is_paid():
    modest = f"Alice ({ALICE}) manages 900 USDC of her own, and asks for a grant of 20 USDC."
    assert worst(modest, (ALICE, 900)) == (HIGH, "the amount, and asks for 20")
    assert worst(modest, (ALICE, 20))[0] is not HIGH
    reduced = (
        f"Alice ({ALICE}) was promised 900 USDC. She needs less: 20 USDC are enough, and are paid by this proposal."
    )
    assert worst(reduced, (ALICE, 900))[0] is HIGH
    both = f"{ALICE} asks for 20 USDC for travel. The rent of the stand, 900 USDC, is for {BOB}."
    assert worst(both, (BOB, 900), (ALICE, 20))[0] is not HIGH
    chinese = f"项目申请 20 USDC，地址 {ALICE}。国库现有 900 USDC。"  # noqa: RUF001 - Chinese has its own commas
    assert worst(chinese, (ALICE, 900))[0] is HIGH
    assert worst(chinese, (ALICE, 20)) == (None, "")


def test_where_half_is_written_with_a_comma_a_dot_is_that_of_thousands():
    text = f"Honorar: 4.000 USDC an {ALICE}, das sind 0,5 % des Budgets."
    assert worst(text, (ALICE, 4)) == (HIGH, "an amount that is a thousand times this (4.000)")
    assert worst(text, (ALICE, 4_000)) == (None, "")


LINK = f"Pay [the docs group (docs.eth)](https://e.example/address/{ALICE}) 900 USDC."


def test_a_name_of_ens_leads_where_its_link_does():
    behind = "the receiver by a name alone, whose link leads to this address"
    asked = EnsNames(registry=REGISTRY)
    found = asked.model_copy(update={"names": (EnsName(address=ALICE, name="docs.eth"),)})
    assert worst(LINK, (ALICE, 900), context=[asked]) == (HIGH, behind)
    assert worst(LINK, (ALICE, 900)) == (LOW, behind)
    assert worst(LINK, (ALICE, 900), context=[found]) == (None, "")
    shown = LINK.replace("docs.eth", f"docs.eth, {ALICE}")
    assert worst(shown, (ALICE, 900), context=[asked]) == (None, "")
    assert worst(LINK.replace(" (docs.eth)", ""), (ALICE, 900), context=[asked]) == (None, "")


def test_less_than_a_millionth_is_no_other_amount():
    stream = 900 * 10**6 - 800
    calls = [call_of(TOKEN, "transfer(address,uint256)", ALICE, stream)]
    treasury = [holding(TOKEN, 10**12, decimals=6, symbol="USDC")]
    text = f"Pay 900 USDC to {ALICE}."
    assert TextAgainstCalls().run(CheckView(facts_for(proposal_of(calls, text), treasury=treasury))) == ()
    much = [call_of(TOKEN, "transfer(address,uint256)", ALICE, stream - 200)]
    (finding,) = TextAgainstCalls().run(CheckView(facts_for(proposal_of(much, text), treasury=treasury)))
    assert finding.severity is HIGH


def seen(text: str, call, *movements) -> Severity | None:
    facts = facts_for(proposal_of([call], text), simulation=simulated(movements))
    return max(
        (f.severity for f in TextAgainstCalls().run(CheckView(facts)) if f.severity > Severity.INFO), default=None
    )


def test_what_stands_for_an_asset_goes_when_the_asset_comes():
    withdraw = call_of(POOL, "withdraw(address,uint256,address)", TOKEN, 900, TIMELOCK)
    text = f"Withdraw 900 of {TOKEN} from the pool {POOL}."
    burned = moved(SHARES, ZERO_ADDRESS, 900)
    assert seen(text, withdraw, burned, moved(TOKEN, TIMELOCK, 900, sender=POOL)) is None
    assert seen(text, withdraw, burned, moved(TOKEN, TIMELOCK, 890, sender=POOL)) is HIGH
    assert seen(text, withdraw, burned) is HIGH


def test_the_other_side_of_a_stream_that_ends_is_not_hidden():
    cancel = call_of(POOL, "cancelStream(uint256)", 7)
    text = f"Cancel stream 7 of {POOL}. What is left returns."
    earned, left = moved(TOKEN, ALICE, 40, sender=POOL), moved(TOKEN, TIMELOCK, 860, sender=POOL)
    assert seen(text, cancel, earned, left) is HIGH
    assert seen(text, cancel, moved(TOKEN, ALICE, 900, sender=POOL), left) is Severity.CRITICAL
    assert seen(f"{text} {ALICE} keeps 40 of {TOKEN}.", cancel, earned, left) is None


def test_an_nft_is_told_by_its_number():
    send = call_of(NFT, "safeTransferFrom(address,address,uint256)", TIMELOCK, ALICE, 812)
    gone = moved(NFT, ALICE, 1).model_copy(update={"token_id": 812})
    assert seen(f"Lend Noun 812 to the museum, {ALICE}.", send, gone) is None
    assert seen(f"Lend Noun 813 to the museum, {ALICE}.", send, gone) is HIGH


DAY = 86_400
JANUARY = 1_798_761_600
"""The first of 2027."""


@pytest.mark.parametrize(
    ("says", "seconds", "severity"),
    [
        ("The stream runs from 1 January 2027 to 1 January 2028.", 365 * DAY, None),
        ("The stream runs from 1 January 2027 to 1 January 2028.", DAY, HIGH),
        ("Streamed until Dec 31, 2027.", 365 * DAY, None),
        ("Streamed until 2027-12-31.", 300 * DAY, HIGH),
        ("Streamed as the vote of 12 May 2026 said.", DAY, None),
        ("Streamed over twelve months.", 365 * DAY, None),
        ("Streamed over twelve months.", DAY, HIGH),
    ],
)
def test_a_stream_ends_when_the_text_says(says, seconds, severity):
    kind = "createStream(address,uint256,address,uint256,uint256)"
    stream = call_of(POOL, kind, ALICE, 20, TOKEN, JANUARY, JANUARY + seconds)
    assert seen(f"Pay 20 of {TOKEN} to {ALICE} by {POOL}. {says}", stream) is severity
