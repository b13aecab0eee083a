"""What a report is made of: sections of typed blocks, down to pieces of one line. Who draws them says how they look.

Every piece is shown as one line without hidden characters, whoever wrote it: so nobody's words begin a line, a list or
a heading of their own, and only the escaping is left to the one who draws.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from pnyx_policies.finding import Severity
from pnyx_policies.text import named


class Look(Enum):
    """What kind of words a piece is."""

    PLAIN = "plain"
    STRONG = "strong"
    SOFT = "soft"
    CODE = "code"
    """An address, a number, a signature: letter by letter."""
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Piece:
    text: str
    look: Look = Look.PLAIN

    @property
    def shown(self) -> str:
        """One line. What nobody would see is named, as in ``<U+202E>``; spaces at the ends stay."""
        begin, end = (" " if self.text[at : at + 1].isspace() else "" for at in (0, len(self.text) - 1))
        line = " ".join(named(self.text).split())
        return f"{begin}{line}{end}" if line else begin


Line = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    line: Line


@dataclass(frozen=True, slots=True)
class Bullet:
    line: Line
    inner: tuple[Bullet, ...] = ()


@dataclass(frozen=True, slots=True)
class Bullets:
    items: tuple[Bullet, ...]


@dataclass(frozen=True, slots=True)
class Table:
    columns: tuple[str, ...]
    rows: tuple[tuple[Line, ...], ...]


@dataclass(frozen=True, slots=True)
class Quotation:
    """Somebody else's words, line by line."""

    text: str
    left_out: int = 0
    """So many characters more are not shown."""

    @property
    def lines(self) -> tuple[str, ...]:
        """Without empty ones; the last says what is left out."""
        shown = (" ".join(named(line).split()) for line in self.text.splitlines())
        rest = (f"[... {self.left_out} more characters]",) if self.left_out else ()
        return (*(line for line in shown if line), *rest)


@dataclass(frozen=True, slots=True)
class Noted:
    """One finding."""

    severity: Severity
    check: str
    title: Line
    details: tuple[Line, ...] = ()

    @property
    def head(self) -> Line:
        return (Piece(f"{self.check}: "), *self.title)


@dataclass(frozen=True, slots=True)
class Findings:
    items: tuple[Noted, ...]


Block = Paragraph | Bullets | Table | Quotation | Findings


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """`lead` is the review in one line; `about` says what was reviewed, and when by the chain's blocks."""

    title: Line
    lead: Line
    about: tuple[Line, ...]
    sections: tuple[Section, ...]
    end: tuple[Line, ...] = field(default=())


def line(*pieces: str | Piece) -> Line:
    """Words of ours may come as they are."""
    return tuple(Piece(piece) if isinstance(piece, str) else piece for piece in pieces)


def paragraph(*pieces: str | Piece) -> Paragraph:
    return Paragraph(line(*pieces))


def bullet(*pieces: str | Piece, inner: tuple[Bullet, ...] = ()) -> Bullet:
    return Bullet(line(*pieces), inner)


def strong(text: str) -> Piece:
    return Piece(text, Look.STRONG)


def soft(text: str) -> Piece:
    return Piece(text, Look.SOFT)


def code(text: str) -> Piece:
    return Piece(text, Look.CODE)


def warn(text: str) -> Piece:
    return Piece(text, Look.WARN)


def bad(text: str) -> Piece:
    return Piece(text, Look.BAD)
