"""Each window is one that an agent comes through: a kill that waits at another one never happens."""

from __future__ import annotations

from pathlib import Path

import pytest

from pnyx_tools.testing.faults.killing import WINDOWS, Trouble
from pnyx_tools.testing.faults.launching import Forks
from pnyx_tools.testing.faults.play import Play
from pnyx_tools.testing.faults.plays import local_node
from pnyx_tools.testing.faults.world import make_world
from pnyx_tools.testing.settling import Plan

from .conftest import declared

*_, LAST = WINDOWS


@pytest.mark.timeout(600)
@pytest.mark.parametrize("gate", [True, False], ids=["gate", "plain key"])
def test_an_agent_comes_through_all_of_them(forks: Forks, tmp_path: Path, gate: bool) -> None:
    witness = tmp_path / "windows"
    with local_node() as node:
        play = Play(make_world(node, tmp_path / "agent", Plan(declared, gate=gate)), forks, "windows", 1)
        play.trouble = Trouble(witness=witness)
        play.start_in_peace()
        play.propose()
        play.until("it to be done", play.is_done)
        play.until("the last window", lambda: LAST in witness.read_text())
        play.stop()
    assert set(witness.read_text().split()) == set(WINDOWS)
