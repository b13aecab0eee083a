"""Places and files made to exhaust whoever checks them. Bounded are memory, processor time, and what a server gets to
do.
"""

from __future__ import annotations

import gzip
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pydantic import ValidationError

from pnyx_contracts.canonical import MAX_KEYS, MAX_VALUES, parse_json
from pnyx_contracts.errors import DecodingError, UnreachableError
from pnyx_contracts.types import Value
from pnyx_tools.evidence import MAX_FILE_BYTES, MAX_REDIRECTS, HttpStore

# --- files -----------------------------------------------------------------------------------------------------------

READER = """
    import resource, sys
    from pnyx_contracts.errors import PnyxError
    from pnyx_policies.bundle import open_bundle
    from pnyx_policies.configuration import Configuration
    data = open(sys.argv[1], "rb").read()
    resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
    resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
    for read in (lambda: open_bundle(bytes(32), data), lambda: Configuration.parse(data)):
        try:
            read()
        except PnyxError as error:
            print(type(error).__name__, len(str(error)) < 1000)
"""


def _items(start: str, item: str, end: str, count: int | None = None) -> str:
    most = (MAX_FILE_BYTES - len(start) - len(end)) // (len(item) + 1)
    return start + ",".join([item] * (most if count is None else count)) + end


def _keys(start: str, end: str, count: int) -> str:
    return start + ",".join(f'"{number}":0' for number in range(count)) + end


def _bundle(field: str, item: str) -> str:
    """Sound but for one field, a list of as many wrong items as a record may hold values."""
    word = f'"0x{"00" * 32}"'
    lists = f'"{field}":[]' if field in {"attempts", "rules"} else ""
    head = f'{{"format":"pnyx.bundle.v1","record_root":{word},"leaves":[{",".join([word] * 16)}],"fields":{{"{field}":['
    salts = f'"salts":{{"{field}":{word},"reserved":{word}}},"item_salts":{{{lists}}}'
    tail = f']}},{salts},"bodies":{{}},"prompt_hash":{word},"prompt_salt":null}}'
    return _items(head, item, tail, MAX_VALUES // 2 - 100)


SHAPES: dict[str, Callable[[], str]] = {
    "leaves": lambda: _items('{"format":"pnyx.bundle.v1","leaves":[', "0", "]}"),
    "as many leaves as values are allowed": lambda: _items('{"leaves":[', "0", "]}", MAX_VALUES - 9),
    "item salts": lambda: _items('{"item_salts":{"rules":[', "0", "]}}", MAX_VALUES - 9),
    "salts": lambda: _keys('{"salts":{', "}}", MAX_KEYS),
    "bodies": lambda: _keys('{"bodies":{', "}}", MAX_KEYS),
    "objects": lambda: _items('{"fields":{"x":[', "{}", "]}}"),
    "attempts": lambda: _bundle("attempts", "{}"),
    "context": lambda: _bundle("context", "{}"),
    "calls": lambda: _bundle("calls", "{}"),
    "many keys": lambda: _keys("{", "}", 1_000_000),
    "a late key twice": lambda: _keys("{", ',"9998":0}', MAX_KEYS - 1),
    "the same key": lambda: _items("{", '"a":0', "}"),
    "nested": lambda: "[" * MAX_FILE_BYTES,
    "nested objects": lambda: '{"a":' * (MAX_FILE_BYTES // 5),
    "a huge integer": lambda: '{"leaves":[' + "9" * (MAX_FILE_BYTES - 20) + "]}",
    "a huge amount": lambda: '{"agent":"' + "9" * (MAX_FILE_BYTES - 20) + '"}',
    "a string without end": lambda: '{"' + "\\\\" * (MAX_FILE_BYTES // 2 - 2),
    "wide characters": lambda: '{"agent":"' + "\U0001f600" * (MAX_FILE_BYTES // 4 - 10) + '"}',
    "governors": lambda: _items('{"agent":"a","governors":[', "0", "]}", MAX_VALUES - 9),
    "checks": lambda: _keys('{"checks":{', "}}", MAX_KEYS),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_hostile_file_is_one_short_message(tmp_path: Path, shape: Callable[[], str]) -> None:
    """In a process that may use a gigabyte and twenty seconds; the interpreter and its libraries take a third of it."""
    path = tmp_path / "file.json"
    path.write_text(shape())
    assert path.stat().st_size <= MAX_FILE_BYTES
    command = [sys.executable, "-c", textwrap.dedent(READER), str(path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    expected = "ChangedBundleError True\nDecodingError True\n"
    assert (ended.returncode, ended.stdout) == (0, expected), ended.stderr[-500:]


def test_the_limits_are_where_they_are_said_to_be() -> None:
    assert len(parse_json(_items("[", "0", "]", MAX_VALUES).encode())) == MAX_VALUES
    with pytest.raises(DecodingError, match="more than 500000 values"):
        parse_json(_items("[", "0", "]", MAX_VALUES + 1).encode())
    assert len(parse_json(_keys("{", "}", MAX_KEYS).encode())) == MAX_KEYS
    with pytest.raises(DecodingError, match="more than 10000 keys"):
        parse_json(_keys("{", "}", MAX_KEYS + 1).encode())
    with pytest.raises(DecodingError, match="'9998' stands there twice"):
        parse_json(_keys("{", ',"9998":0}', MAX_KEYS - 1).encode())


class Inner(Value):
    numbers: tuple[int, ...]


class Outer(Value):
    inner: tuple[Inner, ...]
    by_name: dict[str, tuple[int, ...]]


def test_a_list_ends_at_its_first_wrong_item() -> None:
    wrong = ["x"] * 1000
    with pytest.raises(ValidationError) as raised:
        Outer.model_validate({"inner": [{"numbers": wrong}] * 1000, "by_name": {"a": wrong, "b": wrong}})
    assert raised.value.error_count() == 3


# --- places ----------------------------------------------------------------------------------------------------------


class Hostile(BaseHTTPRequestHandler):
    """Counts what it gets to do. `mode` says how it misbehaves."""

    mode = ""
    requests = 0
    pieces = 0
    left: threading.Event
    """The reader went away before the end."""

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        type(self).requests += 1
        try:
            getattr(self, self.mode)()
        except OSError:
            self.left.set()

    def _say(self, piece: bytes) -> None:
        self.wfile.write(piece)
        self.wfile.flush()
        type(self).pieces += 1

    def _drip(self, piece: bytes) -> None:
        """Until the reader leaves: one that stays is answered well after a minute."""
        for _ in range(600):
            self._say(piece)
            time.sleep(0.1)

    def headers_for_ever(self) -> None:
        self._say(b"HTTP/1.1 200 OK\r\n")
        self._drip(b"X-A: b\r\n")
        self._say(b"Content-Length: 2\r\n\r\n{}")

    def body_for_ever(self) -> None:
        self.send_response(200)
        self.end_headers()
        self._drip(b" ")

    def slow_redirects(self) -> None:
        """Each is answered well within any limit for one answer."""
        self._say(b"HTTP/1.1 302 Found\r\n")
        time.sleep(0.3)
        self._say(b"Location: /again\r\nContent-Length: 0\r\n\r\n")

    def redirects(self) -> None:
        self.send_response(302)
        self.send_header("Location", f"/{type(self).requests}")
        self.end_headers()

    def packed(self) -> None:
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self._say(gzip.compress(b"{}"))

    def packed_redirects(self) -> None:
        """Each unpacks into a gigabyte."""
        self.send_response(302)
        self.send_header("Location", "/there")
        self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        piece = gzip.compress(bytes(2**24))
        for _ in range(64):
            self._say(piece)

    def too_much(self) -> None:
        self.send_response(200)
        self.end_headers()
        while True:
            self._say(bytes(2**20))


@pytest.fixture
def place(request: pytest.FixtureRequest) -> Iterator[tuple[type[Hostile], str]]:
    handler = type("Handler", (Hostile,), {"mode": request.param, "left": threading.Event()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield handler, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def given_up(url: str) -> None:
    with pytest.raises(UnreachableError, match=r"not there after 0\.5 seconds, given up"):
        HttpStore(url).get_bundle(bytes(32))


@pytest.mark.parametrize("place", ["headers_for_ever", "body_for_ever"], indirect=True)
def test_an_answer_that_drips_is_given_up(place: tuple[type[Hostile], str], monkeypatch: pytest.MonkeyPatch) -> None:
    """No single silence is too long, and the reader leaves before the server is done."""
    handler, url = place
    monkeypatch.setattr("pnyx_tools.evidence.http._FETCH_SECONDS", 0.5)
    given_up(url)
    assert handler.left.wait(30)
    assert handler.pieces < 600


@pytest.mark.parametrize("place", ["slow_redirects"], indirect=True)
def test_redirects_have_no_time_of_their_own(place: tuple[type[Hostile], str], monkeypatch: pytest.MonkeyPatch) -> None:
    handler, url = place
    monkeypatch.setattr("pnyx_tools.evidence.http._FETCH_SECONDS", 0.5)
    given_up(url)
    assert handler.requests <= MAX_REDIRECTS, "all of them would take longer"


@pytest.mark.parametrize("place", ["redirects"], indirect=True)
def test_redirects_are_counted(place: tuple[type[Hostile], str]) -> None:
    handler, url = place
    with pytest.raises(UnreachableError, match=f"more than {MAX_REDIRECTS} redirects"):
        HttpStore(url).get_configuration(bytes(32))
    assert handler.requests == MAX_REDIRECTS + 1


@pytest.mark.parametrize("place", ["packed"], indirect=True)
def test_a_packed_answer_is_not_unpacked(place: tuple[type[Hostile], str]) -> None:
    with pytest.raises(UnreachableError, match=r"packed \('gzip'\)"):
        HttpStore(place[1]).get_bundle(bytes(32))


FETCHER = """
    import resource, sys
    import asyncio, httpx
    from pnyx_contracts.errors import UnreachableError
    from pnyx_tools.evidence import HttpStore
    resource.setrlimit(resource.RLIMIT_DATA, (2**28, 2**28))
    resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
    try:
        HttpStore(sys.argv[1]).get_bundle(bytes(32))
    except UnreachableError as error:
        print(error.message)
"""


@pytest.mark.parametrize("place", ["too_much", "packed_redirects"], indirect=True)
def test_a_place_cannot_fill_the_memory(place: tuple[type[Hostile], str]) -> None:
    handler, url = place
    command = [sys.executable, "-c", textwrap.dedent(FETCHER), url]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "given up" in ended.stdout, ended.stderr[-500:]
    assert handler.pieces < 300
