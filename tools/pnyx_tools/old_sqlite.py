"""DBOS needs ``unixepoch('subsec')`` on Python 3.12 and newer, which SQLite has since 3.42; Debian 12 still ships 3.40.

There it answers NULL, and the engine cannot start. So connections to an older SQLite get the function from us. To be
deleted when DBOS looks at SQLite's version instead of Python's.
"""

from __future__ import annotations

import sqlite3
import time
from typing import Any, Final

HAS_SUBSECONDS: Final = (3, 42)


def mend_old_sqlite() -> None:
    """From now on, in this process. Does nothing on a newer SQLite."""
    import sqlalchemy as sa

    if sqlite3.sqlite_version_info < HAS_SUBSECONDS and not sa.event.contains(sa.Engine, "connect", _add_unixepoch):
        sa.event.listen(sa.Engine, "connect", _add_unixepoch)


def _add_unixepoch(connection: Any, _record: object) -> None:  # noqa: ANN401 - a connection of any driver
    if isinstance(connection, sqlite3.Connection):
        connection.create_function("unixepoch", -1, _unixepoch)


def _unixepoch(*modifiers: str) -> float:
    """Seconds since the epoch, now; the engine asks for nothing else."""
    return time.time() if "subsec" in modifiers else int(time.time())
