"""What loads what: commands for members and for the key stay light, and layers import leftwards only."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from pnyx_agents import assembly
from pnyx_agents.cli.main import COMMANDS
from pnyx_agents.settings import load_settings
from pnyx_policies.rulesets import shipped_ruleset
from pnyx_tools.evidence import FolderStore
from pnyx_tools.keystore import EncryptedKey, create_keystore
from pnyx_tools.signer.process import spawn
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.decisions import LocalAgent
from pnyx_tools.testing.deploy import TOKEN, deploy_gate, deploy_governance, deploy_log

ROOT = Path(__file__).parents[2]
CASES = ROOT / "policies" / "pnyx_policies" / "rulesets" / "cases"
HEAVY = {"web3", "langchain", "langchain_core", "langchain_openai", "openai", "opentelemetry", "dbos", "sqlalchemy"}

# Does what the command `pnyx` does, and says at the very end what was imported meanwhile.
PNYX = """
import atexit, sys
atexit.register(lambda: print("\\nimported", *sys.modules, file=sys.stderr))
from pnyx_agents.cli import main
main(sys.argv[1:])
"""


def imported_by(*arguments: object) -> set[str]:
    """The top-level packages that a command loads. It has to succeed."""
    command = [sys.executable, "-c", PNYX, *map(str, arguments)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    said, *names = ended.stderr.splitlines()[-1].split()
    assert said == "imported"
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        *([name, "--help"] for name in COMMANDS),
        ["policy", "backtest", "--help"],
    ],
    ids=" ".join,
)
def test_help_is_light(arguments: list[str]) -> None:
    loaded = imported_by(*arguments)
    assert "pnyx_agents" in loaded
    assert loaded & {*HEAVY, "eth_account", "pnyx_policies", "pydantic"} == set()


@pytest.mark.parametrize("arguments", [["check", "guardian"], ["test", CASES], ["schema"]], ids=lambda a: a[0])
def test_trying_rules_is_light(arguments: list[object]) -> None:
    loaded = imported_by("policy", *arguments)
    assert "pnyx_policies" in loaded
    assert loaded & {*HEAVY, "eth_account", "jsonschema"} == set()


def test_a_whole_check_is_light(tmp_path: Path) -> None:
    with Anvil() as node:
        dao = deploy_governance(node)
        store = FolderStore(tmp_path / "evidence")
        agent = LocalAgent(node, deploy_log(node), [dao], store, shipped_ruleset("steward"))
        agent.register()
        dao.give_power(agent.writer, 10_000)
        receiver = node.accounts[7]
        proposal = dao.propose([receiver], [TOKEN], [b""], f"# Pay\n\nSends 1 ETH to {receiver} for the garden.")
        dao.advance_to_active(proposal)
        agent.act(dao, proposal)
        loaded = imported_by(
            "verify", "--rpc", node.url, "--log", agent.log, "--evidence", tmp_path / "evidence", "--upto", "latest"
        )
    assert "pnyx_policies" in loaded
    assert loaded & {*HEAVY, "eth_account"} == set()


def test_the_signer_that_runs_as_a_child_is_light(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `pnyx run` starts it; through a Python that writes down each of its imports."""
    log = tmp_path / "imports"
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -X importtime "$@" 2>{log}\n')
    python.chmod(0o700)
    password = "a-long-password-for-tests"
    key = create_keystore(tmp_path / "signer.json", password, scrypt_work=2**12)
    with Anvil() as node:
        dao = deploy_governance(node)
        node.set_balance(key, TOKEN)
        lines = [
            'agent = { name = "tester" }',
            f'chain = {{ rpc = "{node.url}", chain_id = 31337 }}',
            f'governor = [{{ address = "{dao.governor}", start_block = 0 }}]',
            'signer = { socket = "run/signer.sock" }',
        ]
        file = tmp_path / "pnyx.toml"
        file.write_text("\n".join(lines))
        declared = assembly.declared_configuration(load_settings(file))
        gate = deploy_gate(node, signer=key, governors=[dao.governor], config_hash=declared.hash)
        file.write_text("\n".join([*lines, f'log = {{ address = "{gate.log}", writer = "{gate.address}" }}']))
        settings = assembly.signer_settings(load_settings(file), key)
        assembly.paths(load_settings(file))
        monkeypatch.setattr(sys, "executable", str(python))
        source = EncryptedKey(keystore=tmp_path / "signer.json", password=SecretStr(password))
        with spawn(settings, source) as child:
            assert child.client.identity().key_address == key
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in log.read_text().splitlines() if "|" in line}
    assert {"pnyx_policies", "eth_account"} <= loaded, "it judges and it signs"
    assert loaded & HEAVY == set()


def test_layers_import_leftwards_only() -> None:
    linter = shutil.which("lint-imports") or str(Path(sys.executable).parent / "lint-imports")
    ended = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout
    assert "2 kept, 0 broken" in ended.stdout
