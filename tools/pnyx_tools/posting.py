"""HTTP as JSON-RPC needs it: a body goes to one endpoint, an answer comes back, connections stay open.

A chain is read in thousands of small questions, and some answers of megabytes. The standard library's client takes a
third of the processor's time that httpx takes for a small question, and reads a large answer into its place in a few
long reads, during each of which other threads work. What is trusted (certificates) and what the environment says of
proxies (``HTTPS_PROXY``, ``HTTP_PROXY``, ``ALL_PROXY``, ``NO_PROXY``) is as with httpx.
"""

from __future__ import annotations

import base64
import io
import logging
import select
import socket
import ssl
import time
import zlib
from collections import deque
from dataclasses import dataclass, field
from email.message import Message
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, quote, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from pnyx_contracts.errors import UsageError

if TYPE_CHECKING:
    from typing_extensions import Buffer

READ_BYTES: Final = 2**16
"""At once, of an answer whose length nobody said."""
IDLE_SECONDS: Final = 5.0
"""So long a connection is kept that nobody uses; many servers give theirs up a little later."""
MOST_IDLE: Final = 20
_GZIP: Final = 16 + zlib.MAX_WBITS
_AS_IT_IS: Final = "/%:@!$&'()*+,;=?~"
"""What stays unquoted in a path and a query."""

# httpx, with which others of ours post, logs every URL at INFO, and a URL is often the key itself.
logging.getLogger("httpx").setLevel(logging.WARNING)

PROBLEMS: Final = (OSError, HTTPException)
"""What `post` raises when no whole answer came; `TimeoutError`, an OSError, when none came in time."""


class TooLongError(Exception):
    """The answer is longer than asked for."""


@dataclass(frozen=True, slots=True)
class Posted:
    """An answer."""

    status: int
    headers: Message
    body: bytes | bytearray


@dataclass(slots=True)
class _Line:
    """One connection, and since when nobody uses it (by `time.monotonic`)."""

    connection: HTTPConnection
    idle_since: float = field(default_factory=time.monotonic)

    def is_fresh(self) -> bool:
        """What can be read from it although nothing was asked is its end."""
        poll = select.poll()
        poll.register(self.connection.sock, select.POLLIN)
        return time.monotonic() - self.idle_since < IDLE_SECONDS and not poll.poll(0)


class Poster:
    """One endpoint. Safe to share between threads."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        """Raises `UsageError` for a URL, or a proxy of the environment, that cannot be used."""
        parts = urlsplit(url)
        try:
            self._host = (parts.hostname or "").encode("idna").decode("ascii")
            port = parts.port
        except ValueError:
            raise UsageError("host or port of the RPC endpoint's URL cannot be read") from None
        self._is_tls = parts.scheme == "https"
        self._port = port or (443 if self._is_tls else 80)
        self._timeout_seconds = timeout_seconds
        # Certificates take longer to load than a local node to answer.
        self._context = _trust() if self._is_tls else None
        self._proxy = _proxy_for(parts.scheme, self._host)
        self._head = _head(parts, self._host, self._proxy)
        self._idle: deque[_Line] = deque(maxlen=MOST_IDLE)

    def close(self) -> None:
        while self._idle:
            self._idle.pop().connection.close()

    def post(self, body: bytes, limit: int) -> Posted:
        """`limit` in bytes. Raises `PROBLEMS` and `TooLongError`."""
        deadline = time.monotonic() + self._timeout_seconds
        connection = self._connected()
        try:
            sock: socket.socket = connection.sock
            sock.settimeout(self._timeout_seconds)
            sock.sendall(b"%sContent-Length: %d\r\n\r\n%s" % (self._head, len(body), body))
            arriving: Any = _Arriving(sock, deadline)  # a response takes no more of a socket than this has
            with HTTPResponse(arriving, method="POST") as response:
                response.begin()
                posted = Posted(response.status, response.headers, _body(response, limit))
        except BaseException:
            connection.close()
            raise
        if response.will_close:
            connection.close()
        else:
            self._idle.append(_Line(connection))
        return posted

    def _connected(self) -> HTTPConnection:
        while self._idle:
            try:
                line = self._idle.pop()
            except IndexError:  # another thread took it
                break
            if line.is_fresh():
                return line.connection
            line.connection.close()
        connection = self._new()
        connection.connect()
        return connection

    def _new(self) -> HTTPConnection:
        host, port = (self._host, self._port) if self._proxy is None else (self._proxy.host, self._proxy.port)
        if self._context is None:
            return HTTPConnection(host, port, timeout=self._timeout_seconds)
        connection = HTTPSConnection(host, port, timeout=self._timeout_seconds, context=self._context)
        if self._proxy is not None:
            connection.set_tunnel(self._host, self._port, self._proxy.headers)
        return connection


@dataclass(frozen=True, slots=True)
class _Proxy:
    host: str
    port: int
    headers: dict[str, str]


def _proxy_for(scheme: str, host: str) -> _Proxy | None:
    proxies = getproxies()
    url = proxies.get(scheme) or proxies.get("all")
    if not url or proxy_bypass(host):
        return None
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme != "http" or not parts.hostname:
        raise UsageError(
            f"the environment names a proxy of a kind that is not supported: {parts.scheme[:20]}",
            hint="expected http://host:port; NO_PROXY names the hosts that need none",
        )
    words = {} if parts.username is None else {"Proxy-Authorization": _basic(parts.username, parts.password or "")}
    return _Proxy(parts.hostname, parts.port or 80, words)


def _trust() -> ssl.SSLContext:
    """As httpx does: the certificates of certifi, or those that ``SSL_CERT_FILE`` or ``SSL_CERT_DIR`` name."""
    import httpx

    return httpx.create_ssl_context()


def _head(url: SplitResult, host: str, proxy: _Proxy | None) -> bytes:
    """Of every request, up to its length."""
    place = f"[{host}]" if ":" in host else host
    headers = {
        "Host": place if url.port is None else f"{place}:{url.port}", "Accept": "*/*", "Accept-Encoding": "gzip",
        "Content-Type": "application/json", "User-Agent": "pnyx",
    }  # fmt: skip
    if url.username or url.password:
        headers["Authorization"] = _basic(url.username or "", url.password or "")
    target = quote(url.path or "/", _AS_IT_IS) + (f"?{quote(url.query, _AS_IT_IS)}" if url.query else "")
    if proxy is not None and url.scheme == "http":
        headers |= proxy.headers
        target = f"http://{headers['Host']}{target}"
    lines = [f"POST {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode()


class _Arriving(io.RawIOBase):
    """What comes out of a socket up to a deadline (by `time.monotonic`), however slowly it comes."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline

    def makefile(self, _mode: str) -> io.BufferedReader:
        """All that an `HTTPResponse` wants of a socket."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        return self._sock.recv_into(buffer)


def _body(response: HTTPResponse, limit: int) -> bytes | bytearray:
    size = response.length
    body = _of_unknown_length(response, limit) if size is None else _of_length(response, size, limit)
    encoding = response.headers.get("Content-Encoding", "identity").lower()
    if encoding == "identity":
        return body
    if encoding != "gzip":
        raise HTTPException(f"an answer in an encoding that was not asked for: {encoding[:20]}")
    return _unzipped(body, limit)


def _of_length(response: HTTPResponse, size: int, limit: int) -> bytearray:
    if size > limit:
        raise TooLongError
    body = bytearray(size)
    if (read := response.readinto(body)) < size:
        raise IncompleteRead(bytes(body[:read]), size - read)
    return body


def _of_unknown_length(response: HTTPResponse, limit: int) -> bytearray:
    body = bytearray()
    while some := response.read1(READ_BYTES):
        body += some
        if len(body) > limit:
            raise TooLongError
    return body


def _unzipped(body: bytearray, limit: int) -> bytes:
    unzip = zlib.decompressobj(_GZIP)
    try:
        plain = unzip.decompress(body, limit + 1)
    except zlib.error as error:
        raise HTTPException(f"garbled gzip: {error}") from None
    if len(plain) > limit:
        raise TooLongError
    if not unzip.eof:
        raise HTTPException("gzip that ends too early")
    return plain
