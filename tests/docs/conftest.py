"""An agent with a gate that has voted, made by what operators type; and the run-book, command by command."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from pnyx_contracts.decision_log import (
    encode_gate_note,
    encode_gate_vote,
    encode_record,
    read_state,
    subject,
)
from pnyx_contracts.entry import EntryKind
from pnyx_contracts.errors import PnyxError
from pnyx_contracts.types import ProposalKey, Vote
from pnyx_tools.keystore import create_keystore
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy_governance, encode_call
from pnyx_tools.testing.faults.forks import Fork, run_fork, start_fork
from pnyx_tools.testing.serving import FileServer

ROOT: Final = Path(__file__).parents[2]
CAST: Final = ROOT / "contracts" / "node_modules" / ".bin" / "cast"
PASSWORD: Final = "a-long-password-for-tests"
KEYSTORES: Final = ("operator", "guardian", "signer", "member", "public", "newoperator", "newsigner")
SECONDS_TO_DECIDE: Final = 120  # a hang, however busy the machine is

_COMMAND = re.compile(r"`((?:pnyx|cast) [a-z]+ [^`\n]*[A-Z][^`\n]*)`|^ {4,}((?:pnyx|cast) .*)$", re.MULTILINE)
_FILLED_IN = re.compile(r"\b[A-Z]+\b")


def commands_under(heading: str) -> list[str]:
    """The commands of one part of the threat model, in the order of the page."""
    page = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
    found = re.search(rf"^### {re.escape(heading)}\n(.*?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL)
    assert found, f"the run-book has no part {heading!r}"
    return [inline or block for inline, block in _COMMAND.findall(found.group(1))]


@dataclass
class Scene:
    """A copy of the agent's folder on a snapshot of its chain, and the part of the run-book that is played."""

    node: Anvil
    dao: Governance
    folder: Path
    addresses: dict[str, str]
    """Of the keystores."""
    values: dict[str, str]
    """For the words in capitals."""
    waiting: list[str] = field(default_factory=list)
    """Commands of this part that were not played yet."""
    processes: list[Fork] = field(default_factory=list)

    # The run-book

    def open(self, heading: str) -> None:
        self.waiting = commands_under(heading)

    def play(self, words: str, *more: str, code: int = 0) -> str:
        """The next command of the page, which must begin with these words; what it says."""
        command = self._next(words)
        ended = self.run(*command, *more)
        assert ended.returncode == code, f"{shlex.join(command)}\n{ended.stdout}\n{ended.stderr}"
        return ended.stdout

    def start(self, words: str) -> None:
        """The next command of the page, which goes on until `stop`."""
        self._spawn(self._next(words))

    def stop(self) -> None:
        self.processes[-1].terminate()
        assert self.processes[-1].wait(timeout=30) == 0

    def _next(self, words: str) -> list[str]:
        assert self.waiting, f"the page has no command left where {words!r} is expected"
        command = self.waiting.pop(0)
        assert command.startswith(words), f"expected {words!r}, the page has {command!r}"
        return shlex.split(_FILLED_IN.sub(lambda word: self.values[word.group()], command))

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """As typed in the agent's folder. Passwords come from a file, and whoever is asked says yes."""
        program, name, *rest = command
        more = ["--password-file", "password"] if "--keystore" in rest else []
        if program == "pnyx":
            yes = ["--yes"] if more and name != "init" else []
            return run_fork([name, *rest, *more, *yes], timeout=120, folder=self.folder)
        return subprocess.run(
            [CAST, name, *rest, *more], cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False, timeout=120,
        )  # fmt: skip

    def _spawn(self, command: list[str]) -> None:
        assert command[0] == "pnyx"
        log = self.folder / "daemon.log"
        self.processes.append(start_fork(command[1:], log, log, folder=self.folder))

    # The agent

    def configure(self, name: str, *, keystore: str) -> None:
        """Another configuration: without a [log], for another key."""
        text = (self.folder / "pnyx.toml").read_text(encoding="utf-8")
        text = re.sub(r"^\[log\]\n(.+\n)*", "", text, flags=re.MULTILINE)
        text = text.replace('keystore = "signer.json"', f'keystore = "{keystore}.json"')
        (self.folder / name).write_text(text, encoding="utf-8")
        self.values["CONFIG"] = name

    def record_in(self, name: str, deployed: str) -> str:
        """Puts the [log] that `pnyx deploy --json` printed into a configuration; the new writer."""
        found: dict[str, Any] = json.loads(deployed)
        with (self.folder / name).open("a", encoding="utf-8") as file:
            file.write(f'\n[log]\naddress = "{found["log"]}"\nwriter = "{found["writer"]}"\n')
            file.write(f"start_block = {found['start_block']}\n")
        return str(found["writer"])

    def until_voted(self, proposal: int, writer: str) -> None:
        """Waits for the running agent."""
        deadline = time.monotonic() + SECONDS_TO_DECIDE
        while not self.has_voted(proposal, writer):
            said = (self.folder / "daemon.log").read_text(encoding="utf-8", errors="replace")
            assert self.processes[-1].poll() is None, said[-4000:]
            assert time.monotonic() < deadline, said[-4000:]
            time.sleep(0.1)

    def finalize(self) -> None:
        """So that a check that believes only what is final sees everything."""
        self.node.mine(8)

    # The chain

    def propose(self) -> int:
        """An honest small payment, its vote open."""
        number = len(self.dao.proposals)
        receiver, thousandths = self.node.accounts[7], 100 + number  # none does what another one does
        text = f"# Payment {number}\n\nSends {thousandths / 1000} ETH to {receiver} for the documentation."
        proposal = self.dao.propose([receiver], [thousandths * TOKEN // 1000], [b""], text)
        self.dao.advance_to_active(proposal)
        return proposal

    def has_voted(self, proposal: int, writer: str) -> bool:
        call = encode_call("hasVoted(uint256,address)", proposal, writer)
        return int.from_bytes(self.node.rpc.call(self.dao.governor, call), "big") == 1

    def power_of(self, account: str) -> int:
        call = encode_call("getVotes(address)", account)
        return int.from_bytes(self.node.rpc.call(self.dao.token, call), "big") // TOKEN

    # The thief, who has a key

    def thief_votes(self, key: str, gate: str, proposal: int) -> bool:
        about = self._about(proposal)
        return self._sent(key, gate, encode_gate_vote(self._seq(gate), about, 0, b"\1" * 32, b"\2" * 32, "mine now"))

    def thief_notes(self, key: str, gate: str, proposal: int) -> bool:
        words = (subject(self._about(proposal)), b"\3" * 32, b"\4" * 32, bytes(32))
        return self._sent(key, gate, encode_gate_note(self._seq(gate), EntryKind.SKIP, *words))

    def thief_records(self, key: str, proposal: int) -> bool:
        words = (subject(self._about(proposal)), b"\3" * 32, b"\4" * 32, bytes(32))
        return self._sent(key, self.values["LOG"], encode_record(self._seq(key), EntryKind.SKIP, *words))

    def thief_votes_plainly(self, key: str, proposal: int) -> None:
        self.node.impersonate(key)
        self.dao.vote(proposal, Vote.AGAINST, key)

    def sends(self, sender: str, to: str, signature: str, *arguments: object) -> bool:
        return self._sent(sender, to, encode_call(signature, *arguments))

    def _about(self, proposal: int) -> ProposalKey:
        return self.dao.proposals[proposal].key

    def _seq(self, writer: str) -> int:
        return self.node.rpc.read(read_state(self.values["LOG"], writer)).seq + 1

    def _sent(self, sender: str, to: str, data: bytes) -> bool:
        """False when the chain refuses it."""
        self.node.impersonate(sender)
        with suppress(PnyxError):
            self.node.send(to, data, sender=sender)
            return True
        return False


@dataclass
class Base:
    """The agent that all scenes begin with, and the server that its evidence is declared to lie at."""

    scene: Scene
    evidence: FileServer


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Base]:
    folder = tmp_path_factory.mktemp("base")
    with Anvil(extra_arguments=("--slots-in-an-epoch", "1")) as node, FileServer(folder) as server:
        yield Base(_founded(node, folder, server.url), server)


def _founded(node: Anvil, folder: Path, evidence: str) -> Scene:
    dao = deploy_governance(node, voting_period=1_000)
    password = folder / "password"
    password.write_text(PASSWORD)
    password.chmod(0o600)
    addresses = {name: create_keystore(folder / f"{name}.json", PASSWORD, scrypt_work=2**12) for name in KEYSTORES}
    for address in addresses.values():
        node.set_balance(address, 10 * TOKEN)
    node.send(dao.token, encode_call("transfer(address,uint256)", addresses["member"], 10_000 * TOKEN))
    files = {name.upper(): f"{name}.json" for name in KEYSTORES}
    scene = Scene(node, dao, folder, addresses, {**files, "URL": node.url, "EVIDENCE": evidence})
    scene.values |= {"TOKEN": dao.token, "GOVERNOR": dao.governor}
    init = ("--rpc", node.url, "--governor", dao.governor, "--name", "tester")
    made = scene.run("pnyx", "init", ".", *init)
    assert made.returncode == 0, made.stderr
    _let_it_vote(folder / "pnyx.toml")
    deployed = scene.run(
        "pnyx", "deploy", "-c", "pnyx.toml", "--keystore", "operator.json", "--evidence-uri", evidence, "--guardian",
        addresses["guardian"], "--delay-days", "1", "--json",
    )  # fmt: skip
    assert deployed.returncode == 0, deployed.stderr
    gate = scene.record_in("pnyx.toml", deployed.stdout)
    log = json.loads(deployed.stdout)["log"]
    scene.values |= {"GATE": gate, "LOG": log, "CONFIG": "pnyx.toml"}
    scene.sends(addresses["member"], dao.token, "delegate(address)", gate)
    node.mine()
    proposal = scene.propose()
    scene._spawn(["pnyx", "run", "-c", "pnyx.toml"])
    scene.until_voted(proposal, gate)
    scene.stop()
    return scene


def _let_it_vote(config: Path) -> None:
    text = config.read_text(encoding="utf-8")
    for old, new in (
        ('mode = "observe" ', 'mode = "autonomous" '),
        ('ruleset = "guardian"', 'ruleset = "steward"'),
        ("poll_seconds = 12", "poll_seconds = 0.3"),
        ("# confirmations = 12", "confirmations = 0"),
        ("# [signer]", "[signer]"),
        ('# keystore = "keys/signer.json"', 'keystore = "signer.json"'),
        ('# password_file = "keys/signer.password"', 'password_file = "password"'),
    ):
        assert old in text, old
        text = text.replace(old, new)
    config.write_text(text, encoding="utf-8")


@pytest.fixture
def scene(base: Base, tmp_path: Path) -> Iterator[Scene]:
    """At its end, every command of the part was played."""
    first = base.scene
    snapshot = first.node.snapshot()
    folder = tmp_path / "agent"
    shutil.copytree(first.folder, folder)
    base.evidence.folder = folder / "evidence"
    played = Scene(first.node, first.dao, folder, first.addresses, dict(first.values))
    yield played
    for process in played.processes:
        if process.poll() is None:
            process.kill()
            process.wait()
    first.node.revert(snapshot)
    assert played.waiting == [], "commands of the run-book that no step plays"
