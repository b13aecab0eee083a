"""A report in a terminal. A text is never markup here, and what moves a cursor was named before (`Piece.shown`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from pnyx_policies.finding import Severity
from pnyx_policies.reading import blocks
from pnyx_policies.reading.blocks import (
    Block,
    Bullet,
    Bullets,
    Findings,
    Line,
    Look,
    Noted,
    Paragraph,
    Quotation,
    Report,
)

INDENT: Final = 2

SEVERITIES = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "dim",
}
_LOOKS = {
    Look.PLAIN: "",
    Look.STRONG: "bold",
    Look.SOFT: "dim",
    Look.CODE: "cyan",
    Look.WARN: "yellow",
    Look.BAD: "bold red",
}


def print_report(report: Report, console: Console) -> None:
    """The review in one line first, the whole story below."""
    console.print(_text(report.title, "bold"))
    console.print()
    console.print(_text(report.lead))
    console.print()
    console.print(_lines(report.about, "dim"))
    for section in report.sections:
        console.print(Text(f"\n{section.title}", style="bold underline"))
        for block in section.blocks:
            console.print(_block(block))
    if report.end:
        console.print()
        console.print(_lines(report.end, "dim"))


def _text(line: Line, style: str = "") -> Text:
    return Text("", style=style, overflow="fold").append_tokens((p.shown, _LOOKS[p.look]) for p in line)


def _lines(lines: Iterable[Line], style: str = "") -> Text:
    return Text("\n", style=style).join(_text(line) for line in lines)


def _block(block: Block) -> RenderableType:
    match block:
        case Paragraph():
            return _text(block.line)
        case Bullets():
            return _bullets(block.items)
        case blocks.Table():
            return _table(block)
        case Quotation():
            return _rows(("│", Text(line, overflow="fold")) for line in block.lines)
        case Findings():
            return Group(*map(_noted, block.items))


def _bullets(items: tuple[Bullet, ...]) -> Group:
    return Group(*_flat(items, 0))


def _flat(items: tuple[Bullet, ...], depth: int) -> Iterator[RenderableType]:
    """One row for each, not a table in a table: rich measures what is inside once more at every level."""
    for item in items:
        yield Padding(_rows([("•", _text(item.line))]), (0, 0, 0, INDENT * depth))
        yield from _flat(item.inner, depth + 1)


def _rows(rows: Iterable[tuple[str, RenderableType]]) -> Table:
    grid = Table.grid(Column(style="dim"), Column(overflow="fold"), padding=(0, 1))
    for mark, content in rows:
        grid.add_row(mark, content)
    return grid


def _table(block: blocks.Table) -> Table:
    table = Table(*(Column(name, overflow="fold") for name in block.columns), show_edge=False)
    for row in block.rows:
        table.add_row(*map(_text, row))
    return table


def _noted(block: Noted) -> Table:
    grid = Table.grid(Column(width=8, style=SEVERITIES[block.severity]), Column(overflow="fold"), padding=(0, 1))
    grid.add_row(block.severity.name.lower(), _lines((block.head, *block.details)))
    return grid
