"""Payments and the text: one amount beside two people, somebody who is passed over, a limit, a name behind a link."""

from __future__ import annotations

import pytest

from pnyx_policies.checks import CheckView, TextAgainstCalls
from pnyx_policies.context import EnsName, EnsNames
from pnyx_policies.finding import Severity
from pnyx_tools.testing.facts import address_of, call_of, facts_for, holding, proposal_of

ALICE, BOB, CAROL, TOKEN, REGISTRY = map(address_of, ("alice", "bob", "carol", "token", "registry"))
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
