"""Which logs a reader asked for, so that a bare one can have the very same in the same pieces."""

from collections.abc import Callable, Sequence
from typing import Any

from pnyx_tools.reader import L, LogItem, Topics
from pnyx_tools.rpc import Rpc
from pnyx_tools.wire import LogQuery


class Recorder(Rpc):
    """Remembers which logs were asked for."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.asked: list[dict[str, Any]] = []

    def read_logs(
        self,
        read: Callable[[LogItem], L],
        from_block: int,
        to_block: int,
        topics: Topics,
        addresses: Sequence[str] | None = None,
    ) -> list[L]:
        self.asked.append(LogQuery(topics, addresses).json(from_block, to_block))
        return super().read_logs(read, from_block, to_block, topics, addresses)
