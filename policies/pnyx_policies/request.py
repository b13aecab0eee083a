"""What goes to a model: which parts a request may have, and its comparison with what the facts render to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import rfc8785
from pydantic import JsonValue

from pnyx_contracts.errors import DecodingError
from pnyx_policies.analysis import Analyst
from pnyx_policies.answer import analysis_schema, strict_json
from pnyx_policies.conversation import Conversation, tool_definition

OPENAI = "openai"
"""The provider whose requests are recorded as they were sent."""
NOT_AS_SENT = {"captured": "above_the_wire"}
"""What the recorded request of another provider says about itself."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_WORD = re.compile(r"[a-z0-9_.-]{0,24}", re.IGNORECASE)
_FIXED = frozenset({"messages", "model", "response_format", "stream"})
_FOR_TOOLS = re.compile(r"tool|function")


def response_format() -> dict[str, Any]:
    """The part of the request that asks for an `Analysis` and nothing else."""
    return {
        "type": "json_schema",
        "json_schema": {"name": "analysis", "strict": True, "schema": analysis_schema()},
    }


def parameter_problem(name: str, value: JsonValue) -> str:
    """Why this may not stand in a request beside the messages; empty when it may.

    Parameters tune (numbers, switches, single words such as ``low``). They must not be a second way to talk to the
    model: then a re-rendered prompt would prove nothing.
    """
    if name in _FIXED or _FOR_TOOLS.search(name):
        return f"{name} is not open to settings"
    return (
        "" if _is_parameter(name, value) else f"{name} must be a number, a switch, a single word, or a table of these"
    )


def as_text(parameters: Mapping[str, JsonValue]) -> dict[str, str]:
    """Parameters of a request as a configuration declares them: each value in the one form of RFC 8785."""
    return {name: rfc8785.dumps(value).decode() for name, value in parameters.items()}


def request_difference(body: bytes, conversation: Conversation, analyst: Analyst) -> str:
    """How a recorded request differs from the one that this conversation makes with `analyst`; empty when it does not.

    A chat-completions body, as sent. The role ``developer`` stands for ``system`` with models that renamed it. A
    request may leave out the response format (not every provider takes one): the prompt holds the schema as well.
    """
    try:
        request = strict_json(body)
    except DecodingError as error:
        return f"the request is {error.message}"
    if not isinstance(request, dict):
        return "the request is no JSON object"
    if not _same_messages(request.get("messages"), [message.wire for message in conversation.messages]):
        return "messages: the recorded prompt is not what these facts and templates render to"
    if request.get("model") != analyst.model:
        return f"model: expected {analyst.model!r}"
    if request.get("response_format", response_format()) != response_format():
        return "response_format: not the schema of an analysis"
    if request.get("stream", False) is not False:
        return "stream: a streamed answer is not recorded exactly"
    if request.pop("tools", []) != [tool_definition(name) for name in conversation.tools]:
        return "tools: not the context tools that this conversation offers"
    if request.pop("tool_choice", None) != conversation.tool_choice:
        return "tool_choice: only after the last turn with tools, and then none"
    return _parameter_difference({name: value for name, value in request.items() if name not in _FIXED}, analyst)


def _parameter_difference(sent: dict[str, JsonValue], analyst: Analyst) -> str:
    if analyst.provider != OPENAI:
        sent = {name: value for name, value in sent.items() if (name, value) not in NOT_AS_SENT.items()}
    for name, value in sent.items():
        if problem := parameter_problem(name, value):
            return problem
    found = as_text(sent)
    for name in sorted(found | analyst.parameters):
        seen, declared = found.get(name, "nothing"), analyst.parameters.get(name, "nothing")
        if seen != declared:
            return f"{name}: {seen} was sent, {declared} is declared"
    return ""


def _same_messages(sent: JsonValue, expected: list[dict[str, JsonValue]]) -> bool:
    if not isinstance(sent, list):
        return False
    return [_with_old_role(message) for message in sent] == expected


def _with_old_role(message: JsonValue) -> JsonValue:
    renamed = isinstance(message, dict) and message.get("role") == "developer"
    return {**message, "role": "system"} if renamed and isinstance(message, dict) else message


def _is_parameter(name: str, value: JsonValue) -> bool:
    if not _NAME.fullmatch(name):
        return False
    if isinstance(value, dict):
        return all(_is_parameter(inner, item) for inner, item in value.items())
    return (
        value is None
        or (isinstance(value, bool | int | float) and abs(value) < 2**53)  # neither NaN nor infinity
        or (isinstance(value, str) and bool(_WORD.fullmatch(value)))
    )
