"""A service without a chain, and a keystore: what tests of sockets and processes share."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import QueueHandler
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Self

from eth_account import Account
from pydantic import SecretStr

from pnyx_contracts.errors import RefusedError, UnreachableError
from pnyx_tools.files import write_secret
from pnyx_tools.keystore import EncryptedKey
from pnyx_tools.signer.doors import Door, SocketDoor
from pnyx_tools.signer.protocol import receive_frame
from pnyx_tools.signer.service import Service

from .parliament import Parliament

PASSWORD = "a password that nobody shall see"


def keystore_of(parliament: Parliament) -> EncryptedKey:
    path = parliament.folder / "key.json"
    write_secret(path, json.dumps(Account.encrypt(parliament.secret, PASSWORD, kdf="scrypt", iterations=2)))
    return EncryptedKey(keystore=path, password=SecretStr(PASSWORD))


class Parrot:
    """Stands for a notary; says no, or does what the test wants."""

    def __init__(self, does: Any = None) -> None:
        self.does = does

    def answer(self, request: Any) -> Any:
        if self.does is None:
            raise RefusedError(f"no {request.op} today", hint="come back")
        return self.does(request)


class Serving:
    """A service in a thread of this process."""

    def __init__(self, notary: Any, door: Path | Door, **options: Any) -> None:
        self.notary = notary
        self.service = Service(notary, SocketDoor(door) if isinstance(door, Path) else door, **options)
        self.thread = threading.Thread(target=self.service.run)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.service.stop()
        self.thread.join(10)
        assert not self.thread.is_alive()
        self.service.__exit__(None, None, None)


class Lines:
    """What a service's threads log, to be waited for."""

    def __init__(self) -> None:
        self.records: SimpleQueue[logging.LogRecord] = SimpleQueue()

    def wait_for(self, words: str, seconds: float = 10) -> None:
        """Raises `queue.Empty` when no line with these words came."""
        while words not in self.records.get(timeout=seconds).getMessage():
            pass


@contextmanager
def logged(name: str = "pnyx.signer") -> Iterator[Lines]:
    lines = Lines()
    handler = QueueHandler(lines.records)
    logging.getLogger(name).addHandler(handler)
    try:
        yield lines
    finally:
        logging.getLogger(name).removeHandler(handler)


def raw(path: Path, data: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(10)
        peer.connect(str(path))
        peer.sendall(data)
        peer.shutdown(socket.SHUT_WR)
        try:
            return receive_frame(peer, 10)
        except (UnreachableError, ConnectionResetError):
            return b""
