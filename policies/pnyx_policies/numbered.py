"""Which numbers a text gives to what is numbered (ERC-721, ERC-1155), how many of each, and to whom."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from pnyx_policies.beside import places
from pnyx_policies.finding import Severity
from pnyx_policies.money import Outflow

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


def another_number(payment: Outflow, said: Collection[Phrase], amounts: Collection[int]) -> tuple[Severity, str] | None:
    """What is wrong with the number of a payment, by what is `said` beside its receiver: another one, as many of
    another one, or none where an amount alone says nothing of which. `amounts` announce the payment.
    """
    number, one = payment.token_id, payment.is_single
    if number is None or (one and not said):
        return None
    if not said:
        return Severity.LOW, "the amount, and not of which number"
    of_it = [phrase for phrase in said if phrase.has(number)]
    if not of_it:
        what = "the NFT" if one else "the amount,"
        return Severity.HIGH, f"{what} with another number ({min(min(phrase.numbers) for phrase in said)})"
    others = {phrase.amount for phrase in of_it if phrase.amount is not None}
    if not one and others and others.isdisjoint(amounts):
        return Severity.HIGH, f"another amount of this number ({min(others)})"
    return None


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
