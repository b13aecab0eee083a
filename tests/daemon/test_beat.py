"""What a beat costs: however many proposals wait, their states are asked for together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pnyx_agents.daemon import Daemon
from pnyx_agents.metrics import Metrics
from pnyx_agents.reviewer import Governed
from pnyx_agents.watch import found_in
from pnyx_contracts.errors import UnreachableError
from pnyx_contracts.governors import GovernorProfile
from pnyx_contracts.governors.openzeppelin import OpenZeppelinGovernor
from pnyx_contracts.types import ClockMode, Proposal, ProposalKey, ProposalState
from pnyx_tools.journal import Journal, Stage
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.provider import Provider, error, result
from pnyx_tools.transport import MAX_TOGETHER

GOVERNOR = "0x323A76393544d5ecca80cd6ef2A560C6a395b7E3"
PROFILE = GovernorProfile(
    kind="openzeppelin", address=GOVERNOR, chain_id=1, name="", version="", counting_mode="",
    clock_mode=ClockMode.BLOCK, token=None, timelock=None, can_vote=True,
)  # fmt: skip
OVER = {"is_over": True}
WAITING, HELD = range(250), range(1_000, 1_040)


def key_of(number: int) -> str:
    return str(ProposalKey(chain_id=1, governor=GOVERNOR, proposal_id=number))


def add(journal: Journal, number: int) -> None:
    proposal = Proposal(
        key=ProposalKey.parse(key_of(number)), proposer=GOVERNOR, calls=(), description=b"# Pay", vote_start=1,
        vote_end=2, created_block=1, created_transaction=bytes(32),
    )  # fmt: skip
    journal.follow("{}", [found_in(proposal)])


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(f"sqlite:///{tmp_path / 'journal.sqlite'}")
    for number in WAITING:
        add(journal, number)
    for number in HELD:
        add(journal, number)
        journal.advance(key_of(number), Stage.HELD, workflow=f"w{number}")
    yield journal
    journal.close()


class Engine:
    """Remembers which workflows began, and which were told that the wait is over."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.told: list[str] = []
        self.running = {f"w{number}" for number in HELD}

    def start(self, workflow: str, proposal: Proposal) -> None:
        self.running.add(workflow)
        self.begun.append(str(proposal.key))

    def goes_on(self, workflow: str) -> bool:
        return workflow in self.running

    def cancel(self, workflow: str) -> None:
        pass

    def say_once(self, workflow: str, word: Any) -> None:
        assert word == OVER
        self.told.append(workflow)


def daemon(
    journal: Journal, url: str, engine: Engine, says: Callable[[Proposal], Any] = lambda _proposal: None
) -> Daemon:
    parts: dict[str, Any] = {
        "watch": SimpleNamespace(look=lambda: None), "engine": engine, "reader": Rpc(url, pauses=()),
        "poll_seconds": None, "require_signer": None, "holds": SimpleNamespace(why=None),
        "tell": None, "clock_says": says,
    }  # fmt: skip
    governed = Governed(OpenZeppelinGovernor(), PROFILE)
    return Daemon(
        **parts, agent="a", governors={GOVERNOR: governed}, mirrors=(), journal=journal, metrics=Metrics()
    )  # fmt: skip


def number_in(question: Any) -> int:
    """Of the proposal whose state is asked for."""
    return int(question["params"][0]["data"][-64:], 16)


def state(question: Any, is_in: ProposalState):
    return result(question, "0x" + is_in.to_bytes(32, "big").hex())


def stages(journal: Journal, stage: Stage) -> set[str]:
    return {case.proposal for case in journal.cases({stage})}


def test_waiting_proposals_are_asked_for_together(journal: Journal):
    engine = Engine()
    with Provider(rule=lambda q: state(q, ProposalState.PENDING)) as provider:
        daemon(journal, provider.url, engine).beat()
        assert provider.requests == -(-len(WAITING) // MAX_TOGETHER)
        assert len(provider.asked) == len(WAITING)
    assert stages(journal, Stage.WAITING) == {key_of(number) for number in WAITING}
    assert (engine.begun, engine.told) == ([], [])


def test_each_answer_is_its_own_proposals(journal: Journal):
    """One opens, one is gone, two cannot be read: the others go on waiting."""
    engine = Engine()

    def rule(question: Any):
        match number_in(question):
            case 3:
                return state(question, ProposalState.SUCCEEDED)
            case 4:
                return error(question, 3, "execution reverted")
            case 5:
                return error(question, -32000, "header not found")
            case 6:
                return result(question, "0x")
        return state(question, ProposalState.PENDING)

    with Provider(rule=rule) as provider:
        beating = daemon(journal, provider.url, engine)
        beating.beat()
        assert set(beating.failures) == {f"dispatching {key_of(5)}", f"dispatching {key_of(6)}"}
    assert engine.begun == [key_of(3)]
    assert stages(journal, Stage.GONE) == {key_of(4)}
    assert stages(journal, Stage.SEEN) == {key_of(5), key_of(6)}
    assert stages(journal, Stage.WAITING) == {key_of(number) for number in WAITING if number not in {3, 4, 5, 6}}


def test_each_beat_looks_anew(journal: Journal):
    engine, is_in = Engine(), ProposalState.PENDING
    with Provider(rule=lambda q: state(q, is_in)) as provider:
        beating = daemon(journal, provider.url, engine)
        beating.beat()
        is_in = ProposalState.SUCCEEDED
        beating.beat()
    assert set(engine.begun) == {key_of(number) for number in WAITING}


def test_what_the_clock_says_reaches_the_held_proposals_that_it_is_about(journal: Journal):
    engine = Engine()

    def says(proposal: Proposal) -> Any:
        if proposal.key.proposal_id == 1_002:
            raise UnreachableError("nobody answers")
        return OVER if proposal.key.proposal_id == 1_001 else None

    with Provider(rule=lambda q: state(q, ProposalState.ACTIVE)) as provider:
        reminding = daemon(journal, provider.url, engine, says)
        reminding.remind_all()
    assert (engine.told, set(reminding.failures)) == (["w1001"], {f"reminding {key_of(1_002)}"})


def test_who_begins_to_lead_takes_up_what_the_one_before_left(journal: Journal):
    """A leader that dies between journal and engine leaves a case that nobody works on."""
    engine = Engine()
    journal.advance(key_of(7), Stage.STARTED, workflow="never begun", tries=1)
    with Provider(rule=lambda q: state(q, ProposalState.PENDING)) as provider:
        waits = daemon(journal, provider.url, engine)
        leads = iter([False, True, True])
        second = replace(waits, crew=SimpleNamespace(leads=lambda: next(leads)))
        second.beat()
        assert engine.begun == []
        second.beat()
        assert engine.begun == [key_of(7)]
        second.beat()
    assert engine.begun == [key_of(7)], "once"
