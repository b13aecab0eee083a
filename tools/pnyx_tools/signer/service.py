"""The signer's server: one door, one judgement at a time, for nobody but those whom the door lets in.

Each request leaves one line of JSON in the log: what was asked and what came of it. Bundles, keys, passwords and
endpoint URLs are in none of them.
"""

from __future__ import annotations

import json
import logging
import selectors
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

from pnyx_contracts.errors import PnyxError, UnreachableError
from pnyx_contracts.types import to_hex
from pnyx_tools.signer.doors import ADMISSION_SECONDS, Door
from pnyx_tools.signer.protocol import (
    Again,
    Answer,
    Asked,
    DailyLimitError,
    GiveOrder,
    NotYetError,
    Refusal,
    Signed,
    SignedSafeTx,
    Unavailable,
    name_of,
    parse_request,
    receive_frame,
    send_frame,
)

FRAME_SECONDS: Final = 60.0
"""A request has arrived whole within so much time, or is dropped."""
REPLY_SECONDS: Final = 10.0
MAX_ARRIVING: Final = 64
"""Peers that have not shown yet who they are. More wait in the listener's queue."""
MAX_HEARD: Final = 8
"""Peers that were let in: each may hold a frame in memory."""

logger = logging.getLogger("pnyx.signer")


class Answering(Protocol):
    """What the service needs of a notary."""

    def answer(self, request: Asked) -> Answer:
        """Raises `PnyxError`: nothing was signed then."""
        ...


class Service:
    """Serves a notary at a door until `stop` is called (from a signal handler or another thread).

    Peers come in and are heard side by side, so that one that stalls keeps nobody waiting. Judged they are one after
    the other: memory and money are counted once.
    """

    def __init__(
        self,
        notary: Answering,
        door: Door,
        on_refusal: Callable[[Asked | None, Refusal], None] = lambda _request, _refusal: None,
    ) -> None:
        """`on_refusal` hears of each refusal before the peer does."""
        self._notary = notary
        self._door = door
        self._on_refusal = on_refusal
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._wake_writer.setblocking(False)
        self._arriving = threading.BoundedSemaphore(MAX_ARRIVING)
        self._heard = threading.BoundedSemaphore(MAX_HEARD)
        self._judging = threading.Lock()
        self._is_stopping = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._door.close()
        for open_socket in (self._wake_reader, self._wake_writer):
            open_socket.close()

    def stop(self) -> None:
        """After the request that is being judged, if there is one."""
        self._is_stopping.set()
        self._wake_writer.send(b"\0")

    def run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._door.listener, selectors.EVENT_READ)
            selector.register(self._wake_reader, selectors.EVENT_READ)
            while not self._is_stopping.is_set():
                if self._wake_reader not in {key.fileobj for key, _ in selector.select()}:
                    self._accept()
        with self._judging:
            pass  # whoever was being judged has the reply; those behind see that we are stopping

    def _accept(self) -> None:
        if not self._arriving.acquire(timeout=ADMISSION_SECONDS):
            return  # full: the next one waits in the listener's queue
        try:
            connection, _ = self._door.listener.accept()
        except OSError as error:  # it hung up already, or there is no descriptor left
            self._arriving.release()
            _log(logging.WARNING, "dropped", why=str(error))
            return
        threading.Thread(target=self._serve, args=(connection,), name="peer", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                peer = self._admit(connection)
                with peer, self._heard:
                    data = receive_frame(peer, FRAME_SECONDS)
                    with self._judging:
                        self._answer(peer, data)
        except (PnyxError, OSError) as error:
            _log(logging.WARNING, "dropped", why=str(error) or type(error).__name__)

    def _admit(self, connection: socket.socket) -> socket.socket:
        try:
            return self._door.admit(connection)
        finally:
            self._arriving.release()

    def _answer(self, peer: socket.socket, data: bytes) -> None:
        if self._is_stopping.is_set():
            raise UnreachableError("the signer is ending")
        peer.settimeout(REPLY_SECONDS)
        send_frame(peer, self._reply(data))

    def _reply(self, data: bytes) -> Answer | Refusal | Unavailable:
        request, what = None, "unreadable"
        try:
            request = parse_request(data)
            what = name_of(request)
            reply = self._notary.answer(request)
        except UnreachableError as error:
            _log(logging.ERROR, "unavailable", request=what, why=error.message)
            return Unavailable(reason=error.message, hint=error.hint)
        except PnyxError as error:
            refusal = _refusal(error)
            _log(logging.WARNING, "refused", request=what, why=refusal.reason, again=refusal.again.value)
            self._on_refusal(request, refusal)
            return refusal
        except Exception as error:  # noqa: BLE001 - a bug must not take the process down, nor show what it choked on
            _log(logging.ERROR, "failed", request=what, why=type(error).__name__, where=_place(error))
            return Unavailable(reason=f"the signer failed ({type(error).__name__}); its own log says where")
        if isinstance(reply, Signed):
            _log(
                logging.INFO,
                "signed",
                request=what,
                transaction=to_hex(reply.transaction_hash),
                nonce=reply.nonce,
                max_fee_per_gas=reply.max_fee_per_gas,
            )
        if isinstance(reply, SignedSafeTx):
            _log(logging.INFO, "signed", request=what, safe_tx_hash=to_hex(reply.safe_tx_hash))
        if isinstance(request, GiveOrder):
            order = request.order
            _log(logging.WARNING, order.action.value, request=what, number=order.number, why=order.why)
        return reply


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


def _place(error: Exception) -> str:
    """File and line of a bug, without any value."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""


def _log(level: int, event: str, **values: object) -> None:
    logger.log(level, json.dumps({"event": event, **values}))
