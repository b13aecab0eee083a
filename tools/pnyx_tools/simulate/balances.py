"""Balances and allowances of the executor, read right before and right after the actions.

As with seats, one call reads a few: small code asks each token by STATICCALL, so that no token can change anything when
it is asked, and with so little gas that none can starve the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pnyx_contracts.selectors import selector_of
from pnyx_contracts.types import ZERO_ADDRESS
from pnyx_policies.balances import Question
from pnyx_policies.facts import Balance, ProbeAnswer, ProbeReading
from pnyx_policies.probes import DERIVED, WORD_BYTES, Probe
from pnyx_tools.simulate.probing import Asked
from pnyx_tools.simulate.task import Overrides

_AT_ONCE: Final = 10

READER: Final = "0x00000000000000000000000000000000000BA1aE"
READER_CODE: Final = (
    "0x60005b8036116013576058900460061b6080f3"  # i = 0; while i < calldatasize, else return the words
    "5b604481601401600037"  # copy the question's calldata
    "6020606060446000843560601c62030d40fa"  # ask by it, with 200,000 gas
    "3d601f1016816058900460061b608001908152"  # keep whether it answers with a word
    "6060519060200152605801600256"  # and the word; i += 88
)
"""Its input is packed, 88 bytes for each question: address (20), selector (4), two words. Its output is two words for
each: whether there is an answer of at least one word, and that word.
"""

_BALANCE_OF: Final = selector_of("balanceOf(address)")
_ALLOWANCE: Final = selector_of("allowance(address,address)")
_ANSWER_BYTES: Final = 2 * WORD_BYTES


@dataclass(frozen=True)
class Balances:
    """Those of one holder."""

    holder: str
    questions: tuple[Question, ...] = ()

    @property
    def overrides(self) -> Overrides:
        return {READER: {"code": READER_CODE}} if self.questions else {}

    @property
    def asked(self) -> tuple[Asked, ...]:
        return tuple(
            Asked(Probe(name=f"{DERIVED}balances", contract=READER, calldata=b"".join(map(self._calldata, some))))
            for some in self._portions()
        )

    def read(self, readings: Sequence[ProbeReading]) -> Iterator[Balance]:
        """Without those of contracts that answer neither before nor after: they are no tokens. Of what could not be
        asked, neither side is known.
        """
        for some, reading in zip(self._portions(), readings, strict=True):
            was, afterwards = _numbers(reading.before, len(some)), _numbers(reading.after, len(some))
            for place, question in enumerate(some):
                before, after = was and was[place], afterwards and afterwards[place]
                if was is None or afterwards is None or before is not None or after is not None:
                    yield Balance(token=question.token, spender=question.spender, before=before, after=after)

    def _calldata(self, question: Question) -> bytes:
        """What stands behind the arguments of a function is passed over by those who are called."""
        selector = _BALANCE_OF if question.spender is None else _ALLOWANCE
        return _raw(question.token) + selector + _word(self.holder) + _word(question.spender or ZERO_ADDRESS)

    def _portions(self) -> list[tuple[Question, ...]]:
        return [self.questions[i : i + _AT_ONCE] for i in range(0, len(self.questions), _AT_ONCE)]


def _numbers(answer: ProbeAnswer, count: int) -> list[int | None] | None:
    """None where the reader did not answer in full."""
    if len(answer.data) != count * _ANSWER_BYTES:
        return None
    words = [int.from_bytes(answer.data[i : i + WORD_BYTES], "big") for i in range(0, len(answer.data), WORD_BYTES)]
    return [number if answers else None for answers, number in zip(words[::2], words[1::2], strict=True)]


def _raw(address: str) -> bytes:
    return bytes.fromhex(address[2:])


def _word(address: str) -> bytes:
    return bytes(12) + _raw(address)
