"""An agent as in a container: a read-only file system, a user without a name, no capabilities, no writable ``/tmp``."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from pnyx_contracts.types import Vote
from pnyx_tools.journal import Stage

from .conftest import MakeAgent, pay

BUBBLEWRAP = shutil.which("bwrap")
ALL_IS_READ_ONLY = [
    str(BUBBLEWRAP), "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--unshare-user", "--uid", "10001",
    "--gid", "10001", "--cap-drop", "ALL", "--die-with-parent",
]  # fmt: skip


def walls_can_be_built() -> bool:
    """Not every machine lets its users have name spaces of their own."""
    return BUBBLEWRAP is not None and subprocess.run([*ALL_IS_READ_ONLY, "true"], check=False).returncode == 0


@pytest.mark.skipif(not walls_can_be_built(), reason="needs bubblewrap, and a kernel that lets it work")
def test_an_agent_votes_where_only_its_folder_can_be_written(make_agent: MakeAgent) -> None:
    agent = make_agent()
    home = ["--setenv", "HOME", str(agent.folder), "--unsetenv", "TMPDIR"]
    agent.launcher = [*ALL_IS_READ_ONLY, "--bind", str(agent.folder), str(agent.folder), *home]
    elsewhere = [*agent.launcher, "touch", str(agent.folder.parent / "x")]
    assert subprocess.run(elsewhere, check=False, capture_output=True).returncode != 0, "the walls do not hold"
    agent.start()
    proposal = pay(agent)
    agent.until_stage(proposal, Stage.DONE)
    assert [vote.vote for vote in agent.votes(proposal)] == [Vote.FOR]
    assert "Read-only file system" not in agent.output
