"""What contracts are declared to answer to: functions by address and selector, from ABI JSON.

An operator declares them (`Configuration.interfaces`), so a member knows them too. A declared function names a call to
that address as the table of `selectors` does; where both have one that fits the bytes, the call is ambiguous.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pnyx_contracts.decoded import DecodedCall
from pnyx_contracts.errors import DecodingError
from pnyx_contracts.selectors import Function, parse_function
from pnyx_contracts.types import Address, to_hex

_DEEPEST_TUPLE = 16
_KIND = re.compile(r"[a-z]+[0-9]*(\[[0-9]*\])*")
_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")


Functions = dict[str, str]
"""0x selector -> function with argument names, ``setFee(uint256 newFee)``."""

Interfaces = dict[Address, Functions]

NONE: Mapping[str, Mapping[str, str]] = {}


def declared_function(interfaces: Mapping[str, Mapping[str, str]], target: str, selector: bytes) -> Function | None:
    """None as well for a text that is no function with this selector: a stranger's record may hold anything."""
    try:
        function = parse_function(interfaces.get(target, {})[to_hex(selector)])
    except (KeyError, DecodingError):
        return None
    return function if function.selector == selector else None


def used(interfaces: Mapping[str, Mapping[str, str]], calls: Iterable[DecodedCall]) -> Interfaces:
    """The part of `interfaces` that these calls, at every depth, can rest on: what a record keeps of it."""
    found: Interfaces = {}
    for call in (inner for outer in calls for inner in outer.walk()):
        text = interfaces.get(call.target, {}).get(call.selector)
        if text is not None and not call.other_chain:
            found.setdefault(call.target, {})[call.selector] = text
    return found


def functions_of(abi: Iterable[object]) -> Functions:
    """The functions of a contract's ABI. Raises `DecodingError` for an item that is none of an ABI."""
    found: Functions = {}
    for item in abi:
        if not isinstance(item, dict):
            raise DecodingError("an ABI is a list of objects")
        if item.get("type", "function") == "function":
            text = _text_of(item)
            found[to_hex(parse_function(text).selector)] = text
    return found


def function_of(item: Mapping[str, Any]) -> Function:
    """The function that an item of an ABI describes. Raises `DecodingError` for anything else."""
    return parse_function(_text_of(item))


def _text_of(item: Mapping[str, Any]) -> str:
    name, inputs = item.get("name"), item.get("inputs")
    if not isinstance(name, str) or not _NAME.fullmatch(name) or not isinstance(inputs, list):
        raise DecodingError("an ABI function has a name and a list of inputs")
    return f"{name}({_arguments(inputs, 0)})"


def _arguments(inputs: list[Any], depth: int) -> str:
    """Those without a name, or with one that another has as well, are called by their places."""
    names = [part.get("name") if isinstance(part, dict) else None for part in inputs]
    plain = [n if isinstance(n, str) and _NAME.fullmatch(n) and names.count(n) == 1 else "" for n in names]
    return ", ".join(
        f"{_kind(part, depth)} {name or f'arg{place}'}"
        for place, (part, name) in enumerate(zip(inputs, plain, strict=True))
    )


def _kind(part: object, depth: int) -> str:
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(part, dict) or not isinstance(kind, str) or not _KIND.fullmatch(kind):
        raise DecodingError("an input of an ABI function has a type")
    if not kind.startswith("tuple"):
        return kind
    if depth == _DEEPEST_TUPLE or not isinstance(part.get("components"), list):
        raise DecodingError("a tuple in an ABI has components, and is not nested without end")
    return f"({_arguments(part['components'], depth + 1)}){kind.removeprefix('tuple')}"
