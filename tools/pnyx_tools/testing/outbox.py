"""An outbox in memory, complete, for tests of senders."""

from __future__ import annotations


class MemoryOutbox:
    """Implements `pnyx_tools.sender.OutboxPort`. `contents` is what a restart would find."""

    def __init__(self) -> None:
        self.contents: dict[str, str] = {}

    def save(self, purpose: str, content: str) -> None:
        self.contents[purpose] = content

    def load(self, purpose: str) -> str | None:
        return self.contents.get(purpose)
