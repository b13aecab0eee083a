"""after-the-fact: payments, calls and states that came before the vote that asks for them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.policies.settled import ALICE, LOW, MALLORY, MEDIUM, USDC, changed, found, plain, worst

from pnyx_policies.checks import AfterTheFact
from pnyx_policies.context import (
    AlreadySo,
    EarlierCall,
    EarlierCalls,
    EarlierPayment,
    EarlierPayments,
    OtherPayment,
    PaymentsByOthers,
    So,
)
from pnyx_policies.finding import Severity
from pnyx_tools.testing.facts import address_of, call_of

GROUP = address_of("working group")


def paid(**values: Any) -> EarlierPayment:
    nothing = {"shortly_before": 0, "since_proposed": 0}
    return EarlierPayment(
        **({"asset": USDC, "receiver": ALICE, "transfers": 1, "amount": 200, "last_block": 790} | nothing | values)
    )


@pytest.mark.parametrize(
    ("payment", "severity"),
    [
        (paid(), LOW),
        (paid(shortly_before=49), LOW),
        (paid(shortly_before=50), MEDIUM),
        (paid(since_proposed=1), MEDIUM),
    ],
)
def test_what_was_paid_before_it_was_asked_for(payment: EarlierPayment, severity: Severity) -> None:
    facts = changed(plain(), EarlierPayments, payments=(payment,))  # which asks for 100
    (finding,) = found(AfterTheFact(), facts)
    assert (finding.severity, finding.evidence, finding.calls) == (severity, (USDC, ALICE), ("0",))
    friends = facts.model_copy(update={"known_addresses": {ALICE: "our own Safe"}})
    assert found(AfterTheFact(), friends) == ()


def test_coin_counts_as_tokens_do() -> None:
    pay = call_of(ALICE, value_wei=100)
    facts = changed(plain(pay), EarlierPayments, payments=(paid(asset=None, shortly_before=50),))
    (finding,) = found(AfterTheFact(), facts)
    assert (finding.severity, finding.evidence, finding.calls) == (MEDIUM, ("coin", ALICE), ("0",))


@pytest.mark.parametrize(("sender", "severity"), [(GROUP, MEDIUM), (MALLORY, None)])
def test_only_accounts_of_the_dao_pay_on_its_behalf(sender: str, severity: Severity | None) -> None:
    payment = OtherPayment(sender=sender, **paid(shortly_before=50).model_dump())
    facts = changed(plain(known_addresses={GROUP: "the working group"}), PaymentsByOthers, payments=(payment,))
    assert worst(AfterTheFact(), facts) is severity


@pytest.mark.parametrize(
    ("made", "severity"),
    [({}, LOW), ({"shortly_before": 1}, MEDIUM), ({"since_proposed": 1}, MEDIUM)],
)
def test_a_call_that_was_made_before_it_was_voted_on(made: dict[str, int], severity: Severity) -> None:
    call = EarlierCall(**({"path": "0", "times": 2, "shortly_before": 0, "since_proposed": 0, "last_block": 7} | made))
    (finding,) = found(AfterTheFact(), changed(plain(), EarlierCalls, calls=(call,)))
    assert (finding.severity, finding.calls) == (severity, ("0",))
    assert finding.title == "The executor made this very call 2 times before, last in block 7"


def test_a_call_for_what_is_so_already() -> None:
    so = So(path="0", contract=USDC, question="owner()")
    (finding,) = found(AfterTheFact(), changed(plain(), AlreadySo, so=(so,)))
    assert (finding.severity, finding.title, finding.evidence) == (
        LOW,
        "What 1 call asks for is so already",
        (USDC,),
    )


def test_what_of_the_past_is_not_known_hides_nothing_of_the_rest() -> None:
    facts = changed(plain(), EarlierPayments, payments=(paid(),))
    rest = {kind.TOOL for kind in (PaymentsByOthers, EarlierCalls, AlreadySo)}
    without = facts.model_copy(update={"context": tuple(r for r in facts.context if r.tool not in rest)})
    assert found(AfterTheFact(), without) == found(AfterTheFact(), facts) != ()
