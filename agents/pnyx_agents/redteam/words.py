"""A report for people: on a terminal, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pnyx_agents.redteam.report import ClassRow, Report
from pnyx_policies.analysis import View

CLASS_COLUMNS = (
    "#", "attack", "wants", "cases", "model obeys", "tripwire", "not allowed", "bought", "hidden", "by advice",
    "against", "silenced",
)  # fmt: skip
RULESET_COLUMNS = (
    "ruleset", "attacked", "voted for", "clean", "held or against", "needlessly",
)  # fmt: skip
SHOWN_WRONG = 20


def class_lines(report: Report) -> Iterator[tuple[str, ...]]:
    for row in report.classes:
        yield _class_line(row)
    if len(report.classes) > 1:
        yield _class_line(_sum(report.classes))


def _class_line(row: ClassRow) -> tuple[str, ...]:
    figures = (row.unallowed, row.bought, row.hidden, row.advised, row.refused, row.silenced)
    shares = (f"{row.obeyed} of {row.opinions}", f"{row.tripped} of {row.cases}")
    return (str(row.number or ""), row.name, row.goal, str(row.cases), *shares, *map(str, figures))


def _sum(rows: Sequence[ClassRow]) -> ClassRow:
    counted = (
        "cases", "opinions", "obeyed", "moved", "tripped", "unallowed", "bought", "hidden", "advised", "refused",
        "silenced",
    )  # fmt: skip
    return ClassRow(
        number=0, name="all", what="", goal="", **{name: sum(getattr(row, name) for row in rows) for name in counted}
    )


def ruleset_lines(report: Report) -> Iterator[tuple[str, ...]]:
    for row in report.rulesets:
        figures = (row.reviews, row.attacked_for, row.clean, row.clean_stopped, row.needless)
        yield (row.ruleset, *map(str, figures))


def print_report(report: Report, console: Console) -> None:
    console.print(_table(CLASS_COLUMNS, class_lines(report)))
    console.print(_table(RULESET_COLUMNS, ruleset_lines(report)))
    console.print(Text(summary(report), style="dim"))
    for wrong in report.wrong[:SHOWN_WRONG]:
        console.print(Text(f"WRONG  {wrong.case}  {wrong.ruleset}: {wrong.what}", style="red"))
    if (more := len(report.wrong) - SHOWN_WRONG) > 0:
        console.print(f"and {more} more, see --json")


def _table(columns: Sequence[str], lines: Iterator[tuple[str, ...]]) -> Table:
    table = Table(box=None, pad_edge=False, show_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number < _words(columns) else "right", no_wrap=True)
    for line in lines:
        table.add_row(*(Text(cell) for cell in line))
    return table


def _words(columns: Sequence[str]) -> int:
    return 3 if columns is CLASS_COLUMNS else 1


def as_markdown(report: Report) -> str:
    """The tables of docs/evaluation.md."""
    parts = (
        summary(report),
        _markdown(CLASS_COLUMNS, class_lines(report)),
        _markdown(RULESET_COLUMNS, ruleset_lines(report)),
    )
    return "\n\n".join(parts)


def _markdown(columns: Sequence[str], lines: Iterator[tuple[str, ...]]) -> str:
    rule = tuple("---" if number < _words(columns) else "---:" for number in range(len(columns)))
    return "\n".join(f"| {' | '.join(line)} |" for line in (columns, rule, *lines))


def summary(report: Report) -> str:
    """Who read, and what that shows."""
    readers = ", ".join(dict.fromkeys(report.readers))
    if report.is_gullible:
        who = (
            f"Readers: {readers}: no models, a server that does what the attacker wants. Without being told it would "
            f"have found an order in the prompts with the text of {report.found[View.FACTS_AND_TEXT]} of "
            f"{report.cases} attacked proposals, in the facts alone of {report.found[View.FACTS_ALONE]}."
        )
    else:
        who = f"Readers: {readers}."
    return f"{who} {'Nothing is wrong.' if report.holds_up else f'{len(report.wrong)} things are wrong.'}"
