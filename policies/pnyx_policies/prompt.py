"""Facts and untrusted text become the messages that a model gets. Pure: a verifier renders them again.

Rendering depends on nothing but the facts, the templates (limits among them) and what the reader may see. All lie in
the record, and the hash of the templates lies in the declared configuration. So a doctored prompt is seen.

What stays the same comes first, what a proposal's author wrote comes last: servers keep the beginning of what they were
asked before, and charge less for it.
"""

from __future__ import annotations

import json
import string
from functools import cache
from importlib import resources

import rfc8785
from eth_hash.auto import keccak
from pydantic import JsonValue, ValidationError

from pnyx_contracts.errors import PnyxError, UsageError
from pnyx_contracts.types import Value, to_hex
from pnyx_policies.analysis import View
from pnyx_policies.answer import ToolCall, analysis_schema
from pnyx_policies.dossier import PromptTemplate
from pnyx_policies.facts import Facts
from pnyx_policies.factsheet import Limits, factsheet, tool_result
from pnyx_policies.toml import TomlError, parse_toml
from pnyx_policies.untrusted import Cleaned, clean, cut

RENDERING = 3
"""Version of the rules here, in `factsheet`, `untrusted`, `text`: raised when the same input would render otherwise."""

MAX_TOOL_TURNS = 4
"""How many times in one conversation a model may call context tools before it must answer."""

_NAMES = ("system.md", "both.md", "facts.md", "tools.md", "user.md", "user-facts.md", "limits.toml")
_FENCE_TAG = keccak(b"pnyx.prompt.fence.v1")
_TEMPLATES_TAG = keccak(b"pnyx.prompt.templates.v1")


class OtherRenderingError(UsageError):
    """The templates belong to another version of Pnyx, which renders facts in another way."""


class PromptTooLargeError(PnyxError):
    """The facts do not fit. A reader who sees half of the calls must not advise: the vote is held for people."""


class Message(Value):
    """One message to a chat model. `role` is ``system`` or ``user``; ``assistant`` for a call of context tools,
    ``tool`` for what such a call shows.
    """

    role: str
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""

    @property
    def wire(self) -> dict[str, JsonValue]:
        """As it stands in a chat-completions request."""
        if self.tool_calls:
            calls: list[JsonValue] = [
                {"id": call.id, "type": "function", "function": {"name": call.tool, "arguments": "{}"}}
                for call in self.tool_calls
            ]
            return {"role": self.role, "content": None, "tool_calls": calls}
        answers: dict[str, JsonValue] = {"tool_call_id": self.tool_call_id} if self.tool_call_id else {}
        return {"role": self.role, "content": self.content, **answers}


@cache
def templates() -> tuple[PromptTemplate, ...]:
    """The templates that ship."""
    folder = resources.files("pnyx_policies") / "prompts"
    return tuple(PromptTemplate(name=n, text=(folder / n).read_text(encoding="utf-8")) for n in _NAMES)


def templates_hash(used: tuple[PromptTemplate, ...] | None = None) -> bytes:
    """keccak-256 that names templates (the shipped ones by default): what `Configuration.prompt_hash` declares."""
    listed = [{"name": t.name, "text": t.text} for t in (templates() if used is None else used)]
    return keccak(_TEMPLATES_TAG + rfc8785.dumps(listed))


def render(
    facts: Facts,
    used: tuple[PromptTemplate, ...] | None = None,
    on_request: tuple[str, ...] = (),
    view: View = View.FACTS_AND_TEXT,
) -> tuple[Message, ...]:
    """The messages for `facts` to a reader who may see so much of them, by the shipped templates or by those `used`.
    Results of the context tools `on_request` are left out: the model may call for them.

    Raises `PromptTooLargeError`, `OtherRenderingError`, and `UsageError` for templates that no version can render.
    """
    texts = _texts(used)
    limits = _limits(texts)
    whole = factsheet(facts, limits, view=view)
    if len(whole) > limits.facts_characters:
        raise PromptTooLargeError(
            f"the facts of proposal {facts.proposal.key} take {len(whole)} characters, "
            f"the prompt allows {limits.facts_characters}",
            hint="let people decide this one, or raise facts_characters in limits.toml for a model that can read more",
        )
    sheet = factsheet(facts, limits, on_request, view)
    if view is View.FACTS_ALONE:
        user = _fill(texts, "user-facts.md", facts=sheet)
    else:
        user = _with_text(facts, texts, limits, sheet, fence_marker(facts, whole))
    return Message(role="system", content=_system(texts, on_request, view)), Message(role="user", content=user)


def _system(texts: dict[str, str], on_request: tuple[str, ...], view: View) -> str:
    reading = _fill(texts, "facts.md" if view is View.FACTS_ALONE else "both.md")
    system = _fill(texts, "system.md", reading=reading.strip(), schema=_schema())
    if not on_request:
        return system
    return system + "\n" + _fill(texts, "tools.md", tools=", ".join(on_request), turns=str(MAX_TOOL_TURNS))


def _with_text(facts: Facts, texts: dict[str, str], limits: Limits, sheet: str, marker: str) -> str:
    cleaned = clean(facts.proposal.text)
    shown = cut(cleaned.text, limits.text_bytes)
    notes = _notes(facts, cleaned, shown)
    return _fill(texts, "user.md", facts=sheet, marker=marker, notes=notes, text=shown)


def render_result(
    facts: Facts, tool: str, used: tuple[PromptTemplate, ...] | None = None, view: View = View.FACTS_AND_TEXT
) -> str:
    """What a model is shown that calls for the result of one context tool."""
    return tool_result(facts, _limits(_texts(used)), tool, view)


def fence_marker(facts: Facts, sheet: str) -> str:
    """What fences the text: 128 bits that depend on every byte inside the prompt.

    The review digest binds the description, the sheet holds every other string: to write the marker into either, its
    author would have to know the hash of what is still to be written.
    """
    return keccak(_FENCE_TAG + facts.review_digest + keccak(facts.proposal.description) + keccak(sheet.encode()))[
        :16
    ].hex()


def _texts(used: tuple[PromptTemplate, ...] | None) -> dict[str, str]:
    return {t.name: t.text for t in (templates() if used is None else used)}


def _notes(facts: Facts, cleaned: Cleaned, shown: str) -> str:
    raw = facts.proposal.description
    notes = [f"{len(raw)} bytes, keccak-256 {to_hex(keccak(raw))}."]
    if not shown.strip():
        notes.append("There is no readable text.")
    if cleaned.removed:
        notes.append(f"{cleaned.removed} invisible characters were removed.")
    if cleaned.defused:
        notes.append(f"{cleaned.defused} control tokens of chat templates were broken up with a space.")
    if len(shown) < len(cleaned.text):
        notes.append(f"Cut from {len(cleaned.text.encode())} bytes to {len(shown.encode())}: the rest is not shown.")
    return " ".join(notes)


def _fill(texts: dict[str, str], name: str, **values: str) -> str:
    try:
        return string.Template(texts[name]).substitute(values)
    except (KeyError, ValueError) as error:
        raise UsageError(
            f"prompt template {name} cannot be filled: {error}",
            hint=f"it may use {', '.join('$' + value for value in values)}; a literal dollar sign is written $$",
        ) from error


def _limits(texts: dict[str, str]) -> Limits:
    try:
        limits = Limits.model_validate(parse_toml(texts["limits.toml"]))
    except (KeyError, TomlError, ValidationError) as error:
        raise UsageError(f"prompt template limits.toml is missing or wrong: {error}") from error
    if limits.rendering != RENDERING:
        raise OtherRenderingError(
            f"the templates are written for rendering {limits.rendering}, this version of Pnyx renders {RENDERING}",
            hint="use the version of Pnyx that the record names",
        )
    return limits


def _schema() -> str:
    return json.dumps(analysis_schema(), separators=(",", ":"), ensure_ascii=True)
