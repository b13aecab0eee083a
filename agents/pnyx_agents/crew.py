"""One worker among others on the same database: it says that it is there, and takes over from who is not."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Protocol
from uuid import uuid4

from pnyx_agents.engine import is_worth_a_line
from pnyx_contracts.errors import PnyxError
from pnyx_tools.workers import FOLLOWING, GivenUpByOthersError, Roll

logger = logging.getLogger("pnyx.crew")

BEATS_PER_LEASE = 4


class TakesOver(Protocol):
    """The engine, seen from here."""

    def take_over(self, worker: str) -> int: ...

    def mend(self) -> None: ...


def new_name() -> str:
    """Of this process alone, for ever: one that comes back after it was given up is another one."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"


@dataclass(frozen=True, slots=True)
class CrewMember:
    """`may_lead`: whether it follows the chain when nobody else does."""

    roll: Roll
    engine: TakesOver
    may_lead: bool

    def leads(self) -> bool:
        """Raises `UnreachableError`: then nobody knows."""
        return self.may_lead and self.roll.leads(FOLLOWING)

    def work(self, stop: threading.Event, given_up: Callable[[], None]) -> threading.Thread:
        """In a thread of its own until `stop`; `given_up` is called once the others do this worker's work."""
        thread = threading.Thread(target=self._work, args=(stop, given_up), name="crew", daemon=True)
        thread.start()
        return thread

    def _work(self, stop: threading.Event, given_up: Callable[[], None]) -> None:
        failures, back_since = 0, -inf
        while not stop.wait(self.roll.lease_seconds / BEATS_PER_LEASE):
            try:
                self.beat(judges=time.monotonic() - back_since > self.roll.lease_seconds)
                failures = 0
            except GivenUpByOthersError as error:
                logger.error("this worker ends", extra={"error": str(error)})
                given_up()
                return
            except Exception as error:
                back_since = time.monotonic()
                if is_worth_a_line(failures):
                    unforeseen = not isinstance(error, PnyxError)
                    logger.warning("the other workers cannot be seen", extra={"error": str(error)}, exc_info=unforeseen)
                failures += 1

    def beat(self, *, judges: bool = True) -> None:
        """`judges`: whether this worker may give up others. Not right after it could not see them: when the database
        was away, all of them were silent.
        """
        self.roll.beat()
        for gone in self.roll.give_up_silent() if judges else self.roll.gone():
            workflows = self.engine.take_over(gone)
            self.roll.forget(gone)
            logger.warning("a worker is gone, its work goes on", extra={"worker": gone, "workflows": workflows})
        self.engine.mend()
