"""A copy of a database as it is, before its tables change."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pnyx_contracts.errors import UnreachableError

if TYPE_CHECKING:
    import sqlalchemy as sa


def timestamp() -> str:
    return f"{datetime.now(UTC):%Y%m%d_%H%M%S}"


def copy_file(database: Path, folder: Path, now: str) -> Path:
    """A consistent copy of an SQLite file, synced to disk. Raises `UnreachableError`."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        copy = folder / f"{database.stem}_{now}.sqlite"
        copy.touch(mode=0o600, exist_ok=False)
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(copy)) as target:
            target.execute("PRAGMA synchronous=FULL")
            source.backup(target)
    except (OSError, sqlite3.Error) as error:
        raise UnreachableError(
            f"{database} cannot be copied to {folder}: {error}", hint="is there room on the disk? nothing was changed"
        ) from None
    return copy


def copy_tables(engine: sa.Engine, schemas: tuple[str, ...], now: str) -> tuple[str, ...]:
    """The tables of these PostgreSQL schemas, with their keys, copied into new schemas of the same database, in one
    transaction. The names of the new ones.
    """
    import sqlalchemy as sa

    quote = engine.dialect.identifier_preparer.quote
    made = []
    with engine.begin() as connection:
        there = sa.inspect(connection)
        for schema in schemas:
            tables = there.get_table_names(schema=schema)
            if not tables:
                continue
            copy = f"backup_{now}_{schema}"
            connection.execute(sa.schema.CreateSchema(copy))
            for table in tables:
                source, target = f"{quote(schema)}.{quote(table)}", f"{quote(copy)}.{quote(table)}"
                connection.exec_driver_sql(f"CREATE TABLE {target} (LIKE {source} INCLUDING ALL)")
                connection.exec_driver_sql(f"INSERT INTO {target} OVERRIDING SYSTEM VALUE TABLE {source}")
            made.append(copy)
    return tuple(made)
