"""How much of their words two texts share."""

from __future__ import annotations

import re

MOST_CHARACTERS = 50_000
_WORDS = re.compile(r"\w+")


def alike_bps(text: bytes, other: bytes) -> int:
    """Triples of words that both have, in basis points of those that either has (Jaccard), rounded down; 0 when one of
    them has no triple.
    """
    ours, theirs = _triples(text), _triples(other)
    either = len(ours | theirs)
    return len(ours & theirs) * 10_000 // either if ours and theirs else 0


def _triples(text: bytes) -> frozenset[tuple[str, ...]]:
    words = _WORDS.findall(text.decode("utf-8", errors="replace")[:MOST_CHARACTERS].casefold())
    return frozenset(zip(words, words[1:], words[2:], strict=False))
