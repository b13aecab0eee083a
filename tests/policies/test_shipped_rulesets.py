"""The rulesets that ship: the cases beside them hold, reach every rule, and none is looser than it says."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from pnyx_agents.rulecases.cases import run_cases
from pnyx_policies.checks import builtin_checks
from pnyx_policies.ruleset import Ruleset
from pnyx_policies.rulesets import shipped_ruleset, shipped_rulesets

CASES = Path(str(files("pnyx_policies.rulesets") / "cases"))
RULESETS = {name: Ruleset.parse(shipped_ruleset(name), name) for name in shipped_rulesets()}
GUARDS = 4
"""All begin with the same questions."""


@pytest.mark.parametrize("name", RULESETS)
def test_the_cases_of_a_ruleset_hold_and_reach_its_rules(name):
    results = run_cases(CASES / f"{name}.toml", builtin_checks())
    assert [(r.case, r.explanation.decided_by) for r in results if not r.passed] == []
    decided_by = {r.explanation.decided_by for r in results}
    assert {rule.id for rule in RULESETS[name].rules} - decided_by <= {"not-understood"}


def test_there_are_no_cases_of_other_rulesets():
    assert {file.stem for file in CASES.iterdir()} == set(RULESETS)


@pytest.mark.parametrize("name", RULESETS)
def test_all_ask_the_same_questions_first(name):
    ours, guardian = RULESETS[name], RULESETS["guardian"]
    assert [(r.id, r.when, r.some) for r in ours.rules[:GUARDS]] == [
        (r.id, r.when, r.some) for r in guardian.rules[:GUARDS]
    ]
    assert ours.limits == guardian.limits


def test_the_observer_never_votes():
    assert {rule.then for rule in RULESETS["observer"].rules} == {"hold", "skip"}


@pytest.mark.parametrize("name", RULESETS)
def test_whatever_votes_in_favour_asks_for_a_simulation_that_holds_no_surprise(name):
    for rule in RULESETS[name].rules:
        if rule.may_favour:
            lines = {line.text for line in rule.when}
            assert {"simulation.unexplained is 0", "findings.medium is 0", "targets.without_code is 0"} <= lines
