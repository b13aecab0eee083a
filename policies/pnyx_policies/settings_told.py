"""Does the text name the number that a setting of governance gets? As people write it: 3%, 14,400 blocks, two days."""

from __future__ import annotations

import re
from collections.abc import Collection
from fractions import Fraction
from functools import lru_cache
from typing import Final

from pnyx_contracts.decoded import DecodedCall

_SENTENCE_ENDS: Final = re.compile(r"(?<=[.!?;])\s+|\n")
_QUANTITY: Final = re.compile(
    r"(?<![\w.,])(?P<number>\d{1,3}(?:[,_' ]\d{3}){1,9}|\d{1,30})(?P<fraction>\.\d{1,18})?\s{0,2}-?"
    r"(?P<unit>%|percent|bps|basis points|blocks?|seconds?|secs?|minutes?|mins?|hours?|hrs?|h|days?|d|weeks?|months?"
    r"|years?|votes?|tokens?)(?![A-Za-z])",
    re.IGNORECASE,
)
_SECONDS: Final = {
    "second": 1, "sec": 1, "minute": 60, "min": 60, "hour": 3_600, "hr": 3_600, "h": 3_600, "day": 86_400, "d": 86_400,
    "week": 604_800, "month": 2_629_746, "year": 31_556_952,
}  # fmt: skip
_PERCENT: Final = (*(Fraction(10**zeros) for zeros in range(5)), Fraction(10**16))
_SHARES: Final = {"%": _PERCENT, "percent": _PERCENT} | dict.fromkeys(
    ("bps", "basis points"), tuple(scale / 100 for scale in _PERCENT)
)
"""What one of them may be in a numerator: of 100, of 1,000 ... of 1,000,000, of 10**18."""
_LARGEST_SHARE: Final = 10**18
_WHOLE_TOKENS: Final = (1, 10**6, 10**18)
_AIM: Final = re.compile(r"\bto (?:about )?\d(?!x)")
_AIMED: Final = re.compile(r"\bto (?:about )?$")
_NEAR: Final = 20
"""Characters before a number."""
_BY: Final = re.compile(r"\bby (?:about |some |another )?$")
"""Before a number that says by how much, and not to what."""
_FASTEST_BLOCKS, _SLOWEST_BLOCKS = Fraction(1, 5), Fraction(16)
"""Seconds for one, on the chains that have governors."""
_WORDS: Final = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip
_WORD: Final = re.compile(rf"\b(?:{'|'.join(_WORDS)})(?=[ -])", re.IGNORECASE)
_ONE: Final = re.compile(r"\ban? (?=(?:second|minute|hour|day|week|month|year)\b)", re.IGNORECASE)
_IN_WORDS: Final = re.compile(r"\b(?:half|quarter|double|twice)\b")
_ABOUT: Final = Fraction(1, 5)
"""By which part a text may round."""


def other_numbers(text: str, words: Collection[str], value: int, *, of_time: bool = False) -> tuple[str, ...]:
    """What the text says in sentences with one of `words` (lower case), when no quantity in it can be `value`. Empty
    when one can, when there is none ("shorten the delay" contradicts no number), when numbers stand there as words, and
    when they cannot be compared: votes with the numerator of a share, a share with a number of votes, a difference.

    Where a sentence says what the setting changes to, other quantities there are none of it. With `of_time`, quantities
    of time alone count.
    """
    if says_number(text, value) or any(_says_bare(text, word, value) for word in words):
        return ()
    spelled = _spelled(text)
    sentences = [s for s in _SENTENCE_ENDS.split(spelled) if any(word in s.lower() for word in words)]
    has_aim = any(_AIM.search(sentence) for sentence in sentences)
    beside = [q for s in sentences if not _IN_WORDS.search(s.lower()) for q in _QUANTITY.finditer(s)]
    if any(_BY.search(_before(quantity)) for quantity in beside):
        return ()
    meant = (q for q in beside if _AIMED.search(_before(q)) or not (has_aim or _before(q).endswith("from ")))
    told = (q for q in meant if _is_comparable(q, value) and (_is_time(q) or not of_time))
    return tuple(dict.fromkeys(" ".join(quantity.group().split()) for quantity in told))


_SET_TO: Final = re.compile(
    r"\bto (?P<number>(?:\d{1,3}(?:,\d{3}){1,9}|\d{1,30})(?:\.\d{1,18})?)(?= (?:at|for|in|on|by)\b|[.,;)]?(?:\s|$))"
)
_SCALES: Final = tuple(10**zeros for zeros in (0, 2, 3, 4, 6, 8, 9, 16, 18, 27))


def other_bare_numbers(text: str, what: str, value: int) -> tuple[str, ...]:
    """What sentences with `what` (lower case) say that it is set to, without a unit, when that cannot be `value`, and
    no quantity of the text can.
    """
    if says_number(text, value):
        return ()
    said = [m for s in _SENTENCE_ENDS.split(text) if what in s.lower() for m in _SET_TO.finditer(s)]
    numbers = {m["number"]: Fraction(m["number"].replace(",", "")) for m in said}
    return () if any(n * scale == value for n in numbers.values() for scale in _SCALES) else tuple(numbers)


def _says_bare(text: str, what: str, value: int) -> bool:
    """Whether the text says right behind `what` that it is set to this: "the collateral factor to 0"."""
    said = re.search(rf"{re.escape(what)} to (\d{{1,30}})(?![\w%]|[.,]\d)", text.lower())
    return said is not None and any(int(said[1]) * scale == value for scale in _SCALES)


def says_number(text: str, value: int) -> bool:
    """Whether a quantity of the text, wherever it stands, can be `value`."""
    return any(_can_be(quantity, value) for quantity in _QUANTITY.finditer(_spelled(text)))


def odd_whole(text: str, value: int) -> int | None:
    """Of how many the text's percentage would be `value`, where that is no usual whole (100, 10,000, 10**6, 10**18);
    None where the text says the number in another way, or not at all. ``1%`` is 1 or 100 oftener than 10 or 1,000.
    """
    shown = _spelled(text)
    odd: int | None = None
    for quantity in _QUANTITY.finditer(shown):
        if not _can_be(quantity, value):
            continue
        is_percent, number = quantity["unit"].lower() in {"%", "percent"}, _number(quantity)
        scale = next((s for s in _ODD_SCALES if is_percent and value and number * s == value), None)
        if scale is None:
            return None
        odd = scale * 100
    is_written = re.search(rf"(?<![\w.,]){value}(?![\w%]|[.,]\d)|(?<![\w.,]){value:,}(?![\w%]|[.,]\d)", shown)
    return None if is_written else odd


_ODD_SCALES: Final = (10, 1_000)
"""What one percent may be of 1,000 or 100,000."""


@lru_cache(maxsize=16)
def _spelled(text: str) -> str:
    """With digits for number words: 2 days, 1 week."""
    digits = _WORD.sub(lambda word: str(_WORDS.index(word[0].lower())), text)
    return _ONE.sub("1 ", digits)


def only_number(call: DecodedCall) -> int | None:
    """The number among the arguments of a call, where there is exactly one."""
    numbers = [argument.value for argument in call.arguments if argument.type.startswith("uint")]
    return int(numbers[0]) if len(numbers) == 1 and numbers[0].isdecimal() else None


def _before(quantity: re.Match[str]) -> str:
    return quantity.string[max(0, quantity.start() - _NEAR) : quantity.start()].lower()


def _is_time(quantity: re.Match[str]) -> bool:
    return quantity["unit"].lower().removesuffix("s") in _SECONDS


def _is_comparable(quantity: re.Match[str], value: int) -> bool:
    """Nobody knows here of how many votes a share is."""
    unit = quantity["unit"].lower()
    if unit in _SHARES:
        return value <= _LARGEST_SHARE
    return value == 0 or value > _LARGEST_NUMERATOR or not unit.startswith(("vote", "token"))


_LARGEST_NUMERATOR: Final = 10_000


def _number(quantity: re.Match[str]) -> Fraction:
    return Fraction(int(re.sub(r"\D", "", quantity["number"]))) + Fraction("0" + (quantity["fraction"] or ".0"))


def _can_be(quantity: re.Match[str], value: int) -> bool:
    number = _number(quantity)
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
