"""Rulesets that extend others: the order of the whole, what replaces what, and that the whole needs no other file."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.policies.test_decide import rule_lists, situations

from pnyx_contracts.errors import UsageError
from pnyx_policies.decide import decide
from pnyx_policies.decision import Outcome
from pnyx_policies.extending import RulesetFile, load
from pnyx_policies.finding import Severity
from pnyx_policies.ruleset import Ruleset, RulesetError
from pnyx_policies.rulesets import shipped_ruleset
from pnyx_tools.rulebook import files_of, read_ruleset
from pnyx_tools.testing.facts import PROPOSER

ALICE = "0x91c32893216dE3eA0a55ABb9851f581d4503d39b"
BOB = "0xcD42b4c4D102cc22864e3A1341Bb0529c17fD87d"


def head(name: str, extends: str = "") -> str:
    return f'name = "{name}"\nversion = "7"\n' + (f'extends = "{extends}"\n' if extends else "")


def rule(name: str, then: str, line: str) -> str:
    text = f'[[rule]]\nid = "{name}"\nbecause = "Because of {name}."\nwhen = ["{line}"]\nthen = "{then}"\n'
    return text + ('[rule.model]\nallow = ["for"]\nmin_confidence_percent = 60\n' if then == "model" else "")


BASE = (
    head("base")
    + '[limits]\nmin_blocks_left = 10\n[addresses]\npayees = []\nblocked = ["' + BOB + '"]\n'
    + rule("hostile", "against", "findings.critical > 0")
    + rule("blocked", "hold", "outflow.recipients touches [blocked]")
    + rule("pay", "for", "outflow.recipients within [payees]")
    + rule("rest", "abstain", "calls.count is 1")
)  # fmt: skip


def extended(own: str, base: str = BASE) -> Ruleset:
    return load(RulesetFile(own, "own.toml"), lambda name, _: RulesetFile(base, name))


def ids(ruleset: Ruleset) -> list[str]:
    return [r.id for r in ruleset.rules]


def test_guards_of_both_come_before_anything_in_favour():
    own = (
        head("own", "base.toml")
        + rule("quiet", "skip", "text.length < 3")
        + rule("advised", "model", "calls.count is 2")
        + rule("large", "hold", "outflow.share > 9%")
    )
    assert ids(extended(own)) == ["quiet", "hostile", "blocked", "advised", "large", "pay", "rest"]


def test_a_rule_of_the_same_id_replaces_and_stands_with_the_own_ones():
    own = (
        head("own", "base.toml")
        + rule("hostile", "hold", "findings.critical > 0")
        + rule("pay", "for", "calls.count is 3")
    )
    whole = extended(own)
    assert ids(whole) == ["hostile", "blocked", "pay", "rest"]
    assert [r.then for r in whole.rules] == ["hold", "hold", "for", "abstain"]
    assert [c.text for c in whole.rules[2].when] == ["calls.count is 3"]


def test_limits_are_the_tighter_of_both():
    own = head("own", "base.toml") + "[limits]\nmin_blocks_left = 11\nmin_seconds_left = 5\n"
    limits = extended(own).limits
    assert (limits.min_blocks_left, limits.min_seconds_left, limits.min_voting_power) == (11, 5, 1)
    assert extended(head("own", "base.toml")).limits.min_blocks_left == 10


def test_an_address_book_fills_the_one_of_the_same_name():
    whole = extended(head("own", "base.toml") + f'[addresses]\npayees = ["{ALICE.lower()}"]\n')
    assert whole.groups == {"payees": {ALICE}, "blocked": {BOB}}
    assert whole.rules[2].when[0].literal.value == {ALICE}


def test_a_ruleset_can_extend_one_that_extends():
    files = {
        "a": head("a", "b") + rule("one", "hold", "calls.count is 7"),
        "b": head("b", "c") + rule("two", "hold", "calls.count is 8"),
        "c": BASE,
    }
    whole = load(RulesetFile(files["a"], "a"), lambda name, _: RulesetFile(files[name], name))
    assert ids(whole) == ["one", "two", "hostile", "blocked", "pay", "rest"]


def test_the_whole_is_read_without_any_other_file():
    whole = extended(head("own", "base.toml") + rule("one", "for", "calls.count is 7"))
    again = Ruleset.parse(whole.text, whole.source)
    assert (again.rules, again.limits, again.groups, again.hash) == (
        whole.rules,
        whole.limits,
        whole.groups,
        whole.hash,
    )
    assert whole.text.startswith("# own 7, which extends base 7: the whole, written out by Pnyx.\n")


printable = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=10)


@given(printable, printable, printable)
def test_any_words_survive_being_written_out(name, description, because):
    own = "\n".join(
        f"{key} = {json.dumps(value, ensure_ascii=False)}"
        for key, value in (("name", name), ("version", "1"), ("description", description), ("extends", "base.toml"))
    )
    own += '\n[[rule]]\nid = "x"\nwhen = ["calls.count is 7"]\nthen = "hold"\n'
    whole = extended(own + f"because = {json.dumps(because, ensure_ascii=False)}\n")
    assert (whole.name, whole.description, whole.rules[0].because) == (name, description, because)


@settings(max_examples=200)
@given(rule_lists, situations())
def test_no_own_rule_makes_a_vote_in_favour_of_what_an_extended_guard_stops(own, situation):
    text = head("own", "base.toml")
    for place, (line, then) in enumerate(own):
        text += rule(f"own-{place}", then, line)
    base = (
        head("base") + rule("critical", "against", "findings.critical > 0") + rule("high", "hold", "findings.high > 0")
        + rule("yes", "for", "proposal.proposer is " + PROPOSER)
    )  # fmt: skip
    try:
        whole = extended(text, base)
    except RulesetError:
        assume(False)
    facts, reports, opinions = situation
    severities = {f.severity for r in reports for f in r.findings}
    if severities & {Severity.HIGH, Severity.CRITICAL}:
        assert decide(whole, facts, reports, opinions).outcome is not Outcome.FOR


def test_a_ruleset_that_extends_none_keeps_its_text_to_the_letter():
    assert extended(BASE).text == BASE


@pytest.mark.parametrize(
    ("own", "says"),
    [
        (head("own", "base.toml") + "[limits]\nmin_blocks_left = 9\n", "min_blocks_left is 9, in base.toml 10"),
        (head("own", "base.toml") + f'[addresses]\npayee = ["{ALICE}"]\n', "no rule names this group"),
        (head("own", "base.toml") + f'[addresses]\npayee = ["{ALICE}"]\n', "did you mean 'payees'?"),
        (head("own", "base.toml") + f'[addresses]\npayees = "{ALICE}"\n', "payees must be a list of addresses"),
        (head("own", "base.toml") + '[addresses]\npayees = [["0x"]]\n', "expected 0x and 40 hex digits"),
        (head("own", "base.toml") + f'[addresses]\npayees = ["{ALICE[:-1]}B"]\n', "with a right checksum; got"),
        (head("own", "base.toml") + "[addresses]\nPayees = []\n", "a group's name is lower-case letters"),
        (head("own", "base.toml") + "addresses = 3\n", "[addresses] must be a table"),
        (head("own", "base.toml") + rule("x", "hold", "outflow.recipients touches [blokked]"), "mean 'blocked'?"),
        (head("own", "base.toml") + rule("x", "hold", "calls.cuont is 1"), "own.toml: rule 'x': when line"),
        (head("own", "base.toml") + rule("x", "skip", "findings.critical > 0"), "'hostile' is never reached: rule 'x'"),
        (head("own") + "extends = 3\n", "extends must name a ruleset; got 3"),
        (head("own", "own.toml"), "own.toml extends own.toml: none of them is the first"),
    ],
)  # fmt: skip
def test_what_an_extension_gets_wrong_is_told(own, says):
    files = {"own.toml": own, "base.toml": BASE}
    with pytest.raises(RulesetError, match=re.escape(says)):
        load(RulesetFile(own, "own.toml"), lambda name, _: RulesetFile(files[name], name))


def test_a_mistake_in_the_extended_file_is_told_as_its_own():
    with pytest.raises(RulesetError, match=r"^base.toml: the ruleset: name is missing"):
        extended(head("own", "base.toml"), 'version = "1"\n')


def test_what_is_not_whole_is_run_by_nobody():
    with pytest.raises(RulesetError, match="it extends another ruleset"):
        Ruleset.parse(head("own", "guardian"), "the record's ruleset")


def test_files_are_found_beside_the_file_that_names_them(tmp_path):
    (tmp_path / "shared").mkdir()
    (tmp_path / "rules.toml").write_text(head("own", "shared/base.toml") + rule("one", "hold", "calls.count is 7"))
    (tmp_path / "shared" / "base.toml").write_text(head("base", "careful.toml"))
    (tmp_path / "shared" / "careful.toml").write_text(head("careful", "guardian"))
    assert ids(read_ruleset("rules.toml", tmp_path))[:2] == ["one", "hidden-or-hostile"]
    assert [file.name for file in files_of("rules.toml", tmp_path)] == ["rules.toml", "base.toml", "careful.toml"]
    assert files_of("guardian", tmp_path) == ()
    assert read_ruleset("guardian", tmp_path).text == shipped_ruleset("guardian")
    (tmp_path / "shared" / "careful.toml").unlink()
    with pytest.raises(UsageError, match=r"no ruleset 'careful.toml'"):
        read_ruleset("rules.toml", tmp_path)


def test_files_that_extend_each_other_are_no_endless_story(tmp_path):
    (tmp_path / "a.toml").write_text(head("a", "b.toml"))
    (tmp_path / "b.toml").write_text(head("b", "a.toml"))
    assert len(files_of("a.toml", tmp_path)) == 2
    with pytest.raises(RulesetError, match="none of them is the first"):
        read_ruleset("a.toml", tmp_path)
