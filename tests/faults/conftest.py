"""What the tests of faults share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pnyx_agents import assembly
from pnyx_agents.settings import load_settings
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.faults.launching import Forks
from pnyx_tools.testing.faults.play import Report
from pnyx_tools.testing.faults.plays import PLAYS, Amount


class Stage:
    """Plays, with agents that are forks of one process."""

    def __init__(self, folder: Path, launch: Forks) -> None:
        self._folder = folder
        self._launch = launch

    def play(self, kind: str, seed: int, *, faults: int, proposals: int) -> Report:
        amount = Amount(faults=faults, proposals=proposals)
        return PLAYS[kind].run(self._folder / "agent", declared, self._launch, seed, amount)


def declared(config: Path) -> bytes:
    return assembly.declared_configuration(load_settings(config)).hash


@pytest.fixture(scope="session")
def forks() -> Forks:
    return Forks()


@pytest.fixture
def stage(forks: Forks, tmp_path: Path) -> Stage:
    return Stage(tmp_path, forks)


@pytest.fixture(scope="module")
def node() -> Iterator[Anvil]:
    with Anvil() as running:
        yield running
