"""One errand at a time, the urgent ones first."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Turns(Protocol):
    """The queue of one key."""

    @property
    def urgent_waits(self) -> bool: ...

    @property
    def anyone_waits(self) -> bool: ...

    def take(self, *, urgent: bool) -> AbstractContextManager[None]:
        """Waits for the turn, and gives it back at the end."""
        ...


class LocalTurns:
    """Between the threads of one process."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._taken = False
        self._urgent = 0
        self._waiting = 0

    @property
    def urgent_waits(self) -> bool:
        return self._urgent > 0

    @property
    def anyone_waits(self) -> bool:
        return self._waiting > 0

    @contextmanager
    def take(self, *, urgent: bool) -> Iterator[None]:
        with self._changed:
            self._urgent += urgent
            self._waiting += 1
            self._changed.wait_for(lambda: not self._taken and (urgent or not self._urgent))
            self._urgent -= urgent
            self._waiting -= 1
            self._taken = True
        try:
            yield
        finally:
            with self._changed:
                self._taken = False
                self._changed.notify_all()
