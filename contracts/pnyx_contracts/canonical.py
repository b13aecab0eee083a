"""Canonical JSON (RFC 8785), as the record needs it: one value, one sequence of bytes.

RFC 8785 sees every number as an IEEE-754 double, so an amount beyond 2**53 would lose digits and a float would have
several spellings on its way here. Both are refused: big integers are decimal strings already (`types.Uint`), and
records hold no floats. What Python's reader forgives (duplicate keys, NaN, lone surrogates) is refused as well, for two
readers could understand it differently.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

import rfc8785
from pydantic import JsonValue

from pnyx_contracts.errors import DecodingError

MAX_DEPTH = 100
"""Nesting beyond this is nobody's honest record and would exhaust a reader's stack."""

MAX_VALUES = 500_000
"""More values than this are nobody's honest record: each of them costs a reader some fifty bytes and a microsecond."""

MAX_KEYS = 10_000
"""Of one object. A reader that looks at every key, or complains about each, stays quick."""

_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]|,', re.DOTALL)

_MAX_SAFE_INTEGER = 2**53 - 1


def canonical_bytes(value: JsonValue, where: str = "$") -> bytes:
    """RFC 8785 bytes of `value`; `where` names it in the `DecodingError` for what is not canonical JSON."""
    _require_exact(value, where, MAX_DEPTH)
    return rfc8785.dumps(value)


def parse_json(data: bytes, where: str = "$") -> JsonValue:
    """The value behind JSON bytes, canonical or not. Raises `DecodingError`."""
    try:
        text = data.decode("utf-8")
        require_bounded(text)
        value: JsonValue = json.loads(
            text,
            object_pairs_hook=_object,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
            parse_int=_integer,
        )
    except (ValueError, RecursionError) as error:
        raise DecodingError(f"{where}: not the JSON of a record: {error}") from error
    _require_exact(value, where, MAX_DEPTH)
    return value


def require_bounded(text: str) -> None:
    """Raises ValueError for JSON text that nests deeper than `MAX_DEPTH` or holds more than `MAX_VALUES`. To be asked
    before `json.loads`.

    Python's own guard does not hold: libraries for keys raise the recursion limit of the process so far that the C
    parser overruns the stack and the process dies.
    """
    depth = values = 0
    for found in _TOKEN.finditer(text):
        token = found.group()
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token, 0)
        values += token in {"[", "{", ","}
        if depth > MAX_DEPTH:
            raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
        if values > MAX_VALUES:
            raise ValueError(f"more than {MAX_VALUES} values")


def first_difference(left: JsonValue, right: JsonValue, where: str = "$") -> str | None:
    """Path of the first place, in canonical order, where two values differ; None when they are the same."""
    if isinstance(left, dict) and isinstance(right, dict):
        for key in sorted({*left, *right}):
            if key not in left or key not in right:
                return f"{where}.{key}"
            if found := first_difference(left[key], right[key], f"{where}.{key}"):
                return found
        return None
    if isinstance(left, list) and isinstance(right, list):
        for index, (one, other) in enumerate(zip(left, right, strict=False)):
            if found := first_difference(one, other, f"{where}[{index}]"):
                return found
        return None if len(left) == len(right) else f"{where}[{min(len(left), len(right))}]"
    # The types too: Python holds True and 1 to be equal.
    return None if type(left) is type(right) and left == right else where


def _require_exact(value: JsonValue, where: str, depth: int) -> None:
    """Raises `DecodingError` unless RFC 8785 keeps every bit of `value`."""
    if depth < 0:
        raise DecodingError(f"{where}: nested deeper than {MAX_DEPTH} levels")
    match value:
        case list():
            for index, item in enumerate(value):
                _require_exact(item, f"{where}[{index}]", depth - 1)
        case dict():
            for key, item in value.items():
                _require_text(key, where)
                _require_exact(item, f"{where}.{key}", depth - 1)
        case _:
            _require_exact_scalar(value, where)


def _require_exact_scalar(value: object, where: str) -> None:
    match value:
        case None | bool():
            return
        case int():
            if abs(value) > _MAX_SAFE_INTEGER:
                raise DecodingError(f"{where}: the integer {value} is beyond 2**53-1; write it as a decimal string")
        case str():
            _require_text(value, where)
        case _:
            raise DecodingError(f"{where}: {type(value).__name__} has no exact form in JSON; write it as text")


def _require_text(text: object, where: str) -> None:
    if not isinstance(text, str):
        raise DecodingError(f"{where}: the key {text!r} is not text")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise DecodingError(f"{where}: a lone surrogate at character {error.start} is not Unicode text") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MAX_KEYS:
        raise ValueError(f"an object with more than {MAX_KEYS} keys")
    value: dict[str, Any] = {}
    for key, item in pairs:
        if key in value:
            raise ValueError(f"the key {key[:80]!r} stands there twice")
        value[key] = item
    return value


def _integer(digits: str) -> int:
    if len(digits) > len(str(_MAX_SAFE_INTEGER)) + 1:
        raise ValueError(f"the integer {digits[:24]}... is beyond 2**53-1")
    return int(digits)


def _refuse_number(text: str) -> NoReturn:
    raise ValueError(f"the number {text} is not an integer")
