"""TOML that strangers may have written: rulesets of records, files that people share. Read within bounds."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any, Final

MAX_BYTES: Final = 2**20
MAX_DEPTH: Final = 32
"""Tables and lists inside one another: no file of ours has more than five."""

_TOKEN = re.compile(
    r'"""(?:[^\\]|\\.)*?"""' r"|'''.*?'''" r'|"(?:[^"\\\n]|\\.)*"' r"|'[^'\n]*'" r"|\#[^\n]*" r"|[\[\]{}.=,\n]",
    re.DOTALL,
)

_ENDS_OF_KEYS = frozenset("[]{}=,\n")


class TomlError(ValueError):
    """The text is no TOML, or more than is read. The message says what is wrong, for the reader's own words before."""


def parse_toml(text: str) -> dict[str, Any]:
    """Raises `TomlError`, whatever the text: Python's own reader also runs out of stack, of digits, and of memory (a
    key with many dots takes the square of their number).
    """
    if len(text.encode(errors="surrogatepass")) > MAX_BYTES:
        raise TomlError(f"more than {MAX_BYTES} bytes")
    _require_flat(text)
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise TomlError(str(error)) from error
    if any(depth > MAX_DEPTH for depth in _depths(table)):
        raise TomlError(f"nested deeper than {MAX_DEPTH} levels")
    return table


def _require_flat(text: str) -> None:
    """Brackets in one another, and dots between two of the signs that end a key."""
    depth = dots = 0
    for found in _TOKEN.finditer(text):
        sign = found.group()
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(sign, 0)
        dots = dots + 1 if sign == "." else 0 if sign in _ENDS_OF_KEYS else dots
        if max(depth, dots) > MAX_DEPTH:
            raise TomlError(f"nested deeper than {MAX_DEPTH} levels")


def _depths(table: dict[str, Any]) -> Iterator[int]:
    """Of all that is inside, without recursion: keys with dots nest without brackets."""
    waiting: list[tuple[Any, int]] = [(table, 1)]
    while waiting:
        value, depth = waiting.pop()
        yield depth
        inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        waiting += [(each, depth + 1) for each in inside]
