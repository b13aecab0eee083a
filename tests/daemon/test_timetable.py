"""Jobs that take longer than their interval: never beside themselves, without a line each time."""

from __future__ import annotations

import logging
import threading

import pytest

from pnyx_agents.timetable import LATE_SECONDS, Job, Timetable


class Slow:
    """A job that goes on until it is let go; one that is begun beside itself would be seen."""

    def __init__(self) -> None:
        self.begun, self.goes_on = threading.Semaphore(0), threading.Event()
        self.at_once, self.most_at_once = 0, 0

    def work(self) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.begun.release()
        self.goes_on.wait(30)
        self.at_once -= 1


def quick(beats: threading.Semaphore) -> Job:
    def beat() -> None:
        beats.release()

    return Job("another thread", beat, 0.01)


def test_a_slow_job_is_not_begun_beside_itself_and_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    slow, beats = Slow(), threading.Semaphore(0)
    table = Timetable([Job("its own thread", slow.work, 0.01), quick(beats)])
    with caplog.at_level(logging.INFO, logger="pnyx"):
        table.start()
        assert slow.begun.acquire(timeout=30)
        for _ in range(20):
            assert beats.acquire(timeout=30), "another job is not held up"
        slow.goes_on.set()
        assert slow.begun.acquire(timeout=30), "it begins again"
        table.stop()
    assert slow.most_at_once == 1
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_job_that_stays_away_for_long_is_worth_a_line_ever_more_rarely(caplog: pytest.LogCaptureFixture) -> None:
    table = Timetable([Job("looks", Slow().work, LATE_SECONDS / 10)])
    for _ in range(85):
        table.note_skipped("work")
    said = [(r.getMessage(), r.__dict__["seconds"]) for r in caplog.records]
    assert said == [("a job takes long", round(LATE_SECONDS * times)) for times in (1, 2, 4, 8)]
    table.note_done("work")
    for _ in range(9):
        table.note_skipped("work")
    assert len(caplog.records) == 4


def test_a_job_can_come_sooner() -> None:
    beats = threading.Semaphore(0)

    def rarely() -> None:
        beats.release()

    table = Timetable([Job("looks", rarely, 3600)])
    table.start()
    assert beats.acquire(timeout=30)
    table.run_now("rarely")
    assert beats.acquire(timeout=30)
    table.stop()


def test_a_job_that_is_wanted_while_it_runs_comes_once_more() -> None:
    begun, may_end = threading.Semaphore(0), threading.Semaphore(0)

    def rarely() -> None:
        begun.release()
        assert may_end.acquire(timeout=60)

    table = Timetable([Job("looks", rarely, 3600)])
    table.start()
    assert begun.acquire(timeout=30)
    table.run_now("rarely")
    assert not begun.acquire(timeout=0.5), "not beside itself"
    may_end.release()
    assert begun.acquire(timeout=30)
    may_end.release()
    table.stop()
