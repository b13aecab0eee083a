"""Conditions: one short line each, ``FIELD OPERATOR VALUE``, parsed and typed when a ruleset loads.

    findings.critical > 0
    outflow.share <= 2.5%
    calls.names within [transfer, approve]
    not proposal.proposer in [0x6B17...1d0F]

The language ends here: no expressions, no functions, no nesting. So a line that loads can be evaluated on any facts, in
bounded time. The answer has three values: yes, no, and unknown (see `fields`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from fractions import Fraction

from eth_utils.address import is_hex_address, to_checksum_address

from pnyx_contracts.errors import UsageError
from pnyx_contracts.types import UINT256_MAX
from pnyx_policies.fields import SEVERITIES, Datum, Field, FieldType, Seen, Situation


class ConditionError(UsageError):
    """A line that is no condition: names the line, what was expected, and the nearest match."""


class Truth(Enum):
    """Kleene's three values."""

    YES = "holds"
    NO = "fails"
    UNKNOWN = "unknown"


def all_hold(truths: Iterable[Truth]) -> Truth:
    """No if one fails; else unknown if one is; else yes (also for none at all)."""
    found = set(truths)
    return Truth.NO if Truth.NO in found else Truth.UNKNOWN if Truth.UNKNOWN in found else Truth.YES


def any_holds(truths: Iterable[Truth]) -> Truth:
    """Yes if one holds; else unknown if one is; else no (also for none at all)."""
    found = set(truths)
    return Truth.YES if Truth.YES in found else Truth.UNKNOWN if Truth.UNKNOWN in found else Truth.NO


def negate(truth: Truth) -> Truth:
    return {Truth.YES: Truth.NO, Truth.NO: Truth.YES, Truth.UNKNOWN: Truth.UNKNOWN}[truth]


@dataclass(frozen=True, slots=True)
class Condition:
    """One parsed line. `literal` has the field's type; a frozenset for list operators."""

    text: str
    field: Field
    operator: str
    literal: Datum
    negated: bool = False

    def judge(self, situation: Situation) -> tuple[Truth, str]:
        """The answer, and a sentence with the value seen."""
        seen = self.field.look(situation)
        truth = self.holds_for(seen)
        return truth, f"`{self.text}` {_VERDICT[truth]} ({_show_seen(self.field, seen)})"

    def holds_for(self, seen: Seen) -> Truth:
        truth = _answer(self.operator, seen, self.literal)
        return negate(truth) if self.negated else truth


_VERDICT = {Truth.YES: "holds", Truth.NO: "does not hold", Truth.UNKNOWN: "cannot be told"}

_ORDERED = {FieldType.NUMBER, FieldType.WEI, FieldType.SHARE, FieldType.SEVERITY}
_SETS = {FieldType.NAMES, FieldType.ADDRESSES}
_LIST_OPERATORS = {"in", "within", "touches"}


def operators_of(kind: FieldType) -> tuple[str, ...]:
    """The operators that go with a field type, in the order in which the documentation gives them."""
    if kind in _ORDERED:
        return ("is", "<", "<=", ">", ">=")
    return ("contains", "within", "touches") if kind in _SETS else ("is", "in")


_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "is": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_COMPARE_SETS: dict[str, Callable[[frozenset[str], frozenset[str]], bool]] = {
    "contains": lambda seen, wanted: wanted <= seen,
    "within": lambda seen, allowed: seen <= allowed,
    "touches": lambda seen, named: bool(seen & named),
}

# What a lower bound settles: more can only turn the answer of these operators to yes, of those to no.
_GROWS_TO_YES = {">", ">=", "contains", "touches"}


def _answer(operator: str, seen: Seen, literal: Datum) -> Truth:
    if seen.value is None:
        return Truth.UNKNOWN
    holds = _compare(operator, seen.value, literal)
    if not seen.why:
        return Truth.YES if holds else Truth.NO
    if operator == "is" and isinstance(seen.value, int) and isinstance(literal, int):
        return Truth.NO if seen.value > literal else Truth.UNKNOWN
    if operator in _GROWS_TO_YES:
        return Truth.YES if holds else Truth.UNKNOWN
    return Truth.UNKNOWN if holds else Truth.NO


def _compare(operator: str, seen: Datum, literal: Datum) -> bool:
    if isinstance(seen, int) and isinstance(literal, int):
        return _COMPARE[operator](seen, literal)
    if isinstance(seen, frozenset):
        return _COMPARE_SETS[operator](seen, literal if isinstance(literal, frozenset) else frozenset({str(literal)}))
    return seen in literal if isinstance(literal, frozenset) else seen == literal


_LINE = re.compile(r"(?P<not>not\s+)?(?P<field>\S+)\s+(?P<operator>\S+)\s+(?P<literal>\S.*)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def parse_condition(line: str, fields: Mapping[str, Field]) -> Condition:
    """Raises `ConditionError`."""
    match = _LINE.fullmatch(line.strip())
    if match is None:
        raise ConditionError("expected FIELD OPERATOR VALUE, for example: findings.critical > 0")
    field = fields.get(match["field"])
    if field is None:
        raise ConditionError(f"unknown field {match['field']!r}{nearest(match['field'], fields)}")
    operators = operators_of(field.type)
    if match["operator"] not in operators:
        raise ConditionError(
            f"{field.name} is a {field.type.value} and goes with {', '.join(operators)}; got {match['operator']!r}"
            f"{nearest(match['operator'], operators)}"
        )
    literal = _parse_literal(field, match["operator"], match["literal"].strip())
    return Condition(" ".join(line.split()), field, match["operator"], literal, negated=match["not"] is not None)


def nearest(word: str, choices: Iterable[str]) -> str:
    """``; did you mean 'x'?`` or nothing."""
    near = get_close_matches(word, list(choices), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _parse_literal(field: Field, operator: str, text: str) -> Datum:
    if operator not in _LIST_OPERATORS:
        return _parse_value(field, text)
    if not (text.startswith("[") and text.endswith("]") and text[1:-1].strip()):
        raise ConditionError(f"{field.name} {operator} takes a list like [a, b] with at least one member; got {text!r}")
    return frozenset(str(_parse_value(field, item.strip())) for item in text[1:-1].split(","))


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
    FieldType.WEI: "an amount like 1_000_000 (wei) or 1.5 ether",
    FieldType.SHARE: "a share like 5%, 0.25% or 25 bps",
    FieldType.ADDRESS: "an address: 0x and 40 hex digits, with a right checksum",
    FieldType.ADDRESSES: "addresses: 0x and 40 hex digits each, with right checksums",
    FieldType.NAMES: "function names, without arguments",
}
_NUMBER = re.compile(r"(0|[1-9]\d{0,2}(?:_\d{3})+|[1-9]\d*)", re.ASCII)
_DECIMAL = re.compile(r"(?:0|[1-9]\d*)(?:\.\d{1,18})?", re.ASCII)
_MAX_DIGITS = 120


def _number(_: Field, text: str) -> int | None:
    if len(text) > _MAX_DIGITS or not _NUMBER.fullmatch(text):
        return None
    value = int(text.replace("_", ""))
    return value if value <= UINT256_MAX else None


def _scaled(text: str, unit: str, scale: int) -> int | None:
    """``1.5 UNIT`` as an exact whole number of the small unit; None when it is none."""
    number = text.removesuffix(unit).strip()
    if not text.endswith(unit) or len(number) > _MAX_DIGITS or not _DECIMAL.fullmatch(number):
        return None
    value = Fraction(number) * scale
    return int(value) if value.denominator == 1 and value <= UINT256_MAX else None


def _wei(field: Field, text: str) -> int | None:
    return _scaled(text, "ether", 10**18) if text.endswith("ether") else _number(field, text)


def _share(_: Field, text: str) -> int | None:
    return _scaled(text, "%", 100) if text.endswith("%") else _scaled(text, "bps", 1)


def _severity(_: Field, text: str) -> int | None:
    return SEVERITIES.index(text) if text in SEVERITIES else None


def _word(field: Field, text: str) -> str | None:
    return text if text in field.words else None


def _address(_: Field, text: str) -> str | None:
    """All lower case, or with the right checksum: a mistyped address must not load."""
    if not text.startswith("0x") or not is_hex_address(text):
        return None
    address = str(to_checksum_address(text))
    return address if text in {address, address.lower()} else None


def _name(_: Field, text: str) -> str | None:
    return text if _NAME.fullmatch(text) else None


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


def _show_seen(field: Field, seen: Seen) -> str:
    if seen.value is None:
        return f"unknown: {seen.why}"
    shown = _show(field, seen.value)
    return f"seen: at least {shown}; {seen.why}" if seen.why else f"seen: {shown}"


_MOST_SHOWN = 8


def _show(field: Field, value: Datum) -> str:
    if isinstance(value, frozenset):
        members = sorted(value)
        more = f" and {len(members) - _MOST_SHOWN} more" if len(members) > _MOST_SHOWN else ""
        return f"[{', '.join(members[:_MOST_SHOWN])}]{more}"
    if field.type is FieldType.SEVERITY and isinstance(value, int):
        return SEVERITIES[value]
    if field.type is FieldType.SHARE and isinstance(value, int):
        return f"{value // 100}.{value % 100:02}%"
    return str(value)


def contradiction(conditions: Iterable[Condition]) -> str:
    """The name of a field on which these lines can never hold together; empty when they can."""
    by_field: dict[str, list[Condition]] = {}
    for condition in conditions:
        by_field.setdefault(condition.field.name, []).append(condition)
    return next((name for name, lines in by_field.items() if not _satisfiable(lines)), "")


def is_always_true(condition: Condition) -> bool:
    """A line that every value of its field satisfies says nothing."""
    points = _points([condition])
    return bool(points) and all(condition.holds_for(Seen(p)) is Truth.YES for p in points)


def _satisfiable(lines: list[Condition]) -> bool:
    points = _points(lines)
    return not points or any(all(c.holds_for(Seen(p)) is Truth.YES for c in lines) for p in points)


def _points(lines: list[Condition]) -> set[Datum]:
    """Values that together show whether a field can satisfy lines: the literals, their neighbours, the ends."""
    field = lines[0].field
    if field.type in _ORDERED:
        top = len(SEVERITIES) - 1 if field.type is FieldType.SEVERITY else UINT256_MAX
        near = {v for c in lines if isinstance(c.literal, int) for v in (c.literal - 1, c.literal, c.literal + 1)}
        return {v for v in near | {0, top} if 0 <= v <= top}
    if field.type is FieldType.WORD:
        return set(field.words)
    if field.type is FieldType.ADDRESS:
        named = {a for c in lines for a in (c.literal if isinstance(c.literal, frozenset) else {str(c.literal)})}
        return {*named, "any other address"}
    return set()
