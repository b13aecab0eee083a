"""The schema for editors: what the parser takes, it takes; what is wrong in form, it refuses."""

from __future__ import annotations

import json
import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from tests.policies.test_policy_docs import RULESETS as PAGE
from tests.policies.test_policy_docs import examples
from tests.policies.test_ruleset import HEAD, MISTAKES, rule

from pnyx_policies.checks import builtin_checks
from pnyx_policies.conditions import operators_of, parse_condition
from pnyx_policies.fields import SEVERITIES, FieldType, catalogue
from pnyx_policies.literals import LIST_OPERATORS, ConditionError
from pnyx_policies.ruleset_schema import ruleset_schema
from pnyx_policies.rulesets import shipped_ruleset, shipped_rulesets

CHECKS = tuple(check.name for check in builtin_checks())
SCHEMA = ruleset_schema(CHECKS)
VALIDATOR = Draft7Validator(SCHEMA)
FIELDS = catalogue(CHECKS)
ALICE = "0x91c32893216dE3eA0a55ABb9851f581d4503d39b"

MORE_THAN_FORM = {
    "line never holds", "line always holds", "contradiction", "duplicate id", "after always", "covered",
    "covered by an alternative", "on a model's word",
}  # fmt: skip
"""Mistakes that no form shows: `pnyx policy check` is for them."""


def fits(text: str) -> bool:
    return VALIDATOR.is_valid(tomllib.loads(text))


def test_it_is_a_schema():
    Draft7Validator.check_schema(SCHEMA)
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


@pytest.mark.parametrize("text", [*map(shipped_ruleset, shipped_rulesets()), *examples(PAGE)])
def test_rulesets_that_load_fit(text):
    assert [error.message for error in VALIDATOR.iter_errors(tomllib.loads(text))] == []


@pytest.mark.parametrize("mistake", sorted({*MISTAKES} - {"no toml"}))
def test_what_is_wrong_in_form_does_not_fit(mistake):
    assert fits(MISTAKES[mistake][0]) is (mistake in MORE_THAN_FORM)


@pytest.mark.parametrize(
    "wrong",
    [
        "extends = 3",
        'extends = ""',
        "[limits]\nmin_blocks_left = 1.5",
        '[limits]\nmin_blocks_left = "soon"',
        '[addresses]\npayees = "0x91c32893216dE3eA0a55ABb9851f581d4503d39b"',
        '[addresses]\npayees = ["alice.eth"]',
        "[addresses]\nPayees = []",
        rule(when='["outflow.native <= 1 USDC"]'),
        rule(when='["outflow.share <= 5"]'),
        rule(when='["calls.names within [a, ]"]'),
        rule(when='["calls.names contains [a]"]'),
        rule(when='["simulation.status is [succeeded]"]'),
        rule(when='["proposal.proposer in [0x12]"]'),
        rule(when='["finding.made-up >= high"]'),
        rule(any='["always"]'),
    ],
)
def test_more_that_does_not_fit(wrong):
    assert not fits(HEAD + wrong)


LITERALS = {
    FieldType.NUMBER: ["0", "7", "1_000_000", "01", "1_00", "1.5", "-1", "x"],
    FieldType.WEI: ["0", "1_000", "1.5 ether", "1_000.25 ETH", "2xDAI", "1 eth", "1.", "1 USDC", ".5 ether"],
    FieldType.SHARE: ["5%", "0.25 %", "25 bps", "5", "%", "1_0%", "5.%"],
    FieldType.SEVERITY: [*SEVERITIES, "High", "extreme"],
    FieldType.ADDRESS: [ALICE, ALICE.lower(), "0x12", "alice"],
    FieldType.ADDRESSES: [ALICE, ALICE.lower(), "0x12", "payees", "Payees"],
    FieldType.NAMES: ["transfer", "_x9", "9x", "a(b)"],
}


@st.composite
def lines(draw):
    field = draw(st.sampled_from(list(FIELDS.values())))
    operator = draw(st.sampled_from([*operators_of(field.type), "=="]))
    one = st.sampled_from([*LITERALS.get(field.type, ["other"]), *field.words])
    listed = draw(st.booleans()) if operator not in LIST_OPERATORS else draw(st.sampled_from([True, True, False]))
    literal = f"[{', '.join(draw(st.lists(one, max_size=2)))}]" if listed else draw(one)
    return f"{draw(st.sampled_from(['', 'not ']))}{field.name} {operator} {literal}"


@settings(max_examples=400)
@given(lines())
def test_lines_fit_when_they_parse(line):
    groups = {"payees": frozenset(), "alice": frozenset()}
    try:
        parse_condition(line, FIELDS, groups)
        parses = True
    except ConditionError:
        parses = False
    assert fits(HEAD + rule(when=f'["{line}"]')) is parses
