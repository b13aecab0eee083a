"""What an unknown selector may stand for: ``data/guesses.txt.gz``, functions of published npm packages.

A selector is four bytes: anyone finds, in minutes, a function that has the selector of a harmless one and means
something else. So a guess is for the eyes of people alone. It is no part of the decoded call or of a prompt. No rule
hears of it; one context tool finds in the table which initialisers are worth trying, and tells what came of the try.
``contracts/guesses.py`` makes the table; its first lines name the packages.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from pnyx_contracts.decoded import Argument
from pnyx_contracts.errors import DecodingError
from pnyx_contracts.selectors import parse_function
from pnyx_contracts.strict_abi import to_text

MOST_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Guess:
    """One function that has the selector."""

    signature: str
    arguments: tuple[Argument, ...] | None
    """Set when the calldata is exactly the encoding of this function's arguments, and of no other one's here."""


def guesses(data: bytes) -> tuple[Guess, ...]:
    """What the calldata of an unknown call may be; more than one where published functions share the selector."""
    signatures = signatures_of(data[:4]) if len(data) >= 4 else ()
    found = tuple(Guess(signature, _arguments(signature, data[4:])) for signature in signatures[:MOST_SHOWN])
    if sum(guess.arguments is not None for guess in found) > 1:
        return tuple(replace(guess, arguments=None) for guess in found)
    return found


def signatures_of(selector: bytes) -> tuple[str, ...]:
    """Canonical signatures with this selector. One search over sorted lines: nothing else is parsed."""
    table, key = _table(), b"\n" + selector.hex().encode() + b" "
    found: list[str] = []
    at = table.find(key)
    while at >= 0 and table.startswith(key, at):
        end = table.index(b"\n", at + 1)
        found.append(table[at + len(key) : end].decode())
        at = end
    return tuple(found)


@cache
def _table() -> bytes:
    return gzip.decompress(files("pnyx_contracts").joinpath("data/guesses.txt.gz").read_bytes())


def _arguments(signature: str, data: bytes) -> tuple[Argument, ...] | None:
    """Without names, because none is certain. None when the strict decoding, which re-encodes to `data`, fails."""
    function = parse_function(signature)
    try:
        values = function.arguments.decode_whole(data)
    except DecodingError:
        return None
    kinds = [parameter.kind for parameter in function.parameters]
    return tuple(
        Argument(name="", type=kind.canonical, value=to_text(kind, value))
        for kind, value in zip(kinds, values, strict=True)
    )
