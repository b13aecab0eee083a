"""The HTTP server of all stand-ins. It can do to an answer whatever a network and a provider do."""

from __future__ import annotations

import json
import mimetypes
import socket
import ssl
import struct
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

import httpx

DRIPS: Final = 20
"""Pieces in which a slow answer comes."""
JSON: Final[Mapping[str, str]] = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came. Names of headers in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever the client sent
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back, and how."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)
    hang_seconds: float = 0
    """Before the first byte."""
    drip_seconds: float = 0
    """From the first to the last byte."""
    is_reset: bool = False
    """The connection breaks instead."""
    is_cut: bool = False
    """The connection breaks after half of the body."""

    @classmethod
    def of(cls, value: object, status: int = 200, headers: Mapping[str, str] = {}) -> Answer:
        """The value as JSON; `headers` come on top of what says so."""
        return cls(json.dumps(value).encode(), status, {**JSON, **headers})


def truncated(answer: Answer) -> Answer:
    """The first half, in order as far as HTTP can tell."""
    return replace(answer, body=answer.body[: len(answer.body) // 2])


def throttled(retry_after_seconds: int | None = None) -> Answer:
    headers = {} if retry_after_seconds is None else {"retry-after": str(retry_after_seconds)}
    return Answer.of({"error": {"code": 429, "message": "too many requests", "type": "rate_limit"}}, 429, headers)


def web_page(status: int = 200) -> Answer:
    return Answer(b"<!doctype html><title>Bad gateway</title>", status, {"content-type": "text/html"})


class HttpServer(ABC):
    """``with SomeServer() as server: server.url``, on a free port of the loopback interface. Subclasses `answer`.

    With a `context` it is HTTPS.
    """

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"serving": self}))
        self._scheme = "http" if context is None else "https"
        if context is not None:
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"{self._scheme}://{self.address}"

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @abstractmethod
    def answer(self, asked: Asked) -> Answer:
        """To one request; several come at once."""

    @property
    def is_closed(self) -> bool:
        return self._closing.is_set()

    def wait(self, seconds: float) -> None:
        """Not beyond the end of the server."""
        self._closing.wait(seconds)


class Front(HttpServer):
    """In front of another server: `forward` is its answer."""

    def __init__(self, upstream: str) -> None:
        super().__init__()
        self._upstream = upstream
        self._client = httpx.Client(timeout=60, verify=upstream.startswith("https:"))  # certificates take long to load

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        self._client.close()

    def forward(self, asked: Asked) -> Answer:
        kept = {name: value for name, value in asked.headers.items() if name in {"content-type", "authorization"}}
        got = self._client.request(asked.method, self._upstream + asked.path, content=asked.body, headers=kept)
        return Answer(got.content, got.status_code, {"content-type": got.headers.get("content-type", "")})


class FileServer(HttpServer):
    """The files below a folder, as any host of files gives them."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def answer(self, asked: Asked) -> Answer:
        path = self.folder / urlsplit(asked.path).path.lstrip("/")
        if path.is_dir():
            path /= "index.html"
        if not path.is_file() or not path.resolve().is_relative_to(self.folder.resolve()):
            return web_page(404)
        kind, _ = mimetypes.guess_type(path.name)
        return Answer(path.read_bytes(), headers={"content-type": kind or "application/octet-stream"})


class _Handler(BaseHTTPRequestHandler):
    serving: HttpServer
    protocol_version = "HTTP/1.1"
    wbufsize = 2**16  # head and body of an answer leave together
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        length = int(self.headers.get("content-length", "0"))
        body = self.rfile.read(length)
        if self.serving.is_closed or len(body) < length:  # connections outlive a server; clients are killed
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            self._give(self.serving.answer(Asked(self.command, self.path, headers, body)))
        except (OSError, httpx.HTTPError):
            self.close_connection = True  # the client, or the server behind, is gone

    def _give(self, answer: Answer) -> None:
        self.serving.wait(answer.hang_seconds)
        if answer.is_reset:
            self._reset()
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        if answer.is_cut:
            self.wfile.write(answer.body[: len(answer.body) // 2])
            self._reset()
        elif answer.drip_seconds:
            self._drip(answer)
        else:
            self.wfile.write(answer.body)

    def _drip(self, answer: Answer) -> None:
        size = max(1, len(answer.body) // DRIPS)
        for start in range(0, len(answer.body), size):
            self.serving.wait(answer.drip_seconds / DRIPS)
            self.wfile.write(answer.body[start : start + size])
            self.wfile.flush()

    def _reset(self) -> None:
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - http.server's name
        """Tests want no access log."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that broke off, which ours do when they are killed; what we did wrong is still said."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # passed on as it came
