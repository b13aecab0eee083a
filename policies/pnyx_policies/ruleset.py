"""Rulesets: TOML in, typed rules out. Everything that can be wrong with one is said when it loads, not when it runs."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from eth_hash.auto import keccak

from pnyx_contracts.errors import UsageError
from pnyx_contracts.types import UINT256_MAX, Vote
from pnyx_policies.checks import builtin_checks
from pnyx_policies.conditions import (
    Answer,
    Condition,
    Truth,
    all_hold,
    any_holds,
    contradiction,
    is_always_true,
    parse_condition,
)
from pnyx_policies.decision import Outcome
from pnyx_policies.fields import Field, Situation, catalogue
from pnyx_policies.literals import GROUP, ConditionError, Groups, checksummed, nearest
from pnyx_policies.lowering import lifted
from pnyx_policies.tables import Fault, line_of, one_of, only, tables, whole_number
from pnyx_policies.toml import TomlError, parse_toml

MODEL = "model"
ALWAYS = "always"
THEN = (*(o.value for o in Outcome), MODEL)
NAME_BYTES, VERSION_BYTES, DESCRIPTION_BYTES = 40, 20, 400
BECAUSE_BYTES = 140
"""So that reason, rule and checks fit into the 200 bytes that go on chain."""
MAX_RULES, MAX_LINES = 256, 64
"""Rules of a ruleset, lines of each of a rule's lists: each is compared with each, for strangers' rulesets as well."""
MAX_MEMBERS = 100_000
"""Of the lists in all lines together, with those of the address books that they name."""


class RulesetError(UsageError):
    """The ruleset cannot be used: names source, rule, the line's text, what was expected, the nearest match."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Below these the agent does not vote at all; see `eligibility`."""

    min_voting_power: int = 1
    """At the snapshot, in token units. Never below 1: a vote without power changes nothing and costs gas."""
    min_blocks_left: int = 1
    """For governors whose clock counts blocks."""
    min_seconds_left: int = 1
    """For governors whose clock counts seconds."""


@dataclass(frozen=True, slots=True)
class ModelLimits:
    """What ``then = "model"`` allows; see `advice` for what opinions come to."""

    allow: frozenset[Vote]
    min_confidence_percent: int
    min_agreeing: int = 1
    """How many models there must be. Two views, or two answers, of one are one."""


@dataclass(frozen=True, slots=True)
class Rule:
    """First match decides. `when`: all must hold; `some`: at least one must (``any`` in TOML); both empty: always."""

    id: str
    because: str
    when: tuple[Condition, ...]
    some: tuple[Condition, ...]
    then: str
    model: ModelLimits | None

    @property
    def members(self) -> int:
        """Of the lists in its lines."""
        values = (line.literal.value for line in (*self.when, *self.some))
        return sum(len(value) for value in values if isinstance(value, frozenset))

    @property
    def may_favour(self) -> bool:
        """Whether it can end in a vote for the proposal."""
        return self.then == Outcome.FOR.value or (self.model is not None and Vote.FOR in self.model.allow)

    def judge(self, situation: Situation) -> RuleAnswer:
        """Whether the rule matches."""
        return RuleAnswer(
            tuple(c.judge(situation) for c in self.when),
            tuple(c.judge(situation) for c in self.some),
        )


@dataclass(frozen=True, slots=True)
class RuleAnswer:
    """What the lines of one rule answered."""

    when: tuple[Answer, ...]
    some: tuple[Answer, ...]

    @property
    def truth(self) -> Truth:
        truth = all_hold(a.truth for a in self.when)
        return all_hold((truth, any_holds(a.truth for a in self.some))) if self.some else truth

    @property
    def words(self) -> str:
        words = [a.words for a in self.when]
        if self.some:
            words.append("any of: " + ", ".join(a.words for a in self.some))
        return "; ".join(words) or "always"


@dataclass(frozen=True, slots=True)
class Ruleset:
    """A parsed ruleset, whole. `text` is what a record keeps; its keccak-256 is what names it."""

    name: str
    version: str
    description: str
    limits: Limits
    rules: tuple[Rule, ...]
    groups: Groups
    """Its address books."""
    checks: frozenset[str]
    """Checks that have to run: while one of them is missing or skipped, "no findings" is not known."""
    text: str
    source: str

    @property
    def hash(self) -> bytes:
        """keccak-256 of the UTF-8 bytes of `text`."""
        return keccak(self.text.encode())

    @classmethod
    def parse(cls, text: str, source: str, checks: Collection[str] | None = None) -> Ruleset:
        """`source` names the file in errors. `checks`: names of the checks that run; None means those of Pnyx itself.

        Raises `RulesetError`, also for a ruleset that extends another one: `extending.load` makes it whole.
        """
        known = frozenset(checks if checks is not None else (check.name for check in builtin_checks()))
        table = read_table(text, source)
        with _telling(source):
            if EXTENDS in table:
                raise Fault("it extends another ruleset; what is run, recorded and checked is a whole one")
            return _Parser(source, catalogue(known), _NO_GROUPS).ruleset(table, text, known)


def parse_extension(text: str, source: str, base: Ruleset) -> Ruleset:
    """The own part of a ruleset that extends `base`: limits and address books of both, the own rules only.

    Raises `RulesetError`, also for a limit that is looser than that of `base`.
    """
    table = read_table(text, source)
    with _telling(source):
        own = _Parser(source, catalogue(base.checks), base.groups).ruleset(table, text, base.checks)
        _require_use_of_groups(table, own, base)
        return replace(own, limits=_tightened(own.limits, base, table))


def read_table(text: str, source: str) -> dict[str, Any]:
    """Raises `RulesetError`."""
    try:
        return parse_toml(text)
    except TomlError as error:
        raise RulesetError(f"{source}: this is no TOML: {error}") from error


@contextmanager
def _telling(source: str) -> Iterator[None]:
    try:
        yield
    except Fault as fault:
        raise RulesetError(f"{source}: {fault}", hint="see docs/rulesets.md") from fault


ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
EXTENDS = "extends"
_TOP = ("name", "version", "description", EXTENDS, "limits", "addresses", "rule")
LIMITS = ("min_voting_power", "min_blocks_left", "min_seconds_left")
_RULE = ("id", "because", "when", "any", "then", "model")
_MODEL_LIMITS = ("allow", "min_confidence_percent", "min_agreeing")
_NO_GROUPS: Groups = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class _Parser:
    source: str
    fields: Mapping[str, Field]
    groups: Groups
    """Those that lines may name."""

    def ruleset(self, table: dict[str, Any], text: str, checks: frozenset[str]) -> Ruleset:
        only(table, _TOP, "the ruleset")
        groups = {**self.groups, **_groups(table.get("addresses", {}))}
        reader = replace(self, groups=groups)
        rules, members = list[Rule](), 0
        entries = tables(table.get("rule", []), "rule")
        if len(entries) > MAX_RULES:
            raise Fault(f"it has {len(entries)} rules, at most {MAX_RULES} can be compared with one another")
        for place, entry in enumerate(entries, start=1):
            rule = reader.rule(entry, f"rule {place}")
            _must_be_reachable(rule, rules)
            rules.append(rule)
            members += rule.members
            if members > MAX_MEMBERS:
                raise Fault(f"up to rule {place} its lists have {members} members together, at most {MAX_MEMBERS}")
        if lift := lifted(rules):
            raise Fault(lift)
        return Ruleset(
            name=line_of(table, "name", "the ruleset", NAME_BYTES),
            version=line_of(table, "version", "the ruleset", VERSION_BYTES),
            description=line_of(table, "description", "the ruleset", DESCRIPTION_BYTES, default=""),
            limits=_limits(table.get("limits", {})),
            rules=tuple(rules),
            groups=MappingProxyType(groups),
            checks=checks,
            text=text,
            source=self.source,
        )

    def rule(self, table: dict[str, Any], where: str) -> Rule:
        name = line_of(table, "id", where, 40)
        if not ID.fullmatch(name):
            raise Fault(f"{where}: id {name!r} must be lower-case letters, digits and dashes, at most 40")
        where = f"rule {name!r}"
        only(table, _RULE, where)
        then = one_of(table.get("then"), THEN, f"{where}: then")
        when, some = self.lines(table, "when", where), self.lines(table, "any", where)
        _must_say_something(table, then, (*when, *some), where)
        if impossible := contradiction(when):
            raise Fault(f"{where} can never match: its lines on {impossible} contradict each other")
        return Rule(
            id=name,
            because=line_of(table, "because", where, BECAUSE_BYTES),
            when=when,
            some=some,
            then=then,
            model=_model_limits(table.get("model"), then, where),
        )

    def lines(self, table: dict[str, Any], key: str, where: str) -> tuple[Condition, ...]:
        lines = table.get(key, [])
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            raise Fault(f'{where}: {key} must be a list of lines, for example ["findings.critical > 0"]')
        if len(lines) > MAX_LINES:
            raise Fault(f"{where}: {key} has {len(lines)} lines, at most {MAX_LINES} can be compared with one another")
        return tuple(self.line(line, f"{where}: {key} line {line!r}") for line in lines if line != ALWAYS)

    def line(self, line: str, where: str) -> Condition:
        try:
            condition = parse_condition(line, self.fields, self.groups)
        except ConditionError as error:
            raise Fault(f"{where}: {error.message}") from error
        if impossible := contradiction([condition]):
            raise Fault(f"{where} can never hold, whatever {impossible} is")
        if is_always_true(condition):
            raise Fault(f"{where} always holds: leave it out")
        return condition


def _must_say_something(table: dict[str, Any], then: str, lines: tuple[Condition, ...], where: str) -> None:
    unconditional = not lines
    if unconditional and table.get("when") != [ALWAYS]:
        raise Fault(f'{where} has no conditions; a rule that always matches says when = ["{ALWAYS}"]')
    if not unconditional and ALWAYS in (*table.get("when", []), *table.get("any", [])):
        raise Fault(f'{where}: "{ALWAYS}" stands alone')
    if unconditional and then in {Outcome.FOR.value, MODEL}:
        raise Fault(f"{where} would vote on anything: a rule that can vote in favour needs conditions")
    if then == Outcome.FOR.value and (by_model := [c.text for c in lines if c.field.from_model]):
        raise Fault(f'{where} votes in favour on a model\'s word ({by_model[0]!r}): use then = "model" with limits')


def _must_be_reachable(rule: Rule, earlier: Iterable[Rule]) -> None:
    for other in earlier:
        if other.id == rule.id:
            raise Fault(f"two rules have the id {rule.id!r}")
        if _covers(other, rule):
            raise Fault(f"rule {rule.id!r} is never reached: rule {other.id!r} before it matches whenever it would")


def _covers(earlier: Rule, later: Rule) -> bool:
    required, later_required = _texts(earlier.when), _texts(later.when)
    if not required <= later_required:
        return False
    alternatives = _texts(earlier.some)
    return (
        not alternatives
        or bool(alternatives & later_required)
        or (bool(later.some) and _texts(later.some) <= alternatives)
    )


def _texts(lines: tuple[Condition, ...]) -> set[str]:
    return {c.text for c in lines}


def _limits(table: object) -> Limits:
    where = "[limits]"
    if not isinstance(table, dict):
        raise Fault(f"{where} must be a table")
    only(table, LIMITS, where)
    return Limits(**{key: whole_number(table, key, where, 1, UINT256_MAX) for key in table})


def _tightened(limits: Limits, base: Ruleset, table: Mapping[str, Any]) -> Limits:
    """Where both name a limit, the own one; it is refused when it is the looser one."""
    least = base.limits
    for key in table.get("limits", {}):
        if getattr(limits, key) < getattr(least, key):
            raise Fault(
                f"[limits]: {key} is {getattr(limits, key)}, in {base.source} {getattr(least, key)}: "
                "an extension can only raise it"
            )
    return Limits(**{key: max(getattr(limits, key), getattr(least, key)) for key in LIMITS})


def _groups(table: object) -> dict[str, frozenset[str]]:
    if not isinstance(table, dict):
        raise Fault('[addresses] must be a table of lists: payees = ["0x..."]')
    return {name: _group(name, members) for name, members in table.items()}


def _group(name: str, members: object) -> frozenset[str]:
    where = f"[addresses] {name}"
    if not GROUP.fullmatch(name):
        raise Fault(f"{where}: a group's name is lower-case letters, digits and dashes, a letter first, at most 40")
    if not isinstance(members, list):
        raise Fault(f"{where} must be a list of addresses; got {members!r}")
    return frozenset(_address(member, where) for member in members)


def _address(member: object, where: str) -> str:
    address = checksummed(member) if isinstance(member, str) else None
    if address is None:
        raise Fault(f"{where}: expected 0x and 40 hex digits, with a right checksum; got {member!r}")
    return address


def _require_use_of_groups(table: Mapping[str, Any], own: Ruleset, base: Ruleset) -> None:
    """A misspelt name of a group would leave the one that it was to replace as it is."""
    used = {name for rule in own.rules for line in (*rule.when, *rule.some) for name in line.literal.groups}
    for name in table.get("addresses", {}):
        if name not in used and name not in base.groups:
            raise Fault(
                f"[addresses] {name}: no rule names this group, and {base.source} has none of this name"
                f"{nearest(name, base.groups)}"
            )


def _model_limits(table: object, then: str, where: str) -> ModelLimits | None:
    if then != MODEL:
        if table is not None:
            raise Fault(f'{where}: [rule.model] goes with then = "model" only')
        return None
    where = f"{where}: [rule.model]"
    if not isinstance(table, dict):
        raise Fault(f"{where} is missing: it says what the model may decide (allow, min_confidence_percent)")
    only(table, _MODEL_LIMITS, where)
    allow = table.get("allow")
    votes = tuple(v.value for v in Vote)
    if not isinstance(allow, list) or not allow:
        raise Fault(f"{where}: allow must list votes: {', '.join(votes)}")
    return ModelLimits(
        allow=frozenset(Vote(one_of(vote, votes, f"{where}: allow")) for vote in allow),
        min_confidence_percent=whole_number(table, "min_confidence_percent", where, 0, 100),
        min_agreeing=whole_number(table, "min_agreeing", where, 1, 100, default=1),
    )
