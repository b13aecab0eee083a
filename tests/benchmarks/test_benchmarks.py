"""Each benchmark runs, at a size that says nothing about speed: whether goals are met is not asked here.

`benchmarks/gas.py` measures the same on every machine, so tests/contracts_solidity holds it to its goals; what
`benchmarks/incidents.py` finds is the same too, see tests/incidents.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
COMMANDS = {file.stem for file in BENCHMARKS.glob("*.py")} - {"rows", "recorder"}
WITH_ROWS = {
    "verify": (
        ("--entries", "200"),
        {
            "bare reader, 200 entries": "", "  of it HTTP alone": "", "check, 200 entries": "",
            "  over the bare reader": "at most 2.0", "  over HTTP alone": "", "fold alone": "at least 150,000",
            "peak memory, 20 entries": "", "peak memory, 200 entries": "", "  over the other": "at most 1.3",
            "check, 20 entries and as many votes": "",
        },
    ),
    "following": (
        ("--proposals", "20", "--governors", "3", "--blocks", "2", "--waiting", "2"),
        {
            "bare reader, 20 proposals": "", "web3.py, get_logs": "", "read, decoded and kept": "",
            "  over web3.py": "at least 15", "  over the bare reader": "at least 0.5", "processor time of us": "",
            "3 governors: first look after": "", "following, a block (2 blocks": "at most 2",
            "the whole agent, which also reviews them": "",
            "the whole agent while 2 proposals wait for their vote": "", "the agent's peak memory": "at most 400 MB",
        },
    ),
    "page": (
        ("--entries", "10"),
        {
            "first decisions on screen": "at most 2,000 ms", "their reasons": "at most 2,000 ms",
            "all entries checked": "", "longest task of the page's thread meanwhile": "at most 100 ms",
            "longest time between two frames": "at most 100 ms",
            "longest task, processor time only": "at most 100 ms",
        },
    ),
}  # fmt: skip
"""Its arguments, then how each line of its table begins, with the goal there."""
OTHERS = {"faults", "gas", "incidents", "reaction", "scaling"}


def run(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Output in lines that are long enough for every table."""
    return subprocess.run(
        [sys.executable, str(BENCHMARKS / f"{name}.py"), *arguments], capture_output=True, text=True, check=False,
        env={**os.environ, "COLUMNS": "200"},
    )  # fmt: skip


def found_by(ended: subprocess.CompletedProcess[str]) -> Any:
    """What it says that it measured. A benchmark that broke says nothing; 1 is a missed goal."""
    assert ended.stdout, ended.stderr
    assert ended.returncode in {0, 1}
    return json.loads(ended.stdout)


def test_no_benchmark_is_forgotten() -> None:
    assert {*WITH_ROWS, *OTHERS} == COMMANDS


@pytest.mark.parametrize("name", WITH_ROWS)
def test_a_table_with_goals_holds_every_figure(name: str) -> None:
    arguments, expected = WITH_ROWS[name]
    ended = run(name, *arguments, "--json")
    rows = found_by(ended)
    assert len(rows) == len(expected)
    for row, (beginning, goal) in zip(rows, expected.items(), strict=True):
        assert row["what"].startswith(beginning)
        assert row["goal"] == goal
        assert row["figure"][0].isdigit(), row
        assert row["met"] or row["goal"], "only a goal can be missed"
    assert ended.returncode == (0 if all(row["met"] for row in rows) else 1)
    verdicts = re.findall(r" (met|MISSED)\s*$", ended.stderr, flags=re.MULTILINE)
    assert verdicts == ["met" if row["met"] else "MISSED" for row in rows if row["goal"]]


def test_reaction() -> None:
    ended = run("reaction", "--proposals", "1", "--json")
    (reaction,) = found_by(ended)
    assert set(reaction) == {"agent_blocks", "agent_seconds", "loop_blocks", "loop_seconds"}
    assert reaction["agent_blocks"] >= 0
    assert reaction["agent_seconds"] > 0
    assert ended.returncode == (0 if reaction["agent_blocks"] - reaction["loop_blocks"] <= 1 else 1)
    assert "blind loop" in ended.stderr
    assert "goal: at most 1 block" in ended.stderr


def test_scaling() -> None:
    ended = run("scaling", "--proposals", "1", "--waiting", "1", "--workers", "1", "--watched", "0.1", "--json")
    found = found_by(ended)
    assert [row["who"] for row in found["throughput"]] == ["one process, SQLite", "1 on PostgreSQL"]
    for row in found["throughput"]:
        assert row["proposals"] == 1
        assert row["seconds"] > 0
        assert row["megabytes"] > 10
    assert found["waiting"]["proposals"] == 1
    assert found["waiting"]["megabytes"] > 10
    assert found["waiting"]["threads"] > 1
    assert "proposals a minute" in ended.stderr
    assert "1 proposals that wait for people" in ended.stderr


def test_faults_says_what_it_can_play() -> None:
    ended = run("faults", "--help")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "--kind" in ended.stdout
    assert "failing endpoints" in ended.stdout


def test_faults() -> None:
    """What it finds is no question of speed: nothing may be wrong."""
    ended = run("faults", "--kind", "models", "--worlds", "1", "--faults", "1", "--proposals", "1", "--json")
    (report,) = found_by(ended)
    assert ended.returncode == 0, ended.stderr
    assert report["kind"] == "models"
    assert sum(report["faults"].values()) >= 1
    assert report["ruling"]["proposals"] == report["ruling"]["votes"] >= 1
    assert "Faults survived" in ended.stderr
