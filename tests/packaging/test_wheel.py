"""The wheel alone, in a fresh environment: it reads and verifies, and says what it lacks for more."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pnyx_policies.rulesets import shipped_ruleset
from pnyx_tools.evidence import FolderStore
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.decisions import LocalAgent
from pnyx_tools.testing.deploy import TOKEN, deploy_governance, deploy_log

ROOT = Path(__file__).parents[2]
HEAVY = ("web3", "langchain", "langchain_core", "langchain_openai", "openai", "dbos")
UV = shutil.which("uv") or str(Path(sys.executable).parent / "uv")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([UV, "build", "--quiet", "--wheel", "--out-dir", str(folder), str(ROOT)], check=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def alone(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that has the wheel and its base requirements, nothing else."""
    folder = tmp_path_factory.mktemp("alone") / "venv"
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
    python = folder / "bin" / "python"
    subprocess.run([UV, "pip", "install", "--quiet", "--python", str(python), str(wheel)], check=True)
    return folder / "bin"


def run(alone: Path, program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    command = [str(alone / program), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, cwd=alone, timeout=120)


def test_the_wheel_has_what_it_needs(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "pnyx_contracts/abi/DecisionLog.json",
        "pnyx_contracts/vectors/record.json",
        "pnyx_policies/prompts/system.md",
        "pnyx_policies/rulesets/guardian.toml",
        "pnyx_agents/template.toml",
        "pnyx_tools/testing/artifacts/Governor5Block.json",
    } <= names
    assert {name.split("/")[0] for name in names} == {
        "pnyx_contracts", "pnyx_policies", "pnyx_tools", "pnyx_agents", "pnyx-0.1.0.dist-info",
    }  # fmt: skip


def test_the_base_install_has_no_heavy_packages(alone: Path) -> None:
    code = f"import importlib.util as u; print([n for n in {HEAVY!r} if u.find_spec(n)])"
    assert run(alone, "python", "-c", code).stdout.strip() == "[]"
    assert "verify" in run(alone, "pnyx", "--help").stdout


def test_what_needs_the_extra_says_so(alone: Path, tmp_path: Path) -> None:
    config = tmp_path / "pnyx.toml"
    config.write_text(
        '[agent]\nname = "a"\n[chain]\nrpc = "http://127.0.0.1:1"\nchain_id = 1\n'
        '[[governor]]\naddress = "0x0000000000000000000000000000000000000001"\nstart_block = 0\n'
    )
    ended = run(alone, "pnyx", "run", "-c", config)
    assert ended.returncode == 2
    assert "pip install 'pnyx[agent]'" in ended.stderr


def test_it_verifies_a_log_on_a_real_node(alone: Path, tmp_path: Path) -> None:
    with Anvil() as node:
        dao = deploy_governance(node)
        rules = shipped_ruleset("steward")
        agent = LocalAgent(node, deploy_log(node), [dao], FolderStore(tmp_path / "evidence"), rules)
        dao.give_power(agent.make_gate().address, 10_000)
        receiver = node.accounts[7]
        proposal = dao.propose([receiver], [TOKEN], [b""], f"# Pay\n\nSends 1 ETH to {receiver} for the garden.")
        dao.advance_to_active(proposal)
        agent.act(dao, proposal)
        dao.advance_to_closed(proposal)
        arguments = ["verify", "--rpc", node.url, "--log", agent.log, "--evidence", tmp_path / "evidence"]
        ended = run(alone, "pnyx", *arguments, "--upto", "latest", "--json")
        assert ended.returncode == 0, ended.stdout + ended.stderr
        report = json.loads(ended.stdout)
        assert report["ok"]
        assert report["counts"]["matches"] > 15
        entries = json.loads(run(alone, "pnyx", "log", "--rpc", node.url, "--log", agent.log, "--json").stdout)
        assert len(entries) == 1


@pytest.mark.parametrize("arguments", [["--help"], ["verify", "--help"], ["signer", "--help"]])
def test_light_commands_import_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; from pnyx_agents.cli import main\n"
        f"try: main({arguments!r})\nexcept SystemExit: pass\n"
        f"print('HEAVY', [m for m in {HEAVY!r} if m in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "HEAVY []"


def test_the_signer_and_the_verifier_at_work_import_nothing_heavy() -> None:
    code = (
        "import sys; import pnyx_agents.cli.signer, pnyx_agents.cli.verify, pnyx_agents.assembly, pnyx_agents.keys\n"
        "import pnyx_tools.signer.process, pnyx_tools.keystore, pnyx_tools.verifier\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
