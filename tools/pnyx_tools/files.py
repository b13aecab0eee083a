"""Files that others must not read, or not write: made so, and refused when they are not so. Files that are whole or not
there.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pnyx_contracts.errors import UsageError


def write_secret(path: Path, content: str) -> None:
    """A new file with mode 0600, complete or not there at all. Raises `FileExistsError`."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")  # with mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    finally:
        Path(temporary).unlink()


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A file for everybody to read that takes its name when it is complete."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def require_private(path: Path, what: str) -> None:
    """A file that nobody but its owner can read. Raises `UsageError`."""
    mode = _mode(path, what)
    if mode & 0o077 and not _is_credential(path, mode):
        raise UsageError(f"the {what} {path} can be read by others (mode {mode:04o})", hint=f"chmod 600 {path}")


def require_unwritable(path: Path, what: str) -> None:
    """A file that nobody but its owner can write. Raises `UsageError`."""
    mode = _mode(path, what)
    if mode & 0o022:
        raise UsageError(f"the {what} {path} can be written by others (mode {mode:04o})", hint=f"chmod 644 {path}")


def require_own_folder(path: Path, what: str) -> None:
    """A folder that nobody but its owner can write into. Raises `UsageError`."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o022:
        raise UsageError(f"the {what} {path} can be written by others (mode {mode:04o})", hint=f"chmod 700 {path}")


def _mode(path: Path, what: str) -> int:
    try:
        found = path.stat()
    except OSError as error:
        raise UsageError(f"the {what} {path} cannot be read: {error.strerror}") from None
    if not stat.S_ISREG(found.st_mode):
        raise UsageError(f"the {what} {path} is not a file")
    return stat.S_IMODE(found.st_mode)


def _is_credential(path: Path, mode: int) -> bool:
    """systemd hands a credential to one service in a folder that no other can enter. The file is root's; an access
    list, which shows as the group's bits, lets the service read it.
    """
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    return (
        folder is not None
        and path.parent.resolve() == Path(folder).resolve()
        and path.stat().st_uid == 0
        and not mode & 0o037
    )
