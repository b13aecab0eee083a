"""What functions answer, many in one call, right before and right after the simulated actions.

As with balances, small code asks each function by STATICCALL: no function can change anything when it is asked, and
none gets so much gas that it can starve the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pnyx_policies.context.upgraded_values import MAX_ANSWER_BYTES
from pnyx_policies.facts import ProbeAnswer, ProbeReading
from pnyx_policies.probes import DERIVED, WORD_BYTES, Probe
from pnyx_tools.simulate.task import Overrides

_AT_ONCE: Final = 16

READER: Final = "0x0000000000000000000000000000000000fe71d5"
READER_CODE: Final = (
    "0x60005b8036116013576038900460081b6000f3"  # i = 0; while i < calldatasize, else return the words
    "5b602481601401611000378060389004"  # copy the question's calldata
    "60081b60e081602001602461100085"  # to where its answer comes: seven words, behind one for its length
    "3560601c62027100fa"  # ask by it, with 160,000 gas
    "3d600101029052603801600256"  # keep one more than the answer's length, or 0; i += 56
)
"""Its input is packed, 56 bytes for each question: address (20), selector (4), one word. Its output is eight words for
each: one more than the length of the answer, 0 where it fails; and the first seven words of the answer.
"""

_ANSWER_BYTES: Final = WORD_BYTES + MAX_ANSWER_BYTES


@dataclass(frozen=True, slots=True)
class Question:
    contract: str
    calldata: bytes
    """A selector and one word."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`data` is the beginning of what is `length` bytes long."""

    data: bytes
    length: int

    @classmethod
    def of(cls, whole: bytes) -> Answer:
        return cls(whole[:MAX_ANSWER_BYTES], len(whole))


@dataclass(frozen=True)
class Values:
    """What some functions answer."""

    questions: tuple[Question, ...]

    @property
    def overrides(self) -> Overrides:
        return {READER: {"code": READER_CODE}}

    @property
    def probes(self) -> tuple[Probe, ...]:
        return tuple(
            Probe(name=f"{DERIVED}values", contract=READER, calldata=b"".join(map(_packed, some)))
            for some in self._portions()
        )

    def read(self, readings: Sequence[ProbeReading]) -> Iterator[tuple[Question, Answer | None, Answer | None]]:
        """Each question with its answers before and after; None where it fails. Left out is what could not be asked."""
        for some, reading in zip(self._portions(), readings, strict=True):
            before, after = _answers(reading.before), _answers(reading.after)
            if len(before) == len(after) == len(some):
                yield from zip(some, before, after, strict=True)

    def _portions(self) -> list[tuple[Question, ...]]:
        return [self.questions[i : i + _AT_ONCE] for i in range(0, len(self.questions), _AT_ONCE)]


def _packed(question: Question) -> bytes:
    return bytes.fromhex(question.contract[2:]) + question.calldata


def _answers(answer: ProbeAnswer) -> list[Answer | None]:
    return [_answer(answer.data[i : i + _ANSWER_BYTES]) for i in range(0, len(answer.data), _ANSWER_BYTES)]


def _answer(words: bytes) -> Answer | None:
    length = int.from_bytes(words[:WORD_BYTES], "big") - 1
    return None if length < 0 else Answer(words[WORD_BYTES : WORD_BYTES + length], length)
