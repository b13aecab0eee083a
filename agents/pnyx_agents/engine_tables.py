"""The tables of the durable engine: whether they are there, whether they are of this release, how they become so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dbos import DBOS

from pnyx_contracts.errors import UnreachableError
from pnyx_tools.old_sqlite import mend_old_sqlite

if TYPE_CHECKING:
    import sqlalchemy as sa

SCHEMA = "dbos"
"""Where they are in PostgreSQL."""


def is_there(database: str) -> bool:
    """Whether the engine has tables there."""
    import sqlalchemy as sa

    with _opened(database) as engine, engine.connect() as connection:
        schema = None if engine.dialect.name == "sqlite" else SCHEMA
        return bool(sa.inspect(connection).has_table("workflow_status", schema=schema))


def is_up_to_date(database: str) -> bool:
    """Whether the engine's tables there, if any, are as this release of it wants them."""
    from dbos._migration import get_migration_versions, get_sqlite_migration_versions

    if not is_there(database):
        return True
    with _opened(database) as engine:
        is_sqlite = engine.dialect.name == "sqlite"
        found, wanted = (
            get_sqlite_migration_versions(engine) if is_sqlite else get_migration_versions(engine, SCHEMA, True)
        )
    return found >= wanted


@contextmanager
def _opened(database: str) -> Iterator[sa.Engine]:
    import sqlalchemy as sa

    engine = sa.create_engine(database)
    try:
        yield engine
    except sa.exc.OperationalError as error:
        raise UnreachableError(f"the workflow database cannot be opened: {error.orig}") from error
    finally:
        engine.dispose()


def bring_up_to_date(database: str) -> None:
    """The engine's own tables, as this release of it wants them. Nobody else may do so meanwhile. Raises
    `UnreachableError` when they cannot be written; what was made by then is taken up the next time.
    """
    import sqlalchemy as sa

    mend_old_sqlite()
    try:
        DBOS.migrate(database, schema=SCHEMA)
    except sa.exc.OperationalError as error:
        raise UnreachableError(
            f"the tables of the workflows cannot be made: {error.orig}", hint="is the disk full, or the server away?"
        ) from error
