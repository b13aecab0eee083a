"""Balances and allowances of the DAO's accounts, read right before and right after the actions.

As with seats, one call reads a few: small code asks each token by STATICCALL, so that no token can change anything when
it is asked, and with so little gas that none can starve the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pnyx_contracts.selectors import selector_of
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

COIN: Final = "0x0000000000000000000000000000000000C01bA1"
COIN_CODE: Final = "0x6004353160005260206000f3"
"""Answers ``balanceOf(address)`` for the chain's coin."""

_BALANCE_OF: Final = selector_of("balanceOf(address)")
_BALANCE_OF_NUMBER: Final = selector_of("balanceOf(address,uint256)")
_ALLOWANCE: Final = selector_of("allowance(address,address)")
_ANSWER_BYTES: Final = 2 * WORD_BYTES


@dataclass(frozen=True)
class Balances:
    """The answers to these questions."""

    questions: tuple[Question, ...] = ()

    @property
    def overrides(self) -> Overrides:
        return {READER: {"code": READER_CODE}, COIN: {"code": COIN_CODE}} if self.questions else {}

    @property
    def asked(self) -> tuple[Asked, ...]:
        return tuple(
            Asked(Probe(name=f"{DERIVED}balances", contract=READER, calldata=b"".join(map(_asking, some))))
            for some in self._portions()
        )

    def read(self, readings: Sequence[ProbeReading]) -> Iterator[Balance]:
        """Without those of contracts that answer neither before nor after: they are no tokens. Of what could not be
        asked, neither side is known.
        """
        for some, reading in zip(self._portions(), readings, strict=True):
            was, afterwards = _numbers(reading.before, len(some)), _numbers(reading.after, len(some))
            for place, question in enumerate(some):
                before, after = (None if side is None else side[place] for side in (was, afterwards))
                if was is None or afterwards is None or before is not None or after is not None:
                    yield _balance(question, before, after)

    @property
    def unread(self) -> Iterator[Balance]:
        """What there is to say where nobody could ask."""
        return (_balance(question, None, None) for question in self.questions)

    def _portions(self) -> list[tuple[Question, ...]]:
        return [self.questions[i : i + _AT_ONCE] for i in range(0, len(self.questions), _AT_ONCE)]


def _balance(question: Question, before: int | None, after: int | None) -> Balance:
    return Balance(
        holder=question.holder, token=question.token, token_id=question.token_id, spender=question.spender,
        before=before, after=after,
    )  # fmt: skip


def _asking(question: Question) -> bytes:
    """What stands behind the arguments of a function is passed over by those who are called."""
    holder, second = _word(question.holder), bytes(WORD_BYTES)
    selector = _BALANCE_OF
    if question.spender is not None:
        selector, second = _ALLOWANCE, _word(question.spender)
    elif question.token_id is not None:
        selector, second = _BALANCE_OF_NUMBER, question.token_id.to_bytes(WORD_BYTES, "big")
    return _raw(question.token or COIN) + selector + holder + second


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
