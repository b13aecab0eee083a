"""Time that passes by waiting alone, and processes that end in the middle of something."""

from __future__ import annotations

import time
from collections.abc import Callable


class QuickClock:
    """Waiting costs next to no real time. `on_sleep` is where a test lets the world move."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0
        self.on_sleep: Callable[[], None] = lambda: None

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        time.sleep(0.01)  # the node mines in a thread of its own
        self.on_sleep()


class Killed(BaseException):
    """Stands for ``kill -9``: nothing catches it."""
