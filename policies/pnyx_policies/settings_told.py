"""Does the text name the number that a setting of governance gets? As people write it: 3%, 14,400 blocks, two days."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from fractions import Fraction
from typing import Final

from pnyx_contracts.decoded import DecodedCall

_SENTENCE_ENDS: Final = re.compile(r"(?<=[.!?;])\s+|\n")
_QUANTITY: Final = re.compile(
    r"(?<![\w.,])(?P<number>\d{1,3}(?:[,_' ]\d{3}){1,9}|\d{1,30})(?P<fraction>\.\d{1,18})?\s{0,2}-?"
    r"(?P<unit>%|percent|bps|basis points|blocks?|seconds?|secs?|minutes?|mins?|hours?|hrs?|h|days?|d|weeks?|months?"
    r"|votes?|tokens?)(?![A-Za-z])",
    re.IGNORECASE,
)
_SECONDS: Final = {
    "second": 1, "sec": 1, "minute": 60, "min": 60, "hour": 3_600, "hr": 3_600, "h": 3_600, "day": 86_400, "d": 86_400,
    "week": 604_800, "month": 2_629_746,
}  # fmt: skip
_PERCENT: Final = (*(Fraction(10**zeros) for zeros in range(5)), Fraction(10**16))
_SHARES: Final = {"%": _PERCENT, "percent": _PERCENT} | dict.fromkeys(
    ("bps", "basis points"), tuple(scale / 100 for scale in _PERCENT)
)
"""What one of them may be in a numerator: of 100, of 1,000 ... of 1,000,000, of 10**18."""
_LARGEST_SHARE: Final = 10**18
_WHOLE_TOKENS: Final = (1, 10**6, 10**18)
_BY: Final = re.compile(r"\bby (?:about |some |another )?$")
"""Before a number that says by how much, and not to what."""
_FASTEST_BLOCKS, _SLOWEST_BLOCKS = Fraction(1, 5), Fraction(16)
"""Seconds for one, on the chains that have governors."""
_IN_WORDS: Final = re.compile(r"\b(?:zero|two|three|four|five|six|seven|eight|nine|ten|twelve|half|quarter|double)\b")
_ABOUT: Final = Fraction(1, 5)
"""By which part a text may round."""


def other_numbers(text: str, words: Collection[str], value: int) -> tuple[str, ...]:
    """What the text says in sentences with one of `words` (lower case), when no quantity in it can be `value`. Empty
    when one can, when there is none ("shorten the delay" contradicts no number), when numbers stand there as words, and
    when they cannot be compared: votes with the numerator of a share, a share with a number of votes, a difference.
    """
    if any(_can_be(quantity, value) for quantity in _QUANTITY.finditer(text)):
        return ()
    beside = tuple(_beside(text, words))
    if any(_BY.search(q.string[max(0, q.start() - _NEAR) : q.start()].lower()) for q in beside):
        return ()
    return tuple(dict.fromkeys(" ".join(q.group().split()) for q in beside if _is_comparable(q, value)))


def only_number(call: DecodedCall) -> int | None:
    """The number among the arguments of a call, where there is exactly one."""
    numbers = [argument.value for argument in call.arguments if argument.type.startswith("uint")]
    return int(numbers[0]) if len(numbers) == 1 and numbers[0].isdecimal() else None


def _beside(text: str, words: Collection[str]) -> Iterator[re.Match[str]]:
    for sentence in _SENTENCE_ENDS.split(text):
        lower = sentence.lower()
        if any(word in lower for word in words) and not _IN_WORDS.search(lower):
            yield from _QUANTITY.finditer(sentence)


_NEAR: Final = 20
"""Characters before a number."""


def _is_comparable(quantity: re.Match[str], value: int) -> bool:
    """Nobody knows here of how many votes a share is."""
    unit = quantity["unit"].lower()
    if unit in _SHARES:
        return value <= _LARGEST_SHARE
    return value == 0 or value > _LARGEST_NUMERATOR or not unit.startswith(("vote", "token"))


_LARGEST_NUMERATOR: Final = 10_000


def _can_be(quantity: re.Match[str], value: int) -> bool:
    number = Fraction(int(re.sub(r"\D", "", quantity["number"]))) + Fraction("0" + (quantity["fraction"] or ".0"))
    unit = quantity["unit"].lower()
    unit = unit if unit in _SHARES else unit.removesuffix("s")
    if unit in _SHARES:
        return any(number * scale == value for scale in _SHARES[unit])
    if unit in {"vote", "token"}:
        return any(number * scale == value for scale in _WHOLE_TOKENS)
    if unit == "block":
        return _is_about(number, Fraction(value))
    seconds = number * _SECONDS[unit]
    in_blocks = value > 0 and _FASTEST_BLOCKS <= seconds / value <= _SLOWEST_BLOCKS
    return in_blocks or _is_about(seconds, Fraction(value))


def _is_about(said: Fraction, meant: Fraction) -> bool:
    return abs(said - meant) <= _ABOUT * max(said, meant)
