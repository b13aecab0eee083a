"""Agents under faults, a few of each kind by fixed seeds; `benchmarks/faults.py` plays the whole."""

from __future__ import annotations

import pytest

from pnyx_tools.testing.faults.play import Report

from .conftest import Stage

pytestmark = pytest.mark.timeout(900)  # a play that is stuck says by itself where, after five minutes


def check(report: Report, faults: int) -> None:
    assert report.ruling.lines() == []
    assert sum(report.faults.values()) >= faults
    assert report.ruling.proposals == report.ruling.entries == report.ruling.votes


def test_kills_of_an_agent_with_a_gate(stage: Stage) -> None:
    check(stage.play("kills", 1, faults=4, proposals=1), 4)


def test_kills_of_an_agent_with_a_plain_key(stage: Stage) -> None:
    check(stage.play("kills", 2, faults=4, proposals=1), 4)


def test_endpoints_that_fail(stage: Stage) -> None:
    check(stage.play("failing endpoints", 1, faults=40, proposals=1), 30)


def test_reorganisations(stage: Stage) -> None:
    check(stage.play("reorgs", 1, faults=4, proposals=2), 4)


def test_models_that_fail(stage: Stage) -> None:
    check(stage.play("models", 1, faults=5, proposals=1), 5)


def test_a_machine_in_trouble(stage: Stage) -> None:
    check(stage.play("machine", 1, faults=4, proposals=4), 4)


def test_kills_of_workers(stage: Stage) -> None:
    check(stage.play("kills of workers", 1, faults=6, proposals=2), 6)


def test_reorganisations_under_workers(stage: Stage) -> None:
    check(stage.play("reorgs under workers", 1, faults=3, proposals=2), 3)


def test_endpoints_that_fail_workers(stage: Stage) -> None:
    check(stage.play("failing endpoints of workers", 1, faults=30, proposals=1), 25)


def test_a_database_that_goes_away_under_workers(stage: Stage) -> None:
    check(stage.play("database of workers", 1, faults=2, proposals=2), 2)
