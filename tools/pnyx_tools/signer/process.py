"""The signer as a process of its own: hardened, started by an operator or as a child of the daemon.

A child gets its settings and its password through standard input, not through arguments or the environment, which
others can see. Standard input then stays open as a lifeline: when the daemon ends, however it ends, the child ends too.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import FrameType, TracebackType
from typing import Any, Final, Self

from pydantic import SecretStr, TypeAdapter, ValidationError

from pnyx_contracts.errors import PnyxError, UnreachableError, UsageError
from pnyx_contracts.types import Value
from pnyx_tools.environment import take_variable
from pnyx_tools.keystore import AwsKmsKey, EncryptedKey, KeySource, UnsafeEnvironmentKey, open_key
from pnyx_tools.quorum import reader_of
from pnyx_tools.signer.client import SignerClient
from pnyx_tools.signer.doors import Door, SocketDoor, TlsDoor
from pnyx_tools.signer.hardening import harden
from pnyx_tools.signer.keys import Key
from pnyx_tools.signer.memory import Memory
from pnyx_tools.signer.notary import Notary
from pnyx_tools.signer.protocol import Asked, Refusal
from pnyx_tools.signer.refusals import Refused
from pnyx_tools.signer.service import Service
from pnyx_tools.signer.settings import SignerSettings

STOP_SECONDS: Final = 10.0

_READY: Final = "ready"

logger = logging.getLogger("pnyx.signer")


def run_signer(settings: SignerSettings, key: Key, *, on_ready: Callable[[], None] = lambda: None) -> None:
    """Serves until SIGTERM or SIGINT, in a process that is hardened already. Call from the main thread. Raises
    `PnyxError` when it cannot start.
    """
    urls = [url.get_secret_value() for url in settings.rpc_urls]
    memory = Memory(settings.memory)
    try:
        notary = Notary(settings, key, reader_of(urls, settings.chain_id, settings.rpc_quorum), memory)
        notary.check_place()
        notary.check_in_force()
        with Service(notary, _open_door(settings), _bookkeeper(memory)) as service:
            _stop_on_signals(service)
            on_ready()
            service.run()
    finally:
        memory.close()


def _open_door(settings: SignerSettings) -> Door:
    listen = settings.listen
    if listen is not None:
        return TlsDoor(listen.place, listen.files, listen.peers)
    return SocketDoor(settings.socket, frozenset(settings.users))


def _bookkeeper(memory: Memory) -> Callable[[Asked | None, Refusal], None]:
    """A refusal that cannot be written down (a full disk, a bundle that nobody foresaw) is one nevertheless."""

    def write_down(request: Asked | None, refusal: Refusal) -> None:
        try:
            memory.remember_refusal(Refused.of(request, refusal, int(time.time())))
        except sqlite3.Error as error:
            logger.error("a refusal is not remembered: %s", error)
        except Exception as error:  # noqa: BLE001 - what a hostile bundle does to its readers must not reach the peer
            logger.error("a refusal is not remembered: %s", type(error).__name__)

    return write_down


class SignerProcess:
    """A signer that runs as a child. Ends with this object's `stop`, or with the process that started it."""

    def __init__(self, process: subprocess.Popen[str], client: SignerClient) -> None:
        self._process = process
        self.client = client

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_running(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        """SIGTERM; the request that it works on is finished first."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def spawn(settings: SignerSettings, key: KeySource) -> SignerProcess:
    """Starts `run_signer` in a child with an empty environment, and waits until it serves.

    What leads to a key in a cloud stays in its environment, a raw key moves there from ours. Raises the child's own
    complaint, as `UsageError` or `UnreachableError`, when it does not come up. The child logs to our standard error.
    """
    process = subprocess.Popen(
        [sys.executable, "-I", "-m", "pnyx_tools.signer"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PATH": os.defpath, "LANG": "C.UTF-8", **_variables_for(key)},
        text=True,
        encoding="utf-8",
        start_new_session=True,  # Ctrl-C is for the daemon, which then stops its signer in order
    )
    assert process.stdin is not None
    assert process.stdout is not None
    child = SignerProcess(process, SignerClient(settings.socket))
    try:
        process.stdin.write(_letter(settings, key) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline().strip()
    except BrokenPipeError:
        answer = ""
    if answer != _READY:
        child.stop()
        raise _not_started(answer)
    return child


class _Complaint(Value):
    """Why a child cannot start: its one line, instead of `_READY`."""

    message: str
    hint: str
    exit_code: int


def _not_started(answer: str) -> PnyxError:
    """What an endpoint did, or a kill, may be over at the next try; all else is a matter of settings."""
    try:
        told = _Complaint.model_validate_json(answer)
    except ValidationError:
        told = _Complaint(message="it ended without a word", hint="see its log", exit_code=UnreachableError.exit_code)
    kind = UnreachableError if told.exit_code == UnreachableError.exit_code else UsageError
    return kind(f"the signer did not start: {told.message}", hint=told.hint)


def serve_as_child() -> int:
    """The child's side of `spawn`. Returns the exit code."""
    letter = sys.stdin.readline()
    try:
        settings, source = _open_letter(letter)
        harden(require_locked_memory=settings.require_locked_memory)
        run_signer(settings, open_key(source), on_ready=_ready)
    except PnyxError as error:
        print(
            _Complaint(message=error.message, hint=error.hint, exit_code=error.exit_code).model_dump_json(), flush=True
        )
        return error.exit_code
    return 0


def _ready() -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    print(_READY, flush=True)


def _end_with_parent() -> None:
    while os.read(0, 1):  # not sys.stdin: its lock would be held while the interpreter shuts down
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _variables_for(key: KeySource) -> dict[str, str]:
    """What of our environment the child needs to get at the key."""
    match key:
        case UnsafeEnvironmentKey():
            return {key.variable: take_variable(key.variable)}
        case AwsKmsKey():
            return {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        case _:
            return {}


def _letter(settings: SignerSettings, key: KeySource) -> str:
    """One line of JSON. The only place where the endpoints' URLs and the password are written out."""
    urls = _shown(settings.rpc_urls)
    others = [{"chain_id": other.chain_id, "rpc_urls": _shown(other.rpc_urls)} for other in settings.others]
    fork = settings.fork.get_secret_value() if settings.fork else None
    values = settings.model_dump(mode="json") | {"rpc_urls": urls, "fork": fork, "others": others}
    source = key.model_dump(mode="json")
    if isinstance(key, EncryptedKey):
        source |= {"keystore": str(key.keystore.absolute()), "password": key.password.get_secret_value()}
    return json.dumps({"settings": values, "key": source})


def _shown(urls: Sequence[SecretStr]) -> list[str]:
    return [url.get_secret_value() for url in urls]


def _open_letter(line: str) -> tuple[SignerSettings, KeySource]:
    try:
        letter: dict[str, Any] = json.loads(line)
        settings = SignerSettings.model_validate(letter["settings"])
        source: KeySource = TypeAdapter(KeySource).validate_python(letter["key"])
    except ValidationError as error:
        wrong = ", ".join(".".join(map(str, e["loc"])) for e in error.errors())
        raise UsageError(f"the signer's settings cannot be read: {wrong}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"the signer's settings cannot be read: {type(error).__name__}") from None
    return settings, source


def _stop_on_signals(service: Service) -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        service.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
