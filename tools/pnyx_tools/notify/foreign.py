"""Strangers' words in a message to people.

A proposal's author chooses its title, and a model may repeat it. Such words reach Slack, Discord, Telegram, mail and
whatever comes next, each with a syntax of its own, and on their way are converted from one to another, which undoes
escapes. So nothing is escaped here: a character that means something anywhere is replaced by one that looks like it and
means nothing. What is left can mention nobody, link nowhere, end no line and close no quotation.
"""

from __future__ import annotations

import re
import unicodedata

from pydantic import field_validator

from pnyx_contracts.types import Value
from pnyx_policies.text import has_right_to_left, visible

MOST_CHARACTERS = 400
"""Of one stranger's text in one message, however long it is."""

_READ_CHARACTERS = 40 * MOST_CHARACTERS
"""What lies behind is not looked at: a long run of invisible characters must not cost time."""

_HARMLESS = {
    **{character: chr(ord(character) + 0xFEE0) for character in "<>&@#*_~`|[]{}\\^"},  # their full-width forms
    **dict.fromkeys('"\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033\u275d\u275e\u301d\u301e\u301f\uff02', "'"),
}
"""Markup, mentions, entities, templates of every service; and all that could close our quotation."""

_REPLACE = str.maketrans(_HARMLESS)
_SCHEME = re.compile(r":(?=[/\uff0f])")
_DOT = re.compile(r"(?<=\S)[.\u3002\uff0e\uff61](?=[^\W\d_])|(?<=\d)\.(?=\d+\.\d)")
"""Where a program would see a host: a letter follows, or it is one of four numbers. Decimal numbers keep theirs."""
_COMMAND = re.compile(r"(?<![^\W_])/+(?=\w)|//+")
"""``/command`` of chat programs, and what follows a scheme."""
_STACKED = 3
"""Marks that may stand on one letter: some scripts need two; dozens of them paint over other lines."""


class Foreign(Value):
    """One line that a stranger wrote, harmless however it was made. Shown in quotation marks that it cannot close."""

    text: str

    @field_validator("text")
    @classmethod
    def _make_harmless(cls, text: str) -> str:
        return harmless(text)

    def __str__(self) -> str:
        """In quotation marks. Letters that run from right to left are kept from turning ours around (UAX 9)."""
        isolated = f"\u2068{self.text}\u2069" if has_right_to_left(self.text) else self.text
        return f"\u201c{isolated}\u201d"


def foreign(text: str) -> Foreign | None:
    """None when nothing is left to show."""
    line = harmless(text)
    return Foreign(text=line) if line else None


def harmless(text: str) -> str:
    """One visible line that means nothing to any program, at most `MOST_CHARACTERS`. Twice changes nothing more."""
    line = _one_line(text[:_READ_CHARACTERS]).translate(_REPLACE)
    line = _COMMAND.sub(lambda slashes: "\uff0f" * len(slashes[0]), line)
    line = _DOT.sub("(.)", _SCHEME.sub("(:)", line))
    return _cut(line)


def _one_line(text: str) -> str:
    """Without what nobody sees, without lone surrogates, with few marks on each letter."""
    readable = visible(text.encode("utf-8", "replace").decode())
    return " ".join("".join(_sparsely_marked(readable)).split())


def _sparsely_marked(text: str) -> list[str]:
    kept, stacked = [], 0
    for character in text:
        stacked = stacked + 1 if unicodedata.category(character) in {"Mn", "Me"} else 0
        if stacked <= _STACKED:
            kept.append(character)
    return kept


def _cut(line: str) -> str:
    return line if len(line) <= MOST_CHARACTERS else line[: MOST_CHARACTERS - 1].rstrip(" \u2026") + "\u2026"
