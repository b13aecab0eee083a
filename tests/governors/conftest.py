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
    params=[
        (4, "block", "Governor43Block"), (4, "block", None), (4, "timestamp", None), (5, "block", None),
        (5, "timestamp", None),
    ],
    ids=lambda p: f"OZ{'4.3' if p[2] else p[0]}-{p[1]}",
)  # fmt: skip
def governance(request: pytest.FixtureRequest, governor_node: Anvil) -> Governance:
    version, clock, contract = request.param
    return deploy_governance(governor_node, version, clock, contract=contract)


@pytest.fixture(scope="session")
def cast() -> Cast:
    """Runs `cast`; its output without the newline."""
    packages = Path(__file__).parents[2] / "contracts" / "node_modules" / "@foundry-rs"
    binary = shutil.which("cast") or next((str(p) for p in packages.glob("cast-*/bin/cast")), None)
    assert binary, "no `cast`: run `npm ci` in contracts/"

    def run(*arguments: str) -> str:
        return subprocess.run([binary, *arguments], check=True, capture_output=True, text=True).stdout.strip()

    return run
