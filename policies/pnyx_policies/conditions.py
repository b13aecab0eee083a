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
from enum import Enum
from types import MappingProxyType

from pnyx_contracts.types import UINT256_MAX
from pnyx_policies.coins import COINS
from pnyx_policies.fields import SEVERITIES, Datum, Field, FieldType, Seen, Situation
from pnyx_policies.literals import ConditionError, Groups, Literal, nearest, parse_literal


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
    """One parsed line."""

    text: str
    field: Field
    operator: str
    literal: Literal
    negated: bool = False

    def judge(self, situation: Situation) -> Answer:
        """The answer, with the value seen."""
        seen = self._mismatch(situation) or self.field.look(situation)
        return Answer(self, seen, self.holds_for(seen))

    def holds_for(self, seen: Seen) -> Truth:
        truth = _answer(self.operator, seen, self.literal.value)
        return negate(truth) if self.negated else truth

    def _mismatch(self, situation: Situation) -> Seen | None:
        """``10 ETH`` says nothing about amounts of another coin."""
        coin, chain = self.literal.coin, situation.facts.proposal.key.chain_id
        if not coin or COINS.get(chain) == coin:
            return None
        known = f"is {COINS[chain]}" if chain in COINS else "is not known here"
        return Seen(None, f"the coin of chain {chain} {known}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What one line answered, and why."""

    condition: Condition
    seen: Seen
    truth: Truth

    @property
    def value(self) -> str | None:
        """What was seen, as a person writes it; None when nothing was."""
        return None if self.seen.value is None else _show(self.condition.field, self.seen.value)

    @property
    def words(self) -> str:
        """For the record: long sets are cut."""
        return f"`{self.condition.text}` {_VERDICT[self.truth]} ({self._what_was_seen()})"

    def _what_was_seen(self) -> str:
        if self.seen.value is None:
            return f"unknown: {self.seen.why}"
        shown = _show(self.condition.field, self.seen.value, _MOST_IN_WORDS)
        return f"seen: at least {shown}; {self.seen.why}" if self.seen.why else f"seen: {shown}"


_VERDICT = {Truth.YES: "holds", Truth.NO: "does not hold", Truth.UNKNOWN: "cannot be told"}

_ORDERED = {FieldType.NUMBER, FieldType.WEI, FieldType.SHARE, FieldType.SEVERITY}
_SETS = {FieldType.NAMES, FieldType.ADDRESSES}


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
_NO_GROUPS: Groups = MappingProxyType({})


def parse_condition(line: str, fields: Mapping[str, Field], groups: Groups = _NO_GROUPS) -> Condition:
    """`groups` are the address books that the line may name. Raises `ConditionError`."""
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
    literal = parse_literal(field, match["operator"], match["literal"].strip(), groups)
    return Condition(" ".join(line.split()), field, match["operator"], literal, negated=match["not"] is not None)


_MOST_IN_WORDS = 8


def _show(field: Field, value: Datum, most: int | None = None) -> str:
    if isinstance(value, frozenset):
        members = sorted(value)
        more = f" and {len(members) - most} more" if most is not None and len(members) > most else ""
        return f"[{', '.join(members[:most])}]{more}"
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
    field, literals = lines[0].field, [c.literal.value for c in lines]
    if field.type in _ORDERED:
        top = len(SEVERITIES) - 1 if field.type is FieldType.SEVERITY else UINT256_MAX
        near = {v for value in literals if isinstance(value, int) for v in (value - 1, value, value + 1)}
        return {v for v in near | {0, top} if 0 <= v <= top}
    if field.type is FieldType.WORD:
        return set(field.words)
    if field.type is FieldType.ADDRESS:
        named = {a for value in literals for a in (value if isinstance(value, frozenset) else {str(value)})}
        return {*named, "any other address"}
    return set()
