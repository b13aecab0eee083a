"""Files of cases: what they hold, and what became of each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pydantic import Field, ValidationError, model_validator

from pnyx_agents.rulecases.sketch import Drawn, Name, Sketch, draw
from pnyx_agents.saved import read_dossier
from pnyx_contracts.errors import UsageError
from pnyx_contracts.types import Value
from pnyx_policies.checks import Check
from pnyx_policies.decision import Outcome
from pnyx_policies.document import first_complaint
from pnyx_policies.explanation import Explanation, explain
from pnyx_policies.extending import RulesetFile, load
from pnyx_policies.ruleset import Ruleset
from pnyx_policies.toml import TomlError, parse_toml
from pnyx_tools.rulebook import find_extended, read_ruleset


class Case(Sketch):
    """One proposal, in few words or from a file, and what the ruleset has to decide about it."""

    name: str = Field(min_length=1)
    expect: Outcome
    by: str = Field(min_length=1)
    """Who decides: the id of a rule, ``default`` or ``eligibility``."""
    record: str = ""
    """Path of a bundle, or of what `pnyx review --json` printed; then nothing of the sketch is said."""

    @model_validator(mode="after")
    def _require_one_source(self) -> Self:
        sketched = self.model_fields_set & Sketch.model_fields.keys()
        if self.record and sketched:
            raise ValueError(f"a case with a record says nothing more about the proposal; got {min(sketched)!r}")
        return self


class CaseFile(Value):
    ruleset: str = Field(min_length=1)
    """One that ships, or a path from this file."""
    addresses: dict[str, tuple[Name, ...]] = Field(default_factory=dict)
    """Address books in place of those of the ruleset."""
    case: tuple[Case, ...] = Field(min_length=1)


class CaseResult(Value):
    """What became of one case."""

    file: str
    case: str
    expected: Outcome
    expected_by: str
    explanation: Explanation

    @property
    def passed(self) -> bool:
        decided = self.explanation
        return (decided.outcome, decided.decided_by) == (self.expected, self.expected_by)


@dataclass(frozen=True, slots=True)
class _Found:
    path: Path
    content: CaseFile


def run_cases(place: Path, checks: Sequence[Check]) -> tuple[CaseResult, ...]:
    """All cases of a file, or of the files in a folder. Raises `UsageError` for what cannot be run."""
    return tuple(result for found in _files(place) for result in _run(found, checks))


def _files(place: Path) -> list[_Found]:
    if not place.is_dir():
        return [_read(place, _table(place))]
    tables = {path: _table(path) for path in sorted(place.rglob("*.toml"))}
    found = [_read(path, table) for path, table in tables.items() if not _is_ruleset(table)]
    if not found:
        raise UsageError(f"{place} has no file of cases", hint="docs/rulesets.md shows one")
    return found


def _is_ruleset(table: dict[str, Any]) -> bool:
    """Rulesets may lie beside their cases."""
    return "name" in table and "version" in table


def _table(path: Path) -> dict[str, Any]:
    try:
        return parse_toml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except (TomlError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: this is no TOML: {error}") from None


def _read(path: Path, table: dict[str, Any]) -> _Found:
    try:
        content = CaseFile.model_validate(table)
    except ValidationError as error:
        raise UsageError(f"{path}: {first_complaint(error)}", hint="docs/rulesets.md shows a file of cases") from None
    names = [case.name for case in content.case]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"{path}: two cases are called {twice!r}")
    return _Found(path, content)


def _run(found: _Found, checks: Sequence[Check]) -> Iterator[CaseResult]:
    ruleset = _ruleset(found, checks)
    for case in found.content.case:
        try:
            drawn = _drawn(case, found.path.parent, checks)
        except UsageError as error:
            raise UsageError(f"{found.path}: case {case.name!r}: {error.message}", hint=error.hint) from error
        yield CaseResult(
            file=str(found.path),
            case=case.name,
            expected=case.expect,
            expected_by=case.by,
            explanation=explain(ruleset, drawn.facts, drawn.reports, drawn.opinions),
        )


def _ruleset(found: _Found, checks: Sequence[Check]) -> Ruleset:
    """With other address books, it is the one that a small ruleset extends."""
    names = [check.name for check in checks]
    if not found.content.addresses:
        return read_ruleset(found.content.ruleset, found.path.parent, names)
    books = "".join(f"{name} = {json.dumps(list(book))}\n" for name, book in found.content.addresses.items())
    text = f'name = "cases"\nversion = "1"\nextends = {json.dumps(found.content.ruleset)}\n[addresses]\n{books}'
    return load(RulesetFile(text, str(found.path)), find_extended, names)


def _drawn(case: Case, folder: Path, checks: Sequence[Check]) -> Drawn:
    if not case.record:
        return draw(case, checks)
    dossier = read_dossier(folder / case.record)
    return Drawn(dossier.facts, dossier.checks, dossier.opinions)
