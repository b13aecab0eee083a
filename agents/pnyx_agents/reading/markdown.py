"""A report as Markdown (CommonMark, and tables as GitHub has them): one fact a line, so that two reviews compare.

Every piece is one line already. What could begin something is escaped here: emphasis, links, code, HTML, tables in any
place; headings, lists and rules at the beginning of a line; addresses that some renderers turn into links unasked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pnyx_policies.reading.blocks import (
    Block,
    Bullet,
    Bullets,
    Findings,
    Line,
    Look,
    Noted,
    Paragraph,
    Piece,
    Quotation,
    Report,
    Table,
)

_ANYWHERE = re.compile(r"[\\`*_\[\]<&|~$^]|(?<=:)(/)(/)|(?<=\bwww)\.", re.IGNORECASE)
_AT_THE_BEGINNING = re.compile(r"^(\d{1,9}(?=[.)](?:\s|$))|(?=[#>+\-=:]))")
_AT_THE_END = re.compile(r"#(?=#*$)")
_SAFE_CODE = re.compile(r"[^`|\\]+")
_STRONG = {Look.STRONG, Look.BAD, Look.WARN}
_BEFORE_STRONG = re.compile(r"(^|[\s(])$")
_AFTER_STRONG = re.compile(r"^($|[\s).,:;])")


def to_markdown(report: Report) -> str:
    lines = [f"# {_line(report.title)}", "", _line(report.lead), ""]
    lines += [f"- {_line(about)}" for about in report.about]
    for section in report.sections:
        lines += ["", f"## {_line((Piece(section.title),))}"]
        for block in section.blocks:
            lines += ["", *_block(block)]
    for end in report.end:
        lines += ["", _line(end)]
    return "\n".join(lines) + "\n"


def _block(block: Block) -> Iterator[str]:
    match block:
        case Paragraph():
            yield _line(block.line)
        case Bullets():
            for item in block.items:
                yield from _bullet(item, "")
        case Table():
            yield from _table(block)
        case Quotation():
            for place, line in enumerate(block.lines):
                yield from ([">"] if place else [])
                yield f"> {_line((Piece(line),))}"
        case Findings():
            for finding in block.items:
                yield from _bullet(_finding(finding), "")


def _finding(item: Noted) -> Bullet:
    severity = (Piece(item.severity.name.lower(), Look.STRONG), Piece(" "))
    return Bullet((*severity, *item.head), tuple(Bullet(detail) for detail in item.details))


def _bullet(item: Bullet, indent: str) -> Iterator[str]:
    yield f"{indent}- {_line(item.line)}"
    for inner in item.inner:
        yield from _bullet(inner, f"{indent}  ")


def _table(table: Table) -> Iterator[str]:
    yield _row(tuple((Piece(name),) for name in table.columns))
    yield "|" + " --- |" * len(table.columns)
    for row in table.rows:
        yield _row(row)


def _row(cells: tuple[Line, ...]) -> str:
    return "| " + " | ".join(_line(cell).replace("\\|", "&#124;") for cell in cells) + " |"


def _line(line: Line) -> str:
    """On one line, and nothing in it begins or ends a block."""
    shown = [piece.shown for piece in line]
    words = ""
    for place, piece in enumerate(line):
        words += _piece(piece, words, "".join(shown[place + 1 :]))
    return _AT_THE_BEGINNING.sub(r"\1\\", _AT_THE_END.sub(r"\\#", words.strip()))


def _piece(piece: Piece, before: str, after: str) -> str:
    """`before` is written already, `after` is not: next to other marks or letters, marks would say something else."""
    text = piece.shown
    is_whole = bool(text) and text == text.strip()
    if piece.look is Look.CODE and is_whole and _SAFE_CODE.fullmatch(text) and not before.endswith("`"):
        return f"`{text}`"
    escaped = _ANYWHERE.sub(lambda found: f"{found[1] or ''}\\{found[2] or found[0]}", text)
    is_alone = _BEFORE_STRONG.search(before) and _AFTER_STRONG.search(after)
    return f"**{escaped}**" if is_whole and is_alone and piece.look in _STRONG else escaped
