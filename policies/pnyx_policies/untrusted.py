"""Making other people's text safe to place in a prompt. Nothing here judges: it removes, escapes, cuts, and says so.

Characters are told apart by fixed sets (here and in `text`), never by `unicodedata`: its tables change with the Python
version, and a prompt must render to the same bytes everywhere.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import rfc8785
from pydantic import JsonValue

from pnyx_policies.text import hidden_characters

_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")

_CHAT_TOKEN = re.compile(
    r"<(?=[|\uff5c])"  # <|im_start|> and its relatives
    r"|<(?=/?(?:s|bos|eos|pad|unk|mask|sop|eop|system|user|human|assistant|think|thinking|image|extra_id_[0-9]+"
    r"|start_of_[a-z]+|end_of_[a-z]+|tool_[a-z]+|function_[a-z]+)>)"
    r"|<(?=</?SYS>>)"
    r"|\[(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|IMG|[gs]?MASK)\])",
    re.IGNORECASE | re.ASCII,
)
"""Where a chat template's own tokens would begin: some servers read them even inside a message."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Text without what a reader cannot see, and how much was changed."""

    text: str
    removed: int
    """Invisible characters that were taken out."""
    defused: int
    """Chat-template tokens that were broken up with a space."""


def clean(text: str) -> Cleaned:
    """`text` without invisible characters, with plain line ends and with chat-template tokens broken up."""
    lines = _LINE_END.sub("\n", text)
    hidden = {character.index for character in hidden_characters(lines)}
    visible = "".join(character for index, character in enumerate(lines) if index not in hidden)
    defused, count = _CHAT_TOKEN.subn(lambda token: token[0] + " ", visible)
    return Cleaned(text=defused, removed=len(hidden), defused=count)


def cut(text: str, limit_bytes: int) -> str:
    """The longest beginning of `text` that fits into `limit_bytes` of UTF-8."""
    return text.encode("utf-8", errors="replace")[:limit_bytes].decode("utf-8", errors="ignore")


def quoted(text: str, limit: int) -> str:
    """`text`, at most `limit` characters of it, as one ASCII JSON string: it can end no line and no quotation."""
    literal = _without_chat_tokens(json.dumps(text[:limit], ensure_ascii=True))
    return literal if len(text) <= limit else f"{literal} (cut from {len(text)} characters)"


def quoted_json(value: JsonValue, limit: int) -> str:
    """`value` as ASCII JSON on one line; as a cut string where it is longer than `limit` characters.

    Canonical JSON (RFC 8785) in between makes it the same before and after a round trip through the record.
    """
    text = json.dumps(json.loads(rfc8785.dumps(value)), ensure_ascii=True, separators=(",", ":"))
    return _without_chat_tokens(text) if len(text) <= limit else quoted(text, limit)


def _without_chat_tokens(literal: str) -> str:
    """JSON whose strings hold escapes where a chat template's token would begin."""
    return _CHAT_TOKEN.sub(lambda token: f"\\u{ord(token[0]):04x}", literal)
