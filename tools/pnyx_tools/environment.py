"""Secrets taken out of the environment so that nobody finds them there afterwards.

To delete a variable is not enough: the block of memory that a process was started with stays as it was, and every
process of the same user can read it (``/proc/PID/environ``). So the value is overwritten there first.
"""

from __future__ import annotations

import ctypes
import os


def take_variable(name: str) -> str:
    """The value, which is gone from the environment now; empty when there was none."""
    _overwrite(name)
    return os.environ.pop(name, "")  # Python's own copy, made when it started


def _overwrite(name: str) -> None:
    libc = ctypes.CDLL(None)
    libc.getenv.restype = ctypes.c_void_p
    address = libc.getenv(os.fsencode(name))
    if address is not None:
        ctypes.memset(address, 0, len(ctypes.string_at(address)))
