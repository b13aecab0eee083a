"""Long ranges of blocks, in pieces: so large that few questions are asked, so small that one answer fits in memory.

The next pieces are asked for while the last one is being looked at, so that the node has always something to do.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Generic, TypeVar, cast

A = TypeVar("A")

FIRST_BLOCKS: Final = 64
MAX_BLOCKS: Final = 200_000
AIM_LOGS: Final = 1_000
"""A piece should bring so many logs: one megabyte, where they are small."""
AHEAD: Final = 2
"""So many pieces are on their way while one is looked at."""
TURN_SECONDS: Final = 0.0005
"""So long a thread computes while another one waits for its turn."""
_END: Final = object()
_MAX_GROWTH: Final = 2
"""Pieces grow slowly where there is little: what is densest often begins suddenly."""


@dataclass(slots=True)
class Pace:
    """How many blocks to ask for at once, learned from the answers to a question."""

    blocks: int
    aim: int = AIM_LOGS
    """Logs that a piece should bring."""

    @classmethod
    def of(cls, blocks: int, expected: int | None = None) -> Pace:
        """For a range of so many blocks with about so many logs. They may lie closer together, so the first piece has
        half of what it could.
        """
        if expected is None:
            return cls(FIRST_BLOCKS)
        return cls(min(max(blocks * AIM_LOGS // (2 * max(expected, 1)), 1), MAX_BLOCKS))

    def learn(self, asked: int, found: int) -> None:
        if asked >= self.blocks or found > self.aim:
            grown = asked * self.aim // max(found, self.aim // _MAX_GROWTH)
            self.blocks = min(max(grown, 1), MAX_BLOCKS)


@dataclass(frozen=True, slots=True)
class Piece(Generic[A]):
    """What each of the questions brought, from block `start` up to and with block `end`."""

    start: int
    end: int
    answers: tuple[Sequence[A], ...]


Ask = Callable[[int, int], Sequence[A]]
"""A question about the blocks from the first number up to and with the second."""


def in_pieces(asks: Sequence[Ask[A]], first: int, last: int, pace: Pace) -> Iterator[Piece[A]]:
    """Each piece is asked of all at once. Raises what they raise."""
    coming: deque[tuple[int, int, list[Future[Sequence[A]]]]] = deque()
    start = first
    with ThreadPoolExecutor(max(1, len(asks)) * AHEAD) as pool:

        def ask_ahead() -> None:
            nonlocal start
            while start <= last and len(coming) < AHEAD:
                end = min(start + pace.blocks - 1, last)
                coming.append((start, end, [pool.submit(ask, start, end) for ask in asks]))
                start = end + 1

        ask_ahead()
        while coming:
            begin, end, futures = coming.popleft()
            answers = tuple(future.result() for future in futures)
            pace.learn(end - begin + 1, len(answers[0]))
            ask_ahead()
            yield Piece(begin, end, answers)


def as_they_come(values: Iterator[A], most: int) -> Iterator[list[A]]:
    """Whatever is there, one at least and `most` at most: values are made, in a thread of its own, while the last ones
    are being looked at. Raises what making them raises, after those that were made before.
    """
    with _in_short_turns(), _thrown_away(ThreadPoolExecutor(1)) as pool:
        coming = deque(pool.submit(next, values, _END) for _ in range(most))
        while True:
            some = [coming.popleft().result()]
            while coming and coming[0].done() and coming[0].exception() is None:
                some.append(coming.popleft().result())
            coming.extend(pool.submit(next, values, _END) for _ in some)
            made = [cast("A", value) for value in some if value is not _END]
            if made:
                yield made
            if len(made) < len(some):
                return


@contextmanager
def _thrown_away(pool: ThreadPoolExecutor) -> Iterator[ThreadPoolExecutor]:
    """What it has not begun is not done any more."""
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _in_short_turns() -> Iterator[None]:
    """Whoever computes lets the other threads go on sooner than usual: one that waits for a disk or a node ten times in
    a row would else wait ten times for the interpreter, and 5 ms each time.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(TURN_SECONDS, before))
    try:
        yield
    finally:
        sys.setswitchinterval(before)
