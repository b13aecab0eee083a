"""Where the signer listens, and whom it lets in: users of this machine, or certificates of another one."""

from __future__ import annotations

import os
import socket
import ssl
import stat
import struct
from pathlib import Path
from typing import Final, Protocol

from pnyx_contracts.errors import PnyxError, RefusedError, UsageError
from pnyx_tools.signer.protocol import Unavailable, send_frame
from pnyx_tools.signer.tls import Peer, TlsFiles, TlsPlace, explained, require_valid, server_context

ADMISSION_SECONDS: Final = 5.0
"""In so much time a peer has shown who it is, or is gone."""
FAREWELL_SECONDS: Final = 1.0
BACKLOG: Final = 128


class Door(Protocol):
    """One listening socket."""

    @property
    def listener(self) -> socket.socket: ...

    def admit(self, connection: socket.socket) -> socket.socket:
        """What to talk through. Raises `PnyxError` or OSError for a peer that is not answered; nothing that it sent
        was read as a request then.
        """
        ...

    def close(self) -> None: ...


class SocketDoor:
    """A Unix socket for our own user and listed ones."""

    def __init__(self, path: Path, users: frozenset[int] = frozenset()) -> None:
        """`users`: ids beside our own. Raises `UsageError` when another signer answers there, or the folder is open to
        others than it should be.
        """
        self._path = path
        self._users = users
        self.listener = listen(path, shared=bool(users))

    def admit(self, connection: socket.socket) -> socket.socket:
        require_user(connection, self._users | {os.getuid()})
        return connection

    def close(self) -> None:
        self.listener.close()
        self._path.unlink(missing_ok=True)


class TlsDoor:
    """A TCP port for those who show a listed certificate. The files are read anew for each: renewed ones need no
    restart.
    """

    def __init__(self, place: TlsPlace, files: TlsFiles, peers: tuple[str, ...]) -> None:
        """`peers`: common names or SHA-256 fingerprints. Raises `UsageError`."""
        require_valid(files)
        server_context(files)
        self._files = files
        self._peers = peers
        try:
            family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
            self.listener = socket.create_server((place.host, place.port), family=family, backlog=BACKLOG)
        except OSError as error:
            raise UsageError(f"the signer cannot listen at {place}: {error.strerror}") from None

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    def admit(self, connection: socket.socket) -> socket.socket:
        connection.settimeout(ADMISSION_SECONDS)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        context = server_context(self._files)
        tls = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        try:
            tls.do_handshake()
            self._require_listed(tls)
            require_valid(self._files)  # it says when ours ends soon; the peer would not
        except PnyxError:
            tls.close()
            raise
        except OSError as error:
            _let_alert_through(tls)
            raise explained(error) from None
        return tls

    def _require_listed(self, tls: ssl.SSLSocket) -> None:
        peer = Peer.of(tls)
        if not peer.is_among(self._peers):
            why = f"the certificate {peer} is not on this signer's list"
            send_frame(tls, Unavailable(reason=why, hint="add it to `peers` in the signer's [signer] tls"))
            raise RefusedError(why)

    def close(self) -> None:
        self.listener.close()


def _let_alert_through(tls: ssl.SSLSocket) -> None:
    """A socket that is closed with unread bytes in it resets the connection, and the peer never learns why."""
    with tls:
        try:
            tls.settimeout(FAREWELL_SECONDS)
            tls.shutdown(socket.SHUT_WR)
            tls.recv(2**16)
        except OSError:
            pass  # it does not listen


def listen(path: Path, *, shared: bool = False) -> socket.socket:
    """A listening socket of mode 0600 in a folder of mode 0700; `shared` with our group, 0660 and 0750. A stale one is
    cleared away.
    """
    path.parent.mkdir(mode=0o750 if shared else 0o700, parents=True, exist_ok=True)
    mode, allowed = stat.S_IMODE(path.parent.stat().st_mode), 0o750 if shared else 0o700
    if mode & ~allowed & 0o777:
        raise UsageError(
            f"the folder {path.parent} of the signer's socket is open to others (mode {mode:04o})",
            hint=f"chmod {allowed:o} {path.parent}",
        )
    if path.exists():
        _clear_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o117 if shared else 0o177)
    try:
        listener.bind(str(path))
    except OSError as error:
        listener.close()
        raise UsageError(f"no socket can be made at {path}: {error}", hint="choose a shorter path") from None
    finally:
        os.umask(mask)
    listener.listen(BACKLOG)
    return listener


def require_user(connection: socket.socket, users: frozenset[int]) -> None:
    """The peer runs as one of `users`. Where the system cannot tell (not Linux), the folder's mode keeps others out."""
    if not hasattr(socket, "SO_PEERCRED"):
        return
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, user, _ = struct.unpack("3i", credentials)
    if user not in users:
        answered = ", ".join(map(str, sorted(users)))
        raise RefusedError(f"user {user} asked; this signer answers user {answered} only")


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
