"""What is seen of a workflow from outside, through the real engine."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dbos import DBOS

from pnyx_agents.engine import Engine
from pnyx_agents.engine_tables import bring_up_to_date
from pnyx_agents.logs import set_up_logging
from pnyx_agents.metrics import Metrics
from pnyx_agents.observing import Observer, proposal_of, workflow_id
from pnyx_agents.steward import Steps
from pnyx_contracts.errors import RefusedError
from pnyx_contracts.types import Proposal, ProposalKey

GOVERNOR = "0x323A76393544d5ecca80cd6ef2A560C6a395b7E3"
AGENT = "tester"
SECONDS = 60  # a hang, however busy the machine is

logger = logging.getLogger("pnyx.steward")


def proposal(number: int) -> Proposal:
    key = ProposalKey(chain_id=1, governor=GOVERNOR, proposal_id=number)
    return Proposal(
        key=key, proposer=GOVERNOR, calls=(), description=b"", vote_start=1, vote_end=2, created_block=1,
        created_transaction=bytes(32),
    )  # fmt: skip


class TwoSteps:
    """A steward whose proposals take two steps: one says something, one is refused."""

    def __init__(self) -> None:
        self.ended: dict[str, threading.Event] = {}
        self.both_are_in = threading.Barrier(2, timeout=SECONDS)

    def handle(self, known: Proposal, steps: Steps) -> None:
        steps.run("establish:0", self._speak)
        logger.info("between steps")
        with pytest.raises(RefusedError):
            steps.run("write:0", self._refuse)
        self.ended[str(known.key)].set()

    def _speak(self) -> None:
        self.both_are_in.wait()
        logger.info("inside a step")

    def _refuse(self) -> None:
        raise RefusedError("no")


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What was logged, as an operator's collector reads it."""
    root = logging.getLogger()
    before, stream = root.handlers, io.StringIO()
    set_up_logging()
    root.handlers[0].setStream(stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers = before


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def handled(tmp_path: Path, metrics: Metrics) -> Iterator[list[str]]:
    """The workflows of two proposals that were in the same step at the same time, both at their end."""
    database, steward = f"sqlite:///{tmp_path / 'workflows.sqlite'}", TwoSteps()
    bring_up_to_date(database)
    engine = Engine(steward, Observer(metrics), database=database, executor_id="test", judged_by="rules")
    engine.launch()
    workflows = []
    for number in (7, 8):
        key = str(proposal(number).key)
        steward.ended[key] = threading.Event()
        workflows.append(workflow_id(AGENT, key, 1))
        engine.start(workflows[-1], proposal(number))
    for ended in steward.ended.values():
        assert ended.wait(SECONDS)
    yield workflows
    DBOS.destroy()


def test_the_id_of_a_workflow_says_which_proposal_it_is_about() -> None:
    key = str(proposal(7).key)
    assert proposal_of(workflow_id("an-agent", key, 12)) == key


def test_lines_of_workflows_that_run_side_by_side_say_whose_they_are(
    lines: Callable[[], list[dict[str, Any]]], handled: list[str]
) -> None:
    said = lines()
    for workflow in handled:
        own = [line for line in said if line.get("workflow") == workflow]
        assert [(line["message"], line.get("step")) for line in own] == [
            ("inside a step", "establish:0"), ("between steps", None),
        ]  # fmt: skip
        assert {line["proposal"] for line in own} == {proposal_of(workflow)}


def test_steps_are_timed_by_their_kind(metrics: Metrics, handled: list[str]) -> None:
    for step in ("establish", "write"):
        assert metrics.registry.get_sample_value("pnyx_step_seconds_count", {"step": step}) == len(handled)
