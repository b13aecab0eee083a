"""A service that takes messages over HTTP, as chat services do, and keeps them."""

from __future__ import annotations

from typing import Any

from pnyx_tools.testing.serving import Answer, Asked, HttpServer


class MessageService(HttpServer):
    """`requests` are all that came. `status` is what it answers: set another one and it refuses."""

    def __init__(self) -> None:
        super().__init__()
        self.status = 200
        self.requests: list[Asked] = []

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What came, where it came as JSON."""
        return [asked.json for asked in self.requests]

    def answer(self, asked: Asked) -> Answer:
        self.requests.append(asked)
        return Answer(b"ok", self.status, {"content-type": "text/plain"})
