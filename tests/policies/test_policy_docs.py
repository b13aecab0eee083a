"""What the documents say about rules and checks is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pnyx_policies.checks import builtin_checks, run_checks
from pnyx_policies.conditions import operators_of
from pnyx_policies.extending import RulesetFile, load
from pnyx_policies.fields import FieldType, catalogue
from pnyx_policies.finding import Severity
from pnyx_policies.ruleset import Limits
from pnyx_policies.rulesets import shipped_ruleset, shipped_rulesets

DOCS = Path(__file__).parents[2] / "docs"
RULESETS = (DOCS / "rulesets.md").read_text(encoding="utf-8")
CHECKS = (DOCS / "checks.md").read_text(encoding="utf-8")


def rows(text: str, heading: str) -> list[list[str]]:
    """Rows of the first table after a line that begins with `heading`."""
    lines = iter(text[text.index(heading) :].splitlines())
    table = []
    for line in lines:
        if line.startswith("|"):
            table.append([cell.strip() for cell in line.strip("|").split("|")])
        elif table:
            break
    return table[2:]


def examples(text: str) -> list[str]:
    """Whole rulesets that the page shows."""
    return [found for found in re.findall("```toml\n(.*?)```", text, re.DOTALL) if found.startswith("name = ")]


def test_every_field_is_documented_with_its_type_and_meaning():
    documented = {row[0].strip("`"): row[1:] for row in rows(RULESETS, "## Fields")}
    fields = catalogue(["CHECK"])
    assert documented == {
        f.name: [f.type.value + (f" ({', '.join(f.words)})" if f.words else ""), f.meaning] for f in fields.values()
    }


def test_every_operator_is_documented():
    documented = {row[0]: tuple(re.findall("`(.+?)`", row[1])) for row in rows(RULESETS, "## Conditions")}
    assert documented == {kind.value: operators_of(kind) for kind in FieldType}


def test_every_limit_is_documented_with_its_default():
    documented = {row[0].strip("`"): int(row[2]) for row in rows(RULESETS, "### Limits")}
    assert documented == {name: getattr(Limits(), name) for name in Limits.__slots__}


def test_every_shipped_ruleset_is_documented():
    assert [row[0].strip("`") for row in rows(RULESETS, "## Rulesets that ship")] == list(shipped_rulesets())


def test_every_check_is_documented():
    documented = {row[0].strip("`"): row[1] for row in rows(CHECKS, "| check |")}
    assert list(documented) == [c.name for c in builtin_checks()]


@pytest.mark.parametrize("check", builtin_checks(), ids=lambda c: c.name)
def test_every_check_begins_with_the_question_that_the_documents_give(check):
    documented = {row[0].strip("`"): row[1] for row in rows(CHECKS, "| check |")}
    module = __import__(type(check).__module__, fromlist=["x"])
    asked = module.__doc__.partition("\n")[0]
    assert asked.casefold() == f"{check.name}: {documented[check.name]}".casefold()


@pytest.mark.parametrize("example", examples(RULESETS))
def test_examples_of_rulesets_load(example):
    found = load(RulesetFile(example, "docs/rulesets.md"), lambda name, _: RulesetFile(shipped_ruleset(name), name))
    assert found.rules


def test_the_example_of_a_check_runs():
    check, usage = re.findall("```python\n(.*?)```", CHECKS, re.DOTALL)
    namespace: dict = {}
    exec(check, namespace)
    exec(usage, namespace)
    (report,) = run_checks([namespace["MondayMoney"]()], namespace["view"])
    assert [(f.severity, f.calls) for f in report.findings] == [(Severity.HIGH, ("0",))]
