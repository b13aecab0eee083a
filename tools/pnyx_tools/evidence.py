"""Where evidence lies: bundles and configurations, in a folder or behind a URL.

Files are named by what they must hash to, so the place need not be trusted: ``<record root>.json`` and
``<configuration hash>.json``, in lower-case hex without ``0x``. A reader can tell a file that is gone (None) from a
place that does not answer (`UnreachableError`), from another record's bundle (`SwappedBundleError`) and from a bundle
that was changed (`ChangedBundleError`).
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote

from eth_hash.auto import keccak

from pnyx_contracts.errors import DiffersError, UnreachableError, UsageError
from pnyx_contracts.types import to_hex
from pnyx_policies.bundle import Bundle, open_bundle
from pnyx_policies.configuration import Configuration

MAX_FILE_BYTES = 32 * 2**20
"""No honest bundle is larger: the limit keeps a hostile place from filling a reader's memory."""

_TIMEOUT_SECONDS = 30.0
"""For each step: connecting, each piece of the answer."""
_TRANSFER_SECONDS = 120.0
_GONE = frozenset({404, 410})


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
        # Uncompressed: a small answer must not unpack into a large one.
        headers = {"accept-encoding": "identity"}
        try:
            with httpx.stream("GET", url, headers=headers, timeout=_TIMEOUT_SECONDS, follow_redirects=True) as response:
                if response.status_code in _GONE:
                    return None
                response.raise_for_status()
                return _received(response.iter_raw(), url)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:  # a ValueError: host names beyond IDNA
            raise UnreachableError(f"{url}: {error}") from error


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


def _received(chunks: Iterator[bytes], url: str) -> bytes:
    """The whole answer, within limits of size and time: a hostile place may drip for ever."""
    data = bytearray()
    deadline = time.monotonic() + _TRANSFER_SECONDS
    for chunk in chunks:
        data += chunk
        if len(data) > MAX_FILE_BYTES or time.monotonic() > deadline:
            raise UnreachableError(
                f"{url}: more than {MAX_FILE_BYTES} bytes or {_TRANSFER_SECONDS:.0f} seconds, given up"
            )
    return bytes(data)


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
