"""Packages that bring plugins, really installed, and the command as people type it, with them on the path."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy_governance

SAMPLE = Path(__file__).parent / "sample_package"
UV = shutil.which("uv") or str(Path(sys.executable).parent / "uv")


@dataclass(frozen=True)
class Site:
    """A folder of installed packages beside our own."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(self.folder)}

    def pnyx(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pnyx_agents", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, env=self.environment, check=False, timeout=60)

    def add(self, package: str, entry_points: Mapping[str, Mapping[str, str]], code: str = "") -> None:
        """One more package, as an installer would leave it: the module, and the metadata that names its plugins."""
        (self.folder / f"{package.replace('-', '_')}.py").write_text(code)
        info = self.folder / f"{package.replace('-', '_')}-0.1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 0.1\n")
        sections = (
            "\n".join([f"[{group}]", *(f"{name} = {target}" for name, target in named.items())])
            for group, named in entry_points.items()
        )
        (info / "entry_points.txt").write_text("\n\n".join(sections))


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The sample package: built, and installed into a folder of its own."""
    site = Site(tmp_path_factory.mktemp("site"))
    source = shutil.copytree(SAMPLE, tmp_path_factory.mktemp("source") / "sample_package")
    install = [UV, "pip", "install", "--quiet", "--no-deps", "--python", sys.executable, "--target", str(site.folder)]
    subprocess.run([*install, str(source)], check=True)
    return site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A folder without packages yet."""
    folder = tmp_path / "site"
    folder.mkdir()
    return Site(folder)


@pytest.fixture(scope="module")
def dao() -> Iterator[Governance]:
    with Anvil(extra_arguments=("--slots-in-an-epoch", "1")) as node:
        yield deploy_governance(node, voting_period=400)


def configuration(dao: Governance, folder: Path, **tables: Mapping[str, Any]) -> Path:
    """A `pnyx.toml`; `tables` adds to its tables: ``policy={"checks": {"round-number": "1"}}``."""
    whole: dict[str, dict[str, Any]] = {
        "agent": {"name": "tester"},
        "chain": {"rpc": dao.node.url, "chain_id": 31337, "confirmations": 0, "poll_seconds": 0.2},
    }
    for name, table in tables.items():
        whole[name] = {**whole.get(name, {}), **table}
    governor = whole.pop("governor", {})
    lines = [f"{name} = {_toml(table)}" for name, table in whole.items()]
    lines.append(f"governor = [{_toml({'address': dao.governor, 'start_block': 0, **governor})}]")
    file = folder / "pnyx.toml"
    file.write_text("\n".join(lines) + "\n")
    return file


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(str(value) if isinstance(value, Path) else value)


def propose(dao: Governance, wei: int = TOKEN) -> int:
    """An honest payment, its vote open."""
    receiver = dao.node.accounts[7]
    text = f"# Payment {len(dao.proposals)}\n\nSends {wei / TOKEN} ETH to {receiver}."
    proposal = dao.propose([receiver], [wei], [b""], text)
    dao.advance_to_active(proposal)
    return proposal


def reviewed(site: Site, dao: Governance, config: Path) -> dict[str, Any]:
    """The dossier of a fresh proposal."""
    ended = site.pnyx("review", dao.governor, propose(dao), "-c", config, "--json")
    assert ended.returncode == 0, ended.stderr
    dossier: dict[str, Any] = json.loads(ended.stdout)
    return dossier
