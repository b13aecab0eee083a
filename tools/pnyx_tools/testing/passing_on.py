"""A node that passes on what another one says: the base of fakes that lie about one thing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pnyx_contracts.types import Log
from pnyx_tools.reader import ChainReader, L, LogItem, Topics
from pnyx_tools.wire import item_of


class PassingOn:
    """Overriding a method changes the answers to it; `logs` changes what `read_logs` says, too. It takes no questions
    together (`ask_together`): they would go past those methods.
    """

    def __init__(self, honest: ChainReader) -> None:
        self.honest = honest

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the reader has
        if name == "ask_together":
            raise AttributeError(name)
        return getattr(self.honest, name)

    def logs(
        self,
        from_block: int,
        to_block: int,
        topics: Topics,
        addresses: Sequence[str] | None = None,
        most_requests: int | None = None,
    ) -> list[Log]:
        return self.honest.logs(from_block, to_block, topics, addresses, most_requests)

    def read_logs(
        self,
        read: Callable[[LogItem], L],
        from_block: int,
        to_block: int,
        topics: Topics,
        addresses: Sequence[str] | None = None,
    ) -> list[L]:
        return [read(item_of(log)) for log in self.logs(from_block, to_block, topics, addresses)]
