"""When the daemon does what: APScheduler behind one class. A job that takes longer than its interval is not begun
beside itself: it begins again at its next time, and one that stays away for long gets a line in the log.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Final

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED, EVENT_JOB_MAX_INSTANCES, JobEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

logger = logging.getLogger("pnyx.timetable")

LATE_SECONDS: Final = 120.0
"""A job that was not begun again for so long is worth a line, and again each time that this has doubled."""
AGAIN_SECONDS: Final = 0.1
"""A job that should come sooner, and is still running, is tried again so soon."""


@dataclass(frozen=True, slots=True)
class Job:
    """`thread` names the one that does it, and others of the same name after one another."""

    thread: str
    work: Callable[[], None]
    seconds: float

    @property
    def name(self) -> str:
        return self.work.__name__


class Timetable:
    """Every job at once when it starts, then each at its interval."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        # It says at each interval that a job is still running, which is nothing to look at.
        logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)
        executors = {job.thread: ThreadPoolExecutor(1) for job in jobs}
        self._clock = BackgroundScheduler(timezone="UTC", executors=executors)
        self._skipped: Counter[str] = Counter()
        self._seconds = {job.name: job.seconds for job in jobs}
        self._sooner: set[str] = set()
        for job in jobs:
            self._clock.add_job(
                self._begin, "interval", (job,), seconds=job.seconds, coalesce=True, misfire_grace_time=None,
                max_instances=1, next_run_time=datetime.now(UTC), executor=job.thread, id=job.name,
            )  # fmt: skip
        self._clock.add_listener(self._note_running, EVENT_JOB_MAX_INSTANCES)
        self._clock.add_listener(self._note_done, EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)

    def start(self) -> None:
        self._clock.start()

    def stop(self) -> None:
        """What is running goes on to its end."""
        self._clock.shutdown(wait=False)

    def run_now(self, name: str) -> None:
        """Sooner than at its next time. What runs already may have passed by what is new: it comes once more."""
        self._sooner.add(name)
        self._clock.modify_job(name, next_run_time=datetime.now(UTC))

    def _begin(self, job: Job) -> None:
        self._sooner.discard(job.name)
        job.work()

    def _note_running(self, event: JobEvent) -> None:
        if event.job_id in self._sooner:
            self._clock.modify_job(event.job_id, next_run_time=datetime.now(UTC) + timedelta(seconds=AGAIN_SECONDS))
        else:
            self.note_skipped(event.job_id)

    def note_skipped(self, name: str) -> None:
        """Its time came, and it was still running."""
        self._skipped[name] += 1
        so_often = ceil(LATE_SECONDS / self._seconds[name])
        times, rest = divmod(self._skipped[name], so_often)
        if rest == 0 and times & (times - 1) == 0:
            logger.warning(
                "a job takes long", extra={"job": name, "seconds": round(self._skipped[name] * self._seconds[name])}
            )

    def _note_done(self, event: JobEvent) -> None:
        self.note_done(str(event.job_id))

    def note_done(self, name: str) -> None:
        self._skipped.pop(name, None)
