"""What an analysis rests on, looked up without another model: claims that rest on nothing are struck out.

    sources     each key point cites a call, an effect or words of the text, and all that it cites exists
    numbers     each amount in what people read stands in the facts or in the text, as units or as whole tokens
    addresses   so does each address, also a shortened one

A quotation counts as found when it occurs in the description after both went through `normalise`: a model may write
straight quotes for curly ones or join a broken line, but it may not change, add or leave out a word.

It is no proof of truth: a claim may cite a call that exists and misread it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, TypeVar

from pnyx_policies.analysis import Analysis, KeyPoint, View
from pnyx_policies.claims import COMMON_DECIMALS
from pnyx_policies.facts import Facts
from pnyx_policies.factsheet import UNLIMITED, factsheet
from pnyx_policies.text import Number, amounts, numbers
from pnyx_policies.untrusted import clean

T = TypeVar("T")

STRUCK: Final = "[struck out: it names what the reader cannot have read]"
"""Stands where a sentence stood that every analysis has."""

LEAST_AMOUNT: Final = 1_000
"""Smaller numbers count things, days, percent, unless a unit of money follows."""

_MONEY: Final = frozenset(
    {"coin", "coins", "dollars", "eth", "ether", "gwei", "token", "tokens", "units", "usd", "wei"}
)
_YEARS: Final = range(1900, 2101)

_SAME = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4`", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        "\u2026": "...",
    }
)
_EMPHASIS = re.compile(r"[*_]+")
_ADDRESS = re.compile(r"(?<![0-9a-zA-Z])0x[0-9a-fA-F]{4,}")
_SHOWN_CHARACTERS = 60


def normalise(text: str) -> str:
    """`text` without invisible characters and emphasis marks; one form of quote, dash and ellipsis; single spaces."""
    return " ".join(_EMPHASIS.sub("", clean(text).text.translate(_SAME)).split())


@dataclass(frozen=True, slots=True)
class Grounded:
    """An analysis without what rests on nothing."""

    analysis: Analysis
    struck: tuple[str, ...]
    """What was struck out, and why."""


def grounded(analysis: Analysis, facts: Facts, view: View = View.FACTS_AND_TEXT) -> Grounded:
    """`analysis`, made by a reader who saw this of `facts`, with what it rests on looked up."""
    source = _Source.of(facts, view)
    struck: list[str] = []

    def stands(place: str, problems: Iterator[str]) -> bool:
        found = [f"{place}: {problem}" for problem in problems]
        struck.extend(found)
        return not found

    def sentence(name: str, words: str) -> str:
        return words if stands(name, source.unheard_of(words)) else STRUCK

    def supported(name: str, items: Sequence[T], problems: Callable[[T], Iterator[str]]) -> tuple[T, ...]:
        return tuple(item for n, item in enumerate(items) if stands(f"{name}[{n}]", problems(item)))

    kept = {
        "summary": sentence("summary", analysis.summary),
        "key_points": supported("key_points", analysis.key_points, source.problems),
        "stated_intent": sentence("stated_intent", analysis.stated_intent),
        "claimed_effects": supported("claimed_effects", analysis.claimed_effects, source.of_the_text),
        "risks": supported("risks", analysis.risks, lambda risk: source.unheard_of(risk.text)),
    }
    return Grounded(analysis.model_copy(update=kept), tuple(struck))


@dataclass(frozen=True, slots=True)
class _Source:
    """All that a reader can have read."""

    calls: frozenset[str]
    effects: int
    text: str | None
    """Normalised; None for a reader who saw none."""
    amounts: frozenset[Fraction]
    units: frozenset[str]
    """Words that make a number an amount."""
    decimals: frozenset[int]
    everything: str
    """In lower case."""

    @classmethod
    def of(cls, facts: Facts, view: View) -> _Source:
        text = normalise(facts.proposal.text) if view is View.FACTS_AND_TEXT else None
        everything = "\n".join((factsheet(facts, UNLIMITED, view=view), text or ""))
        return cls(
            calls=frozenset(call.path for call in facts.every_call()),
            effects=len(facts.simulation.effects),
            text=text,
            amounts=amounts(everything),
            units=_MONEY | {holding.symbol.lower() for holding in facts.treasury if holding.symbol},
            decimals=frozenset((*COMMON_DECIMALS, *(h.decimals for h in facts.treasury if h.decimals is not None))),
            everything=everything.lower(),
        )

    def problems(self, point: KeyPoint) -> Iterator[str]:
        if point.call is None and point.effect is None and point.quotation is None:
            yield "names no source"
        if point.call is not None and point.call not in self.calls:
            yield f"there is no call {_short(point.call)}"
        if point.effect is not None and point.effect >= self.effects:
            yield f"there is no effect {point.effect}"
        if point.quotation is not None and not self._says(normalise(point.quotation)):
            yield f"the text does not say {_short(point.quotation)}"
        yield from self.unheard_of(point.claim)

    def of_the_text(self, words: str) -> Iterator[str]:
        if self.text is None:
            yield "this reader was shown no text"
        yield from self.unheard_of(words)

    def unheard_of(self, words: str) -> Iterator[str]:
        """Amounts and addresses in `words` that stand nowhere else."""
        plain = normalise(words)
        for number in numbers(plain):
            if self._is_amount(number) and not any(map(self._is_known, number.readings)):
                yield f"neither facts nor text name {_short(f'{number.spelling} {number.unit}'.rstrip())}"
        for address in _ADDRESS.findall(plain):
            if address.lower() not in self.everything:
                yield f"neither facts nor text name {address[:_SHOWN_CHARACTERS]}"

    def _says(self, quotation: str) -> bool:
        return bool(quotation) and self.text is not None and quotation in self.text

    def _is_amount(self, number: Number) -> bool:
        if number.unit in self.units:
            return True
        return max(number.readings) >= LEAST_AMOUNT and not all(reading in _YEARS for reading in number.readings)

    def _is_known(self, amount: Fraction) -> bool:
        return amount in self.amounts or any(amount * 10**d in self.amounts for d in self.decimals)


def _short(text: str) -> str:
    return json.dumps(text[:_SHOWN_CHARACTERS] + ("..." if len(text) > _SHOWN_CHARACTERS else ""))
