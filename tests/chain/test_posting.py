"""HTTP to an endpoint, whatever stands between it and us."""

from __future__ import annotations

import base64
import gzip
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import pytest

from pnyx_contracts.errors import UsageError
from pnyx_tools.posting import PROBLEMS, Poster, TooLongError
from pnyx_tools.testing.serving import Answer, Asked, HttpServer

LIMIT = 1_000_000
BODY = b'{"jsonrpc":"2.0","id":1,"result":"0x1"}'


class Endpoint(HttpServer):
    """Gives `reply`, and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.reply = Answer(BODY)
        self.asked: list[Asked] = []

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        return self.reply


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as running:
        yield running


@pytest.fixture(autouse=True)
def _without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def posted(url: str, *, limit: int = LIMIT, timeout_seconds: float = 20) -> bytes:
    poster = Poster(url, timeout_seconds)
    try:
        return bytes(poster.post(b"[]", limit).body)
    finally:
        poster.close()


@contextmanager
def raw_server(reply: Callable[[socket.socket], None]) -> Iterator[str]:
    """Whatever `reply` sends to each connection, however little it is HTTP."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65_536)
                reply(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def test_the_path_the_query_and_the_password_of_a_url_go_along(endpoint: Endpoint):
    host = urlsplit(endpoint.url).netloc
    assert posted(f"http://some%20body:pass%40word@{host}/v3/k%C3%A9y ä?token=a b&c=%2F") == BODY
    (asked,) = endpoint.asked
    assert (asked.method, asked.path) == ("POST", "/v3/k%C3%A9y%20%C3%A4?token=a%20b&c=%2F")
    assert asked.headers["host"] == host
    assert asked.headers["content-type"] == "application/json"
    assert base64.b64decode(asked.headers["authorization"].removeprefix("Basic ")) == b"some body:pass@word"
    assert asked.body == b"[]"


def test_connections_stay_open_and_a_dead_one_is_replaced():
    connections: list[int] = []

    def answer_once(connection: socket.socket) -> None:
        connections.append(1)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        if len(connections) == 1:  # a second question on the same connection, then it is closed
            connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]")

    with raw_server(answer_once) as url:
        poster = Poster(url, 20)
        assert [bytes(poster.post(b"[]", LIMIT).body) for _ in range(2)] == [b"{}", b"[]"]
        (line,) = poster._idle
        assert select.select([line.connection.sock], [], [], 60)[0], "the news of its end takes a moment"
        assert bytes(poster.post(b"[]", LIMIT).body) == b"{}"
        assert len(connections) == 2
        poster.close()


def test_many_threads_share_one(endpoint: Endpoint):
    poster, found = Poster(endpoint.url, 20), list[bytes]()
    threads = [threading.Thread(target=lambda: found.append(bytes(poster.post(b"[]", LIMIT).body))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [BODY] * 16
    poster.close()


def chunked(*chunks: bytes) -> bytes:
    parts = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))
    return b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + parts


@pytest.mark.parametrize(
    "sent",
    [
        chunked(BODY[:7], BODY[7:]),
        b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" + BODY,
        b"HTTP/1.0 200 OK\r\n\r\n" + BODY,
    ],
)
def test_answers_without_a_length(sent: bytes):
    with raw_server(lambda connection: connection.sendall(sent)) as url:
        assert posted(url) == BODY
        with pytest.raises(TooLongError):
            posted(url, limit=len(BODY) - 1)


def test_zipped_answers(endpoint: Endpoint):
    headers = {"content-encoding": "gzip"}
    endpoint.reply = Answer(gzip.compress(BODY), headers=headers)
    assert endpoint.asked == []
    assert posted(endpoint.url) == BODY
    assert endpoint.asked[0].headers["accept-encoding"] == "gzip"
    endpoint.reply = Answer(gzip.compress(bytes(10**8)), headers=headers)
    with pytest.raises(TooLongError):
        posted(endpoint.url)
    for broken in (gzip.compress(BODY)[:-9], b"no gzip at all"):
        endpoint.reply = Answer(broken, headers=headers)
        with pytest.raises(PROBLEMS, match="gzip"):
            posted(endpoint.url)
    endpoint.reply = Answer(BODY, headers={"content-encoding": "br"})
    with pytest.raises(PROBLEMS, match="not asked for: br"):
        posted(endpoint.url)


def test_too_long_an_answer_is_not_read(endpoint: Endpoint):
    endpoint.reply = Answer(bytes(LIMIT + 1))
    with pytest.raises(TooLongError):
        posted(endpoint.url)
    endpoint.reply = Answer(bytes(LIMIT))
    assert len(posted(endpoint.url)) == LIMIT


@pytest.mark.parametrize("reply", [Answer(BODY, is_cut=True), Answer(BODY, is_reset=True)])
def test_half_an_answer_is_none(endpoint: Endpoint, reply: Answer):
    endpoint.reply = reply
    with pytest.raises(PROBLEMS):
        posted(endpoint.url)


def test_no_http_at_all():
    with raw_server(lambda connection: connection.sendall(b"SSH-2.0-OpenSSH\r\n")) as url, pytest.raises(PROBLEMS):
        posted(url)


@pytest.mark.parametrize("reply", [Answer(BODY, hang_seconds=30), Answer(BODY, drip_seconds=30)])
def test_an_answer_has_so_much_time_in_all(endpoint: Endpoint, reply: Answer):
    endpoint.reply = reply
    with pytest.raises(TimeoutError):
        posted(endpoint.url, timeout_seconds=1.6)


def test_neither_headers_nor_trailers_go_on_for_ever():
    def endless(start: bytes) -> Callable[[socket.socket], None]:
        def reply(connection: socket.socket) -> None:
            with suppress(OSError):
                connection.sendall(start)
                while True:
                    connection.sendall(b"x: y\r\n")
                    closed.wait(0.05)
                    if closed.is_set():
                        return

        return reply

    for start in (b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n"):
        closed = threading.Event()
        with raw_server(endless(start)) as url:
            with pytest.raises(PROBLEMS):
                posted(url, timeout_seconds=1)
            closed.set()


def test_a_url_that_cannot_be_used():
    for url in ("http://host:99999/", f"http://{'a' * 70}.example/"):
        with pytest.raises(UsageError, match="cannot be read"):
            Poster(url, 1)


# --- proxies of the environment --------------------------------------------------------------------------------------


def test_a_proxy_gets_the_whole_address(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("http_proxy", f"http://us%40er:secret@{urlsplit(endpoint.url).netloc}")
    assert posted("http://node.example:8545/key?a=b") == BODY
    (asked,) = endpoint.asked
    assert asked.path == "http://node.example:8545/key?a=b"
    assert asked.headers["host"] == "node.example:8545"
    assert base64.b64decode(asked.headers["proxy-authorization"].removeprefix("Basic ")) == b"us@er:secret"


def test_a_proxy_makes_a_tunnel_for_tls(monkeypatch: pytest.MonkeyPatch):
    heard: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def refuse() -> None:
        connection, _ = listener.accept()
        with connection:
            heard.append(connection.recv(65_536))
            connection.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")

    thread = threading.Thread(target=refuse)
    thread.start()
    monkeypatch.setenv("https_proxy", f"127.0.0.1:{listener.getsockname()[1]}")
    with pytest.raises(PROBLEMS, match="403"):
        posted("https://node.example/key")
    thread.join()
    listener.close()
    assert heard[0].startswith(b"CONNECT node.example:443 HTTP/1.")
    assert b"key" not in heard[0]


def test_hosts_that_need_no_proxy(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("all_proxy", "http://127.0.0.1:9")
    with pytest.raises(PROBLEMS):
        posted(endpoint.url)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert posted(endpoint.url) == BODY


def test_a_proxy_of_another_kind_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:9")
    with pytest.raises(UsageError, match="not supported: socks5"):
        Poster("http://node.example", 1)
