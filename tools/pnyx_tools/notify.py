"""Messages to people. A notifier is one method; plugins register theirs in the group ``pnyx.notifiers``."""

from __future__ import annotations

import logging
from typing import Protocol

from pydantic import Field

from pnyx_contracts.types import Value

logger = logging.getLogger("pnyx.notify")


class Message(Value):
    """One message. The same `key` is sent once only: restarts and retries do not repeat themselves to people."""

    key: str
    urgency: str = Field(default="info", pattern="^(info|action|alert)$")
    """``action``: a person has to do something; ``alert``: something is wrong."""
    title: str
    body: str = ""


class Notifier(Protocol):
    """A way to tell people."""

    def notify(self, message: Message) -> None:
        """Deliver or raise; the caller logs the failure and goes on: telling people never stops a vote."""
        ...


class LogNotifier:
    """Writes messages into the daemon's own log."""

    def notify(self, message: Message) -> None:
        level = logging.WARNING if message.urgency != "info" else logging.INFO
        logger.log(level, message.title, extra={"key": message.key, "body": message.body, "urgency": message.urgency})


class WebhookNotifier:
    """POSTs the message as JSON to one URL, which may be a secret and is never shown."""

    def __init__(self, url: str, timeout_seconds: float = 10) -> None:
        self._url = url
        self._timeout_seconds = timeout_seconds

    def notify(self, message: Message) -> None:
        import httpx

        body = message.model_dump(mode="json") | {"text": f"{message.title}\n{message.body}".strip()}
        httpx.post(self._url, json=body, timeout=self._timeout_seconds).raise_for_status()
