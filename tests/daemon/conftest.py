"""Real agents as processes of their own, on a real node, through an endpoint that can misbehave."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pnyx_agents import assembly
from pnyx_agents.settings import load_settings
from pnyx_contracts.decision_log import ENTRY_TOPIC, decode_entry
from pnyx_contracts.entry import Entry
from pnyx_contracts.types import VoteCast
from pnyx_policies.bundle import Bundle
from pnyx_policies.dossier import Dossier
from pnyx_tools.follow import Position
from pnyx_tools.journal import Case, Journal, Stage
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import TOKEN, Clock, Governance, deploy_governance
from pnyx_tools.testing.faults.forks import Fork, run_fork, start_fork
from pnyx_tools.testing.provider import Provider
from pnyx_tools.testing.settling import Plan, settle

SECONDS_TO_DECIDE = 180  # a hang, however busy the machine is
VOTING_PERIOD = 400
"""In blocks."""


@dataclass
class Agent:
    """One agent's folder and process."""

    node: Anvil
    dao: Governance
    folder: Path
    log: str
    writer: str
    mines: bool = False
    """While the test waits: votes of a plain key need further blocks above their entries."""
    processes: list[Fork | subprocess.Popen[bytes]] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    launcher: list[str] = field(default_factory=list)
    """A program that starts the agent, with its arguments."""
    fresh: bool = False
    """Each start is an interpreter of its own, not a fork: seconds instead of hundredths of a second."""

    @property
    def config(self) -> Path:
        return self.folder / "pnyx.toml"

    @property
    def output(self) -> str:
        return (self.folder / "daemon.log").read_text(encoding="utf-8", errors="replace")

    @property
    def pid(self) -> int:
        return self.processes[-1].pid

    # The process

    def start(self, *arguments: str) -> Fork | subprocess.Popen[bytes]:
        command, log = ["run", "--config", str(self.config), *arguments], self.folder / "daemon.log"
        environment = {**os.environ, **self.environment}
        if self.fresh or self.launcher:
            process = start_fresh(command, log, environment, self.launcher)
        else:
            process = start_fork(command, log, log, environment=environment)
        self.processes.append(process)
        return process

    def kill(self) -> None:
        """``kill -9``"""
        self.processes[-1].kill()
        self.processes[-1].wait()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.processes[-1].terminate()
        return self.processes[-1].wait(timeout=20)

    def until(self, what: str, holds: Callable[[], Any], seconds: float = SECONDS_TO_DECIDE) -> Any:
        """Waits for a condition, and fails with the daemon's own words."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if value := holds():
                return value
            if self.mines:
                self.node.mine()
            time.sleep(0.1)
        raise AssertionError(f"waited {seconds} s for: {what}\n{self.output[-4000:]}")

    # What became of a proposal

    def case(self, proposal: int) -> Case | None:
        if not (self.folder / "data" / "journal.sqlite").exists():
            return None
        journal = Journal(f"sqlite:///{self.folder / 'data' / 'journal.sqlite'}")
        try:
            return next((c for c in journal.cases() if c.proposal.endswith(f":{proposal}")), None)
        finally:
            journal.close()

    def until_stage(self, proposal: int, *stages: Stage) -> Case:
        """Of a running agent."""

        def reached() -> Case | None:
            found = self.case(proposal)
            if found is not None and found.stage in stages:
                return found
            assert self.processes[-1].poll() is None, f"the agent ended by itself\n{self.output[-4000:]}"
            return None

        case: Case = self.until(f"{proposal} in {[s.value for s in stages]}", reached)
        return case

    def until_detail(self, proposal: int, words: str) -> None:
        """Until they are among what is told about the proposal's stage."""
        self.until(words, lambda: (case := self.case(proposal)) and words in case.detail)

    def entries(self) -> list[Entry]:
        """All entries of the writer, read anew from the chain."""
        writer = bytes(12) + bytes.fromhex(self.writer[2:])
        logs = self.node.rpc.logs(0, self.node.rpc.block().number, [ENTRY_TOPIC, writer], [self.log])
        return [decode_entry(log) for log in logs]

    def votes(self, proposal: int) -> list[VoteCast]:
        """The writer's votes, from the governor's own events."""
        writer = bytes(12) + bytes.fromhex(self.writer[2:])
        topics: list[list[bytes] | bytes] = [list(self.dao.adapter.vote_topics()), writer]
        logs = self.node.rpc.logs(0, self.node.rpc.block().number, topics, [self.dao.governor])
        votes = [self.dao.adapter.decode_vote(self.dao.profile, log) for log in logs]
        return [vote for vote in votes if vote.key.proposal_id == proposal]

    def dossier(self, case: Case) -> Dossier:
        return self.bundle(case).dossier

    def bundle(self, case: Case) -> Bundle:
        return Bundle.parse((self.folder / "evidence" / f"{case.record_root.removeprefix('0x')}.json").read_bytes())


MakeAgent = Callable[..., Agent]


@pytest.fixture(scope="module")
def node() -> Iterator[Anvil]:
    with Anvil(calm=True, extra_arguments=("--slots-in-an-epoch", "1")) as running:
        yield running


@cache
def bring_modules_into_memory() -> None:
    """Before a chain begins to grow: votes on it could be over until the first fork starts."""
    assert run_fork(["--help"], timeout=SECONDS_TO_DECIDE).returncode == 0


def declared(config: Path) -> bytes:
    return assembly.declared_configuration(load_settings(config)).hash


@pytest.fixture
def make_agent(node: Anvil, tmp_path: Path) -> Iterator[MakeAgent]:
    """Makes an agent for a fresh DAO, by a `Plan` with these options; whatever still runs at the end is killed."""
    made: list[Agent] = []
    bring_modules_into_memory()

    def make(version: int = 5, clock: Clock = "block", contract: str | None = None, **options: Any) -> Agent:
        plan = Plan(declared, **{"confirmations": 0, **options})
        period = VOTING_PERIOD if plan.gate else 10 * VOTING_PERIOD
        period = period if clock == "block" else 9 * period
        dao = deploy_governance(node, version, clock, contract=contract, voting_period=period)
        settled = settle(node, tmp_path / f"agent{len(made)}", [dao], plan)
        mines = plan.signer and not plan.gate and not plan.atomic
        made.append(Agent(node, dao, settled.folder, settled.log, settled.writer, mines))
        return made[-1]

    yield make
    for agent in made:
        for process in agent.processes:
            if process.poll() is None:
                process.kill()
                process.wait()


@pytest.fixture
def provider(node: Anvil) -> Iterator[Provider]:
    with Provider(node.url) as running:
        yield running


def pnyx(agent: Agent, command: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """A command of the operator, beside the running agent."""
    return run_fork([command, *map(str, arguments), "--config", str(agent.config)], timeout=60)


def start_fresh(
    arguments: Sequence[str], log: Path, environment: Mapping[str, str], launcher: Sequence[str] = ()
) -> subprocess.Popen[bytes]:
    """``pnyx`` as a shell starts it, or the program `launcher`."""
    with log.open("ab") as output:
        return subprocess.Popen(
            [*launcher, sys.executable, "-m", "pnyx_agents", *arguments],
            stdout=output, stderr=output, stdin=subprocess.DEVNULL, env=environment,
        )  # fmt: skip


def children(pid: int) -> list[int]:
    """Processes that were started by `pid`."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def pay(agent: Agent, wei: int | None = None) -> int:
    """An honest small payment, its vote open; unless `wei` says how much, of more than the one before."""
    receiver = agent.node.accounts[7]
    number = len(agent.dao.proposals)
    wei = (10 + number) * TOKEN // 100 if wei is None else wei
    text = f"# Payment {number}\n\nSends {wei / TOKEN} ETH to {receiver} for the documentation of month {number}."
    proposal = agent.dao.propose([receiver], [wei], [b""], text)
    agent.dao.advance_to_active(proposal)
    return proposal


def position_of(agent: Agent) -> Position:
    journal = Journal(f"sqlite:///{agent.folder / 'data' / 'journal.sqlite'}")
    kept = journal.position()
    journal.close()
    assert kept is not None
    return Position.model_validate_json(kept)
