"""Evidence in a folder of this machine."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from pnyx_contracts.errors import DiffersError, UnreachableError, UsageError
from pnyx_policies.bundle import Bundle
from pnyx_policies.configuration import Configuration
from pnyx_tools.evidence import store
from pnyx_tools.evidence.store import CheckedStore, digest_in, file_name

PRIVATE, PUBLISHED = 0o600, 0o644


class FolderStore(CheckedStore):
    """Evidence in a folder. Files appear whole or not at all, and are never overwritten with something else.

    `mode` is that of the files: others may read what is published, nobody what is private.
    """

    def __init__(self, path: Path | str, mode: int = PUBLISHED) -> None:
        self.path = Path(path)
        self._mode = mode

    def put_bundle(self, bundle: Bundle) -> Path:
        """Writes the bundle and returns its file. Raises `DiffersError` when the file is there with another content."""
        return self._put(bundle.record_root, bundle.to_bytes())

    def put_configuration(self, configuration: Configuration) -> Path:
        """Writes the configuration and returns its file."""
        return self._put(configuration.hash, configuration.to_bytes())

    def _put(self, digest: bytes, data: bytes) -> Path:
        if len(data) > store.MAX_FILE_BYTES:
            raise UsageError(f"evidence of {len(data)} bytes: no reader takes more than {store.MAX_FILE_BYTES}")
        path = self.path / file_name(digest)
        there = self.read(digest)
        if there is None:
            self._make_folder()
            _write_durably(path, data, self._mode)
        elif there != data:
            raise DiffersError(
                f"{path} is there with another content", hint="keep both files and find out who wrote it"
            )
        return path

    def _make_folder(self) -> None:
        self.path.mkdir(mode=0o777 if self._mode == PUBLISHED else 0o700, parents=True, exist_ok=True)

    def sizes(self) -> dict[str, int]:
        """Size by name, of every file here that is named as evidence."""
        try:
            with os.scandir(self.path) as found:
                return {entry.name: entry.stat().st_size for entry in found if digest_in(entry.name) is not None}
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise UnreachableError(f"{self.path}: {error.strerror}") from error

    def copy_in(self, digest: bytes, data: bytes) -> None:
        """Writes a file of another place here, also over one that differs: the other place is the original."""
        try:
            self._make_folder()
            _write_durably(self.path / file_name(digest), data, self._mode)
        except OSError as error:
            raise UnreachableError(f"{self.path}: {error.strerror}") from error

    def read(self, digest: bytes) -> bytes | None:
        path = self.path / file_name(digest)
        try:
            with path.open("rb") as file:
                data = file.read(store.MAX_FILE_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UnreachableError(f"{path}: {error.strerror}") from error
        if len(data) > store.MAX_FILE_BYTES:
            raise UnreachableError(f"{path}: larger than {store.MAX_FILE_BYTES} bytes, not read")
        return data


def _write_durably(path: Path, data: bytes, mode: int) -> None:
    """A temporary file, synced, then renamed: after a crash the file is whole or not there."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
