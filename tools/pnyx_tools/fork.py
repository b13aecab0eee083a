"""A fork of the chain on a node of one's own, for endpoints that cannot simulate.

Foundry's `anvil`, started by whoever runs the agent (``anvil --fork-url URL``), keeps the state of one block and asks
that URL for what it lacks. It is told which block, and nothing else: the URL stays with whoever started it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from pnyx_contracts.types import BlockRef, to_hex
from pnyx_tools.reader import ChainReader, ReorganisedError
from pnyx_tools.rpc import Rpc

TIMEOUT_SECONDS: Final = 120.0
"""Each slot of storage that a simulation reads is a request of the fork's."""


class Fork:
    """Safe to share between threads: one looks at a time."""

    def __init__(self, url: str, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._node = Rpc(url, timeout_seconds, pauses=())
        self._one_at_a_time = threading.Lock()

    @contextmanager
    def at(self, block: BlockRef) -> Iterator[ChainReader]:
        """The node, on top of `block`, as long as the context lasts.

        Raises `RpcError` when it cannot be reached, or stands on another block, at first or (another program moved it)
        at the end; `MethodMissingError` when it is another program than `anvil`.
        """
        with self._one_at_a_time:
            self._node.request("anvil_reset", [{"forking": {"blockNumber": block.number}}])
            self._require_at(block)
            yield self._node
            self._require_at(block)

    def _require_at(self, block: BlockRef) -> None:
        shown = self._node.block("latest")
        if shown.hash != block.hash:
            raise ReorganisedError(
                f"the fork stands on block {shown.number} ({to_hex(shown.hash)}), not on {block.number} "
                f"({to_hex(block.hash)})"
            )
