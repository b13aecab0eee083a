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
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from pnyx_policies.analysis import Analysis, Recommendation

MODEL = "scripted"


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer. `delay_seconds` passes before it; `dropped` closes the connection instead of answering."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_seconds: float = 0
    dropped: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came. Header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever the client sent
        return json.loads(self.body)


Script = Reply | Callable[[Received], Reply]
"""A reply, or a function that makes one for the request."""


def completion(
    content: str | None, *, finish_reason: str = "stop", refusal: str | None = None, model: str = MODEL
) -> Reply:
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
    return Reply(json.dumps(body).encode(), headers={"x-request-id": "req-scripted"})


def calls(*tools: str, arguments: str = "{}", **message: object) -> Reply:
    """One turn that calls these tools; `message` replaces or adds fields of the message."""
    asked = [
        {"id": f"call_{number}", "type": "function", "function": {"name": tool, "arguments": arguments}}
        for number, tool in enumerate(tools)
    ]
    reply = completion(None, finish_reason="tool_calls")
    body = json.loads(reply.body)
    body["choices"][0]["message"].update({"tool_calls": asked, **message})
    return replace(reply, body=json.dumps(body).encode())


def answer(analysis: Analysis | Mapping[str, Any]) -> Reply:
    """The analysis as a model would give it; a mapping goes out as it is, valid or not."""
    value = analysis.model_dump(mode="json") if isinstance(analysis, Analysis) else analysis
    return completion(json.dumps(value))


def plain(text: str) -> Reply:
    """Words where JSON was asked for."""
    return completion(text)


def truncated(analysis: Analysis) -> Reply:
    """The first half of a good answer, under a finish reason that claims it was whole."""
    text = analysis.model_dump_json()
    return completion(text[: len(text) // 2])


def length(analysis: Analysis) -> Reply:
    """The first half of a good answer, stopped by the limit on output."""
    text = analysis.model_dump_json()
    return completion(text[: len(text) // 2], finish_reason="length")


def refusal(words: str = "I can't help with that.") -> Reply:
    return completion(None, refusal=words)


def content_filter() -> Reply:
    return completion("", finish_reason="content_filter")


def error(status: int, message: str = "scripted error", **headers: str) -> Reply:
    """An HTTP error. Header names are given with underscores: ``retry_after="1"``."""
    body = {"error": {"message": message, "type": "scripted", "code": None}}
    return Reply(json.dumps(body).encode(), status, {name.replace("_", "-"): value for name, value in headers.items()})


def rate_limited(retry_after_seconds: int) -> Reply:
    return error(429, "slow down", retry_after=str(retry_after_seconds))


def slow(seconds: float, reply: Reply) -> Reply:
    return replace(reply, delay_seconds=seconds)


def dropped() -> Reply:
    """No answer: the connection is closed."""
    return Reply(dropped=True)


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


class OpenAIServer:
    """The server, on a free port of the loopback interface, from entering the context to leaving it.

    With `api_key`, requests that do not carry it are answered with 401 and use up no reply.
    """

    def __init__(self, replies: Sequence[Script] = (_DEFAULT,), *, api_key: str = "") -> None:
        if not replies:
            raise ValueError("a script needs at least one reply")
        self.requests: list[Received] = []
        self._replies = list(replies)
        self._next = 0
        self._api_key = api_key
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def base_url(self) -> str:
        """For `ModelSettings.base_url`."""
        return f"http://127.0.0.1:{self._http.server_port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def reply_to(self, request: Received) -> Reply:
        """The answer to one request; what a subclass would change."""
        with self._lock:
            self.requests.append(request)
        if self._api_key and request.headers.get("authorization") != f"Bearer {self._api_key}":
            return error(401, "wrong API key")
        if request.method == "GET" and request.path == "/v1/models":
            return Reply(json.dumps({"object": "list", "data": [{"id": MODEL, "object": "model"}]}).encode())
        if request.method != "POST" or request.path != "/v1/chat/completions":
            return error(404, "only GET /v1/models and POST /v1/chat/completions")
        script = self._take()
        return script(request) if callable(script) else script

    def wait(self, seconds: float) -> None:
        """Sleep, but not beyond the end of the server."""
        self._closing.wait(seconds)

    def _take(self) -> Script:
        with self._lock:
            script = self._replies[min(self._next, len(self._replies) - 1)]
            self._next += 1
            return script


def _handler(server: OpenAIServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = server.reply_to(Received(self.command, self.path, headers, body))
            if reply.delay_seconds:
                server.wait(reply.delay_seconds)
            if reply.dropped:
                self.close_connection = True
                return
            self._send(reply)

        def _send(self, reply: Reply) -> None:
            try:
                self.send_response(reply.status)
                for name, value in {"content-type": "application/json", **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the client did not wait for a slow answer

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class names it so
            """Silent: what came is in `OpenAIServer.requests`."""

    return Handler
