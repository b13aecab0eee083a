"""Serves the members' page to the browser of this machine, and a folder of evidence beside it when asked.

The page is a handful of static files and works from any other file host as well. Nothing here reads a chain.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from pnyx_contracts.errors import UsageError

HOST = "127.0.0.1"
EVIDENCE = "/evidence/"

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
}
_EVIDENCE_FILE = re.compile(re.escape(EVIDENCE) + r"([0-9a-f]{64}\.json)")
_HEADERS = {
    # What the page says of itself, and what it cannot say there: nobody shows it inside of a page of theirs.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; connect-src http: https:; "
        "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types pnyx"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def page_files() -> dict[str, Traversable]:
    """The built page, by path. Raises `UsageError` where nobody built it."""
    folder = files("pnyx_agents").joinpath("page")
    found = {f"/{file.name}": file for file in folder.iterdir()} if folder.is_dir() else {}
    if "/index.html" not in found:
        raise UsageError(
            "the members' page is not built here", hint="python3 dev.py setup in the clone, then install it again"
        )
    return {"/": found["/index.html"], **found}


def explorer_server(port: int, evidence: Path | None) -> ThreadingHTTPServer:
    """Bound, not yet serving. Raises `UsageError` when the port or the folder cannot be had."""
    if evidence is not None and not evidence.is_dir():
        raise UsageError(
            f"{evidence} is no folder", hint="name the folder that has the agent's evidence: --evidence DIR"
        )
    try:
        return _Server((HOST, port), partial(_Handler, page_files(), evidence))
    except OSError as error:
        raise UsageError(
            f"port {port} cannot be used: {error.strerror}", hint="another one: --port 0 finds one"
        ) from error


def address_of(server: ThreadingHTTPServer, rpc: str | None, log: str | None, evidence: bool, upto: str | None) -> str:
    """What to open in a browser; with the log and the endpoint it leads straight to the agents."""
    base = f"http://{HOST}:{server.server_port}/"
    options = {"evidence": f"{base.rstrip('/')}{EVIDENCE}"} if evidence else {}
    options |= {"upto": upto} if upto else {}
    query = f"?{urlencode(options)}" if options else ""
    if not (rpc or log or query):
        return base
    return f"{base}#/{quote(rpc or '-', safe='')}/{log or '-'}{query}"


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as the base class has it
        """A browser that goes away in the middle of an answer is no error."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """Only files of a fixed list, and evidence by its name: no path from a request reaches the file system."""

    protocol_version = "HTTP/1.1"
    server_version = "pnyx"
    sys_version = ""

    def __init__(self, page: Mapping[str, Traversable], evidence: Path | None, *args: object) -> None:
        self._page = page
        self._evidence = evidence
        super().__init__(*args)  # type: ignore[arg-type]  # passed on as they came

    def do_GET(self) -> None:
        if not self._is_for_us():
            self._answer(421, b"", ".html")
            return
        path = self.path.partition("?")[0]
        file = self._page.get(path) or self._evidence_file(path)
        try:
            content = file.read_bytes() if file is not None else None
        except OSError:
            content = None
        if content is None:
            self._answer(404, b"there is no such file", ".html")
        else:
            self._answer(200, content, Path(file.name if file is not None else "").suffix)

    do_HEAD = do_GET  # noqa: N815 - name of the base class

    def _is_for_us(self) -> bool:
        """Another name that leads here (DNS rebinding) would let a foreign page read the evidence."""
        return self.headers.get("Host", "").rpartition(":")[0] in {HOST, "localhost"}

    def _evidence_file(self, path: str) -> Path | None:
        found = _EVIDENCE_FILE.fullmatch(path)
        return self._evidence / found.group(1) if self._evidence is not None and found else None

    def _answer(self, status: int, content: bytes, suffix: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", _TYPES.get(suffix, "application/octet-stream"))
        self.send_header("Content-Length", str(len(content)))
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Quiet: what a member reads is nobody's business."""
