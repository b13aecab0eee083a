"""The daemon's side of the socket. It holds no key."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

from pnyx_contracts.errors import DecodingError, RefusedError, UnreachableError, UsageError
from pnyx_policies.suspension import Order
from pnyx_tools.signer.protocol import (
    Again,
    Answer,
    Asked,
    AskStanding,
    DailyLimitError,
    GiveOrder,
    Hello,
    Identity,
    NotYetError,
    Refusal,
    Signed,
    SignedSafeTx,
    SignRequest,
    SignSafeTx,
    Standing,
    Unavailable,
    parse_reply,
    receive_frame,
    send_frame,
)
from pnyx_tools.signer.tls import TlsFiles, TlsPlace, client_context, explained

CONNECT_SECONDS: Final = 10.0

_REFUSALS = {Again.NEVER: RefusedError, Again.SOON: NotYetError, Again.LATER: DailyLimitError}


class SignerPort(Protocol):
    """A way to get entries and votes signed; plugins register theirs in the entry-point group ``pnyx.signers``."""

    def identity(self) -> Identity:
        """For whom it signs. Raises `UnreachableError`."""
        ...

    def sign(self, request: SignRequest) -> Signed:
        """Raises `RefusedError` with the reason, or `UnreachableError`.

        `NotYetError` when the same request may be right in a moment, `DailyLimitError` when money is free again.
        """
        ...


@runtime_checkable
class SafeSignerPort(Protocol):
    """What a signer offers beside `SignerPort` when votes are proposed to a Safe's transaction service."""

    def sign_safe_tx(self, request: SignSafeTx) -> SignedSafeTx:
        """Raises as `SignerPort.sign`."""
        ...


@runtime_checkable
class Suspendable(Protocol):
    """A signer that people can stop, whoever has the daemon."""

    def standing(self) -> Standing:
        """Whether it would sign a vote now. Raises `UnreachableError`."""
        ...

    def give(self, order: Order) -> Standing:
        """Hands over a person's signed order. Raises `RefusedError` when it does not count, or `UnreachableError`."""
        ...


class Way(Protocol):
    """To a signer. Its text says where it leads."""

    def connect(self) -> socket.socket:
        """Raises OSError, or `UsageError` when our own files cannot be used now."""
        ...


class SocketWay:
    """To a signer on this machine."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(CONNECT_SECONDS)
            connection.connect(str(self._path))
        except OSError:
            connection.close()
            raise
        return connection

    def __str__(self) -> str:
        return str(self._path)


class TlsWay:
    """To a signer on another machine. The files are read anew each time: renewed ones need no restart."""

    def __init__(self, place: TlsPlace, files: TlsFiles) -> None:
        """Raises `UsageError` for files that cannot be used."""
        client_context(files)
        self._place = place
        self._files = files

    def connect(self) -> socket.socket:
        context = client_context(self._files)
        plain = socket.create_connection((self._place.host, self._place.port), CONNECT_SECONDS)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return context.wrap_socket(plain, server_hostname=self._place.host)

    def __str__(self) -> str:
        return str(self._place)


class SignerClient:
    """Talks to a `pnyx signer` process. One connection per request, so that a restart of the signer goes unnoticed."""

    def __init__(self, way: Path | Way, timeout_seconds: float = 300) -> None:
        """`way`: the path of a Unix socket, or another way. `timeout_seconds` spans a whole judgement: the signer reads
        the chain and simulates the proposal anew.
        """
        self._way = SocketWay(way) if isinstance(way, Path) else way
        self._timeout_seconds = timeout_seconds

    def identity(self) -> Identity:
        reply = self._ask(Hello())
        if not isinstance(reply, Identity):
            raise DecodingError(f"the signer answered {reply.op!r} to a hello")
        return reply

    def sign(self, request: SignRequest) -> Signed:
        reply = self._ask(request)
        if not isinstance(reply, Signed):
            raise DecodingError(f"the signer answered {reply.op!r} to {request.op!r}")
        return reply

    def sign_safe_tx(self, request: SignSafeTx) -> SignedSafeTx:
        reply = self._ask(request)
        if not isinstance(reply, SignedSafeTx):
            raise DecodingError(f"the signer answered {reply.op!r} to {request.op!r}")
        return reply

    def standing(self) -> Standing:
        return self._standing(AskStanding())

    def give(self, order: Order) -> Standing:
        return self._standing(GiveOrder(order=order))

    def _standing(self, request: AskStanding | GiveOrder) -> Standing:
        reply = self._ask(request)
        if not isinstance(reply, Standing):
            raise DecodingError(f"the signer answered {reply.op!r} to {request.op!r}")
        return reply

    def _ask(self, request: Asked) -> Answer:
        try:
            with self._way.connect() as connection:
                reply = parse_reply(self._exchange(connection, request))
        except UsageError as error:  # renewed in this moment, or soon: a vote waits for that
            raise UnreachableError(f"no way to the signer at {self._way}: {error.message}", hint=error.hint) from error
        except ssl.SSLError as error:
            why = explained(error)
            raise UnreachableError(f"no way to the signer at {self._way}: {why.message}", hint=why.hint) from error
        except OSError as error:
            raise UnreachableError(
                f"the signer at {self._way} does not answer: {error or type(error).__name__}",
                hint="start it with 'pnyx signer', or let 'pnyx run' start it",
            ) from error
        match reply:
            case Refusal():
                raise _REFUSALS[reply.again](f"the signer refused: {reply.reason}", hint=reply.hint)
            case Unavailable():
                raise UnreachableError(f"the signer could not judge: {reply.reason}", hint=reply.hint)
            case _:
                return reply

    def _exchange(self, connection: socket.socket, request: Asked) -> bytes:
        """A signer that turns us away does so before it reads: what it says is there although sending fails."""
        try:
            connection.settimeout(self._timeout_seconds)
            send_frame(connection, request)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            return receive_frame(connection, CONNECT_SECONDS)
        return receive_frame(connection, self._timeout_seconds)
