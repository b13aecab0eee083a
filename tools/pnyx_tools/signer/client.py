"""The daemon's side of the socket. It holds no key."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Protocol

from pnyx_contracts.errors import DecodingError, RefusedError, UnreachableError
from pnyx_tools.signer.protocol import (
    Again,
    DailyLimitError,
    Hello,
    Identity,
    NotYetError,
    Refusal,
    Signed,
    SignRequest,
    Unavailable,
    parse_reply,
    receive_frame,
    send_frame,
)

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


class SignerClient:
    """Talks to a `pnyx signer` process. One connection per request, so that a restart of the signer goes unnoticed."""

    def __init__(self, path: Path, timeout_seconds: float = 300) -> None:
        """`timeout_seconds` spans a whole judgement: the signer reads the chain and simulates the proposal anew."""
        self._path = path
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

    def _ask(self, request: Hello | SignRequest) -> Identity | Signed:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(self._timeout_seconds)
            try:
                connection.connect(str(self._path))
                send_frame(connection, request)
                reply = parse_reply(receive_frame(connection))
            except OSError as error:
                raise UnreachableError(
                    f"the signer at {self._path} does not answer: {error or type(error).__name__}",
                    hint="start it with 'pnyx signer', or let 'pnyx run' start it",
                ) from error
        match reply:
            case Refusal():
                raise _REFUSALS[reply.again](f"the signer refused: {reply.reason}", hint=reply.hint)
            case Unavailable():
                raise UnreachableError(f"the signer could not judge: {reply.reason}", hint=reply.hint)
            case _:
                return reply
