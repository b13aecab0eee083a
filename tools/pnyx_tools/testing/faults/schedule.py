"""Which fault comes when: from a seed, by counting. The same seed gives the same faults at the same counts."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

K = TypeVar("K")


def dice(*seeds: object) -> random.Random:
    """Random numbers that are the same again for the same seeds."""
    return random.Random(":".join(map(str, seeds)))  # noqa: S311 - to be repeated, not to be secret


class Schedule(Generic[K]):
    """A fault falls due every `every` requests on average, `most` in total; the next request that it fits meets it."""

    def __init__(self, seed: object, kinds: Sequence[K], *, every: int, most: int) -> None:
        self._dice = dice("schedule", seed)
        self._kinds = tuple(kinds)
        self._every = every
        self._most = most
        self._lock = threading.Lock()
        self._counted = 0
        self._drawn = 0
        self._due: list[K] = []
        self._next = self._gap()
        self.is_on = False
        """Off: requests are not counted and meet nothing."""
        self.happened: Counter[K] = Counter()

    @property
    def part(self) -> float:
        """Of all faults, how many fell due: 1 when there are no more to come."""
        return self._drawn / self._most if self._most else 1.0

    def take(self, fits: Callable[[K], bool]) -> K | None:
        """Counts one request; the fault that it meets."""
        with self._lock:
            if not self.is_on:
                return None
            self._count()
            kind = next(filter(fits, self._due), None)
            if kind is not None:
                self._due.remove(kind)
                self.happened[kind] += 1
            return kind

    def _count(self) -> None:
        self._counted += 1
        if self._counted < self._next or not self._kinds or self._drawn == self._most:
            return
        self._drawn += 1
        self._due.append(self._dice.choice(self._kinds))
        self._next = self._counted + self._gap()

    def _gap(self) -> int:
        return self._dice.randint(1, 2 * self._every - 1)
