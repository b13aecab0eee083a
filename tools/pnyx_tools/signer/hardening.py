"""What the system can do for a process that holds a key: no core dump, no debugger, no page of it on disk."""

from __future__ import annotations

import ctypes
import logging
import os
import resource
import sys
from pathlib import Path
from typing import Final

from pnyx_contracts.errors import UsageError

_PR_SET_DUMPABLE: Final = 4
_CURRENT, _FUTURE, _ON_FAULT = 1, 2, 4
"""Of ``mlockall``: what is mapped, what will be mapped, and each page only when it is used."""

logger = logging.getLogger("pnyx.signer")


def harden(*, require_locked_memory: bool = False) -> None:
    """Before the key is opened. Raises `UsageError` when memory must be locked and cannot be."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    why_not = lock_memory()
    if not why_not:
        return
    if require_locked_memory:
        raise UsageError(
            f"the signer's memory cannot be locked: {why_not}",
            hint="LimitMEMLOCK=infinity in its unit, or `ulimit -l unlimited`; or leave out require_locked_memory",
        )
    logger.warning("memory is not locked, the key may be written to swap: %s", why_not)


def lock_memory() -> str:
    """Keeps this process's memory, the future one too, out of swap. Returns why it cannot, empty when it can.

    All or nothing: with a limit, memory that is asked for later (a keystore takes 256 MB to open) would not be given.
    """
    if sys.platform != "linux":
        return f"not known how on {sys.platform}"
    _, most = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if most != resource.RLIM_INFINITY and not _may_lock_anything():
        return f"the limit of locked memory is {most} bytes"
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (most, most))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(_CURRENT | _FUTURE | _ON_FAULT):
        return os.strerror(ctypes.get_errno())
    return ""


_CAP_IPC_LOCK: Final = 14


def _may_lock_anything() -> bool:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    held = next(line for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(held.split()[1], 16) >> _CAP_IPC_LOCK & 1)
