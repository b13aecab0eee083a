"""Members of TOML tables, one by one: what is expected of each, and the words when it is something else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pnyx_contracts.types import UINT256_MAX
from pnyx_policies.literals import nearest


class Fault(Exception):  # noqa: N818 - becomes the error of whoever reads the file, with the source in front
    """The message says where, and what was expected."""


def tables(value: object, key: str) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise Fault(f"{key} must be an array of tables: [[{key}]]")
    return value


def only(table: Mapping[str, object], known: tuple[str, ...], where: str) -> None:
    if unknown := next((key for key in table if key not in known), None):
        raise Fault(f"{where}: unknown key {unknown!r}, expected {', '.join(known)}{nearest(unknown, known)}")


def one_of(value: object, choices: tuple[str, ...], where: str) -> str:
    if not isinstance(value, str) or value not in choices:
        raise Fault(f"{where} must be one of {', '.join(choices)}; got {value!r}{nearest(str(value), choices)}")
    return value


def line_of(table: Mapping[str, object], key: str, where: str, max_bytes: int, default: str | None = None) -> str:
    value = table.get(key, default)
    if not isinstance(value, str) or (not value.strip() and default is None):
        raise Fault(f"{where}: {key} is missing: expected a line of text")
    if not value.isprintable() or len(value.encode()) > max_bytes:
        raise Fault(f"{where}: {key} must be one line of at most {max_bytes} bytes")
    return value


def whole_number(
    table: Mapping[str, object], key: str, where: str, low: int, high: int, default: int | None = None
) -> int:
    """A TOML integer, or a decimal string for what TOML readers elsewhere would not keep exact."""
    value = table.get(key, default)
    if isinstance(value, str) and re.fullmatch(r"\d{1,3}(?:_?\d{3})*|\d{1,78}", value, re.ASCII):
        value = int(value.replace("_", ""))
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        expected = f"a whole number from {low} to {'2**256-1' if high == UINT256_MAX else high}"
        raise Fault(f"{where}: {key} must be {expected}; got {value!r}")
    return value
