"""The condition language: what parses, what it answers, exactly."""

from __future__ import annotations

import operator
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pnyx_contracts.types import UINT256_MAX
from pnyx_policies.conditions import (
    Truth,
    all_hold,
    any_holds,
    contradiction,
    is_always_true,
    operators_of,
    parse_condition,
)
from pnyx_policies.fields import FieldType, Seen, Situation, catalogue
from pnyx_policies.literals import ConditionError
from pnyx_tools.testing.facts import address_of, call_of, facts_for, moved, proposal_of, simulated

FIELDS = catalogue(["outflow", "text-against-calls"])
ALICE = "0x91c32893216dE3eA0a55ABb9851f581d4503d39b"
BOB = "0xcD42b4c4D102cc22864e3A1341Bb0529c17fD87d"

COMPARE = {"is": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
edges = st.sampled_from([0, 1, 2**53 - 1, 2**53, 2**53 + 1, 2**64, 2**255 - 1, 2**255, 2**255 + 1, UINT256_MAX])
uint256 = edges | st.integers(0, UINT256_MAX)


def answer(line: str, value: object, why: str = "") -> Truth:
    return parse_condition(line, FIELDS).holds_for(Seen(value, why))


@given(uint256, st.sampled_from(sorted(COMPARE)), uint256)
def test_numbers_compare_exactly_up_to_uint256(seen, op, literal):
    expected = COMPARE[op](seen, literal)
    assert answer(f"voter.voting_power {op} {literal}", seen) is (Truth.YES if expected else Truth.NO)
    assert answer(f"not voter.voting_power {op} {literal}", seen) is (Truth.NO if expected else Truth.YES)


@pytest.mark.parametrize("number", [2**53, 2**255])
def test_neighbours_that_floats_cannot_tell_apart_differ(number):
    assert answer(f"voter.voting_power is {number}", number) is Truth.YES
    assert answer(f"voter.voting_power is {number}", number + 1) is Truth.NO


@given(uint256, st.sampled_from(sorted(COMPARE)), uint256, uint256)
def test_a_lower_bound_answers_only_what_every_larger_number_would(bound, op, literal, more):
    told = answer(f"findings.high {op} {literal}", bound, "a check was skipped")
    truth = min(bound + more, UINT256_MAX)
    if told is not Truth.UNKNOWN:
        assert told is answer(f"findings.high {op} {literal}", truth)


@given(
    st.frozensets(st.sampled_from("abcde")),
    st.frozensets(st.sampled_from("abcde")),
    st.sampled_from(["contains c", "within [a, b, c]", "touches [a, e]"]),
    st.booleans(),
)
def test_a_part_of_a_set_answers_only_what_every_larger_set_would(known, more, tail, negated):
    line = f"{'not ' if negated else ''}calls.names {tail}"
    told = answer(line, known, "some calls are unknown")
    if told is not Truth.UNKNOWN:
        assert told is answer(line, known | more)


def test_what_is_unknown_is_neither_true_nor_false():
    for line in ("simulation.status is succeeded", "not simulation.status is succeeded", "outflow.share < 5%"):
        assert answer(line, None, "nobody looked") is Truth.UNKNOWN


@pytest.mark.parametrize(
    ("line", "yes", "no"),
    [
        ("outflow.share <= 2.5%", 250, 251),
        ("outflow.share <= 25 bps", 25, 26),
        ("outflow.native <= 1.5 ether", 15 * 10**17, 15 * 10**17 + 1),
        ("outflow.native <= 1_000.25 ETH", 100_025 * 10**16, 100_025 * 10**16 + 1),
        ("outflow.native is 18446744073709551617", 2**64 + 1, 2**64),
        ("outflow.native < 20 ether", 20 * 10**18 - 1, 20 * 10**18),
        (f"outflow.native >= {UINT256_MAX}", UINT256_MAX, UINT256_MAX - 1),
        ("outflow.share <= 5 %", 500, 501),
        ("outflow.native > 1_000_000", 1_000_001, 1_000_000),
        ("finding.outflow >= high", 4, 3),
        ("finding.outflow is none", 0, 1),
        ("simulation.status is succeeded", "succeeded", "reverted"),
        (f"proposal.proposer in [{ALICE}, {BOB.lower()}]", BOB, "0x" + "11" * 20),
        (f"outflow.recipients within [{ALICE}]", frozenset({ALICE}), frozenset({ALICE, BOB})),
        ("calls.names contains transfer", frozenset({"transfer", "approve"}), frozenset({"approve"})),
        ("calls.names touches [upgradeTo, grantRole]", frozenset({"grantRole"}), frozenset({"transfer"})),
        ("calls.names within [transfer, nothing]", frozenset({"nothing"}), frozenset({"mint"})),
    ],
)
def test_lines_mean_what_they_say(line, yes, no):
    assert answer(line, yes) is Truth.YES
    assert answer(line, no) is Truth.NO


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("findings.critical", "expected FIELD OPERATOR VALUE"),
        ("finding.critical > 0", "unknown field 'finding.critical'; did you mean 'findings.critical'?"),
        ("finding.outflows > low", "did you mean 'finding.outflow'?"),
        ("findings.critical == 0", "goes with is, <, <=, >, >=; got '=='"),
        ("simulation.status > succeeded", "goes with is, in"),
        ("simulation.status is succeded", "did you mean 'succeeded'?"),
        ("findings.critical > -1", "a whole number from 0"),
        ("findings.critical > 1.5", "a whole number from 0"),
        ("findings.critical > 1e3", "a whole number from 0"),
        ("findings.critical > 0x10", "a whole number from 0"),
        ("findings.critical > 1_00", "a whole number from 0"),
        (f"voter.voting_power > {2**256}", "a whole number from 0 to 2**256-1"),
        ("voter.voting_power > " + "9" * 10_000, "a whole number from 0 to 2**256-1"),
        ("outflow.share > 5", "a share like 5%"),
        ("outflow.share > 0.001%", "a share like 5%"),
        ("outflow.native > 0.0000000000000000001 ether", "an amount like"),
        ("outflow.native > 10 USDC", "an amount like"),
        ("outflow.native > 10 eth", "an amount like"),
        ("outflow.native > ETH", "an amount like"),
        (f"outflow.native > {2**256 // 10**18 + 1} ether", "an amount like"),
        ("voter.voting_power > 10 ETH", "a whole number from 0"),
        ("outflow.recipients within [payees]", "[addresses] has no group 'payees'"),
        ("calls.names within [transfer, a-b]", "function names, without arguments"),
        ("finding.outflow > extreme", "one of none, info, low, medium, high, critical"),
        ("proposal.proposer is alice.eth", "0x and 40 hex digits"),
        (f"proposal.proposer is {ALICE[:-1]}B", "a right checksum"),
        ("calls.names within transfer", "takes a list like [a, b]"),
        ("calls.names within []", "at least one member"),
        ("calls.names contains transfer(address)", "function names, without arguments"),
    ],
)
def test_what_does_not_parse_says_what_was_expected(line, complaint):
    with pytest.raises(ConditionError, match=re.escape(complaint)):
        parse_condition(line, FIELDS)


@given(st.integers(0, UINT256_MAX // 10**18), st.integers(0, 10**18 - 1), st.sampled_from(["ether", "ETH", "xDAI"]))
def test_an_amount_with_a_unit_is_the_wei_that_it_says(whole, fraction, unit):
    line = f"outflow.native is {whole}.{fraction:018} {unit}"
    wei = whole * 10**18 + fraction
    if wei > UINT256_MAX:
        with pytest.raises(ConditionError):
            parse_condition(line, FIELDS)
    else:
        assert parse_condition(line, FIELDS).literal.value == wei


@given(uint256, uint256)
def test_amounts_of_coin_compare_exactly_up_to_uint256(seen, literal):
    for op, compare in COMPARE.items():
        assert answer(f"outflow.native {op} {literal}", seen) is (Truth.YES if compare(seen, literal) else Truth.NO)


@pytest.mark.parametrize(
    ("chain", "line", "expected", "why"),
    [
        (1, "outflow.native <= 1 ETH", Truth.YES, ""),
        (8453, "outflow.native < 1 ETH", Truth.NO, ""),
        (100, "outflow.native <= 1 ETH", Truth.UNKNOWN, "unknown: the coin of chain 100 is xDAI"),
        (100, "not outflow.native <= 1 ETH", Truth.UNKNOWN, "unknown: the coin of chain 100 is xDAI"),
        (100, "outflow.native <= 1 xDAI", Truth.YES, ""),
        (987654, "outflow.native <= 1 ETH", Truth.UNKNOWN, "the coin of chain 987654 is not known here"),
        (987654, "outflow.native <= 1 ether", Truth.YES, ""),
    ],
)
def test_an_amount_of_one_coin_says_nothing_about_another(chain, line, expected, why):
    pay = proposal_of([call_of(ALICE, value_wei=10**18)], "Pay.", chain_id=chain)
    facts = facts_for(pay, simulation=simulated([moved(None, ALICE, 10**18)]))
    found = parse_condition(line, FIELDS).judge(Situation(facts, (), (), frozenset()))
    assert found.truth is expected
    assert why in found.words


def test_all_members_of_a_long_set_are_seen_and_the_record_has_a_few_of_them():
    people = [address_of(str(n)) for n in range(20)]
    pay = proposal_of([call_of(person, value_wei=1) for person in people], "Pay.")
    facts = facts_for(pay, simulation=simulated([moved(None, person, 1) for person in people]))
    found = parse_condition("outflow.recipients within [payees]", FIELDS, {"payees": frozenset(people[:19])}).judge(
        Situation(facts, (), (), frozenset())
    )
    assert found.truth is Truth.NO
    assert all(person in (found.value or "") for person in people)
    assert "] and 12 more)" in found.words


GROUPS = {"payees": frozenset({ALICE, BOB}), "nobody": frozenset()}


@pytest.mark.parametrize(
    ("line", "value", "expected"),
    [
        ("outflow.recipients within [payees]", frozenset({ALICE}), Truth.YES),
        ("outflow.recipients within [payees]", frozenset({ALICE, "0x" + "11" * 20}), Truth.NO),
        ("outflow.recipients within [nobody]", frozenset({ALICE}), Truth.NO),
        ("outflow.recipients within [nobody]", frozenset(), Truth.YES),
        (f"outflow.recipients within [nobody, {ALICE}]", frozenset({ALICE}), Truth.YES),
        ("outflow.recipients touches [payees]", frozenset({BOB}), Truth.YES),
        ("not proposal.proposer in [payees]", ALICE, Truth.NO),
    ],
)
def test_a_group_stands_for_its_addresses(line, value, expected):
    condition = parse_condition(line, FIELDS, GROUPS)
    assert condition.holds_for(Seen(value)) is expected
    assert condition.literal.groups <= set(GROUPS)


def test_every_type_of_field_has_operators():
    assert all(operators_of(kind) for kind in FieldType)


truths = st.lists(st.sampled_from(Truth))


@given(truths)
def test_all_and_any_are_kleene_and_mirror_each_other(found):
    flip = {Truth.YES: Truth.NO, Truth.NO: Truth.YES, Truth.UNKNOWN: Truth.UNKNOWN}
    assert all_hold(found) is flip[any_holds(flip[t] for t in found)]
    if Truth.NO in found:
        assert all_hold(found) is Truth.NO
    elif Truth.UNKNOWN in found:
        assert all_hold(found) is Truth.UNKNOWN


@pytest.mark.parametrize(
    ("lines", "impossible"),
    [
        (["calls.count > 5", "calls.count < 6"], "calls.count"),
        (["calls.count > 5", "calls.count < 7"], ""),
        (["not calls.count > 5", "calls.count is 6"], "calls.count"),
        ([f"voter.voting_power > {UINT256_MAX}"], "voter.voting_power"),
        (["simulation.status is succeeded", "simulation.status is reverted"], "simulation.status"),
        ([f"proposal.proposer is {ALICE}", f"not proposal.proposer in [{ALICE}, {BOB}]"], "proposal.proposer"),
        ([f"not proposal.proposer in [{ALICE}, {BOB}]"], ""),
        (["finding.outflow > critical"], "finding.outflow"),
    ],
)
def test_lines_that_can_never_hold_together_are_found(lines, impossible):
    assert contradiction([parse_condition(line, FIELDS) for line in lines]) == impossible


@pytest.mark.parametrize(
    ("line", "always"),
    [("calls.count >= 0", True), ("finding.outflow >= none", True), ("calls.count >= 1", False)],
)
def test_lines_that_say_nothing_are_found(line, always):
    assert is_always_true(parse_condition(line, FIELDS)) is always
