"""Ways to tell people. A notifier is one method; plugins register theirs in the group ``pnyx.notifiers``."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from pnyx_contracts.errors import UnreachableError
from pnyx_tools.notify.message import Message, Urgency
from pnyx_tools.notify.render import render, subject

logger = logging.getLogger("pnyx.notify")

EVERY_URGENCY = frozenset(Urgency)


class UndeliveredError(UnreachableError):
    """A service did not take a message. Its words hold no secret of the service's URL."""


def why_undelivered(error: Exception) -> str:
    """In words that anybody may read: the words of other errors may hold a URL."""
    return error.message if isinstance(error, UndeliveredError) else type(error).__name__


class Notifier(Protocol):
    """A way to tell people."""

    def notify(self, message: Message) -> None:
        """Deliver or raise. What raises is tried again later, with ever longer waits; nobody else waits for it."""
        ...


@dataclass(frozen=True, slots=True)
class Outlet:
    """One place of a notifier that reaches several: each fails, and is tried again, for itself."""

    name: str
    notifier: Notifier
    urgencies: Collection[Urgency] = EVERY_URGENCY


@runtime_checkable
class HasOutlets(Protocol):
    """A notifier that reaches several places."""

    def outlets(self) -> tuple[Outlet, ...]: ...


class LogNotifier:
    """Writes messages into the daemon's own log."""

    def notify(self, message: Message) -> None:
        level = logging.INFO if message.urgency is Urgency.INFO else logging.WARNING
        extra = {"key": message.key, "body": render(message), "urgency": message.urgency.value}
        logger.log(level, message.headline, extra=extra)


class WebhookNotifier:
    """POSTs the message as JSON to one URL, which may be a secret and is never shown."""

    def __init__(self, url: str, timeout_seconds: float = 10) -> None:
        self._url = url
        self._timeout_seconds = timeout_seconds

    def notify(self, message: Message) -> None:
        import httpx

        body = message.model_dump(mode="json") | {"text": f"{subject(message)}\n{render(message)}"}
        try:
            httpx.post(self._url, json=body, timeout=self._timeout_seconds).raise_for_status()
        except httpx.HTTPStatusError as error:  # its own words show the URL
            raise UndeliveredError(f"the webhook answered {error.response.status_code}") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UndeliveredError(f"the webhook cannot be reached ({type(error).__name__})") from None
