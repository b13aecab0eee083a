"""A small real server that speaks the OpenAI protocol from a script. It is no model: it answers what it was told to.

For tests, and for people who want to see the whole way of a proposal without a model:

    with OpenAIServer([refusal(), answer(analysis)]) as server:
        settings = ModelSettings(model="scripted", base_url=server.base_url, api_key_env="")

Every request is kept as it came, byte by byte (`server.requests`). The last reply of the script repeats.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pnyx_policies.analysis import Analysis, Recommendation
from pnyx_tools.testing.serving import Answer, Asked, HttpServer

MODEL = "scripted"
Script = Answer | Callable[[Asked], Answer]
"""A reply, or a function that makes one for the request."""


def completion(
    content: str | None, *, finish_reason: str = "stop", refusal: str | None = None, model: str = MODEL
) -> Answer:
    """A chat completion with one choice."""
    body = {
        "id": "chatcmpl-scripted",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": content, "refusal": refusal},
                "finish_reason": finish_reason,
                "logprobs": None,
            }
        ],
        "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
    }
    return Answer.of(body, headers={"x-request-id": "req-scripted"})


def calls(*tools: str, arguments: str = "{}", **message: object) -> Answer:
    """One turn that calls these tools; `message` replaces or adds fields of the message."""
    asked = [
        {"id": f"call_{number}", "type": "function", "function": {"name": tool, "arguments": arguments}}
        for number, tool in enumerate(tools)
    ]
    reply = completion(None, finish_reason="tool_calls")
    body = json.loads(reply.body)
    body["choices"][0]["message"].update({"tool_calls": asked, **message})
    return replace(reply, body=json.dumps(body).encode())


def answer(analysis: Analysis | Mapping[str, Any]) -> Answer:
    """The analysis as a model would give it; a mapping goes out as it is, valid or not."""
    value = analysis.model_dump(mode="json") if isinstance(analysis, Analysis) else analysis
    return completion(json.dumps(value))


def plain(text: str) -> Answer:
    """Words where JSON was asked for."""
    return completion(text)


def truncated(analysis: Analysis) -> Answer:
    """The first half of a good answer, under a finish reason that claims it was whole."""
    text = analysis.model_dump_json()
    return completion(text[: len(text) // 2])


def length(analysis: Analysis) -> Answer:
    """The first half of a good answer, stopped by the limit on output."""
    text = analysis.model_dump_json()
    return completion(text[: len(text) // 2], finish_reason="length")


def refusal(words: str = "I can't help with that.") -> Answer:
    return completion(None, refusal=words)


def content_filter() -> Answer:
    return completion("", finish_reason="content_filter")


def error(status: int, message: str = "scripted error", **headers: str) -> Answer:
    """An HTTP error. Header names are given with underscores: ``retry_after="1"``."""
    body = {"error": {"message": message, "type": "scripted", "code": None}}
    return Answer.of(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


def slow(seconds: float, reply: Answer) -> Answer:
    return replace(reply, hang_seconds=seconds)


def dropped() -> Answer:
    """No answer: the connection is closed."""
    return Answer(is_reset=True)


_DEFAULT = answer(
    Analysis(
        summary="This answer was scripted by a test server. No language model read the proposal.",
        key_points=(),
        stated_intent="Not read.",
        claimed_effects=(),
        risks=(),
        recommendation=Recommendation.HOLD,
        confidence_percent=0,
    )
)


class OpenAIServer(HttpServer):
    """The server, on a free port of the loopback interface, from entering the context to leaving it.

    With `api_key`, requests that do not carry it are answered with 401 and use up no reply.
    """

    def __init__(self, replies: Sequence[Script] = (_DEFAULT,), *, api_key: str = "") -> None:
        if not replies:
            raise ValueError("a script needs at least one reply")
        super().__init__()
        self.requests: list[Asked] = []
        self._replies = list(replies)
        self._next = 0
        self._api_key = api_key
        self._lock = threading.Lock()

    @property
    def base_url(self) -> str:
        """For `ModelSettings.base_url`."""
        return f"{self.url}/v1"

    def answer(self, asked: Asked) -> Answer:
        with self._lock:
            self.requests.append(asked)
        if self._api_key and asked.headers.get("authorization") != f"Bearer {self._api_key}":
            return error(401, "wrong API key")
        if asked.method == "GET" and asked.path == "/v1/models":
            return Answer.of({"object": "list", "data": [{"id": MODEL, "object": "model"}]})
        if asked.method != "POST" or asked.path != "/v1/chat/completions":
            return error(404, "only GET /v1/models and POST /v1/chat/completions")
        script = self._take()
        return script(asked) if callable(script) else script

    def _take(self) -> Script:
        with self._lock:
            script = self._replies[min(self._next, len(self._replies) - 1)]
            self._next += 1
            return script
