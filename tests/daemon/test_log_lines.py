"""What does not get into the log twice."""

from __future__ import annotations

import logging

from pnyx_agents.logs import SELDOM_SECONDS, Seldom


def line(text: str) -> logging.LogRecord:
    return logging.LogRecord("dbos", logging.WARNING, __file__, 1, text, None, None)


def test_lines_that_begin_alike_come_once_a_minute() -> None:
    now = 0.0
    seldom = Seldom(lambda: now)
    lost = "the connection to the database was lost, trying again"
    assert seldom.filter(line(f"{lost} (thread 1)"))
    assert not seldom.filter(line(f"{lost} (thread 2)"))
    assert seldom.filter(line("another thing went wrong"))
    now = SELDOM_SECONDS
    assert seldom.filter(line(f"{lost} (thread 1)"))
