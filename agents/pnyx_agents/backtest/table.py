"""The report on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pnyx_agents.backtest import words
from pnyx_policies.backtest import BacktestReport, Result, Score, Trial, Tried, Untried
from pnyx_policies.backtest.report import FindingTally, RuleTally
from pnyx_policies.decision import Outcome
from pnyx_policies.text import visible

MOST_SHOWN: Final = 20
"""Of proposals, reasons and findings; ``--json`` and ``--html`` have all."""


def print_report(report: BacktestReport, console: Console) -> None:
    """Figures first, then what they are made of; in the end what they do not say."""
    _print_ground(report, console)
    for tried in report.rulesets:
        _print_ruleset(tried, report, console)
    for advised in report.advice:
        console.print(Text(f"\nThe advice of {visible(advised.analyst)} alone", style="bold"))
        _print_score(advised.score, console)
    _print_list("Findings", [_finding(found) for found in report.findings], console)
    _print_list("Checks that could not tell", _counts(report.checks_skipped), console)
    _print_list("Steps that could not run", _counts(report.steps_skipped), console)
    notable = [_trial(trial) for trial in report.trials if _is_notable(trial)]
    _print_list("Not as the voters, or not as another ruleset", notable, console)
    _print_list("Not tried", [_untried(one) for one in report.untried], console)
    console.print(Text(f"\nModels: {words.costs(report.use, report.ground.currency)}"))
    _print_list("What this does not say", report.caveats, console)


def _print_ground(report: BacktestReport, console: Console) -> None:
    ground = report.ground
    console.print(Text(f"{visible(ground.governor.name)} {ground.governor.address}", style="bold"))
    console.print(Text(f"blocks {ground.from_block} to {ground.upto.number} of chain {ground.chain_id}"))
    console.print(Text(f"voter: {words.voter(ground.voter)}"))
    parts = [f"{count} {result.value}" for result, count in report.results.items()]
    parts += [f"{report.without_result} cancelled"] if report.without_result else []
    parts += [f"{len(report.untried)} more not tried"] if report.untried else []
    console.print(Text(f"{len(report.trials)} proposals: {', '.join(parts)}"))
    console.print(Text(f"always for agrees with {words.whole(report.always_for)}"))
    console.print(Text(f"as the proposer's last ones ended: {words.whole(report.like_proposers_last)}"))


def _print_ruleset(tried: Tried, report: BacktestReport, console: Console) -> None:
    console.print(Text(f"\n{words.ruleset(tried, report)}", style="bold"))
    _print_score(tried.score, console)
    rules = Table.grid(padding=(0, 2))
    for rule in tried.rules:
        rules.add_row(Text(f"  {rule.rule}"), Text(rule.then), _rule(rule))
    console.print(rules)
    _print_list(
        "  No vote", [f"  {why.count} {why.outcome.value}: {visible(why.reason)}" for why in tried.no_vote], console
    )


def _print_score(score: Score, console: Console) -> None:
    console.print(Text(f"takes a side on {words.share(score.coverage)}, agrees with {words.whole(score.agreement)}"))
    console.print(Text(f"always for agrees with {words.whole(score.always_for)} of the same"))
    balanced, correlation = words.percent(score.balanced_accuracy), words.correlation(score.correlation)
    console.print(Text(f"balanced accuracy {balanced}, correlation {correlation}"))
    table = Table.grid(padding=(0, 2))
    table.add_row("", *(Text(outcome.value, style="dim", justify="right") for outcome in Outcome))
    for result in Result:
        cells = (str(score.matrix[result][outcome]) for outcome in Outcome)
        table.add_row(Text(result.value), *(Text(cell, justify="right") for cell in cells))
    console.print(table)


def _rule(rule: RuleTally) -> str:
    unknown = f", cannot be told {rule.unknown}" if rule.unknown else ""
    return f"matched {rule.matched}, decided {rule.decided}{unknown}"


def _finding(found: FindingTally) -> str:
    severity = found.severity.name.lower()
    return f"{found.check} ({severity}): {found.proposals}, of which {found.passed} passed, {found.defeated} defeated"


def _counts(counts: dict[str, int]) -> list[str]:
    return [f"{visible(name)}: {count}" for name, count in counts.items()]


def _is_notable(trial: Trial) -> bool:
    outcomes = [judged.outcome for judged in trial.judged]
    return len(set(outcomes)) > 1 or any(words.agrees(trial, outcome) is False for outcome in outcomes)


def _trial(trial: Trial) -> str:
    said = ", ".join(f"{judged.outcome.value} [{judged.decided_by}]" for judged in trial.judged)
    return f"{trial.state.name.lower()}, {said}: {visible(trial.title) or '(no title)'} ({trial.proposal_id})"


def _untried(one: Untried) -> str:
    what = "an event" if one.proposal_id is None else f"{visible(one.title) or '(no title)'} ({one.proposal_id})"
    return f"{what}, block {one.created_block}: {visible(one.why)}"


def _print_list(heading: str, lines: Sequence[str], console: Console) -> None:
    if not lines:
        return
    console.print(Text(f"\n{heading}", style="bold"))
    for line in lines[:MOST_SHOWN]:
        console.print(Text(f"  {line}"))
    if len(lines) > MOST_SHOWN:
        console.print(Text(f"  and {len(lines) - MOST_SHOWN} more: --json or --html", style="dim"))
