"""Rulesets and their explanations for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from pnyx_contracts.types import Vote, to_hex
from pnyx_policies.conditions import Truth
from pnyx_policies.explanation import ExplainedLine, ExplainedRule, Explanation
from pnyx_policies.ruleset import ALWAYS, Limits, Rule, Ruleset
from pnyx_policies.text import visible

if TYPE_CHECKING:
    from pnyx_agents.rulecases.cases import CaseResult

_OF_RULES = {Truth.YES: "matches", Truth.NO: "does not match", Truth.UNKNOWN: "cannot be told"}
_OF_LINES = {Truth.YES: "holds", Truth.NO: "fails", Truth.UNKNOWN: "unknown"}
_COLORS = {Truth.YES: "green", Truth.NO: "dim", Truth.UNKNOWN: "yellow"}


def print_ruleset(ruleset: Ruleset, console: Console) -> None:
    """Its rules in the order in which they are asked."""
    console.print(Text.assemble((f"{ruleset.name} {ruleset.version}", "bold"), f"  {ruleset.description}"))
    table = Table.grid(padding=(0, 2))
    for place, rule in enumerate(ruleset.rules, start=1):
        table.add_row(str(place), Text(rule.id), Text(rule.then, style="bold"), Text(rule.because, style="dim"))
    console.print(table)
    console.print(Text("else: hold"))
    for name in Limits.__slots__:
        console.print(Text(f"[limits] {name}: {getattr(ruleset.limits, name)}"))
    for name, members in sorted(ruleset.groups.items()):
        console.print(Text(f"[addresses] {name}: {len(members)}"))
    console.print(Text(f"hash {to_hex(ruleset.hash)}", style="dim"))


def ruleset_as_json(ruleset: Ruleset) -> dict[str, Any]:
    return {
        "name": ruleset.name,
        "version": ruleset.version,
        "description": ruleset.description,
        "hash": to_hex(ruleset.hash),
        "limits": {key: str(getattr(ruleset.limits, key)) for key in Limits.__slots__},
        "addresses": {name: sorted(members) for name, members in sorted(ruleset.groups.items())},
        "rules": [_rule_as_json(rule) for rule in ruleset.rules],
        "text": ruleset.text,
    }


def _rule_as_json(rule: Rule) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": rule.id,
        "because": rule.because,
        "when": [line.text for line in rule.when],
        "any": [line.text for line in rule.some],
        "then": rule.then,
        "model": None,
    }
    if rule.model is not None:
        found["model"] = {
            "allow": [vote.value for vote in Vote if vote in rule.model.allow],
            "min_confidence_percent": rule.model.min_confidence_percent,
            "min_agreeing": rule.model.min_agreeing,
        }
    return found


def print_results(results: Sequence[CaseResult], console: Console) -> None:
    """One line a case, and for one that failed all that its rules saw."""
    for file, of_file in groupby(results, key=lambda result: result.file):
        console.print(Text(file, style="bold"))
        for result in of_file:
            console.print(_result(result))
            if not result.passed:
                _print_rules(result.explanation, console)
                console.print()
    failed = sum(not result.passed for result in results)
    console.print(f"{len(results)} cases, {failed} failed", style="red" if failed else "green")


def _result(result: CaseResult) -> Text:
    if result.passed:
        return Text.assemble("  ", ("ok     ", "green"), result.case)
    decided = f"{result.explanation.outcome.value} by {result.explanation.decided_by}"
    wanted = f"{result.expected.value} by {result.expected_by}"
    return Text.assemble("  ", ("FAILED ", "bold red"), f"{result.case}\n    expected {wanted}, decided {decided}")


def results_as_json(results: Sequence[CaseResult]) -> dict[str, Any]:
    failed = sum(not result.passed for result in results)
    cases = [{"passed": result.passed, **result.model_dump(mode="json")} for result in results]
    return {"passed": len(results) - failed, "failed": failed, "cases": cases}


def print_explanation(explanation: Explanation, console: Console) -> None:
    console.print(Text.assemble((explanation.outcome.value.upper(), "bold"), f"  {explanation.reason}"))
    decided = f"decided by {explanation.decided_by}; ruleset {explanation.ruleset} {explanation.version}"
    console.print(Text(decided, style="dim"))
    _print_rules(explanation, console)


def _print_rules(explanation: Explanation, console: Console) -> None:
    for rule in explanation.rules:
        console.print(_title(rule))
        console.print(_grid(_lines(rule)))


def _grid(rows: Iterable[tuple[Text, ...]]) -> Padding:
    """Nothing is cut: an address breaks over two lines."""
    grid = Table.grid(Column(), Column(overflow="fold"), Column(overflow="fold"), padding=(0, 2))
    for row in rows:
        grid.add_row(*row)
    return Padding(grid, (0, 0, 0, 4))


def _title(rule: ExplainedRule) -> Text:
    mark = "→" if rule.decides else " "
    answer = (_OF_RULES[rule.answer], _COLORS[rule.answer])
    return Text.assemble(f"\n{mark} ", (rule.rule, "bold"), f" (then {rule.then}): ", answer)


def _lines(rule: ExplainedRule) -> Iterator[tuple[Text, Text, Text]]:
    """What each answered, the line, what it saw."""
    if not rule.when and not rule.any:
        yield Text("holds", _COLORS[Truth.YES]), Text(ALWAYS), Text()
    for line in rule.when:
        yield _line(line)
    for line in rule.any:
        yield _line(line, "any: ")
    if rule.advice:
        yield Text("advice"), Text(rule.advice), Text()


def _line(line: ExplainedLine, prefix: str = "") -> tuple[Text, Text, Text]:
    return Text(_OF_LINES[line.answer], _COLORS[line.answer]), Text(prefix + line.line), Text(_seen(line), "dim")


def _seen(line: ExplainedLine) -> str:
    """Names of functions are a stranger's words."""
    if line.seen is None:
        return visible(line.why)
    return visible(f"at least {line.seen}: {line.why}" if line.why else line.seen)
