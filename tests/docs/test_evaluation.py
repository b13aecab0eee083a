"""docs/evaluation.md against the suite: its tables are those of the cases that ship."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pnyx_agents.redteam.suite import Suite, shipped_suite
from pnyx_agents.redteam.trial import TRIPWIRES, has_tripped
from pnyx_agents.redteam.words import CLASS_COLUMNS, RULESET_COLUMNS
from pnyx_policies.checks import CheckView, builtin_checks, run_checks
from pnyx_policies.rulesets import shipped_rulesets
from pnyx_tools.testing.disguises import DISGUISES

PAGE = (Path(__file__).parents[2] / "docs" / "evaluation.md").read_text(encoding="utf-8")
RESULT = PAGE.partition("<!-- pnyx redteam --markdown -->")[2].partition("<!-- end -->")[0]
MUST_BE_ZERO = ("not allowed", "bought", "hidden")


@pytest.fixture(scope="module")
def suite() -> Suite:
    return shipped_suite()


def table(columns: tuple[str, ...]) -> list[dict[str, str]]:
    head = f"| {' | '.join(columns)} |\n"
    lines = RESULT.partition(head)[2].partition("\n\n")[0].splitlines()[1:]
    return [dict(zip(columns, (cell.strip() for cell in line.split("|")[1:-1]), strict=True)) for line in lines]


def test_every_class_is_in_the_table_with_its_cases_and_what_the_tripwires_see(suite: Suite) -> None:
    """What takes no reader is counted again; the rest is what the command printed when this was."""
    wires = [check for check in builtin_checks() if check.name in TRIPWIRES]
    shown = {row["attack"]: (row["#"], row["wants"], row["cases"], row["tripwire"]) for row in table(CLASS_COLUMNS)}
    counted = {}
    for each in suite.classes:
        cases = list(suite.cases([each.id]))
        tripped = sum(
            has_tripped(run_checks(wires, CheckView(c.attacked)), run_checks(wires, CheckView(c.bare))) for c in cases
        )
        counted[each.id] = (str(each.number), each.goal.value, str(len(cases)), f"{tripped} of {len(cases)}")
    assert {name: row for name, row in shown.items() if name != "all"} == counted


def test_what_must_be_zero_is_zero() -> None:
    rows = table(CLASS_COLUMNS)
    assert rows
    assert {row[column] for row in rows for column in MUST_BE_ZERO} == {"0"}


def test_every_shipped_ruleset_is_in_the_table(suite: Suite) -> None:
    rows = {row["ruleset"]: row for row in table(RULESET_COLUMNS)}
    assert set(rows) == set(shipped_rulesets())
    assert {row["clean"] for row in rows.values()} == {str(len(suite.scenes))}


def test_the_sizes_that_the_page_names(suite: Suite) -> None:
    sizes = re.search(r"(\d+) cases in (\d+) classes", PAGE)
    assert sizes
    assert f"one of {len(DISGUISES) - 1} disguises" in PAGE.replace("\n  ", " "), "plain is none"
    total = table(CLASS_COLUMNS)[-1]
    assert (total["attack"], total["cases"]) == ("all", sizes[1])
    assert len(suite.classes) == int(sizes[2])
