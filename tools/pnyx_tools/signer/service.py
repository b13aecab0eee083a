"""The signer's server: one socket, one request at a time, for nobody but its own user.

Each request leaves one line of JSON in the log: what was asked and what came of it. Bundles, keys, passwords and
endpoint URLs are in none of them.
"""

from __future__ import annotations

import json
import logging
import os
import selectors
import socket
import stat
import struct
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from pnyx_contracts.errors import PnyxError, RefusedError, UnreachableError, UsageError
from pnyx_tools.signer.notary import Notary
from pnyx_tools.signer.protocol import (
    Again,
    DailyLimitError,
    Hello,
    Identity,
    NotYetError,
    Refusal,
    Signed,
    SignEntry,
    SignRequest,
    Unavailable,
    parse_request,
    receive_frame,
    send_frame,
)

PEER_TIMEOUT_SECONDS: Final = 30.0
"""A peer that stalls for so long is dropped: it must not keep the next one waiting."""

logger = logging.getLogger("pnyx.signer")


class Service:
    """Serves a notary on a Unix socket until `stop` is called (from a signal handler or another thread)."""

    def __init__(self, notary: Notary, path: Path) -> None:
        """Raises `UsageError` when another signer answers there, or the folder is open to others."""
        self._notary = notary
        self._path = path
        self._listener = listen(path)
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._wake_writer.setblocking(False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for open_socket in (self._listener, self._wake_reader, self._wake_writer):
            open_socket.close()
        self._path.unlink(missing_ok=True)

    def stop(self) -> None:
        """After the request that is being answered, if there is one."""
        self._wake_writer.send(b"\0")

    def run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._wake_reader, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in selector.select()}
                if self._wake_reader in ready:
                    return
                connection, _ = self._listener.accept()
                with connection:
                    self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(PEER_TIMEOUT_SECONDS)
        try:
            require_own_user(connection)
            send_frame(connection, self._reply(receive_frame(connection)))
        except (PnyxError, OSError) as error:
            _log(logging.WARNING, "dropped", why=str(error) or type(error).__name__)

    def _reply(self, data: bytes) -> Identity | Signed | Refusal | Unavailable:
        what = "unreadable"
        try:
            request = parse_request(data)
            what = _name(request)
            reply = self._notary.answer(request)
        except UnreachableError as error:
            _log(logging.ERROR, "unavailable", request=what, why=error.message)
            return Unavailable(reason=error.message, hint=error.hint)
        except PnyxError as error:
            refusal = _refusal(error)
            _log(logging.WARNING, "refused", request=what, why=refusal.reason, again=refusal.again.value)
            return refusal
        except Exception as error:  # noqa: BLE001 - a bug must not take the process down, nor show what it choked on
            _log(logging.ERROR, "failed", request=what, why=type(error).__name__, where=_place(error))
            return Unavailable(reason=f"the signer failed ({type(error).__name__}); its own log says where")
        if isinstance(reply, Signed):
            _log(
                logging.INFO,
                "signed",
                request=what,
                transaction=f"0x{reply.transaction_hash.hex()}",
                nonce=reply.nonce,
                max_fee_per_gas=reply.max_fee_per_gas,
            )
        return reply


def listen(path: Path) -> socket.socket:
    """A listening socket with mode 0600 in a folder with mode 0700; a stale one is cleared away."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = stat.S_IMODE(path.parent.stat().st_mode)
    if mode & 0o077:
        raise UsageError(
            f"the folder {path.parent} of the signer's socket is open to others (mode {mode:04o})",
            hint=f"chmod 700 {path.parent}",
        )
    if path.exists():
        _clear_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        listener.bind(str(path))
    except OSError as error:
        listener.close()
        raise UsageError(f"no socket can be made at {path}: {error}", hint="choose a shorter path") from None
    finally:
        os.umask(mask)
    listener.listen()
    return listener


def require_own_user(connection: socket.socket) -> None:
    """The peer runs as our own user. Where the system cannot tell (not Linux), the folder's mode keeps others out."""
    if not hasattr(socket, "SO_PEERCRED"):
        return
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, user, _ = struct.unpack("3i", credentials)
    if user != os.getuid():
        raise RefusedError(f"user {user} asked; this signer answers user {os.getuid()} only")


def _clear_stale(path: Path) -> None:
    if not stat.S_ISSOCK(path.lstat().st_mode):
        raise UsageError(f"{path} exists and is no socket", hint="choose another path for the signer's socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise UsageError(f"another signer answers at {path}", hint="stop it first, or choose another path")


def _refusal(error: PnyxError) -> Refusal:
    return Refusal(reason=error.message, hint=error.hint, again=_again(error))


def _again(error: PnyxError) -> Again:
    match error:
        case DailyLimitError():
            return Again.LATER
        case NotYetError():
            return Again.SOON
        case _:
            return Again.NEVER


def _name(request: Hello | SignRequest) -> str:
    return f"{request.op} {request.kind.name}" if isinstance(request, SignEntry) else request.op


def _place(error: Exception) -> str:
    """File and line of a bug, without any value."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""


def _log(level: int, event: str, **values: object) -> None:
    logger.log(level, json.dumps({"event": event, **values}))
