"""Real governors on a real node, one of each version and clock, and Foundry's `cast` as a second opinion."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import Governance, deploy_governance

Cast = Callable[..., str]


@pytest.fixture(scope="session")
def governor_node() -> Iterator[Anvil]:
    with Anvil() as node:
        yield node


@pytest.fixture(
    scope="session",
    params=[(4, "block"), (4, "timestamp"), (5, "block"), (5, "timestamp")],
    ids=lambda p: f"OZ{p[0]}-{p[1]}",
)
def governance(request: pytest.FixtureRequest, governor_node: Anvil) -> Governance:
    version, clock = request.param
    return deploy_governance(governor_node, version, clock)


@pytest.fixture(scope="session")
def cast() -> Cast:
    """Runs `cast`; its output without the newline."""
    packages = Path(__file__).parents[2] / "contracts" / "node_modules" / "@foundry-rs"
    binary = shutil.which("cast") or next((str(p) for p in packages.glob("cast-*/bin/cast")), None)
    assert binary, "no `cast`: run `npm ci` in contracts/"

    def run(*arguments: str) -> str:
        return subprocess.run([binary, *arguments], check=True, capture_output=True, text=True).stdout.strip()

    return run
