"""Numbers of settings: a percentage of an unusual whole, two settings in one sentence."""

from __future__ import annotations

import pytest

from pnyx_policies.checks import CheckView, TextAgainstCalls
from pnyx_policies.finding import Severity
from pnyx_policies.settings_told import odd_whole
from pnyx_tools.testing.facts import address_of, call_of, facts_for, proposal_of

FACTORY, MARKET, COMPTROLLER = map(address_of, ("factory", "market", "comptroller"))


def found(text: str, *calls) -> list[str]:
    findings = TextAgainstCalls().run(CheckView(facts_for(proposal_of(calls, text))))
    return [finding.title for finding in findings if finding.severity is Severity.HIGH]


@pytest.mark.parametrize(
    ("says", "value", "whole"),
    [
        ("1%", 1, None),
        ("1%", 100, None),
        ("1%", 10**4, None),
        ("1%", 10**16, None),
        ("1%", 1_000, 100_000),
        ("1%", 10, 1_000),
        ("1 percent, from 10%", 1_000, None),
        ("1% (1000 of 100,000)", 1_000, None),
        ("10% (1,000 basis points)", 1_000, None),
        ("0%", 0, None),
        ("no fee", 1_000, None),
    ],
)
def test_one_percent_is_of_a_usual_whole(says, value, whole):
    assert odd_whole(f"Set the protocol fee to {says}.", value) == whole


def test_a_fee_that_may_be_ten_times_what_the_text_says_is_for_people():
    fee = call_of(FACTORY, "setProtocolFee(uint256)", 1_000)
    (title,) = found(f"Set the protocol fee of {FACTORY} to 1%.", fee)
    assert title == "setProtocolFee sets 1000: that is what the text says only where 100,000 are the whole"
    assert found(f"Set the protocol fee of {FACTORY} to 10%.", fee) == []


def test_each_of_two_settings_in_a_sentence_has_its_number():
    factor = call_of(COMPTROLLER, "_setCollateralFactor(address,uint256)", MARKET, 0)
    reserve = call_of(MARKET, "_setReserveFactor(uint256)", 10**18)
    text = f"In {COMPTROLLER} set the collateral factor to 0 and the reserve factor to 100%, of {MARKET}."
    assert found(text, factor, reserve) == []
    more = call_of(COMPTROLLER, "_setCollateralFactor(address,uint256)", MARKET, 8 * 10**17)
    assert found(text, more, reserve) == ["_setCollateralFactor sets 800000000000000000, and the text says 100%"]
