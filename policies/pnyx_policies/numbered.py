"""Which numbers a text gives to what is numbered (ERC-721, ERC-1155), how many of each, and to whom."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from pnyx_policies.beside import places

_NUMBER = r"(?:#|\bnumbers? #?|\bno\. ?#?|\bids?:? #?)(\d{1,20})\b"
_MORE = r"(?:(?:,| and|, and) ?#?\d{1,20}(?=\s*(?:[,.;:)]|and\b|to\b|$)))*"
_UP_TO = r"(?: ?(?:to|through|until|[-\u2013]) ?#?(\d{1,20})\b)?"
_SO_MANY = r"(?:\b(\d[\d,]*) (?:(?!and\b)[a-z]+ ){0,3}\(?)?"
_PHRASE = re.compile(f"{_SO_MANY}{_NUMBER}({_MORE}){_UP_TO}")
"""``#7``; ``numbers 1, 2 and 5``; ``#1 to #5``; ``500 of #7``; ``1,000 passes (number 3)``."""
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Phrase:
    """What is said of some numbers: how many, None where that is not said."""

    amount: int | None
    numbers: frozenset[int]
    last: int | None
    """Where they are those from the first to this one."""

    def has(self, number: int) -> bool:
        return number in self.numbers or (self.last is not None and min(self.numbers) <= number <= self.last)


def said_beside(shown: str, receiver: str, receivers: Collection[str]) -> tuple[Phrase, ...]:
    """What a rendered text says beside one of the receivers. Of several in one sentence, with as many phrases, each has
    the one at its place.
    """
    return tuple(_beside(shown, receiver, receivers))


def without_numbers(shown: str) -> str:
    """The text without what its numbers are: they are no amounts."""
    return re.sub(f"{_NUMBER}{_MORE}", " ", shown)


def _beside(shown: str, receiver: str, receivers: Collection[str]) -> Iterator[Phrase]:
    for place in places(shown, frozenset(receivers), frozenset()):
        if receiver not in place.addresses:
            continue
        phrases = [_phrase(match) for match in _PHRASE.finditer(place.words)]
        people = sorted(place.addresses, key=lambda address: place.words.find(address.lower()))
        if len(people) > 1 and len(phrases) == len(people):
            yield phrases[people.index(receiver)]
        else:
            yield from phrases


def _phrase(match: re.Match[str]) -> Phrase:
    amount, first, more, last = match.groups()
    return Phrase(
        amount=int(amount.replace(",", "")) if amount else None,
        numbers=frozenset(map(int, (first, *_DIGITS.findall(more)))),
        last=int(last) if last else None,
    )
