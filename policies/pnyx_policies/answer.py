"""What comes back from a model: bytes become an `Analysis`, a call of context tools, or the reason why there is none.
Nothing is repaired; what rests on nothing is struck out.

Judged are the recorded bytes, not what a library made of them. So whoever holds the record reaches the same judgement.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from copy import deepcopy
from functools import cache
from typing import Any

from pydantic import JsonValue, ValidationError

from pnyx_contracts.canonical import require_bounded
from pnyx_contracts.errors import DecodingError
from pnyx_contracts.types import Value
from pnyx_policies.analysis import Analysis, View
from pnyx_policies.facts import Facts
from pnyx_policies.grounding import grounded

OK, REFUSAL, LENGTH, CONTENT_FILTER, INVALID = "ok", "refusal", "length", "content-filter", "invalid"
TOOL_CALL = "tool-call"
"""No answer yet: the model asked to see results of context tools."""

_DETAIL_CHARACTERS = 300
_LABEL_CHARACTERS = 120
_CALL_ID = re.compile(r"[A-Za-z0-9_.:-]{1,100}")
_STOPPED_EARLY = {"length": LENGTH, "content_filter": CONTENT_FILTER}


class ToolCall(Value):
    """A model asks for what one context tool found. There is nothing else that it could choose."""

    id: str
    """The server's name for this call."""
    tool: str


class Judgement(Value):
    """What an answer is worth. `analysis` is there exactly when `outcome` is ``ok``, `calls` exactly when it is
    ``tool-call``.
    """

    outcome: str
    """``ok``, ``tool-call``, ``refusal``, ``length``, ``content-filter`` or ``invalid``; enters `Attempt.outcome`."""
    detail: str = ""
    analysis: Analysis | None = None
    struck: tuple[str, ...] = ()
    """What was taken out of `analysis`, and why."""
    calls: tuple[ToolCall, ...] = ()
    served_model: str = ""
    input_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None


class Usage(Value):
    """Who answered, and what it took; None where the response does not say."""

    served_model: str = ""
    input_tokens: int | None = None
    cached_tokens: int | None = None
    """Those of `input_tokens` that the server knew from before, and charges less for."""
    output_tokens: int | None = None


def judge(body: bytes, facts: Facts, tools: Collection[str] = (), view: View = View.FACTS_AND_TEXT) -> Judgement:
    """The judgement on a chat completion (OpenAI's response format) that was asked to analyse so much of `facts`, and
    that might call `tools`.
    """
    try:
        completion = strict_json(body)
    except DecodingError as error:
        return Judgement(outcome=INVALID, detail=f"the response is {error.message}")
    judged = _judge_choice(completion, facts, tools, view)
    detail = {"detail": judged.detail[:_DETAIL_CHARACTERS]}
    return judged.model_copy(update=detail | _usage(completion).model_dump())


def usage_of(body: bytes) -> Usage:
    """What a response says about itself, whatever it answers; nothing of it where it is no JSON."""
    try:
        return _usage(strict_json(body))
    except DecodingError:
        return Usage()


def _usage(completion: JsonValue) -> Usage:
    usage = _mapping(completion, "usage")
    return Usage(
        served_model=_label(completion, "model"),
        input_tokens=_count(usage, "prompt_tokens"),
        cached_tokens=_count(_mapping(usage, "prompt_tokens_details"), "cached_tokens"),
        output_tokens=_count(usage, "completion_tokens"),
    )


def _judge_choice(completion: JsonValue, facts: Facts, tools: Collection[str], view: View) -> Judgement:
    choices = completion.get("choices") if isinstance(completion, dict) else None
    if not isinstance(choices, list) or len(choices) != 1:
        return Judgement(outcome=INVALID, detail="the response holds no single choice")
    message, reason = _mapping(choices[0], "message"), _label(choices[0], "finish_reason")
    if message.get("refusal") or reason == "refusal":
        return Judgement(outcome=REFUSAL, detail="the model refused")
    calls_tools = bool(message.get("tool_calls") or message.get("function_call") or reason == "tool_calls")
    if reason in _STOPPED_EARLY or (reason != "stop" and not calls_tools):
        stopped = f"the model did not finish: {json.dumps(reason)}"
        return Judgement(outcome=_STOPPED_EARLY.get(reason, INVALID), detail=stopped)
    try:
        if calls_tools:
            return Judgement(outcome=TOOL_CALL, calls=_tool_calls(message, reason, tools))
        analysis = _analysis(message)
    except DecodingError as error:
        return Judgement(outcome=INVALID, detail=error.message)
    standing = grounded(analysis, facts, view)
    detail = f"struck out: {'; '.join(standing.struck)}" if standing.struck else ""
    return Judgement(outcome=OK, analysis=standing.analysis, struck=standing.struck, detail=detail)


def _analysis(message: dict[str, JsonValue]) -> Analysis:
    content = message.get("content")
    if not isinstance(content, str):
        raise DecodingError("the response holds no text")
    return parse_analysis(content)


def _tool_calls(message: dict[str, JsonValue], reason: str, tools: Collection[str]) -> tuple[ToolCall, ...]:
    """The calls in a message that holds nothing else. Raises `DecodingError`."""
    asked = message.get("tool_calls")
    if not tools:
        raise DecodingError("the model called a tool; none was offered")
    if reason != "tool_calls" or message.get("function_call") or not isinstance(asked, list) or not asked:
        raise DecodingError(f"a malformed tool call, finished by {json.dumps(reason)}")
    if message.get("content"):
        raise DecodingError("the model called a tool and wrote text beside it")
    calls = tuple(_tool_call(call, tools) for call in asked)
    if len({call.tool for call in calls}) != len(calls) or len({call.id for call in calls}) != len(calls):
        raise DecodingError("the model called a tool twice in one turn")
    return calls


def _tool_call(call: JsonValue, tools: Collection[str]) -> ToolCall:
    function = _mapping(call, "function")
    name, arguments = function.get("name"), function.get("arguments")
    call_id = call.get("id") if isinstance(call, dict) else None
    if _label(call, "type") != "function" or not isinstance(call_id, str) or not _CALL_ID.fullmatch(call_id):
        raise DecodingError("a malformed tool call: expected the type function and a plain id")
    if not isinstance(name, str) or name not in tools:
        called = json.dumps(_label(function, "name"))
        raise DecodingError(f"the model called {called}, which is not one of {', '.join(tools)}")
    if not isinstance(arguments, str) or strict_json(arguments.encode("utf-8", errors="replace")) != {}:
        raise DecodingError(f"the model called {name} with arguments; it takes none")
    return ToolCall(id=call_id, tool=name)


def parse_analysis(content: str) -> Analysis:
    """`content` as an `Analysis`, exactly as the schema says. Raises `DecodingError`, which repeats no content."""
    strict_json(content.encode("utf-8", errors="replace"))
    try:
        return Analysis.model_validate_json(content, strict=True)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = json.dumps(".".join(str(part) for part in first["loc"])[:_LABEL_CHARACTERS])
        raise DecodingError(f"the answer does not fit the schema at {place}: {first['msg']}") from None


def strict_json(data: bytes) -> JsonValue:
    """JSON in UTF-8 without duplicate keys, NaN and Infinity. Raises `DecodingError`: "not JSON: ..."."""
    try:
        text = data.decode("utf-8")
        require_bounded(text)
        value: JsonValue = json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise DecodingError(f"not JSON: {_without_input(error)}") from None
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("an object names a field twice")
    return dict(pairs)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _without_input(error: Exception) -> str:
    """A decoding error in words that repeat none of the bytes."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos}"
    if isinstance(error, UnicodeDecodeError):
        return f"no UTF-8 at byte {error.start}"
    return "nested too deep" if isinstance(error, RecursionError) else str(error)


def _mapping(value: JsonValue, key: str) -> dict[str, JsonValue]:
    inner = value.get(key) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}


def _label(value: JsonValue, key: str) -> str:
    """A short printable string of somebody else's, or nothing."""
    label = value.get(key) if isinstance(value, dict) else None
    return (
        "".join(c for c in label if c.isascii() and c.isprintable())[:_LABEL_CHARACTERS]
        if isinstance(label, str)
        else ""
    )


def _count(value: dict[str, JsonValue], key: str) -> int | None:
    count = value.get(key)
    return count if isinstance(count, int) and not isinstance(count, bool) and 0 <= count < 2**53 else None


_DROPPED = {"title", "description", "default", "maxLength", "minLength", "maxItems", "minItems", "minimum", "maximum"}
"""Not every provider accepts these in strict mode. The prompt states the limits, `parse_analysis` enforces them."""


@cache
def _closed_schema() -> dict[str, Any]:
    schema = Analysis.model_json_schema()
    definitions = schema.pop("$defs", {})

    def closed(node: Any) -> Any:  # noqa: ANN401 - a JSON schema node
        if isinstance(node, list):
            return [closed(item) for item in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return closed(definitions[node["$ref"].removeprefix("#/$defs/")])
        kept = {key: closed(value) for key, value in node.items() if key not in _DROPPED and key != "properties"}
        if "properties" in node:
            kept["properties"] = {name: closed(value) for name, value in node["properties"].items()}
            kept |= {"required": list(node["properties"]), "additionalProperties": False}
        return kept

    result: dict[str, Any] = closed(schema)
    return result


def analysis_schema() -> dict[str, Any]:
    """JSON schema of `Analysis` in the subset that every strict mode takes: closed, all required, no references."""
    return deepcopy(_closed_schema())
