"""One daemon per data folder: a second one would race the first for nonces and votes."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pnyx_contracts.errors import RefusedError


@contextmanager
def only_instance(path: Path) -> Iterator[None]:
    """Holds an exclusive lock on `path`; the kernel frees it when the process dies, however it dies."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip() or "unknown"
            raise RefusedError(
                f"another daemon (process {holder}) works with {path.parent}",
                hint="stop it first, or give this agent its own agent.data folder",
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)
