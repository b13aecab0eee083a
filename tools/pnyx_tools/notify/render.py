"""A message as plain text, Markdown or HTML.

Strangers' words are harmless already (`foreign`) and always stand in quotation marks behind a label of ours; what is
left to do is that our own words read the same in each format.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from pnyx_tools.notify.message import Message

MOST_PARTS = 20
"""Messages that a digest lists; the rest is counted."""


class Format(Enum):
    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"


@dataclass(frozen=True, slots=True)
class _Style:
    """How one format writes our own words, a command, a link of ours, a line, and an item of a list."""

    words: Callable[[str], str]
    code: Callable[[str], str]
    link: Callable[[str], str]
    line: Callable[[str], str]
    item: Callable[[str], str]


_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~])")

_STYLES = {
    Format.TEXT: _Style(str, str, str, str, lambda text: f"- {text}"),
    Format.MARKDOWN: _Style(
        lambda text: _MARKUP.sub(r"\\\1", text),
        lambda text: "`" + text.replace("`", "'") + "`",
        lambda url: f"<{url}>",
        lambda text: f"{text}\n",
        lambda text: f"- {text}",
    ),
    Format.HTML: _Style(
        html.escape,
        lambda text: f"<code>{html.escape(text)}</code>",
        lambda url: f'<a href="{html.escape(url)}">{html.escape(url)}</a>',
        lambda text: f"<p>{text}</p>",
        lambda text: f"<p>&bull; {text}</p>",
    ),
}


def subject(message: Message) -> str:
    """For a mail's subject line and the like: one line, without markup."""
    return f"[pnyx {message.urgency.value}] {message.headline}"


def render(message: Message, form: Format = Format.TEXT) -> str:
    """What the subject line does not say; that again where there is nothing else."""
    style = _STYLES[form]
    lines = _digest_lines(message, style) if message.parts else _lines(message, style)
    return "\n".join(lines).strip() or style.line(style.words(message.subject)).strip()


def _lines(message: Message, style: _Style) -> Iterator[str]:
    """Every part that it has, each behind its label."""
    for label, value in (
        ("Proposal", message.proposal),
        ("The proposal calls itself", message.title),
        ("Decided", message.decision),
        ("Reason", message.reason),
        ("Details", message.detail),
        ("Voting ends", message.deadline),
    ):
        if value:
            yield style.line(f"{label}: {style.words(str(value))}")
    if message.to_do:
        yield style.line(f"To do: {style.code(message.to_do)}")
    if message.link:
        yield style.line(f"More: {style.link(message.link)}")


def _digest_lines(message: Message, style: _Style) -> Iterator[str]:
    for part in message.parts[:MOST_PARTS]:
        yield style.item(" - ".join(_in_short(part, style)))
    if (left := len(message.parts) - MOST_PARTS) > 0:
        yield style.line(f"and {left} more: {style.code('pnyx status')}")


def _in_short(part: Message, style: _Style) -> Iterator[str]:
    yield f"{part.urgency.value}: {style.words(part.headline)}"
    if part.detail:
        yield style.words(str(part.detail))
    if part.deadline:
        yield f"voting ends {style.words(part.deadline)}"
    if part.to_do:
        yield style.code(part.to_do)
