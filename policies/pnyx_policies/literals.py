"""The values in conditions: numbers, amounts, shares, words, addresses, names, and lists of them. Exact, or refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction

from eth_utils.address import is_hex_address, to_checksum_address

from pnyx_contracts.errors import UsageError
from pnyx_contracts.types import UINT256_MAX
from pnyx_policies.coins import COINS
from pnyx_policies.fields import SEVERITIES, Datum, Field, FieldType

Groups = Mapping[str, frozenset[str]]
"""Address books: a name, and the addresses that it stands for."""

LIST_OPERATORS = frozenset({"in", "within", "touches"})
OF_ADDRESSES = frozenset({FieldType.ADDRESS, FieldType.ADDRESSES})


class ConditionError(UsageError):
    """A line that is no condition: names what was expected, and the nearest match."""


@dataclass(frozen=True, slots=True)
class Literal:
    """`value` has the field's type; a frozenset for list operators."""

    value: Datum
    coin: str = ""
    """Symbol of the coin in which an amount was given: it means nothing on a chain with another coin."""
    groups: frozenset[str] = frozenset()
    """The address books that it names."""


def parse_literal(field: Field, operator: str, text: str, groups: Groups) -> Literal:
    """Raises `ConditionError`."""
    if operator not in LIST_OPERATORS:
        return Literal(_parse_value(field, text), coin=_coin_in(field, text))
    if not (text.startswith("[") and text.endswith("]") and text[1:-1].strip()):
        raise ConditionError(f"{field.name} {operator} takes a list like [a, b] with at least one member; got {text!r}")
    items = [item.strip() for item in text[1:-1].split(",")]
    named = frozenset(item for item in items if field.type in OF_ADDRESSES and GROUP.fullmatch(item))
    members = {str(_parse_value(field, item)) for item in items if item not in named}
    return Literal(frozenset(members.union(*(_group(name, groups) for name in named))), groups=named)


def _group(name: str, groups: Groups) -> frozenset[str]:
    if name not in groups:
        raise ConditionError(f"[addresses] has no group {name!r}{nearest(name, groups)}")
    return groups[name]


def nearest(word: str, choices: Iterable[str]) -> str:
    """``; did you mean 'x'?`` or nothing."""
    near = get_close_matches(word, list(choices), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _parse_value(field: Field, text: str) -> Datum:
    parsed = _PARSERS[field.type](field, text)
    if parsed is None:
        raise ConditionError(f"{field.name} takes {_expected(field)}; got {text!r}{nearest(text, _choices(field))}")
    return parsed


def _choices(field: Field) -> tuple[str, ...]:
    return SEVERITIES if field.type is FieldType.SEVERITY else field.words


def _expected(field: Field) -> str:
    if choices := _choices(field):
        return "one of " + ", ".join(choices)
    return _EXPECTED[field.type]


_EXPECTED = {
    FieldType.NUMBER: "a whole number from 0 to 2**256-1, for example 1_000_000",
    FieldType.WEI: "an amount like 1_000_000 (wei), 1.5 ether or 1.5 ETH",
    FieldType.SHARE: "a share like 5%, 0.25% or 25 bps",
    FieldType.ADDRESS: "an address: 0x and 40 hex digits, with a right checksum",
    FieldType.ADDRESSES: "addresses: 0x and 40 hex digits each, with right checksums",
    FieldType.NAMES: "function names, without arguments",
}

_DIGITS = r"(?:0|[1-9]\d{0,2}(?:_\d{3})+|[1-9]\d*)"
_DECIMAL = rf"{_DIGITS}(?:\.\d{{1,18}})?"
_UNITS = "|".join(("ether", *sorted(set(COINS.values()))))
ADDRESS_FORM = r"0x[0-9a-fA-F]{40}"
_NAME = r"[A-Za-z_][A-Za-z0-9_]*"

GROUP = re.compile(r"[a-z][a-z0-9-]{0,39}", re.ASCII)
"""A group's name; no address looks like it."""

PATTERNS: Mapping[FieldType, str] = {
    FieldType.NUMBER: _DIGITS,
    FieldType.WEI: rf"(?:{_DIGITS}|{_DECIMAL}\s*(?:{_UNITS}))",
    FieldType.SHARE: rf"{_DECIMAL}\s*(?:%|bps)",
    FieldType.SEVERITY: "(?:" + "|".join(SEVERITIES) + ")",
    FieldType.ADDRESS: ADDRESS_FORM,
    FieldType.ADDRESSES: ADDRESS_FORM,
    FieldType.NAMES: _NAME,
}
"""The form of one value, as a regular expression that Python and JavaScript read alike. Of word fields: their words."""

_MAX_CHARACTERS = 120
_AMOUNT = re.compile(rf"(?P<number>{_DECIMAL})\s*(?P<unit>{_UNITS})", re.ASCII)
_PART = re.compile(rf"(?P<number>{_DECIMAL})\s*(?P<unit>%|bps)", re.ASCII)
_NUMBER_FORM, _NAME_FORM = re.compile(_DIGITS, re.ASCII), re.compile(_NAME)


def _number(_: Field, text: str) -> int | None:
    return _whole(text)


def _whole(text: str) -> int | None:
    if len(text) > _MAX_CHARACTERS or not _NUMBER_FORM.fullmatch(text):
        return None
    value = int(text.replace("_", ""))
    return value if value <= UINT256_MAX else None


def _scaled(form: re.Pattern[str], text: str, scale: Callable[[str], int]) -> int | None:
    """``1.5 UNIT`` as an exact whole number of the small unit; None when it is none."""
    match = form.fullmatch(text) if len(text) <= _MAX_CHARACTERS else None
    if match is None:
        return None
    value = Fraction(match["number"].replace("_", "")) * scale(match["unit"])
    return int(value) if value.denominator == 1 and value <= UINT256_MAX else None


def units_of(text: str) -> int | None:
    """``1_000_000``, or ``1.5 ether`` for 10**18 units; None when it is no amount."""
    whole = _whole(text)
    return whole if whole is not None else _scaled(_AMOUNT, text, lambda _: 10**18)


def _wei(_: Field, text: str) -> int | None:
    return units_of(text)


def _share(_: Field, text: str) -> int | None:
    return _scaled(_PART, text, lambda unit: 100 if unit == "%" else 1)


def _coin_in(field: Field, text: str) -> str:
    match = _AMOUNT.fullmatch(text) if field.type is FieldType.WEI else None
    return match["unit"] if match is not None and match["unit"] != "ether" else ""


def _severity(_: Field, text: str) -> int | None:
    return SEVERITIES.index(text) if text in SEVERITIES else None


def _word(field: Field, text: str) -> str | None:
    return text if text in field.words else None


def checksummed(text: str) -> str | None:
    """An address all in lower case, or with the right checksum; None for others: a mistyped one must not load."""
    if not text.startswith("0x") or not is_hex_address(text):
        return None
    address = str(to_checksum_address(text))
    return address if text in {address, address.lower()} else None


def _address(_: Field, text: str) -> str | None:
    return checksummed(text)


def _name(_: Field, text: str) -> str | None:
    return text if _NAME_FORM.fullmatch(text) else None


_PARSERS: dict[FieldType, Callable[[Field, str], Datum | None]] = {
    FieldType.NUMBER: _number,
    FieldType.WEI: _wei,
    FieldType.SHARE: _share,
    FieldType.SEVERITY: _severity,
    FieldType.WORD: _word,
    FieldType.ADDRESS: _address,
    FieldType.NAMES: _name,
    FieldType.ADDRESSES: _address,
}
