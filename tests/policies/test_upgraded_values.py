"""What an upgrade may change, and what it may not."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode

from pnyx_contracts.selectors import selector_of
from pnyx_contracts.types import Call
from pnyx_policies.checks import CheckSkipped, CheckView, UpgradedValuesCheck
from pnyx_policies.context import ChangedValue, UpgradedValues, ValuesOfUpgrades
from pnyx_policies.facts import Change, Facts
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.getters import in_words
from pnyx_tools.testing.facts import (
    GOVERNOR,
    TIMELOCK,
    address_of,
    call_of,
    facts_for,
    proposal_of,
    results_of,
    simulated,
)

PROXY, CODE, ADMIN, ALICE = map(address_of, ("a proxy", "new code", "a proxy's admin", "alice"))
NOTHING, SOMETHING = bytes(32), (7).to_bytes(32, "big")
WHO = bytes(12) + bytes.fromhex(ALICE[2:])
UPGRADE = call_of(PROXY, "upgradeTo(address)", CODE)


def changed(name: str, before: bytes, after: bytes | None, *, constant: bool = False) -> ChangedValue:
    return ChangedValue(
        selector=selector_of(name), account=TIMELOCK, before=before, after=after, is_of_the_code=constant
    )


def upgraded(*values: ChangedValue, answered: int = 8, more: int = 0) -> UpgradedValues:
    return UpgradedValues(
        contract=PROXY, after=CODE, beacon=None, asked=9, answered=answered, changed=values, more_moved=more,
        more_constants=4, left_out=0, opened=(),
    )  # fmt: skip


def judged(facts: Facts, *upgrades: UpgradedValues) -> tuple[Finding, ...]:
    context = results_of([ValuesOfUpgrades(upgrades=upgrades, left_out=0, from_block=None)])
    return UpgradedValuesCheck().run(CheckView(facts.model_copy(update={"context": context})))


def found(*values: ChangedValue, calls: tuple[Call, ...] = (UPGRADE,), more: int = 0) -> tuple[Finding, ...]:
    return judged(facts_for(proposal_of(list(calls), f"Upgrade {PROXY} to {CODE}.")), upgraded(*values, more=more))


def test_what_no_action_sets_is_high() -> None:
    (finding,) = found(changed("fee()", SOMETHING, NOTHING), more=2)
    assert (finding.severity, finding.calls, finding.evidence) == (Severity.HIGH, ("0",), (PROXY, CODE))
    assert finding.title == f"{PROXY} answers otherwise by its new code: 3 of 8 values"
    assert finding.detail == "No action sets that. fee() was 7 and is 0."


@pytest.mark.parametrize(
    "calls",
    [
        (UPGRADE, call_of(PROXY, "setFee(uint256)", 9)),
        (call_of(PROXY, "upgradeToAndCall(address,bytes)", CODE, b"\x01\x02\x03\x04"),),
        (call_of(ADMIN, "upgradeAndCall(address,address,bytes)", PROXY, CODE, b"\x01\x02\x03\x04"),),
    ],
)
def test_what_an_action_may_have_set_is_for_people_to_look_at(calls: tuple[Call, ...]) -> None:
    assert [f.severity for f in found(changed("fee()", SOMETHING, NOTHING), calls=calls)] == [Severity.MEDIUM]


@pytest.mark.parametrize(
    "calls",
    [
        (UPGRADE, call_of(ALICE, "setFee(uint256)", 9)),
        (call_of(PROXY, "upgradeToAndCall(address,bytes)", CODE, b""),),
        (call_of(ADMIN, "upgrade(address,address)", PROXY, CODE),),
    ],
)
def test_other_calls_and_empty_initialisers_set_nothing(calls: tuple[Call, ...]) -> None:
    assert [f.severity for f in found(changed("fee()", SOMETHING, NOTHING), calls=calls)] == [Severity.HIGH]


@pytest.mark.parametrize(("before", "after"), [(WHO, SOMETHING), (SOMETHING, WHO), (SOMETHING, None), (WHO, None)])
def test_signs_of_moved_storage_are_high_whatever_an_action_sets(before: bytes, after: bytes | None) -> None:
    (finding,) = found(changed("fee()", before, after), calls=(UPGRADE, call_of(PROXY, "setFee(uint256)", 9)))
    assert finding.severity is Severity.HIGH
    assert "moved storage" in finding.detail


def test_constants_are_low_beside_what_moved() -> None:
    (low,) = found(changed("cap()", SOMETHING, NOTHING, constant=True))
    assert (low.severity, low.title) == (Severity.LOW, f"Constants of the code of {PROXY} are others: 5")
    both = found(changed("fee()", SOMETHING, NOTHING), changed("cap()", SOMETHING, NOTHING, constant=True))
    assert [finding.severity for finding in both] == [Severity.HIGH, Severity.LOW]
    assert found() == ()


def test_whose_value_it_was_is_told() -> None:
    (finding,) = found(changed("balanceOf(address)", SOMETHING, NOTHING))
    assert f"balanceOf({TIMELOCK}) was 7 and is 0." in finding.detail


def test_without_an_upgrade_nothing_has_to_be_known_and_with_one_it_has() -> None:
    upgrades, pays = (facts_for(proposal_of([call], "A text.")) for call in (UPGRADE, call_of(ALICE, value_wei=1)))
    without = {"context": ()}
    assert UpgradedValuesCheck().run(CheckView(pays.model_copy(update=without))) == ()
    with pytest.raises(CheckSkipped, match="upgraded_values"):
        UpgradedValuesCheck().run(CheckView(upgrades.model_copy(update=without)))


@pytest.mark.parametrize(("contract", "severity"), [(PROXY, Severity.HIGH), (GOVERNOR, Severity.CRITICAL)])
def test_an_initialiser_that_the_upgrade_opens(contract: str, severity: Severity) -> None:
    facts = facts_for(proposal_of([call_of(contract, "upgradeTo(address)", CODE)], ""))
    opened = upgraded().model_copy(update={"contract": contract, "opened": ("init()",)})
    (finding,) = judged(facts, opened)
    assert (finding.severity, finding.calls) == (severity, ("0",))
    assert "init()" in finding.title


def test_an_upgrade_of_which_nothing_was_asked_is_told() -> None:
    """One that no call names, one whose code shows no functions; not one whose proxies were asked in its place."""
    change = Change(kind="upgraded", contract=ALICE, subject=CODE, detail="")
    unseen = facts_for(proposal_of([call_of(ALICE, "become(bytes)", b"")], ""), simulation=simulated((), (change,)))
    (finding,) = judged(unseen)
    assert (finding.severity, finding.evidence) == (Severity.LOW, (ALICE,))
    named = facts_for(proposal_of([UPGRADE], ""))
    assert [f.evidence for f in judged(named, upgraded(answered=0))] == [(PROXY,)]
    assert judged(named, upgraded()) == ()
    of_proxy = upgraded().model_copy(update={"contract": ALICE, "beacon": PROXY})
    assert judged(named, of_proxy) == ()


def test_many_values_are_counted_and_the_first_ones_shown() -> None:
    (finding,) = found(*[changed(f"value{place}()", SOMETHING, NOTHING) for place in range(8)])
    assert "8 of 8" in finding.title
    assert finding.detail.count(" was 7 ") == 6
    assert finding.detail.endswith("; ...")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (SOMETHING, "7"),
        ((1_234_567).to_bytes(32, "big"), "1,234,567"),
        (WHO, ALICE),
        (encode(["string"], ["Vault"]), '"Vault"'),
        (encode(["string"], ["a\u202eb"]), None),
        (b"\xaa" * 32, "0x" + "aa" * 32),
        (encode(["bytes"], [b"\xff"]), "0x" + encode(["bytes"], [b"\xff"])[:64].hex()),
        (b"\x01", "0x01"),
        (b"", "0x"),
    ],
)
def test_answers_in_words(answer: bytes, words: str | None) -> None:
    told = in_words(answer)
    assert told == words if words is not None else "\u202e" not in told
