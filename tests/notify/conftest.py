"""Real services on this machine (HTTP, SMTP), real databases, and a clock that the test turns."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from pnyx_agents.crier import Crier, Place
from pnyx_agents.metrics import Metrics
from pnyx_tools.journal import Journal
from pnyx_tools.notify import Message
from pnyx_tools.notify.ledger import Ledger
from pnyx_tools.testing.message_service import MessageService


@pytest.fixture
def make_service() -> Iterator[Callable[[], MessageService]]:
    with ExitStack() as stack:
        yield lambda: stack.enter_context(MessageService())


@pytest.fixture
def service(make_service: Callable[[], MessageService]) -> MessageService:
    return make_service()


@dataclass
class Mailbox:
    """A mail server that keeps what it gets."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 taken"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    mailbox = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        mailbox.port = free.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=mailbox.port)
    controller.start()
    yield mailbox
    controller.stop()


@pytest.fixture
def ledger(journal: Journal) -> Ledger:
    return Ledger(journal.database)


# A crier on a clock that the test turns


@dataclass
class Clock:
    time: float = 1_800_000_000.0
    """2027-01-15 08:00 UTC"""

    def __call__(self) -> float:
        return self.time

    def pass_(self, seconds: float) -> None:
        self.time += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@dataclass
class Ear:
    """A notifier that keeps what it hears, or refuses it."""

    heard: list[Message] = field(default_factory=list)
    error: Exception | None = None

    def notify(self, message: Message) -> None:
        if self.error is not None:
            raise self.error
        self.heard.append(message)

    @property
    def keys(self) -> list[list[str]]:
        """Of each message that it heard, those that it stands for."""
        return [[part.key for part in message.parts] or [message.key] for message in self.heard]


MakeCrier = Callable[..., Crier]


@pytest.fixture
def make_crier(ledger: Ledger, clock: Clock) -> MakeCrier:
    def make(*places: Place, holder: str = "this process", **options: Any) -> Crier:
        return Crier(ledger, places, Metrics(), holder, now=clock, **options)

    return make
