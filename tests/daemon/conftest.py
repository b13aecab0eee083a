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
from pnyx_contracts.decision_log import ENTRY_TOPIC, decode_entry, encode_register
from pnyx_contracts.entry import Declaration, Entry
from pnyx_contracts.types import VoteCast
from pnyx_policies.bundle import Bundle
from pnyx_policies.dossier import Dossier
from pnyx_tools.follow import Position
from pnyx_tools.journal import Case, Journal, Stage
from pnyx_tools.keystore import create_keystore
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import (
    DAY,
    TOKEN,
    Clock,
    Governance,
    delegate_account,
    deploy_gate,
    deploy_governance,
    deploy_log,
)
from pnyx_tools.testing.faults.forks import Fork, run_fork, start_fork
from pnyx_tools.testing.provider import Provider

PASSWORD = "a-long-password-for-tests"
RULES = """
name = "test"
version = "1"
description = "Against what is hidden, for what is small and announced."

[[rule]]
id = "hidden"
because = "It hides something."
when = ["findings.critical > 0"]
then = "against"

[[rule]]
id = "calm"
because = "Nothing speaks against it."
when = ["findings.critical is 0", "findings.high is 0"]
then = "for"
"""
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


@dataclass(frozen=True)
class Options:
    """How an agent differs from the plain autonomous one with a gate."""

    mode: str = "autonomous"
    gate: bool = True
    atomic: bool = False
    """Without a gate: the account runs `AtomicAccount`."""
    signer: bool = True
    powerful: bool = True
    rules: str = RULES
    model: str = ""
    signer_lines: str = ""
    agent_lines: str = ""
    rpc: str | None = None
    signer_rpc: str | None = None
    confirmations: int = 0
    poll_seconds: float = 0.3
    websocket: bool = False


MakeAgent = Callable[..., Agent]


@pytest.fixture(scope="module")
def node() -> Iterator[Anvil]:
    with Anvil(extra_arguments=("--slots-in-an-epoch", "1")) as running:
        yield running


@cache
def bring_modules_into_memory() -> None:
    """Before a chain begins to grow: votes on it could be over until the first fork starts."""
    assert run_fork(["--help"], timeout=SECONDS_TO_DECIDE).returncode == 0


@pytest.fixture
def make_agent(node: Anvil, tmp_path: Path) -> Iterator[MakeAgent]:
    """Makes an agent for a fresh DAO; whatever still runs at the end is killed."""
    made: list[Agent] = []
    bring_modules_into_memory()

    def make(version: int = 5, clock: Clock = "block", contract: str | None = None, **options: Any) -> Agent:
        period = VOTING_PERIOD if options.get("gate", True) else 10 * VOTING_PERIOD
        period = period if clock == "block" else 9 * period
        governance = deploy_governance(node, version, clock, contract=contract, voting_period=period)
        agent = _agent(node, governance, tmp_path / f"agent{len(made)}", Options(**options))
        made.append(agent)
        return agent

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


def pay(agent: Agent, wei: int = TOKEN // 10) -> int:
    """An honest small payment, its vote open."""
    receiver = agent.node.accounts[7]
    number = len(agent.dao.proposals)
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


def _agent(node: Anvil, dao: Governance, folder: Path, options: Options) -> Agent:
    folder.mkdir()
    password, keystore = folder / "password", folder / "signer.json"
    password.write_text(PASSWORD)
    password.chmod(0o600)
    (folder / "rules.toml").write_text(options.rules)
    key = create_keystore(keystore, PASSWORD, scrypt_work=2**12)
    node.set_balance(key, 10 * TOKEN)
    websocket = f'websocket = "{node.url.replace("http", "ws")}"' if options.websocket else ""
    text = f"""
[agent]
name = "tester"
mode = "{options.mode}"
{options.agent_lines}
[chain]
rpc = "{options.rpc or node.url}"
chain_id = {node.rpc.chain_id()}
confirmations = {options.confirmations}
poll_seconds = {options.poll_seconds}
{websocket}
[[governor]]
address = "{dao.governor}"
start_block = {Rpc(options.rpc or node.url).block().number}
[policy]
ruleset = "rules.toml"
{options.model}
"""
    if options.signer:
        text += f"""
[signer]
rpc = "{options.signer_rpc or node.url}"
keystore = "signer.json"
password_file = "password"
max_spend_per_day_ether = 5
{options.signer_lines}
"""
    config = folder / "pnyx.toml"
    config.write_text(text)
    declared = assembly.declared_configuration(load_settings(config))
    if not options.signer:
        return Agent(node, dao, folder, "", "")
    if options.gate:
        gate = deploy_gate(node, signer=key, governors=[dao.governor], config_hash=declared.hash)
        log, writer = gate.log, gate.address
    else:
        log, writer = deploy_log(node), key
        node.impersonate(key)
        declaration = Declaration(config_hash=declared.hash, governors=(dao.governor,), evidence_uri="")
        node.send(log, encode_register(key, DAY, declaration), sender=key)
    if options.atomic:
        delegate_account(node, key, log)
    writer_line = f'writer = "{writer}"' if options.gate else f"atomic = {str(options.atomic).lower()}"
    config.write_text(text + f'\n[log]\naddress = "{log}"\n{writer_line}\n')
    if options.powerful:
        dao.give_power(writer, 10_000)
    return Agent(node, dao, folder, log, writer, mines=not options.gate and not options.atomic)
