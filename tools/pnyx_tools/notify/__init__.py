"""Messages to people: what is said, how it is written, and the ways there."""

from pnyx_tools.notify.foreign import Foreign, foreign
from pnyx_tools.notify.message import Message, Urgency, digest
from pnyx_tools.notify.notifiers import (
    HasPlaces,
    LogNotifier,
    Notifier,
    Place,
    UndeliveredError,
    WebhookNotifier,
    why_undelivered,
)
from pnyx_tools.notify.render import Format, render, subject

__all__ = [
    "Foreign",
    "Format",
    "HasPlaces",
    "LogNotifier",
    "Message",
    "Notifier",
    "Place",
    "UndeliveredError",
    "Urgency",
    "WebhookNotifier",
    "digest",
    "foreign",
    "render",
    "subject",
    "why_undelivered",
]
