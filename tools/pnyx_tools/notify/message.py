"""What people are told: our own words and strangers' words, each in a type of its own."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from pydantic import AfterValidator

from pnyx_contracts.types import Value
from pnyx_policies.text import one_line
from pnyx_tools.notify.foreign import Foreign

MOST_BYTES = 1_000

Words = Annotated[str, AfterValidator(lambda words: one_line(words, MOST_BYTES))]
"""One line of our own. Never somebody else's text: that is `Foreign`."""


class Urgency(Enum):
    INFO = "info"
    ACTION = "action"
    """A person has to do something."""
    ALERT = "alert"
    """Something is wrong."""

    @property
    def rank(self) -> int:
        return list(Urgency).index(self)


class Message(Value):
    """One message. The same `key` is sent once only: restarts and retries do not repeat themselves to people."""

    key: str
    urgency: Urgency = Urgency.INFO
    subject: Words
    """What happened: ``vote for``, ``hold``, ``failed``."""
    stage: Words = ""
    """Where the proposal stands now (`pnyx_tools.journal.Stage`)."""
    proposal: Words = ""
    """``chain:governor:id``"""
    title: Foreign | None = None
    """As the proposal calls itself."""
    decision: Words = ""
    """What the rules decided, before people answered."""
    reason: Foreign | None = None
    """Why it was decided so. A ruleset's words, or a model's."""
    detail: Foreign | None = None
    """What went wrong. An error may repeat what an endpoint, a contract or a proposal said."""
    deadline: Words = ""
    """When voting ends, as the governor counts: ``block 1200``, ``2026-11-30 12:00 UTC``."""
    deadline_at: int | None = None
    """Seconds since the epoch, where that is known."""
    to_do: Words = ""
    """The command that answers it."""
    link: Words = ""
    """Where members read more. From the configuration, never from a proposal."""
    parts: tuple[Message, ...] = ()
    """A digest's: the messages that it stands for."""

    @property
    def headline(self) -> str:
        """All of it in a line: the subject of a mail, the line of a log."""
        called = f": proposal {self.title or self.proposal}" if self.proposal else ""
        return f"{self.subject}{called}"


def digest(messages: tuple[Message, ...]) -> Message:
    """One message for many; the most urgent first. A single one stays as it is."""
    if len(messages) == 1:
        return messages[0]
    ordered = tuple(sorted(messages, key=lambda message: -message.urgency.rank))
    counts = {urgency: sum(m.urgency is urgency for m in messages) for urgency in reversed(list(Urgency))}
    told = ", ".join(f"{count} {urgency.value}" for urgency, count in counts.items() if count)
    return Message(
        key=f"digest:{messages[0].key}:{len(messages)}",
        urgency=ordered[0].urgency,
        subject=f"{len(messages)} messages ({told})",
        parts=ordered,
    )
