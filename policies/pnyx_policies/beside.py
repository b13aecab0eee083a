"""Which amounts stand beside which address: a list whose amounts and receivers are swapped names each of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from eth_utils.address import to_checksum_address

from pnyx_policies import text as reading
from pnyx_policies.text import Number

_SENTENCE_ENDS = re.compile(r"(?<=[.!?;])\s+|(?<=[\u3002\uff01\uff1f\uff1b])|\n")
_ADDRESS = re.compile(r"(?<![0-9a-zA-Z])0x[0-9a-fA-F]{40}(?![0-9a-zA-Z])")
_GETS = re.compile(r"[\s*_`)\]]*(?:gets?|receives?|will|is|are|has|[=:\u2013\u2014-])", re.IGNORECASE)
"""Behind an address: what it gets follows."""
_LINK = re.compile(r"https?://\S+")


@dataclass(frozen=True, slots=True)
class Place:
    """A sentence, an item, a row of a table; where it is about several people, what stands beside one of them."""

    addresses: frozenset[str]
    numbers: tuple[Number, ...]
    words: str

    def names(self, amounts: Collection[Fraction]) -> bool:
        return any(reading in amounts for number in self.numbers for reading in number.readings)

    def has_quantity(
        self, units: Collection[str], among: Collection[Fraction] | None = None, but_for: Collection[Fraction] = ()
    ) -> bool:
        """Whether an amount of the asset with these names (lower case) stands here; one `among` these, or of others."""
        return any(
            number.unit in units
            and (among is None or not number.readings.isdisjoint(among))
            and number.readings.isdisjoint(but_for)
            for number in self.numbers
        )


@lru_cache(maxsize=16)
def places(shown: str, people: frozenset[str], units: frozenset[str]) -> tuple[Place, ...]:
    """The places of a rendered text. Addresses other than `people` are left out: a token's own says nobody's share."""
    return tuple(
        place for sentence in _SENTENCE_ENDS.split(shown) if sentence for place in _of(sentence, people, units)
    )


def _of(sentence: str, people: Collection[str], units: Collection[str]) -> Iterator[Place]:
    """Each address with the amounts before it, or each with those behind it; where neither fits all, they share."""
    named, chunks = _cut(sentence, people)
    before, behind = chunks[:-1], chunks[1:]
    for beside in (behind,) if behind and _GETS.match(behind[0]) else (before, behind):
        if len(set(named)) > 1 and all(_place((), chunk).has_quantity(units) for chunk in beside):
            yield from (_place((who,), chunk) for who, chunk in zip(named, beside, strict=True))
            return
    yield _place(named, sentence)


def _cut(sentence: str, people: Collection[str]) -> tuple[list[str], list[str]]:
    """The addresses of people in a sentence, and what stands before, between and behind them. A link shows its
    address twice: that is one.
    """
    named, chunks, end = list[str](), [""], 0
    for match in _ADDRESS.finditer(sentence):
        who = str(to_checksum_address(match.group().lower()))
        if who not in people:
            continue
        chunks[-1] += sentence[end : match.start()]
        if named[-1:] != [who]:
            named.append(who)
            chunks.append("")
        end = match.end()
    chunks[-1] += sentence[end:]
    return named, chunks


def _place(addresses: Collection[str], words: str) -> Place:
    return Place(frozenset(addresses), tuple(reading.numbers(_LINK.sub(" ", words))), words.lower())
