"""Rulesets: what loads, and what every mistake is told as."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from eth_hash.auto import keccak

from pnyx_contracts.types import Vote
from pnyx_policies.ruleset import Ruleset, RulesetError
from pnyx_policies.rulesets import shipped_ruleset, shipped_rulesets

HEAD = 'name = "test"\nversion = "1"\n'


def rule(**keys: str) -> str:
    values = {"id": '"a-rule"', "because": '"Because."', "then": '"against"'} | keys
    return "[[rule]]\n" + "".join(f"{key} = {value}\n" for key, value in values.items())


def parse(text: str, checks: tuple[str, ...] | None = None) -> Ruleset:
    return Ruleset.parse(text, "my.toml", checks)


def test_a_ruleset_is_named_by_the_hash_of_its_text():
    text = HEAD + rule(when='["findings.critical > 0"]')
    ruleset = parse(text)
    assert ruleset.hash == keccak(text.encode())
    assert ruleset.text == text
    assert [r.id for r in ruleset.rules] == ["a-rule"]


@pytest.mark.parametrize("name", shipped_rulesets())
def test_shipped_rulesets_load_and_say_what_they_are_for(name):
    ruleset = parse(shipped_ruleset(name))
    assert ruleset.name == name
    assert ruleset.description
    assert ruleset.rules[0].id == "hidden-or-hostile"


def test_large_amounts_in_limits_are_exact():
    ruleset = parse(HEAD + f'[limits]\nmin_voting_power = "{2**255 + 1}"\n')
    assert ruleset.limits.min_voting_power == 2**255 + 1


def test_a_model_rule_carries_its_limits():
    text = HEAD + rule(when='["calls.count > 0"]', then='"model"')
    ruleset = parse(text + '[rule.model]\nallow = ["for", "abstain"]\nmin_confidence_percent = 70\nmin_agreeing = 2\n')
    limits = ruleset.rules[0].model
    assert limits is not None
    assert (limits.allow, limits.min_confidence_percent, limits.min_agreeing) == ({Vote.FOR, Vote.ABSTAIN}, 70, 2)


def test_checks_of_plugins_can_be_named_when_they_run():
    text = HEAD + rule(when='["finding.my-check >= high"]')
    with pytest.raises(RulesetError, match=re.escape("unknown field 'finding.my-check'")):
        parse(text)
    assert parse(text, ("my-check",)).checks == {"my-check"}


_ALWAYS = rule(id='"all"', when='["always"]', then='"hold"')

MISTAKES = {
    "no toml": ("name =", "my.toml: this is no TOML"),
    "no name": ('version = "1"', "the ruleset: name is missing"),
    "unknown key": (HEAD + 'colour = "red"', "unknown key 'colour', expected name, version"),
    "near key": (HEAD + 'rules = "red"', "did you mean 'rule'?"),
    "unknown limit": (HEAD + "[limits]\nmin_block_left = 3", "did you mean 'min_blocks_left'?"),
    "limit of zero": (HEAD + "[limits]\nmin_voting_power = 0", "min_voting_power must be a whole number from 1"),
    "rule is no table": (HEAD + "rule = 3", "rule must be an array of tables"),
    "bad id": (HEAD + rule(id='"A rule"', when='["always"]'), "rule 1: id 'A rule' must be lower-case"),
    "no because": (HEAD + '[[rule]]\nid = "x"\nthen = "hold"\nwhen = ["always"]', "rule 'x': because is missing"),
    "long because": (HEAD + rule(because=f'"{"x" * 141}"', when='["always"]'), "one line of at most 140 bytes"),
    "two lines": (HEAD + rule(because='"a\\nb"', when='["always"]'), "one line of at most 140 bytes"),
    "wrong then": (HEAD + rule(then='"agianst"', when='["always"]'), "did you mean 'against'?"),
    "no condition": (HEAD + rule(), 'a rule that always matches says when = ["always"]'),
    "empty when": (HEAD + rule(when="[]"), "has no conditions"),
    "always and more": (HEAD + rule(when='["always", "calls.count > 1"]'), '"always" stands alone'),
    "for anything": (HEAD + rule(when='["always"]', then='"for"'), "would vote on anything"),
    "bad line": (
        HEAD + rule(when='["findings.critical > 0", "finding.critical > 0"]'),
        "rule 'a-rule': when line 'finding.critical > 0': unknown field 'finding.critical'; did you mean",
    ),
    "line is no text": (HEAD + rule(when="[1]"), "when must be a list of lines"),
    "line never holds": (HEAD + rule(when='["calls.count < 0"]'), "can never hold, whatever calls.count is"),
    "line always holds": (HEAD + rule(any='["calls.count >= 0"]'), "always holds: leave it out"),
    "contradiction": (
        HEAD + rule(when='["calls.count > 3", "calls.count < 3"]'),
        "can never match: its lines on calls.count contradict",
    ),
    "duplicate id": (
        HEAD + rule(when='["calls.count > 3"]') + rule(when='["calls.count > 4"]'),
        "two rules have the id 'a-rule'",
    ),
    "after always": (HEAD + _ALWAYS + rule(when='["calls.count > 3"]'), "'a-rule' is never reached: rule 'all'"),
    "covered": (
        HEAD + rule(id='"one"', when='["calls.count > 3"]') + rule(when='["calls.unknown > 0", "calls.count > 3"]'),
        "'a-rule' is never reached: rule 'one'",
    ),
    "covered by an alternative": (
        HEAD
        + rule(id='"one"', any='["calls.count > 3", "calls.unknown > 0"]')
        + rule(when='["calls.unknown > 0"]', then='"hold"'),
        "'a-rule' is never reached: rule 'one'",
    ),
    "model without limits": (HEAD + rule(when='["calls.count > 0"]', then='"model"'), "[rule.model] is missing"),
    "limits without model": (
        HEAD + rule(when='["calls.count > 0"]') + '[rule.model]\nallow = ["for"]\n',
        '[rule.model] goes with then = "model" only',
    ),
    "model may hold": (
        HEAD
        + rule(when='["calls.count > 0"]', then='"model"')
        + '[rule.model]\nallow = ["hold"]\nmin_confidence_percent = 1\n',
        "allow must be one of for, against, abstain; got 'hold'",
    ),
    "confidence over 100": (
        HEAD
        + rule(when='["calls.count > 0"]', then='"model"')
        + '[rule.model]\nallow = ["for"]\nmin_confidence_percent = 101\n',
        "min_confidence_percent must be a whole number from 0 to 100; got 101",
    ),
    "on a model's word": (
        HEAD + rule(when='["model.recommendation is for"]', then='"for"'),
        "votes in favour on a model's word",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_every_mistake_is_told_when_the_ruleset_loads(mistake):
    text, complaint = MISTAKES[mistake]
    with pytest.raises(RulesetError) as error:
        parse(text)
    assert complaint in error.value.message
    assert error.value.message.startswith("my.toml: ")


def test_rules_that_overlap_and_do_not_cover_are_fine():
    overlap = (
        rule(id='"one"', when='["calls.count > 3"]', any='["calls.unknown > 0", "findings.high > 0"]')
        + rule(id='"two"', when='["calls.count > 3"]')
        + rule(id='"three"', any='["calls.unknown > 0", "calls.count > 3"]')
    )
    assert len(parse(HEAD + overlap).rules) == 3


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "x = " + "[" * 50_000 + "]" * 50_000,
        HEAD + "x = " + "{a=" * 50_000,
        HEAD + "[limits]\n" + ".".join("a" * 50_000) + " = 1",
        HEAD + f"[{'.'.join('a' * 50_000)}]",
    ],
    ids=["lists", "tables", "dotted key", "dotted heading"],
)
def test_no_depth_stops_the_reader(text):
    with pytest.raises(RulesetError, match=re.escape("my.toml: this is no TOML: nested deeper than 32 levels")):
        parse(text)


def test_a_key_of_many_dots_does_not_take_the_readers_memory():
    code = """
import resource, sys
from pnyx_policies.ruleset import Ruleset, RulesetError
resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
try:
    Ruleset.parse(sys.stdin.read(), "my.toml")
except RulesetError as error:
    print(error.message)
"""
    text = HEAD + ".".join(["a", '"b"', "'c'"] * 20_000) + " = 1"
    ended = subprocess.run([sys.executable, "-c", code], input=text, capture_output=True, text=True, check=False)
    assert "nested deeper than 32 levels" in ended.stdout, ended.stderr[-2_000:]


def test_brackets_in_texts_and_remarks_do_not_nest():
    text = HEAD + f'description = "{"[." * 100}"\n# {"{." * 100}\n' + rule(when='["findings.critical > 0"]')
    assert parse(text).description == "[." * 100


PAYEES = [f"0x{number:040x}" for number in range(300)]
IN_THE_BOOK = [f"not proposal.proposer in [payees, {payee}]" for payee in PAYEES[:6]]
MANY_MEMBERS = f"{HEAD}[addresses]\npayees = {PAYEES}\n" + "".join(
    rule(id=f'"r{number}"', when=str([f"calls.count > {number}", *IN_THE_BOOK])) for number in range(60)
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (HEAD + f"[limits]\nmin_voting_power = {'9' * 5_000}", "this is no TOML: "),
        (HEAD + "#" * 2**20, "this is no TOML: more than 1048576 bytes"),
        (
            HEAD + "".join(rule(id=f'"r{i}"', when=f'["findings.high > {i}"]', then='"hold"') for i in range(257)),
            "it has 257 rules, at most 256",
        ),
        (
            HEAD + rule(when="[" + ",".join(f'"findings.high > {i}"' for i in range(65)) + "]"),
            "rule 'a-rule': when has 65 lines, at most 64",
        ),
        (MANY_MEMBERS, "up to rule 56 its lists have 100800 members together, at most 100000"),
        (HEAD + f'[limits]\nmin_voting_power = "{2**256}"', f"a whole number from 1 to 2**256-1; got {2**256}"),
    ],
    ids=["digits", "bytes", "rules", "lines", "members", "limit"],
)
def test_a_strangers_ruleset_is_read_within_bounds(text, says):
    """A record may hold any text as its ruleset: whoever checks the record reads it."""
    with pytest.raises(RulesetError, match=re.escape(says)):
        parse(text)
