"""Plugins of another package: installed for real, found, enabled by name, used by the agent."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pnyx_policies.checks import builtin_checks
from pnyx_tools.context import builtin_tools
from pnyx_tools.plugins import GROUPS, installed
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy_governance

SAMPLE = Path(__file__).parent / "sample_package"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample, built and installed into a folder of its own."""
    target = tmp_path_factory.mktemp("site")
    source = shutil.copytree(SAMPLE, tmp_path_factory.mktemp("source") / "sample_package")
    uv = shutil.which("uv") or str(Path(sys.executable).parent / "uv")
    subprocess.run(
        [
            uv,
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--target",
            str(target),
            "--python",
            sys.executable,
            str(source),
        ],
        check=True,
    )
    return target


@pytest.fixture(scope="module")
def dao() -> Iterator[Governance]:
    with Anvil() as node:
        yield deploy_governance(node)


def pnyx(site: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pnyx_agents", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(site)}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=60)


def configuration(dao: Governance, folder: Path, policy: str = "", plugins: str = "") -> Path:
    file = folder / "pnyx.toml"
    file.write_text(
        f'[agent]\nname = "tester"\n[chain]\nrpc = "{dao.node.url}"\nchain_id = 31337\n'
        f'[[governor]]\naddress = "{dao.governor}"\nstart_block = 0\n[policy]\n{policy}\n[plugins]\n{plugins}\n'
    )
    return file


def propose(dao: Governance) -> int:
    receiver = dao.node.accounts[7]
    number = len(dao.proposals)
    proposal = dao.propose([receiver], [TOKEN], [b""], f"# Payment {number}\n\nSends 1 ETH to {receiver}.")
    dao.advance_to_active(proposal)
    return proposal


def test_installed_plugins_are_listed_with_their_package(site: Path) -> None:
    listed = json.loads(pnyx(site, "tools", "--json").stdout)
    sample = {(row["group"], row["name"]) for row in listed if row["package"] == "pnyx-sample"}
    assert ("pnyx.checks", "round-number") in sample
    assert ("pnyx.tools", "proposal_size") in sample
    assert ("pnyx.notifiers", "file") in sample


def test_installed_is_not_enabled(site: Path, dao: Governance, tmp_path: Path) -> None:
    config = configuration(dao, tmp_path)
    review = pnyx(site, "review", dao.governor, propose(dao), "-c", config, "--json")
    dossier = json.loads(review.stdout)
    assert "round-number" not in {report["check"] for report in dossier["checks"]}
    assert "proposal_size" not in {result["tool"] for result in dossier["context"]}


def test_named_plugins_take_part_in_a_review(site: Path, dao: Governance, tmp_path: Path) -> None:
    config = configuration(dao, tmp_path, 'checks = { round-number = "1" }', 'tools = ["proposal_size"]')
    review = pnyx(site, "review", dao.governor, propose(dao), "-c", config, "--json")
    assert review.returncode == 0, review.stderr
    dossier = json.loads(review.stdout)
    (report,) = [r for r in dossier["checks"] if r["check"] == "round-number"]
    assert report["findings"][0]["title"] == "1 calls send a whole number of coins"
    (result,) = [r for r in dossier["context"] if r["tool"] == "proposal_size"]
    assert result["result"]["calls"] == 1


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ('checks = { versionless = "1" }', "pnyx-sample 0.1.0"),
        ('checks = { absent = "1" }', "pnyx_sample_that_is_not_there"),
        ('checks = { round-numbre = "1" }', "round-number"),
        ('checks = { round-number = "2" }', "installed is '1'"),
    ],
)
def test_a_plugin_that_does_not_fit_is_an_error_at_the_start(
    site: Path, dao: Governance, tmp_path: Path, policy: str, says: str
) -> None:
    config = configuration(dao, tmp_path, policy)
    ended = pnyx(site, "review", dao.governor, 1, "-c", config)
    assert ended.returncode == 2
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_notifier_hears_of_the_decision(site: Path, dao: Governance, tmp_path: Path) -> None:
    heard = tmp_path / "heard.txt"
    config = configuration(dao, tmp_path, plugins=f'[plugins.notifiers.file]\npath = "{heard}"')
    config.write_text(
        config.read_text().replace("chain_id = 31337", "chain_id = 31337\nconfirmations = 0\npoll_seconds = 0.2")
    )
    propose(dao)
    command = [sys.executable, "-m", "pnyx_agents", "run", "-c", str(config)]
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(site)}, stderr=subprocess.PIPE) as daemon:
        assert daemon.stderr is not None
        for line in daemon.stderr:
            if (b"pnyx.steward" in line and b'"done"' in line) or heard.exists():
                break
        daemon.terminate()
        daemon.stderr.read()
    assert "proposal 31337:" in heard.read_text()


def test_our_own_parts_come_through_the_same_door() -> None:
    own = {group: {n for n, p in installed(group).items() if p.is_own} for group in GROUPS}
    assert own["pnyx.checks"] == {check.name for check in builtin_checks()}
    assert own["pnyx.tools"] == {tool.name for tool in builtin_tools()}
    assert own["pnyx.governors"] == {"openzeppelin"}
    assert own["pnyx.signers"] == {"socket"}
    assert own["pnyx.notifiers"] == {"log", "webhook"}


def test_signer_and_verifier_load_no_plugin(site: Path) -> None:
    code = (
        "import sys; import pnyx_tools.signer.notary, pnyx_tools.signer.process, pnyx_tools.verifier; "
        "print([m for m in sys.modules if m.startswith('pnyx_sample') or m == 'pnyx_tools.plugins'])"
    )
    environment = {**os.environ, "PYTHONPATH": str(site)}
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert ended.stdout.strip() == "[]"
