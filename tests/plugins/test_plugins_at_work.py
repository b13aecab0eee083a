"""A whole agent with plugins of every kind that can vote. Signer and verifier run beside it, and load none of them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pnyx_agents import assembly
from pnyx_agents.settings import load_settings
from pnyx_tools.keystore import create_keystore
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy_gate

from .conftest import Site, configuration, propose

PASSWORD = "a-long-password-for-tests"
NOT_FOR_KEYS_AND_MEMBERS = {
    "pnyx_sample", "web3", "langchain", "langchain_core", "langchain_openai", "openai", "dbos", "sqlalchemy",
}  # fmt: skip
RULES = """
name = "test"
version = "1"

[[rule]]
id = "round"
because = "Nobody worked out what it costs."
when = ["finding.round-number >= info"]
then = "abstain"
"""

# Does what the command `pnyx` does, and leaves a list of everything that was imported meanwhile.
PNYX = """
import atexit, os, pathlib, sys
leave = os._exit
note = lambda: pathlib.Path(sys.argv[1]).write_text(" ".join(sys.modules))
atexit.register(note)
os._exit = lambda code: (note(), leave(code))  # how the daemon ends, past atexit
from pnyx_agents.cli import main
main(sys.argv[2:])
"""


def packages(imported: Path) -> set[str]:
    return {name.partition(".")[0] for name in imported.read_text().split()}


def until(holds: Callable[[], Any], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.1)


@contextmanager
def running(site: Site, folder: Path, name: str, *arguments: object) -> Iterator[Path]:
    """A command that runs until the block ends; the file of what it imported, and beside it what it said."""
    imported = folder / f"{name}.imported"
    with (folder / f"{name}.log").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-c", PNYX, str(imported), *map(str, arguments)], env=site.environment, stderr=said
        )
    try:
        yield imported
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
        process.wait()


def agent(dao: Governance, folder: Path) -> Path:
    """An autonomous agent with a gate, whose check, context tool, signer and notifier are the sample's."""
    (folder / "rules.toml").write_text(RULES)
    (folder / "password").write_text(PASSWORD)
    (folder / "password").chmod(0o600)
    key = create_keystore(folder / "signer.json", PASSWORD, scrypt_work=2**12)
    dao.node.set_balance(key, 10 * TOKEN)
    tables: dict[str, dict[str, Any]] = {
        "agent": {"name": "tester", "mode": "autonomous"},
        "policy": {"ruleset": "rules.toml", "checks": {"round-number": "1"}},
        "plugins": {"tools": {"proposal_size": "1"}, "notifiers": {"file": {"path": folder / "heard.txt"}}},
        "notifications": {"digest_seconds": 0},
        "signer": {
            "kind": "counting", "options": {"path": folder / "run" / "signer.sock", "most": 9},
            "socket": "run/signer.sock", "keystore": "signer.json", "password_file": "password",
            "max_spend_per_day_ether": 5,
        },
    }  # fmt: skip
    declared = assembly.declared_configuration(load_settings(configuration(dao, folder, **tables)))
    gate = deploy_gate(dao.node, signer=key, governors=[dao.governor], config_hash=declared.hash)
    assembly.evidence(load_settings(folder / "pnyx.toml")).put_configuration(declared)
    dao.give_power(gate.address, 10_000)
    return configuration(dao, folder, **tables, log={"address": gate.log, "writer": gate.address})


def test_an_agent_votes_by_a_plugin_check_through_a_plugin_signer(sample: Site, dao: Governance, tmp_path: Path):
    config = agent(dao, tmp_path)
    log = load_settings(config).log
    assert log is not None
    proposal = propose(dao)
    with running(sample, tmp_path, "signer", "signer", "-c", config) as signer:
        until((tmp_path / "run" / "signer.sock").exists)
        with running(sample, tmp_path, "daemon", "run", "-c", config) as daemon:
            voted = dao.adapter.read_has_voted(dao.profile, proposal, log.writer)
            until(lambda: dao.node.rpc.read(voted))
            until((tmp_path / "heard.txt").exists)
    assert "pnyx_sample" in packages(daemon)
    assert packages(signer) & NOT_FOR_KEYS_AND_MEMBERS == set()
    tally = dao.node.rpc.read(dao.adapter.read_tally(dao.profile, proposal))
    assert tally == (0, 0, 10_000 * TOKEN), "abstain, as the rule about the plugin's finding says"

    imported = tmp_path / "verify.imported"
    command = [
        sys.executable, "-c", PNYX, imported, "verify", "--rpc", dao.node.url, "--log", log.address,
        "--evidence", tmp_path / "evidence", "--upto", "latest", "--json",
    ]  # fmt: skip
    verified = subprocess.run(
        list(map(str, command)), env=sample.environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert packages(imported) & NOT_FOR_KEYS_AND_MEMBERS == set()
    (writer,) = json.loads(verified.stdout)["writers"]
    unknown = [verdict["reason"] for verdict in writer["verdicts"] if verdict["status"] == "not checkable"]
    assert any("round-number is no check that ships" in reason for reason in unknown)
