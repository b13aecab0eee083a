"""`pnyx demo`, as a stranger runs it: it must succeed, and it must be able to fail."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pnyx_agents.demo.scenario import sketches_from
from pnyx_contracts.errors import UsageError

MUST_END_WITHIN_SECONDS = 60


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pnyx_agents", "demo", "--json", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)


def report_of(ended: subprocess.CompletedProcess[str]) -> Any:
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_the_whole_job_on_our_own_proposals() -> None:
    report = report_of(demo())
    votes = {act["name"]: act["vote"] for act in report["acts"]}
    assert votes == {
        "honest transfer": "for",
        "parameter change": None,
        "hostile role grant": "against",
        "hidden instruction": "against",
        "empty text": "against",
    }
    verification = report["verification"]
    assert verification["ok"]
    assert verification["counts"]["differs"] == verification["counts"]["missing"] == 0
    assert verification["writers"][0]["tier"] == "enforced"
    assert report["seconds"] < MUST_END_WITHIN_SECONDS


def test_it_fails_loudly_when_a_decision_is_not_the_right_one(tmp_path: Path) -> None:
    rules = tmp_path / "naive.toml"
    rules.write_text(
        'name = "naive"\nversion = "1"\ndescription = "Trusts everybody."\n\n'
        '[[rule]]\nid = "yes"\nbecause = "Everything is fine."\nwhen = ["calls.count > 0"]\nthen = "for"\n'
    )
    ended = demo("--ruleset", str(rules))
    assert ended.returncode == 1
    assert "expected against" in ended.stderr


def test_all_real_proposals_go_the_same_way(real_proposals: list[Path]) -> None:
    report = report_of(demo("--proposals", str(real_proposals[0].parent)))
    assert len(report["acts"]) == len(real_proposals)
    assert [act["name"] for act in report["acts"] if act["worst_finding"] == "critical"] == []
    assert report["verification"]["ok"]


@pytest.mark.parametrize("content", ["{", '{"name": "x"}', "[]"])
def test_a_file_that_is_no_proposal_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "broken.json").write_text(content)
    with pytest.raises(UsageError, match=r"broken\.json"):
        list(sketches_from(tmp_path))


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no \*\.json"):
        list(sketches_from(tmp_path))
