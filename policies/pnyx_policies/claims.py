"""What the description of a proposal claims, read once: the side that checks compare with the calls."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil
from typing import Final

from pnyx_policies import text as reading
from pnyx_policies.facts import Facts

_WORD = re.compile(r"[a-z][a-z0-9_]*")
_BLOB = re.compile(r"0x[0-9a-f]{8,}")
_LINK = re.compile(r"https?://\S+")

COMMON_DECIMALS = (0, 6, 8, 18)
"""Tried for tokens whose decimals nobody told us, so that an honest "10,000 USDC" is not called a lie."""

_SHORTEST_STEM = 3
_PART_OF_NAME = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_IN_ANY_NAME = frozenset(
    {
        "set", "get", "add", "update", "make", "exec", "execute", "call", "run", "for", "the", "and", "with", "from",
        "all", "new", "token", "tokens", "address", "contract",
    }
)  # fmt: skip

PERMIT2 = "0x000000000022D473030F116dDEE9F6B43aC78BA3"
"""Uniswap's, on every chain."""

RAW = 10**9
"""From here on a number that equals the smallest units is meant as smallest units."""

RAW_DECIMALS = 6
"""With fewer decimals a number of smallest units is too near to one of whole tokens."""


def words_of_name(function: str) -> tuple[str, ...]:
    """What a function's name speaks of, in lower case: fee and recipient of ``setFeeRecipient``."""
    words = (word.lower() for word in _PART_OF_NAME.findall(function))
    return tuple(word for word in words if len(word) >= _SHORTEST_STEM and word not in _IN_ANY_NAME)


def readings_of(amount: int, decimals: int | None) -> frozenset[Fraction]:
    """How a text may write `amount` smallest units: raw, or with its decimals; unknown decimals: the usual."""
    tried = COMMON_DECIMALS if decimals is None else (0, decimals)
    return frozenset(reading for d in tried for reading in _spelled(amount, d))


_MILLION: Final = 10**6


def _spelled(amount: int, decimals: int) -> tuple[Fraction, ...]:
    """Exactly; and the next whole number, where less than a millionth is missing: streams are divisible by seconds."""
    exact = Fraction(amount, 10**decimals)
    whole = Fraction(ceil(exact))
    return (exact, whole) if (whole - exact) * _MILLION < exact else (exact,)


@dataclass(frozen=True, slots=True)
class Claims:
    """The description, read for what it names."""

    text: str
    shown: str
    """As people read it, without what is struck through; numbers in tables with the unit of their column."""
    words: frozenset[str]
    addresses: frozenset[str]
    amounts: frozenset[Fraction]
    unfolded: frozenset[Fraction]
    """Amounts that readers see before they unfold anything."""
    quantities: frozenset[tuple[Fraction, str]]
    """Amounts with the word that stands behind them."""
    blobs: frozenset[str]
    """Hex strings of at least four bytes: calldata that the text shows."""
    names_ens: bool
    prose_length: int
    """Letters and digits that people read: no hex, no links, nothing hidden. One of Chinese, Japanese or Korean says as
    much as three.
    """

    def names_word(self, *words: str) -> bool:
        """True when one of the words stands in the text (whole words, case ignored)."""
        return any(word.lower() in self.words for word in words)

    def names_address(self, address: str) -> bool:
        """True when the address stands in the text, in full; of Permit2, which has one everywhere, its name too."""
        return address in self.addresses or (address == PERMIT2 and self.names_word("permit2"))

    def names_stem(self, *words: str) -> bool:
        """True when a word of the text begins as one of these does: the renewals of ``renew``."""
        stems = tuple(word[: max(_SHORTEST_STEM, len(word) - 2)] for word in words)
        return bool(stems) and any(word.startswith(stems) for word in self.words)

    def names_amount(self, amount: int, decimals: int | None) -> bool:
        """True when the text names `amount` (smallest units), raw or with its decimals; unknown decimals: the usual."""
        return not self.amounts.isdisjoint(readings_of(amount, decimals))

    def names_quantity(self, amount: int, decimals: int | None, units: frozenset[str]) -> bool:
        """True when the text names `amount` in one of these units (lower case); or raw, as nobody does by chance."""
        raw = (decimals or 0) >= RAW_DECIMALS and amount >= RAW and Fraction(amount) in self.amounts
        tried = COMMON_DECIMALS if decimals is None else (decimals,)
        written = (spelling for d in tried for spelling in _spelled(amount, d))
        return raw or any((spelling, unit) in self.quantities for spelling in written for unit in units)

    def shows_calldata(self, calldata: bytes) -> bool:
        """True when the text shows these bytes. People do not read hex: this announces nothing."""
        return len(calldata) >= 4 and "0x" + calldata.hex() in self.blobs


def claims_of(facts: Facts) -> Claims:
    """What the proposal's text claims."""
    return read_claims(facts.proposal.text)


@lru_cache(maxsize=16)
def read_claims(text: str) -> Claims:
    """Reads a text once. What a reader does not see (hidden characters, comments, attributes) claims nothing, and
    neither does what is struck through.
    """
    shown, unfolded = (
        reading.with_units_of_columns(reading.rendered(reading.without_struck(part)))
        for part in (text, reading.without_folded(text))
    )
    folded = reading.fold(shown)
    prose = _LINK.sub(" ", _BLOB.sub(" ", folded))
    return Claims(
        text=text,
        shown=shown,
        words=frozenset(_WORD.findall(prose)),
        addresses=reading.addresses(shown),
        amounts=reading.amounts(_LINK.sub(" ", shown)),
        unfolded=reading.amounts(_LINK.sub(" ", unfolded)),
        quantities=reading.quantities(_LINK.sub(" ", shown)),
        blobs=frozenset(_BLOB.findall(folded)),
        names_ens=reading.has_ens_name(shown),
        prose_length=sum(map(_letters, prose)),
    )


_IDEOGRAPHS = "\u2e80"
"""Here begin the scripts of China, Japan and Korea."""


def _letters(character: str) -> int:
    """How many letters or digits of English it says as much as."""
    if character.isascii():
        return int(character.isalnum())
    return 3 if character >= _IDEOGRAPHS else 1
