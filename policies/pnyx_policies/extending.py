"""One ruleset built on another: `extends` names it, and what counts is the whole, written out (docs/adr/0019).

Only the whole is run, hashed, declared and recorded: signer, verifiers and members need no other file and know no
`extends`. Its rules stand in this order; each file keeps its own.

    1. own guards       the rules before the first one that can vote in favour
    2. extended guards
    3. the own rest
    4. the extended rest

So no own rule in favour overtakes what the extended ruleset opposes or holds. A rule or address book of the same id
replaces the extended one. Limits can only be raised.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from pnyx_contracts.types import Vote
from pnyx_policies.ruleset import ALWAYS, EXTENDS, Limits, Rule, Ruleset, RulesetError, parse_extension, read_table


@dataclass(frozen=True, slots=True)
class RulesetFile:
    """A ruleset as somebody wrote it. `source` names it in errors, and no two files alike."""

    text: str
    source: str


Find = Callable[[str, RulesetFile], RulesetFile]
"""What a name after `extends` means in a file: a ruleset that ships, or another file. Raises `UsageError`."""


def load(file: RulesetFile, find: Find, checks: Collection[str] | None = None) -> Ruleset:
    """The whole ruleset. `checks` as in `Ruleset.parse`. Raises `RulesetError`, and what `find` raises."""
    return _load(file, find, checks, ())


def extended_by(file: RulesetFile) -> str | None:
    """The name after `extends`. Raises `RulesetError`."""
    name = read_table(file.text, file.source).get(EXTENDS)
    if name is not None and (not isinstance(name, str) or not name.strip()):
        raise RulesetError(
            f"{file.source}: {EXTENDS} must name a ruleset; got {name!r}",
            hint="one that ships, or the path of a TOML file",
        )
    return name


def _load(file: RulesetFile, find: Find, checks: Collection[str] | None, above: tuple[str, ...]) -> Ruleset:
    if file.source in above:
        raise RulesetError(f"{' extends '.join((*above, file.source))}: none of them is the first")
    name = extended_by(file)
    if name is None:
        return Ruleset.parse(file.text, file.source, checks)
    base = _load(find(name, file), find, checks, (*above, file.source))
    own = parse_extension(file.text, file.source, base)
    return Ruleset.parse(_whole(own, base), file.source, base.checks)


def _whole(own: Ruleset, base: Ruleset) -> str:
    heading = f"# {own.name} {own.version}, which extends {base.name} {base.version}: the whole, written out by Pnyx."
    parts = [heading, "\n".join(_head(own)), "\n".join(_limits(own.limits))]
    if own.groups:
        parts.append("\n".join(_groups(own)))
    return "\n\n".join((*parts, *("\n".join(_rule(rule)) for rule in _in_order(own.rules, base.rules)))) + "\n"


def _in_order(own: Sequence[Rule], base: Sequence[Rule]) -> list[Rule]:
    (own_guards, own_rest), (base_guards, base_rest) = _parts(own), _parts(base)
    replaced = {rule.id for rule in own}
    kept_guards, kept_rest = ([r for r in part if r.id not in replaced] for part in (base_guards, base_rest))
    return [*own_guards, *kept_guards, *own_rest, *kept_rest]


def _parts(rules: Sequence[Rule]) -> tuple[Sequence[Rule], Sequence[Rule]]:
    """Guards, and the rest."""
    first = next((place for place, rule in enumerate(rules) if rule.may_favour), len(rules))
    return rules[:first], rules[first:]


# The one way to write a ruleset: the same values give the same bytes, and so the same hash.


def _head(ruleset: Ruleset) -> Iterator[str]:
    yield f"name = {_text(ruleset.name)}"
    yield f"version = {_text(ruleset.version)}"
    yield f"description = {_text(ruleset.description)}"


def _limits(limits: Limits) -> Iterator[str]:
    yield "[limits]"
    for key in Limits.__slots__:
        yield f"{key} = {_text(str(getattr(limits, key)))}"


def _groups(ruleset: Ruleset) -> Iterator[str]:
    yield "[addresses]"
    for name in sorted(ruleset.groups):
        yield f"{name} = {_list(sorted(ruleset.groups[name]))}"


def _rule(rule: Rule) -> Iterator[str]:
    yield "[[rule]]"
    yield f"id = {_text(rule.id)}"
    yield f"because = {_text(rule.because)}"
    if rule.when or not rule.some:
        yield f"when = {_list([line.text for line in rule.when] or [ALWAYS])}"
    if rule.some:
        yield f"any = {_list([line.text for line in rule.some])}"
    yield f"then = {_text(rule.then)}"
    if rule.model is not None:
        yield "\n[rule.model]"
        yield f"allow = {_list([vote.value for vote in Vote if vote in rule.model.allow])}"
        yield f"min_confidence_percent = {rule.model.min_confidence_percent}"
        yield f"min_agreeing = {rule.model.min_agreeing}"


def _list(members: Sequence[str]) -> str:
    if not members:
        return "[]"
    return "[\n" + "".join(f"    {_text(member)},\n" for member in members) + "]"


def _text(value: str) -> str:
    """A basic string of TOML. All that a ruleset holds is printable, so what JSON escapes, TOML escapes alike."""
    return json.dumps(value, ensure_ascii=False)
