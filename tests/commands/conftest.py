"""Commands as people type them, against a real node."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pnyx_agents.cli import main
from pnyx_tools.keystore import create_keystore
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy_governance

PASSWORD = "a-long-password-for-tests"


@dataclass(frozen=True)
class Ended:
    """A command that ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Pnyx = Callable[..., Ended]


@pytest.fixture
def pnyx(capfd: pytest.CaptureFixture[str]) -> Pnyx:
    """Runs a command of `pnyx` in this process."""

    def run(*arguments: object) -> Ended:
        capfd.readouterr()
        try:
            main([str(a) for a in arguments])
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        captured = capfd.readouterr()
        return Ended(code, captured.out, captured.err)

    return run


@pytest.fixture(scope="module")
def node() -> Iterator[Anvil]:
    with Anvil(extra_arguments=("--slots-in-an-epoch", "1")) as running:
        yield running


@pytest.fixture(scope="module")
def dao(node: Anvil) -> Governance:
    return deploy_governance(node)


@pytest.fixture
def operator(node: Anvil, tmp_path: Path) -> tuple[Path, Path]:
    """A funded operator's keystore and its password file."""
    password, keystore = tmp_path / "password", tmp_path / "operator.json"
    password.write_text(PASSWORD)
    password.chmod(0o600)
    address = create_keystore(keystore, PASSWORD, scrypt_work=2**12)
    node.set_balance(address, 10 * TOKEN)
    return keystore, password
