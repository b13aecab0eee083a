"""Where evidence lies: bundles and configurations, in a folder or behind a URL.

Files are named by what they must hash to, so the place need not be trusted: ``<record root>.json`` and
``<configuration hash>.json``, in lower-case hex without ``0x``. A reader can tell a file that is gone (None) from a
place that does not answer (`UnreachableError`), from another record's bundle (`SwappedBundleError`) and from a bundle
that was changed (`ChangedBundleError`).
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import unquote

from eth_hash.auto import keccak

from pnyx_contracts.errors import DiffersError, UnreachableError, UsageError
from pnyx_contracts.types import to_hex
from pnyx_policies.bundle import Bundle, open_bundle
from pnyx_policies.configuration import Configuration

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

MAX_FILE_BYTES = 16 * 2**20
"""A request to a model takes at most some 300 kB, its answer at most 1 MiB. So this is room for a committee that calls
tools and tries again, and still fits, escaped once more, into a request to the signer. It keeps a hostile place from
filling a reader's memory."""

MAX_REDIRECTS = 5

_SILENCE_SECONDS = 30.0
"""For connecting, and for each piece of the answer."""
_FETCH_SECONDS = 120.0
"""For one file, redirects and headers included."""
_GONE = frozenset({404, 410})
_ANOTHER_PLACE = "name another place that has the evidence: --evidence URL-or-FOLDER"


class EvidenceStore(Protocol):
    """Read access to evidence."""

    def get_bundle(self, root: bytes) -> bytes | None:
        """The file of the bundle of the record `root`, None when the place has none.

        Raises `UnreachableError`, `SwappedBundleError`, `ChangedBundleError`.
        """
        ...

    def get_configuration(self, configuration_hash: bytes) -> bytes | None:
        """The file of a configuration, None when the place has none. Raises `UnreachableError`, `DiffersError`."""
        ...


def open_store(location: str | Path) -> EvidenceStore:
    """The store at a folder, a ``file://`` URL or an ``http(s)://`` URL. Raises `UsageError` for anything else.

    A location from the chain was written by a stranger: open it only when `is_remote` says that it is no place here.
    """
    text = str(location)
    if is_remote(text):
        return HttpStore(text)
    scheme, separator, rest = text.partition("://")
    if not separator:
        return FolderStore(text)
    host, _, path = rest.partition("/")
    if scheme.lower() != "file" or host not in {"", "localhost"}:
        raise UsageError(
            f"{text}: evidence is read from folders and from file:///... and http(s)://... URLs",
            hint="copy it into a folder and name that",
        )
    return FolderStore(unquote(f"/{path}"))


def open_named(location: str | Path) -> EvidenceStore:
    """The store that a person named. A misspelled folder must not look like evidence that was removed, so one that is
    not there is a `UsageError`.
    """
    store = open_store(location)
    if isinstance(store, FolderStore) and not store.path.is_dir():
        raise UsageError(
            f"there is no folder {store.path}", hint="name the folder or the URL where the evidence lies: --evidence"
        )
    return store


def is_remote(location: str) -> bool:
    """True for http(s) URLs."""
    return location.lower().startswith(("http://", "https://"))


class FolderStore:
    """Evidence in a folder. Files appear whole or not at all, and are never overwritten with something else."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    def put_bundle(self, bundle: Bundle) -> Path:
        """Writes the bundle and returns its file. Raises `DiffersError` when the file is there with another content."""
        return self._put(bundle.record_root, bundle.to_bytes())

    def put_configuration(self, configuration: Configuration) -> Path:
        """Writes the configuration and returns its file."""
        return self._put(configuration.hash, configuration.canonical_bytes())

    def get_bundle(self, root: bytes) -> bytes | None:
        return _bundle(root, self._read(root))

    def get_configuration(self, configuration_hash: bytes) -> bytes | None:
        return _configuration(configuration_hash, self._read(configuration_hash))

    def _put(self, digest: bytes, data: bytes) -> Path:
        if len(data) > MAX_FILE_BYTES:
            raise UsageError(f"evidence of {len(data)} bytes: no reader takes more than {MAX_FILE_BYTES}")
        path = self.path / file_name(digest)
        there = self._read(digest)
        if there is None:
            self.path.mkdir(parents=True, exist_ok=True)
            _write_durably(path, data)
        elif there != data:
            raise DiffersError(
                f"{path} is there with another content", hint="keep both files and find out who wrote it"
            )
        return path

    def _read(self, digest: bytes) -> bytes | None:
        path = self.path / file_name(digest)
        try:
            with path.open("rb") as file:
                data = file.read(MAX_FILE_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UnreachableError(f"{path}: {error.strerror}") from error
        if len(data) > MAX_FILE_BYTES:
            raise UnreachableError(f"{path}: larger than {MAX_FILE_BYTES} bytes, not read")
        return data


class HttpStore:
    """Evidence behind an http(s) URL, read-only."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def get_bundle(self, root: bytes) -> bytes | None:
        return _bundle(root, self._read(root))

    def get_configuration(self, configuration_hash: bytes) -> bytes | None:
        return _configuration(configuration_hash, self._read(configuration_hash))

    def _read(self, digest: bytes) -> bytes | None:
        import httpx

        url = f"{self.url}/{file_name(digest)}"
        try:
            return _run_apart(_fetch(url))
        except TimeoutError:
            raise UnreachableError(
                f"{url}: not there after {_FETCH_SECONDS:g} seconds, given up", hint=_ANOTHER_PLACE
            ) from None
        except httpx.TransportError as error:
            raise UnreachableError(
                f"{url}: cannot be reached ({type(error).__name__}: {error})",
                hint=f"is that server up, and the URL right? Else {_ANOTHER_PLACE}",
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, ExceptionGroup) as error:
            # a ValueError: host names beyond IDNA; a group: ports beyond 65535
            raise UnreachableError(f"{url}: {error}", hint=_ANOTHER_PLACE) from error


def file_name(digest: bytes) -> str:
    """Name of the file whose content hashes to `digest`."""
    return f"{digest.hex()}.json"


def _bundle(root: bytes, data: bytes | None) -> bytes | None:
    if data is not None:
        open_bundle(root, data)
    return data


def _configuration(expected: bytes, data: bytes | None) -> bytes | None:
    if data is not None and keccak(data) != expected:
        raise DiffersError(f"changed: the configuration {to_hex(expected)} has the hash {to_hex(keccak(data))}")
    return data


async def _fetch(url: str) -> bytes | None:
    """The file behind `url`, None when it is gone. A hostile place may drip, redirect, or send for ever: all of it has
    one deadline. Raises `UnreachableError`, `TimeoutError`, and what httpx raises.
    """
    import httpx

    # Uncompressed: a small answer must not unpack into a large one.
    client = httpx.AsyncClient(timeout=_SILENCE_SECONDS, headers={"accept-encoding": "identity"})
    async with asyncio.timeout(_FETCH_SECONDS), client:
        request = client.build_request("GET", url)
        for _ in range(MAX_REDIRECTS + 1):
            response = await client.send(request, stream=True)
            try:
                # By hand: httpx would read, and unpack, whatever comes with a redirect.
                if response.next_request is None:
                    return await _body(response, url)
                request = response.next_request
            finally:
                await response.aclose()
    raise UnreachableError(f"{url}: more than {MAX_REDIRECTS} redirects, given up")


async def _body(response: httpx.Response, url: str) -> bytes | None:
    if response.status_code in _GONE:
        return None
    response.raise_for_status()
    if (encoding := response.headers.get("content-encoding", "identity")) != "identity":
        raise UnreachableError(f"{url}: packed ({encoding[:40]!r}), though it was asked for as it is; not read")
    data = bytearray()
    async for chunk in response.aiter_raw():
        data += chunk
        if len(data) > MAX_FILE_BYTES:
            raise UnreachableError(f"{url}: larger than {MAX_FILE_BYTES} bytes, given up")
    return bytes(data)


def _run_apart(work: Coroutine[Any, Any, T]) -> T:
    """In a loop and a thread of its own: the caller may be inside a loop. Ctrl-C does not wait for it."""
    result: Future[T] = Future()

    def run() -> None:
        try:
            result.set_result(asyncio.run(work))
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            result.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return result.result()


def _write_durably(path: Path, data: bytes) -> None:
    """A temporary file, synced, then renamed: after a crash the file is whole or not there."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
