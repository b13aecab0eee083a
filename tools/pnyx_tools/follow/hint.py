"""New blocks announced over WebSocket (``eth_subscribe newHeads``): a hint to look now, and nothing more.

Subscriptions miss blocks when a connection breaks, and a node may send anything. So nothing of what comes is read but
that something came: what the chain holds, polling tells, which goes on as ever without a hint.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from typing import Final

logger = logging.getLogger("pnyx.follow")

SUBSCRIBE: Final = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]})
LONGEST_MESSAGE_BYTES: Final = 2**20
CONNECT_SECONDS: Final = 10.0
LONGEST_PAUSE_SECONDS: Final = 60.0


class Hints(threading.Thread):
    """Calls `wake` whenever the node announces something. Connects again, ever more patiently, until `stop`."""

    def __init__(self, url: str, wake: Callable[[], None]) -> None:
        super().__init__(name="hints", daemon=True)
        self._url = url
        self._wake = wake
        self._stopping = threading.Event()

    def stop(self) -> None:
        self._stopping.set()

    def run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                self._listen()
                failures = 0
            except Exception as error:  # noqa: BLE001 - whatever it is, polling goes on
                if failures == 0:  # the URL may be a secret, and errors repeat it
                    logger.warning("no hints of new blocks; polling goes on", extra={"error": type(error).__name__})
                failures += 1
            self._stopping.wait(min(2.0**failures, LONGEST_PAUSE_SECONDS))

    def _listen(self) -> None:
        """Until the connection ends, or `stop`."""
        from websockets.sync.client import connect

        with connect(self._url, open_timeout=CONNECT_SECONDS, max_size=LONGEST_MESSAGE_BYTES) as connection:
            connection.send(SUBSCRIBE)
            connection.recv(timeout=CONNECT_SECONDS)  # the subscription's number, or a refusal: no hints come then
            while not self._stopping.is_set():
                try:
                    connection.recv(timeout=1.0)
                except TimeoutError:
                    continue
                self._wake()
