"""Long ranges of logs, read in pieces: so large that few questions are asked, so small that one answer fits in memory.

The next piece is asked for while the last one is being judged. Where there is a second node, it is asked for the same
pieces, and must show the same: no head binds a vote, so a node can hide one, but not two nodes that do not know of each
other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from pnyx_contracts.types import Log, to_hex
from pnyx_policies.verify.verdict import About, Step, Verdict
from pnyx_tools.reader import ChainReader, Topics

FIRST_BLOCKS: Final = 8
MAX_BLOCKS: Final = 200_000
AIM_LOGS: Final = 2_000
"""A piece should bring so many logs: two megabytes."""
_MAX_GROWTH: Final = 8


@dataclass(slots=True)
class Pace:
    """How many blocks to ask for at once, learned from the answers to one kind of question."""

    blocks: int = FIRST_BLOCKS

    def learn(self, asked: int, found: int) -> None:
        if asked >= self.blocks or found > AIM_LOGS:
            grown = asked * AIM_LOGS // max(found, AIM_LOGS // _MAX_GROWTH)
            self.blocks = min(max(grown, 1), MAX_BLOCKS)


@dataclass(frozen=True, slots=True)
class Question:
    """Which logs. `step` and `writer` are what a disagreement of two nodes about them is put down to."""

    step: Step
    topics: Topics
    addresses: Sequence[str] | None
    writer: str = ""


@dataclass(slots=True)
class Sweeper:
    """Reads from one node, or from two that must agree."""

    reader: ChainReader
    second: ChainReader | None = None
    _paces: dict[Step, Pace] = field(default_factory=dict)

    def sweep(self, question: Question, first: int, last: int) -> Iterator[Log | Verdict]:
        """The logs of the first node in chain order; a verdict wherever the second shows others."""
        pace = self._paces.setdefault(question.step, Pace())
        with ThreadPoolExecutor(2) as pool:
            start, piece = first, None
            while start <= last or piece is not None:
                if piece is None:
                    piece = self._ask(pool, question, start, min(start + pace.blocks - 1, last))
                begun, start = start, piece.end + 1
                found = piece.coming.result()
                pace.learn(start - begun, len(found))
                seen_by_second = piece.second.result() if piece.second else None
                piece = self._ask(pool, question, start, min(start + pace.blocks - 1, last)) if start <= last else None
                if seen_by_second is not None:
                    yield from _disagreements(question, found, seen_by_second)
                yield from found

    def _ask(self, pool: ThreadPoolExecutor, question: Question, start: int, end: int) -> _Piece:
        asked = (start, end, question.topics, question.addresses)
        second = pool.submit(self.second.logs, *asked) if self.second else None
        return _Piece(end, pool.submit(self.reader.logs, *asked), second)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece that was asked for, up to and with the block `end`."""

    end: int
    coming: Future[list[Log]]
    second: Future[list[Log]] | None


def _disagreements(question: Question, one: Sequence[Log], other: Sequence[Log]) -> Iterator[Verdict]:
    """What one node shows and the other does not, in both directions."""
    shown = {_identity(log) for log in one}, {_identity(log) for log in other}
    about = About(question.writer)
    for logs, missing_in, who in ((one, shown[1], "only the first node"), (other, shown[0], "only the second node")):
        for log in logs:
            if _identity(log) not in missing_in:
                yield about.differs(
                    question.step, "nodes", seen=f"{log.address}, log {log.log_index} of block {log.block_number}",
                    reason=f"{who} shows this event of transaction {to_hex(log.transaction_hash)}",
                )  # fmt: skip


def _identity(log: Log) -> tuple[object, ...]:
    return log.block_number, log.log_index, log.address, log.topics, log.data, log.transaction_hash
