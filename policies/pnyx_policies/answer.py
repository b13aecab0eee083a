"""What comes back from a model: bytes become an `Analysis`, or the reason why there is none. Nothing is repaired.

Judged are the recorded bytes, not what a library made of them. So whoever holds the record reaches the same judgement.
"""

from __future__ import annotations

import json
from copy import deepcopy
from functools import cache
from typing import Any

from pydantic import JsonValue, ValidationError

from pnyx_contracts.canonical import require_shallow
from pnyx_contracts.errors import DecodingError
from pnyx_contracts.types import Value
from pnyx_policies.analysis import Analysis
from pnyx_policies.facts import Facts
from pnyx_policies.quotations import invented

OK, REFUSAL, LENGTH, CONTENT_FILTER, INVALID = "ok", "refusal", "length", "content-filter", "invalid"

_DETAIL_CHARACTERS = 300
_LABEL_CHARACTERS = 120
_STOPPED_EARLY = {"length": LENGTH, "content_filter": CONTENT_FILTER}


class Judgement(Value):
    """What an answer is worth. `analysis` is there exactly when `outcome` is ``ok``."""

    outcome: str
    """``ok``, ``refusal``, ``length``, ``content-filter`` or ``invalid``; enters `Attempt.outcome`."""
    detail: str = ""
    analysis: Analysis | None = None
    served_model: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None


def judge(body: bytes, facts: Facts) -> Judgement:
    """The judgement on a chat completion (OpenAI's response format) that was asked to analyse `facts`."""
    try:
        completion = strict_json(body)
    except DecodingError as error:
        return Judgement(outcome=INVALID, detail=f"the response is {error.message}")
    usage = _mapping(completion, "usage")
    outcome, detail, analysis = _judge_choice(completion, facts)
    return Judgement(
        outcome=outcome,
        detail=detail[:_DETAIL_CHARACTERS],
        analysis=analysis,
        served_model=_label(completion, "model"),
        input_tokens=_count(usage, "prompt_tokens"),
        output_tokens=_count(usage, "completion_tokens"),
    )


def _judge_choice(completion: JsonValue, facts: Facts) -> tuple[str, str, Analysis | None]:
    choices = completion.get("choices") if isinstance(completion, dict) else None
    if not isinstance(choices, list) or len(choices) != 1:
        return INVALID, "the response holds no single choice", None
    message, reason = _mapping(choices[0], "message"), _label(choices[0], "finish_reason")
    if message.get("refusal") or reason == "refusal":
        return REFUSAL, "the model refused", None
    if reason != "stop":
        return _STOPPED_EARLY.get(reason, INVALID), f"the model did not finish: {json.dumps(reason)}", None
    if message.get("tool_calls") or message.get("function_call"):
        return INVALID, "the model called a tool; none was offered", None
    content = message.get("content")
    if not isinstance(content, str):
        return INVALID, "the response holds no text", None
    try:
        analysis = parse_analysis(content)
    except DecodingError as error:
        return INVALID, error.message, None
    if wrong := invented(analysis, facts):
        return INVALID, f"invented or missing sources: {'; '.join(wrong)}", None
    return OK, "", analysis


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
        require_shallow(text)
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
