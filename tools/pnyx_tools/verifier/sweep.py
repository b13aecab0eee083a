"""Long ranges of logs, for a check that holds what one node shows against what another one shows.

Where there is a second node, it is asked for the same pieces, and must show the same: no head binds a vote, so a node
can hide one, but not two nodes that do not know of each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pnyx_contracts.types import to_hex
from pnyx_policies.verify.verdict import About, Step, Verdict
from pnyx_tools.pieces import Pace, in_pieces
from pnyx_tools.reader import ChainReader, L, Located, LogItem, Topics


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

        def asked(reader: ChainReader) -> Callable[[int, int], Sequence[L]]:
            return lambda start, end: reader.read_logs(read, start, end, question.topics, question.addresses)

        nodes = [self.reader] if self.second is None else [self.reader, self.second]
        pace = Pace.of(last - first + 1, question.expected)
        for piece in in_pieces([asked(node) for node in nodes], first, last, pace):
            if self.second is not None:
                yield from _disagreements(question, *piece.answers)
            yield from piece.answers[0]


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
