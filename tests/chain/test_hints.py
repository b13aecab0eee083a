"""Announcements of new blocks: a hint, from a node that may say anything or nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from websockets.sync.server import ServerConnection, serve

from pnyx_tools.follow import Hints
from pnyx_tools.testing.anvil import Anvil

SECONDS = 20.0


@contextmanager
def hints(url: str) -> Iterator[threading.Event]:
    woken = threading.Event()
    thread = Hints(url, woken.set)
    thread.start()
    try:
        yield woken
    finally:
        thread.stop()
        thread.join(SECONDS)
        assert not thread.is_alive()


@contextmanager
def server(behave: Callable[[ServerConnection], None]) -> Iterator[str]:
    with serve(behave, "127.0.0.1", 0) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"ws://127.0.0.1:{running.socket.getsockname()[1]}"
        running.shutdown()


def test_a_new_block_wakes():
    with Anvil() as node, hints(node.websocket_url) as woken:
        deadline = time.monotonic() + SECONDS
        while not woken.is_set() and time.monotonic() < deadline:
            node.mine()
            woken.wait(0.1)
        assert woken.is_set()


def test_nothing_that_is_announced_is_read():
    def nonsense(connection: ServerConnection) -> None:
        connection.recv()
        connection.send("no subscription")
        connection.send(b"\xff\x00 not even text")
        connection.recv(timeout=SECONDS)

    with server(nonsense) as url, hints(url) as woken:
        assert woken.wait(SECONDS)


def test_a_connection_that_breaks_is_made_again():
    connections = []

    def breaks(connection: ServerConnection) -> None:
        connections.append(connection)
        connection.recv()
        connection.send("{}")
        if len(connections) > 1:
            connection.send("{}")
            connection.recv(timeout=SECONDS)

    with server(breaks) as url, hints(url) as woken:
        assert woken.wait(SECONDS)
    assert len(connections) > 1


def test_an_endpoint_that_is_away_is_told_once_without_its_url(caplog: pytest.LogCaptureFixture):
    with hints("ws://127.0.0.1:9/secret-key") as woken:
        assert not woken.wait(2.5)
    told = [record.getMessage() for record in caplog.records if record.name == "pnyx.follow"]
    assert told == ["no hints of new blocks; polling goes on"]
    assert "secret-key" not in caplog.text
