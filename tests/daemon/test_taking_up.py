"""What the daemon does with proposals that nobody works on, and with what keeps failing."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pnyx_agents.daemon import Daemon
from pnyx_agents.metrics import Metrics
from pnyx_contracts.errors import UnreachableError
from pnyx_contracts.types import Proposal, ProposalKey
from pnyx_tools.follow import to_kept
from pnyx_tools.journal import Case, Found, Journal, Stage

GOVERNOR = "0x323A76393544d5ecca80cd6ef2A560C6a395b7E3"
PROPOSAL = Proposal(
    key=ProposalKey(chain_id=1, governor=GOVERNOR, proposal_id=7),
    proposer=GOVERNOR,
    calls=(),
    description=b"",
    vote_start=1,
    vote_end=2,
    created_block=1,
    created_transaction=bytes(32),
)
KEY = str(PROPOSAL.key)


@dataclass
class RememberingEngine:
    """Says what it was told about each workflow; `alive` go on."""

    alive: set[str] = field(default_factory=set)
    told: list[str] = field(default_factory=list)

    def goes_on(self, workflow: str) -> bool:
        return workflow in self.alive

    def cancel(self, workflow: str) -> None:
        self.told.append(f"cancel {workflow}")

    def start(self, workflow: str, _proposal: Proposal) -> None:
        self.told.append(f"start {workflow}")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(f"sqlite:///{tmp_path / 'journal.sqlite'}")
    content = to_kept(PROPOSAL)
    journal.follow("{}", [Found(proposal=KEY, content=content, title="", deadline="2", created_block=1)])
    yield journal
    journal.close()


def daemon(journal: Journal, engine: RememberingEngine) -> Daemon:
    parts: dict[str, Any] = dict.fromkeys(
        ("reader", "watch", "poll_seconds", "require_signer", "clock_says", "holds", "tell")
    )
    return Daemon(
        **parts,
        agent="a",
        governors={GOVERNOR: None},
        mirrors=(),
        journal=journal,
        engine=engine,
        metrics=Metrics(),
    )


def case_of(journal: Journal) -> Case:
    case = journal.case(KEY)
    assert case is not None
    return case


UNFINISHED = [
    Stage.STARTED, Stage.REVIEWED, Stage.VOTING, Stage.PROPOSED, Stage.HELD, Stage.CONFIRMING, Stage.FAILED,
]  # fmt: skip


@pytest.mark.parametrize("stage", UNFINISHED)
def test_a_proposal_that_nobody_works_on_gets_a_new_workflow(journal: Journal, stage: Stage) -> None:
    journal.advance(KEY, stage, workflow=f"a:{KEY}:1", tries=1)
    engine = RememberingEngine()
    daemon(journal, engine).take_up()
    assert engine.told == [f"cancel a:{KEY}:1", f"start a:{KEY}:2"]
    assert (case_of(journal).workflow, case_of(journal).stage) == (f"a:{KEY}:2", Stage.STARTED)


@pytest.mark.parametrize("stage", list(Stage))
def test_a_workflow_that_goes_on_is_left_alone(journal: Journal, stage: Stage) -> None:
    journal.advance(KEY, stage, workflow="w", tries=1)
    engine = RememberingEngine(alive={"w"})
    daemon(journal, engine).take_up()
    assert engine.told == []


@pytest.mark.parametrize("stage", sorted(set(Stage) - set(UNFINISHED), key=str))
def test_what_is_done_or_not_begun_is_not_taken_up(journal: Journal, stage: Stage) -> None:
    journal.advance(KEY, stage, workflow="w", tries=1)
    engine = RememberingEngine()
    daemon(journal, engine).take_up()
    assert engine.told == []


def test_a_workflow_that_just_finished_is_not_begun_again(journal: Journal) -> None:
    class FinishingEngine(RememberingEngine):
        def goes_on(self, workflow: str) -> bool:
            journal.advance(KEY, Stage.DONE)
            return super().goes_on(workflow)

    journal.advance(KEY, Stage.CONFIRMING, workflow="w", tries=1)
    engine = FinishingEngine()
    daemon(journal, engine).take_up()
    assert engine.told == []


def test_what_keeps_failing_is_said_ever_more_rarely(journal: Journal, caplog: pytest.LogCaptureFixture) -> None:
    watched = daemon(journal, RememberingEngine())

    def fail() -> None:
        raise UnreachableError("nobody is there")

    with caplog.at_level(logging.INFO, "pnyx"):
        for _ in range(1000):
            watched._guarded("following x", fail)
        failed = len(caplog.records)
        watched._guarded("following x", lambda: None)
        watched._guarded("following x", lambda: None)
    assert failed == 11
    assert [r.getMessage() for r in caplog.records[failed:]] == ["following x works again"]


def test_every_stage_is_explained_to_operators() -> None:
    page = (Path(__file__).parents[2] / "docs" / "running.md").read_text(encoding="utf-8")
    explained = {
        word.strip() for line in page.splitlines() if line.startswith("| ") for word in line.split("|")[1].split(",")
    }
    assert {stage.value for stage in Stage} <= explained
