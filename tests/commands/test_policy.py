"""`pnyx policy`: as typed, in words and as JSON, with its exit codes."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from tests.commands.conftest import Pnyx

from pnyx_policies.bundle import Bundle
from pnyx_policies.decide import decide
from pnyx_policies.ruleset import Ruleset
from pnyx_policies.rulesets import shipped_ruleset

VECTORS = json.loads(files("pnyx_contracts").joinpath("vectors/record.json").read_text())
BUNDLE, SEALED = (VECTORS["bundles"]["opens"][place]["text"] for place in (0, 1))

OWN = """
name = "own"
version = "1"
extends = "guardian"

[[rule]]
id = "quiet"
because = "Says nothing."
when = ["text.length < 3"]
then = "skip"
"""
CASES = """
ruleset = "own.toml"

[[case]]
name = "a quiet one"
expect = "skip"
by = "quiet"

[[case]]
name = "wrong on purpose"
expect = "for"
by = "quiet"
text = "Long enough for everybody to read."
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "own.toml").write_text(OWN)
    (tmp_path / "cases.toml").write_text(CASES)
    (tmp_path / "record.json").write_text(BUNDLE)
    (tmp_path / "sealed.json").write_text(SEALED)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_check_shows_the_rules_in_order_and_the_text_that_counts(pnyx: Pnyx, folder: Path) -> None:
    shown, found = pnyx("policy", "check", "own.toml"), pnyx("policy", "check", "own.toml", "--json").json
    assert shown.code == 0
    assert shown.out.index("quiet") < shown.out.index("hidden-or-hostile") < shown.out.index("small-announced-payment")
    assert found["hash"] in shown.out
    whole = pnyx("policy", "check", "own.toml", "--whole").out
    assert whole == found["text"]
    (folder / "whole.toml").write_text(whole)
    again = pnyx("policy", "check", "whole.toml", "--json").json
    assert again == found
    assert found["rules"][0]["id"] == "quiet"


def test_check_says_one_mistake_with_its_place(pnyx: Pnyx, folder: Path) -> None:
    (folder / "own.toml").write_text(OWN.replace("text.length", "text.lenght"))
    ended = pnyx("policy", "check", "own.toml")
    assert (ended.code, ended.out) == (2, "")
    assert f"{folder}/own.toml: rule 'quiet': when line 'text.lenght < 3': unknown field" in ended.err
    assert "did you mean 'text.length'?" in ended.err
    told = pnyx("policy", "check", "own.toml", "--json")
    assert (told.code, json.loads(told.err)["error"]) == (2, "UsageError")


def test_rules_may_name_the_checks_of_a_configuration(pnyx: Pnyx, folder: Path) -> None:
    (folder / "own.toml").write_text(OWN.replace("text.length < 3", "finding.their-check >= high"))
    (folder / "pnyx.toml").write_text(
        '[agent]\nname = "x"\n[chain]\nrpc = "http://127.0.0.1:1"\nchain_id = 1\n[[governor]]\nstart_block = 0\n'
        f'address = "0x{"11" * 20}"\n[policy.checks]\ntheir-check = "1"\n'
    )
    unknown = pnyx("policy", "check", "own.toml")
    assert (unknown.code, "unknown field 'finding.their-check'" in unknown.err) == (2, True)
    assert pnyx("policy", "check", "own.toml", "-c", "pnyx.toml").code == 0
    assert "their-check" in pnyx("policy", "schema", "-c", "pnyx.toml").out
    missing = pnyx("policy", "test", "cases.toml", "-c", "pnyx.toml")
    assert (missing.code, "their-check" in missing.err) == (2, True), "it is not installed"


def test_explain_shows_every_value_that_the_rules_saw(pnyx: Pnyx) -> None:
    guardian = Ruleset.parse(shipped_ruleset("guardian"), "guardian")
    found = pnyx("policy", "explain", "guardian", "record.json", "--json").json
    assert [rule["rule"] for rule in found["rules"]] == [rule.id for rule in guardian.rules]
    critical = found["rules"][0]["when"][0]
    assert critical["line"] == "findings.critical > 0"
    assert "did not run" in critical["why"], "the record has few checks"
    shown = pnyx("policy", "explain", "guardian", "record.json")
    assert shown.code == 0
    said = " ".join(shown.out.split())
    assert found["reason"] in said
    assert f"unknown findings.critical > 0 at least 0: {critical['why']}" in said


def test_explain_tells_each_answer_apart(pnyx: Pnyx, folder: Path) -> None:
    (folder / "own.toml").write_text(
        'name = "x"\nversion = "1"\n'
        '[[rule]]\nid = "no"\nbecause = "x"\nwhen = ["calls.count > 1_000"]\nthen = "hold"\n'
        '[[rule]]\nid = "unsure"\nbecause = "x"\nany = ["findings.info > 1_000"]\nthen = "hold"\n'
        '[[rule]]\nid = "yes"\nbecause = "Calls."\nwhen = ["calls.count <= 1_000"]\nthen = "hold"\n'
    )
    dossier = Bundle.parse(BUNDLE.encode()).dossier
    found = pnyx("policy", "explain", "own.toml", "record.json", "--json").json
    assert [rule["answer"] for rule in found["rules"]] == ["fails", "unknown", "holds"]
    assert found["rules"][0]["when"][0]["seen"] == str(sum(1 for _ in dossier.facts.every_call()))
    ruleset = Ruleset.parse((folder / "own.toml").read_text(), "own")
    judged = decide(ruleset, dossier.facts, dossier.checks, dossier.opinions)
    assert (found["outcome"], found["decided_by"]) == (judged.outcome.value, judged.decided_by)
    shown = pnyx("policy", "explain", "own.toml", "record.json").out
    for words in ("no (then hold): does not match", "unsure (then hold): cannot be told", "yes (then hold): matches"):
        assert words in shown


def test_explain_needs_the_whole_record(pnyx: Pnyx) -> None:
    ended = pnyx("policy", "explain", "guardian", "sealed.json")
    assert ended.code == 2
    assert "sealed.json is no whole bundle and no review" in ended.err
    assert "withheld" in ended.err
    nowhere = pnyx("policy", "explain", "guardian", "17")
    assert (nowhere.code, "there is no configuration" in nowhere.err) == (2, True)


def test_test_says_what_failed_and_why(pnyx: Pnyx, folder: Path) -> None:
    ended = pnyx("policy", "test", "cases.toml")
    assert ended.code == 1
    assert "ok     a quiet one" in ended.out
    assert "FAILED wrong on purpose\n    expected for by quiet, decided hold by default" in ended.out
    assert "fails  text.length < 3  28" in ended.out
    assert ended.out.endswith("2 cases, 1 failed\n")
    found = pnyx("policy", "test", ".", "--json")
    assert (found.code, found.json["passed"], found.json["failed"]) == (1, 1, 1)
    assert [case["passed"] for case in found.json["cases"]] == [True, False]
    (folder / "cases.toml").write_text(CASES.replace('"for"\nby = "quiet"', '"hold"\nby = "default"'))
    assert pnyx("policy", "test", "cases.toml").code == 0


def test_schemas_are_printed(pnyx: Pnyx) -> None:
    assert pnyx("policy", "schema").json["title"] == "A ruleset of Pnyx"
    cases = pnyx("policy", "schema", "--cases").json
    Draft202012Validator.check_schema(cases)
    validator = Draft202012Validator(cases)
    case = {"name": "x", "expect": "for", "by": "y", "findings": [{"check": "outflow", "severity": "high"}]}
    assert validator.is_valid({"ruleset": "guardian", "case": [case]})
    assert not validator.is_valid({"ruleset": "guardian", "case": [case | {"colour": 1}]})
