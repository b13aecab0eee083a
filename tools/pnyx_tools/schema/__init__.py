"""The tables of an agent's database, by versions: ``versions/`` has one file for each, in Alembic's form.

A new database is made at the newest version. An older one is left as it is until `pnyx migrate` brings it up, after a
backup; a newer one is not touched at all.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from pnyx_contracts.errors import UsageError

if TYPE_CHECKING:
    import sqlalchemy as sa

VERSIONS: Final = ("0001", "0002", "0003", "0004")
FIRST: Final = VERSIONS[0]
"""Databases from before versions were noted are of this one."""
NEWEST: Final = VERSIONS[-1]

_VERSION_TABLE = "alembic_version"
_LOCK = 0x706E7978
"""PostgreSQL's advisory lock for whoever changes tables."""
_LOOK_SECONDS = 0.2


def version_of(engine: sa.Engine) -> str | None:
    """None for a database without tables."""
    with engine.connect() as connection:
        return _version(connection)


def create_if_new(engine: sa.Engine) -> None:
    """Make the tables of a database that has none. Two processes may do so at the same moment."""
    if version_of(engine) is None:
        with alone(engine) as connection:
            if _version(connection) is None:
                _upgrade(connection)


def require_current(engine: sa.Engine) -> None:
    """Raises `UsageError` when the tables are of another version than this code."""
    version = version_of(engine)
    if version == NEWEST:
        return
    if version in VERSIONS:
        raise UsageError(
            f"the database is of version {version}, this Pnyx works with {NEWEST}",
            hint="stop the agent, then `pnyx migrate`: it makes a backup first",
        )
    raise UsageError(
        f"the database is of version {version}, which this Pnyx does not know: a newer one made it",
        hint="install that release again, or restore the backup of before",
    )


def migrate(engine: sa.Engine) -> tuple[str, str]:
    """Bring the tables up to the newest version, all or nothing. The versions before and after."""
    with alone(engine) as connection:
        before = _version(connection)
        assert before is not None, "a database is made when it is opened"
        if before not in VERSIONS:
            raise UsageError(f"the database is of version {before}, which this Pnyx does not know")
        if before == FIRST:
            _stamp(connection, FIRST)
        _upgrade(connection)
    return before, NEWEST


def _version(connection: sa.Connection) -> str | None:
    import sqlalchemy as sa

    there = sa.inspect(connection)
    if there.has_table(_VERSION_TABLE):
        table = sa.table(_VERSION_TABLE, sa.column("version_num"))
        version = connection.execute(sa.select(table.c.version_num)).scalar()
        return None if version is None else str(version)
    return FIRST if there.has_table("proposal") else None


@contextmanager
def alone(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction, and nobody else changes tables meanwhile."""
    import sqlalchemy as sa

    if engine.dialect.name != "sqlite":
        with engine.begin() as connection:
            connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            yield connection
        return
    # Python's driver begins no transaction before a CREATE TABLE: this one is begun by hand.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise
        connection.exec_driver_sql("COMMIT")


@contextmanager
def one_at_a_time(engine: sa.Engine) -> Iterator[None]:
    """For tables that a library makes by itself, on connections of its own. No transaction is open meanwhile, also not
    of those who wait: PostgreSQL builds some indexes only when all others have ended.
    """
    import sqlalchemy as sa

    if engine.dialect.name == "sqlite":
        yield  # a process is alone there
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not connection.execute(sa.text(f"SELECT pg_try_advisory_lock({_LOCK + 1})")).scalar():
            time.sleep(_LOOK_SECONDS)
        try:
            yield
        finally:
            connection.execute(sa.text(f"SELECT pg_advisory_unlock({_LOCK + 1})"))


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command

    command.upgrade(_config(connection), NEWEST)


def _stamp(connection: sa.Connection, version: str) -> None:
    from alembic import command

    command.stamp(_config(connection), version)


def _config(connection: sa.Connection):  # type: ignore[no-untyped-def]  # noqa: ANN202 - Alembic is imported late
    from alembic.config import Config

    logging.getLogger("alembic").setLevel(logging.WARNING)  # each version is a line otherwise
    config = Config()
    config.set_main_option("script_location", "pnyx_tools:schema")
    config.attributes["connection"] = connection
    return config
