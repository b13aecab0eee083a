"""Real services on this machine (HTTP, SMTP), real databases, and a clock that the test turns."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from pnyx_agents.crier import Crier, Place
from pnyx_agents.metrics import Metrics
from pnyx_tools.journal import Journal
from pnyx_tools.notify import Message
from pnyx_tools.notify.ledger import Ledger
from pnyx_tools.testing.message_service import MessageService

REASON_NO_POSTGRES = "ran without PostgreSQL: there is no initdb on this machine"


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


# Databases


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A server of its own, on a socket. It refuses to run as root: then it runs as the user whom its package made."""
    initdb, server = shutil.which("initdb"), shutil.which("postgres")
    if not initdb or not server:
        pytest.skip(REASON_NO_POSTGRES)
    with tempfile.TemporaryDirectory() as folder:  # not pytest's: that is for its own user only
        as_user: dict[str, Any] = {}
        if os.geteuid() == 0:
            as_user = {"user": "postgres"}
            shutil.chown(folder, "postgres")
        data = f"{folder}/data"
        make = [initdb, "-D", data, "-U", "pnyx", "--auth=trust", "--no-sync"]
        subprocess.run(make, check=True, capture_output=True, cwd=folder, **as_user)
        run = [server, "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"]
        process = subprocess.Popen(run, stderr=subprocess.PIPE, text=True, cwd=folder, **as_user)
        assert process.stderr is not None
        while "ready to accept connections" not in (line := process.stderr.readline()):
            assert line, "PostgreSQL ended by itself"
        yield f"postgresql+psycopg://pnyx@/postgres?host={folder}"
        process.send_signal(signal.SIGINT)  # SIGTERM would wait for every client to go
        process.wait()


@pytest.fixture(params=["sqlite", "postgresql"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    """An empty one in each kind of database."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'journal.sqlite'}"
    else:
        url = request.getfixturevalue("postgres")
        _empty(url)
    journal = Journal(url)
    yield journal
    journal.close()


def _empty(url: str) -> None:
    import sqlalchemy as sa

    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))
    engine.dispose()


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
