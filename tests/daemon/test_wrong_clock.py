"""A machine whose clock was wrong for a while."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing

from pnyx_tools.journal import Stage

from .conftest import MakeAgent, pay

MONTH_SECONDS = 30 * 24 * 3600.0


def test_no_wait_is_remembered_as_a_time_of_day_that_a_jump_of_the_clock_could_move(make_agent: MakeAgent) -> None:
    """The engine sleeps on until then after a restart: for a week, where the clock was a week ahead."""
    agent = make_agent(agent_lines="delay_seconds = 3")
    agent.start()
    agent.until_stage(pay(agent), Stage.DONE)
    assert agent.stop() == 0
    with closing(sqlite3.connect(agent.folder / "data" / "workflows.sqlite")) as memory:
        query = "SELECT function_name, output FROM operation_outputs"
        kept = [(name, output) for name, output in memory.execute(query)]
    assert "pause" in [name for name, _ in kept]
    ends = [float(output) for name, output in kept if name == "DBOS.sleep"]
    assert ends, "people are listened to"
    assert all(abs(end - time.time()) > MONTH_SECONDS for end in ends)
