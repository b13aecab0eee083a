"""Long ranges of logs, read in pieces: so large that few questions are asked, so small that one answer fits in memory.

The next pieces are asked for while the last one is being judged. Where there is a second node, it is asked for the same
pieces, and must show the same: no head binds a vote, so a node can hide one, but not two nodes that do not know of each
other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Generic

from pnyx_contracts.types import to_hex
from pnyx_policies.verify.verdict import About, Step, Verdict
from pnyx_tools.reader import ChainReader, L, Located, LogItem, Topics

FIRST_BLOCKS: Final = 64
MAX_BLOCKS: Final = 200_000
AIM_LOGS: Final = 1_000
"""A piece should bring so many logs: one megabyte."""
AHEAD: Final = 2
"""So many pieces are on their way while one is judged, so that the node has always something to do."""
_MAX_GROWTH: Final = 2
"""Pieces grow slowly where there is little: what is densest often begins suddenly."""


@dataclass(slots=True)
class Pace:
    """How many blocks to ask for at once, learned from the answers to a question."""

    blocks: int

    @classmethod
    def of(cls, blocks: int, expected: int | None) -> Pace:
        """For a range of so many blocks with about so many logs. They may lie closer together, so the first piece has
        half of what it could.
        """
        if expected is None:
            return cls(FIRST_BLOCKS)
        return cls(min(max(blocks * AIM_LOGS // (2 * max(expected, 1)), 1), MAX_BLOCKS))

    def learn(self, asked: int, found: int) -> None:
        if asked >= self.blocks or found > AIM_LOGS:
            grown = asked * AIM_LOGS // max(found, AIM_LOGS // _MAX_GROWTH)
            self.blocks = min(max(grown, 1), MAX_BLOCKS)


@dataclass(frozen=True, slots=True)
class Question:
    """Which logs, and how many there may be. `step` and `writer` are what a disagreement of two nodes about them is put
    down to.
    """

    step: Step
    topics: Topics
    addresses: Sequence[str] | None
    writer: str = ""
    expected: int | None = None


@dataclass(slots=True)
class Sweeper:
    """Reads from one node, or from two that must agree."""

    reader: ChainReader
    second: ChainReader | None = None

    def sweep(self, question: Question, first: int, last: int, read: Callable[[LogItem], L]) -> Iterator[L | Verdict]:
        """What the first node shows, in chain order, as `read` reads it; a verdict wherever the second shows else."""
        pace = Pace.of(last - first + 1, question.expected)
        pieces: deque[_Piece[L]] = deque()
        start = first
        with ThreadPoolExecutor(2 * AHEAD) as pool:

            def ask_ahead() -> None:
                nonlocal start
                while start <= last and len(pieces) < AHEAD:
                    pieces.append(self._ask(pool, question, start, min(start + pace.blocks - 1, last), read))
                    start = pieces[-1].end + 1

            ask_ahead()
            while pieces:
                piece = pieces.popleft()
                found = piece.coming.result()
                seen_by_second = piece.second.result() if piece.second else None
                pace.learn(piece.end - piece.start + 1, len(found))
                ask_ahead()
                if seen_by_second is not None:
                    yield from _disagreements(question, found, seen_by_second)
                yield from found

    def _ask(
        self, pool: ThreadPoolExecutor, question: Question, start: int, end: int, read: Callable[[LogItem], L]
    ) -> _Piece[L]:
        def ask(reader: ChainReader) -> list[L]:
            return reader.read_logs(read, start, end, question.topics, question.addresses)

        second = pool.submit(ask, self.second) if self.second else None
        return _Piece(start, end, pool.submit(ask, self.reader), second)


@dataclass(frozen=True, slots=True)
class _Piece(Generic[L]):
    """A piece that was asked for, from block `start` up to and with block `end`."""

    start: int
    end: int
    coming: Future[list[L]]
    second: Future[list[L]] | None


def _disagreements(question: Question, one: Sequence[Located], other: Sequence[Located]) -> Iterator[Verdict]:
    """What one node shows and the other does not, in both directions."""
    shown = set(one), set(other)
    about = About(question.writer)
    for logs, missing_in, who in ((one, shown[1], "only the first node"), (other, shown[0], "only the second node")):
        for log in logs:
            if log not in missing_in:
                yield about.differs(
                    question.step, "nodes", seen=f"log {log.log_index} of block {log.block_number}",
                    reason=f"{who} shows this event of transaction {to_hex(log.transaction_hash)}",
                )  # fmt: skip
