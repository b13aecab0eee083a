"""The database of one agent: SQLite in its data folder, or PostgreSQL, which several workers on several machines share.

Each `begin` is one transaction. A worker that the others gave up (`pnyx_tools.workers`) writes nothing any more: the
fence is asked in the same transaction.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

from pnyx_contracts.errors import UnreachableError, UsageError
from pnyx_tools import schema

if TYPE_CHECKING:
    import sqlalchemy as sa

NO_TEXT: Final = frozenset({int, float, bool, bytes, type(None)})
UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""PostgreSQL's text has no NUL, and UTF-8 no halves of surrogate pairs."""

POSTGRES = "postgresql"
_BUSY_SECONDS = 10
_LOOK_SECONDS = 0.02

SCHEMES = (f"{POSTGRES}://", f"{POSTGRES}+psycopg://", "postgres://")
"""Beginnings of URLs of a PostgreSQL database."""


class Database:
    """Open in any number of threads and processes. `url` is ``sqlite:///file`` or ``postgresql://…``."""

    def __init__(self, url: str, *, must_be_current: bool = True) -> None:
        """A new database gets its tables. Raises `UsageError` for one of another version (unless `must_be_current` is
        False), `UnreachableError` when it cannot be opened.
        """
        import sqlalchemy as sa

        self.engine = _engine(url)
        self.fence: Callable[[sa.Connection], None] | None = None
        try:
            schema.create_if_new(self.engine)
            if must_be_current:
                schema.require_current(self.engine)
        except sa.exc.DatabaseError as error:
            raise UnreachableError(
                f"the database {self.name} cannot be opened: {error.orig}",
                hint="check that the folder exists and is writable"
                if self.is_sqlite
                else "check that the server runs, and user and password",
            ) from error

    @property
    def name(self) -> str:
        """The URL without a password."""
        return display_name(self.engine.url)

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """One transaction. Raises `UnreachableError` when the database is locked, full or away: worth another try."""
        import sqlalchemy as sa

        try:
            with self.engine.begin() as connection:
                if self.fence is not None:
                    self.fence(connection)
                yield connection
        except sa.exc.OperationalError as error:
            hint = (
                "is the disk full, or does another program hold the file?" if self.is_sqlite else "does the server run?"
            )
            raise UnreachableError(f"the database cannot be used: {error.orig}", hint=hint) from error

    def upsert(self, connection: sa.Connection, table: sa.Table, values: dict[str, Any]) -> None:
        """Insert a row; or change the one with the same primary key, whoever put it there meanwhile."""
        from sqlalchemy.dialects import postgresql, sqlite

        insert = sqlite.insert if self.is_sqlite else postgresql.insert
        keys = [column.name for column in table.primary_key.columns]
        rest = {name: value for name, value in values.items() if name not in keys}
        connection.execute(insert(table).values(**values).on_conflict_do_update(index_elements=keys, set_=rest))


def display_name(url: str | sa.URL) -> str:
    """Without a password."""
    import sqlalchemy as sa

    return sa.make_url(url).render_as_string(hide_password=True)


def is_postgres(url: str) -> bool:
    return url.startswith(SCHEMES)


def require_hidden_password(url: str) -> None:
    """Raises `ValueError` unless the password, if there is one, stands where all who show a URL look for it. No word of
    the URL gets into the error: it may be a piece of the password.
    """
    parts = urlsplit(url)
    try:
        is_whole = parts.netloc.count("@") <= 1 and parts.port != 0
    except ValueError:  # a piece of a password in the place of the port
        is_whole = False
    if not is_whole:
        raise ValueError(
            "cannot be read as postgresql://user:password@host:5432/database. In user and password write "
            "@ as %40, : as %3A, / as %2F, # as %23, ? as %3F, % as %25"
        )
    if any(name.endswith("password") for name, _ in parse_qsl(parts.query)):
        raise ValueError("expected the password before the host: postgresql://user:password@host:5432/database")


def _engine(url: str) -> sa.Engine:
    import sqlalchemy as sa

    if not is_postgres(url):
        engine = sa.create_engine(url)
        sa.event.listen(engine, "connect", _careful_sqlite)
        sa.event.listen(engine, "before_cursor_execute", _as_utf8, retval=True)
        return engine
    try:
        import psycopg  # noqa: F401 - only to say what is missing
    except ImportError:
        raise UsageError("PostgreSQL needs its driver", hint='pip install "pnyx[agent,postgres]"') from None
    try:
        parsed = sa.make_url(url).set(drivername=f"{POSTGRES}+psycopg")
    except sa.exc.ArgumentError:
        raise UsageError(
            "the database's URL cannot be read", hint="expected postgresql://user@host:5432/database"
        ) from None
    # A server that was started anew leaves dead connections in the pool.
    engine = sa.create_engine(parsed, pool_pre_ping=True, pool_size=20, max_overflow=40)
    sa.event.listen(engine, "before_cursor_execute", _as_utf8, retval=True)
    return engine


def _as_utf8(
    _connection: object,
    _cursor: object,
    statement: str,
    parameters: Any,  # noqa: ANN401 - of any statement
    _context: object,
    _many: object,
) -> tuple[str, Any]:
    """Text of strangers (titles, reasons of reverts) may hold what no database takes, and must not keep a row out."""
    return statement, _storable(parameters)


def _storable(value: Any) -> Any:  # noqa: ANN401 - parameters of any statement
    match value:
        case str():
            return value if _is_plain(value) else UNSTORABLE.sub("\ufffd", value)
        case dict():
            return {name: _storable(item) for name, item in value.items()}
        case list() | tuple():
            # A history writes hundreds of thousands of values: they are looked at together.
            if NO_TEXT.issuperset({type(item) for item in value if type(item) is not str}) and _is_plain(
                "".join([item for item in value if type(item) is str])
            ):
                return value
            return type(value)(map(_storable, value))
        case _:
            return value


def _is_plain(text: str) -> bool:
    return text.isascii() and "\0" not in text


def _careful_sqlite(connection: Any, _record: Any) -> None:  # noqa: ANN401 - as it came
    """Write-ahead log, so that the CLI reads while the daemon writes; full sync, so that a power cut loses nothing;
    pages that hold several proposals each.
    """
    for pragma in (f"busy_timeout={_BUSY_SECONDS * 1000}", "page_size=16384"):
        connection.execute(f"PRAGMA {pragma}")
    _use_write_ahead_log(connection)
    connection.execute("PRAGMA synchronous=FULL")


def _use_write_ahead_log(connection: Any) -> None:  # noqa: ANN401 - as it came
    """SQLite does not wait for the lock of this one change, whatever its time-out is: two processes that open a new
    database at once would see it "locked".
    """
    import sqlite3

    end = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(_LOOK_SECONDS)
        else:
            return
