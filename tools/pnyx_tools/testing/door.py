"""A door in front of a local node: while it mines, nobody reads.

While anvil 1.7 mines a block, an ``eth_call`` at the hash of the one before runs with the new block's clock (about one
in forty does when a block comes every few milliseconds). No real chain answers so, and what an agent reads then is not
what anyone reads later.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from pnyx_tools.testing.serving import Answer, Asked, Front

SENDS: Final = {"eth_sendRawTransaction", "eth_sendTransaction"}
READS: Final = ("eth_", "net_", "web3_", "txpool_")
"""How the names of methods begin that change nothing, but for `SENDS`."""
AUTOMINE: Final = "evm_setAutomine"
MINE_ONE: Final = {"jsonrpc": "2.0", "id": 1, "method": "anvil_mine", "params": ["0x1"]}


class Door(Front):
    """In front of a node that mines only when asked to: after each transaction that it takes, the door asks it, as long
    as ``evm_setAutomine`` does not say otherwise.
    """

    def __init__(self, node: str) -> None:
        super().__init__(node)
        self._passage = _Passage()
        self._mines = True

    def answer(self, asked: Asked) -> Answer:
        request = asked.json
        methods = {question["method"] for question in (request if isinstance(request, list) else [request])}
        if not methods & SENDS and all(method.startswith(READS) for method in methods):
            with self._passage.for_many():
                return self.forward(asked)
        with self._passage.for_one():
            if methods == {AUTOMINE}:
                (self._mines,) = request["params"]
                return Answer.of({"jsonrpc": "2.0", "id": request["id"], "result": None})
            answer = self.forward(asked)
            if self._mines and methods & SENDS and _was_taken(json.loads(answer.body)):
                self.forward(Asked("POST", asked.path, asked.headers, json.dumps(MINE_ONE).encode()))
            return answer


def _was_taken(reply: Any) -> bool:  # noqa: ANN401 - JSON as the node gave it
    """A transaction, or one of several questions."""
    return any("result" in one for one in (reply if isinstance(reply, list) else [reply]))


class _Passage:
    """For many at once, or for one alone, who does not wait for those that come later."""

    def __init__(self) -> None:
        self._one = threading.Lock()
        self._changed = threading.Condition()
        self._inside = 0

    @contextmanager
    def for_many(self) -> Iterator[None]:
        with self._one, self._changed:
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @contextmanager
    def for_one(self) -> Iterator[None]:
        with self._one:
            with self._changed:
                self._changed.wait_for(lambda: self._inside == 0)
            yield
