"""Messages to people: what is said, how it is written, and the ways there."""

from pnyx_tools.notify.foreign import Foreign, foreign
from pnyx_tools.notify.message import Message, Urgency, digest
from pnyx_tools.notify.notifiers import (
    HasOutlets,
    LogNotifier,
    Notifier,
    Outlet,
    UndeliveredError,
    WebhookNotifier,
    why_undelivered,
)
from pnyx_tools.notify.render import Format, render, subject

__all__ = [
    "Foreign",
    "Format",
    "HasOutlets",
    "LogNotifier",
    "Message",
    "Notifier",
    "Outlet",
    "UndeliveredError",
    "Urgency",
    "WebhookNotifier",
    "digest",
    "foreign",
    "render",
    "subject",
    "why_undelivered",
]
