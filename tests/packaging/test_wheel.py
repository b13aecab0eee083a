"""The wheel alone, in a fresh environment: it reads and verifies, and says what it lacks for more."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from pnyx_policies.rulesets import shipped_ruleset
from pnyx_tools.evidence import FolderStore
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.decisions import LocalAgent
from pnyx_tools.testing.deploy import TOKEN, deploy_governance, deploy_log

ROOT = Path(__file__).parents[2]
PACKAGES = ("contracts/pnyx_contracts", "policies/pnyx_policies", "tools/pnyx_tools", "agents/pnyx_agents")
OF_THE_EXTRAS = {
    "apscheduler", "dbos", "eth-account", "langchain", "langchain-core", "langchain-openai", "langsmith", "openai",
    "opentelemetry-api", "opentelemetry-sdk", "prometheus-client", "psycopg", "sqlalchemy", "structlog", "web3",
}  # fmt: skip
UV = shutil.which("uv") or str(Path(sys.executable).parent / "uv")


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution, and the wheel that was built from it: so both are whole."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([UV, "build", "--quiet", "--out-dir", str(folder), str(ROOT)], check=True)
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    return next(dist.glob("*.whl"))


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
        "pnyx_policies/rulesets/cases/guardian.toml",
        "pnyx_agents/template.toml",
        "pnyx_agents/page/index.html",
        "pnyx_agents/page/worker.js",
        "pnyx_tools/testing/artifacts/Governor5Block.json",
    } <= names
    ours = {
        file.relative_to((ROOT / package).parent).as_posix()
        for package in PACKAGES
        for file in (ROOT / package).rglob("*")
        if file.is_file() and file.suffix != ".pyc"
    }
    assert {name for name in names if ".dist-info/" not in name} == ours


def test_the_source_distribution_has_sources_only(dist: Path) -> None:
    with tarfile.open(next(dist.glob("*.tar.gz"))) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    assert {"contracts/src/DecisionLog.sol", "contracts/package-lock.json", "dev.py", "uv.lock"} <= set(names)
    not_ours = {"node_modules", "out", "cache", ".venv", ".git", "__pycache__", ".hypothesis"}
    assert [name for name in names if not_ours & set(name.split("/"))] == []


def test_the_base_install_has_no_heavy_packages(alone: Path) -> None:
    code = "from importlib.metadata import distributions as d; print(*{x.name.lower().replace('_', '-') for x in d()})"
    installed = set(run(alone, "python", "-c", code).stdout.split())
    assert {"pnyx", "eth-abi", "pydantic"} <= installed
    assert installed & OF_THE_EXTRAS == set()


def test_it_introduces_itself(alone: Path) -> None:
    assert "verify" in run(alone, "pnyx", "--help").stdout
    assert run(alone, "pnyx", "--version").stdout.strip() == "pnyx, version 0.1.0"
    assert {row["package"] for row in json.loads(run(alone, "pnyx", "tools", "--json").stdout)} == {"pnyx"}


def test_what_needs_the_extra_says_so(alone: Path, tmp_path: Path) -> None:
    config = tmp_path / "pnyx.toml"
    config.write_text(
        '[agent]\nname = "a"\n[chain]\nrpc = "http://127.0.0.1:1"\nchain_id = 1\n'
        '[[governor]]\naddress = "0x0000000000000000000000000000000000000001"\nstart_block = 0\n'
    )
    ended = run(alone, "pnyx", "run", "-c", config)
    assert ended.returncode == 2
    assert "pip install 'pnyx[agent]'" in ended.stderr
    ended = run(alone, "pnyx", "approve", "1", "-c", config, "--json")
    assert "pnyx[agent]" in json.loads(ended.stderr)["hint"]


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
        review = run(alone, "pnyx", "review", dao.governor, proposal, "--rpc", node.url, "--json")
        assert json.loads(review.stdout)["proposal"]["key"]["proposal_id"] == str(proposal)
        entries = json.loads(run(alone, "pnyx", "log", "--rpc", node.url, "--log", agent.log, "--json").stdout)[
            "entries"
        ]
        assert len(entries) == 1
