"""One request to a model and what came back; whatever can ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pnyx_policies.conversation import Conversation

TIMEOUT, RATE_LIMIT, HTTP_ERROR, CONNECTION = "timeout", "rate-limit", "http-error", "connection"
NOT_SENT = "not-sent"
"""Only answers that are kept count, and none is kept to this request."""
ABOVE_THE_WIRE = "captured above the wire"
"""Only LangChain's own view of an exchange could be kept."""
KEY_REMOVED = "the response held the API key: it was replaced"
REMOVED = "[API key removed]"
"""What stands in its place."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request, and what came back."""

    request: bytes
    """The body as sent; for other providers than ``openai`` see `captured`."""
    response: bytes | None = None
    """The body as received; None when none arrived whole."""
    http_status: int | None = None
    failure: str = ""
    """Empty, or ``timeout``, ``rate-limit``, ``http-error``, ``connection``, ``not-sent``: then there is no answer to
    judge.
    """
    detail: str = ""
    retry_after_seconds: float | None = None
    """What the server asked for."""
    request_id: str = ""
    captured: str = ""
    """Empty for the exact bytes on the wire, else how they differ: `ABOVE_THE_WIRE`, `KEY_REMOVED`."""
    reused: bool = False
    """Nothing was sent: the response is the one that was recalled."""

    @property
    def may_pass(self) -> bool:
        """Whether the failure is one that the same request may not meet again."""
        if self.failure == NOT_SENT:
            return False
        return self.failure != HTTP_ERROR or (self.http_status or 0) >= 500 or self.http_status in {408, 409, 425}


Recall = Callable[[bytes], bytes | None]
"""The response that this very request got before, None for one that has to be sent. Raises `NotSentError` for one that
must not be.
"""


class NotSentError(Exception):
    """Nobody is to be asked."""


def recall_nothing(_request: bytes) -> None:
    return None


class Chat(Protocol):
    """One way to a model."""

    def ask(self, conversation: Conversation, recall: Recall) -> Exchange: ...
