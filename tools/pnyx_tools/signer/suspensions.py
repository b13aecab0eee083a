"""Suspensions in the signer's memory: they outlast restarts. Rows are only ever added; one that is lifted says when."""

from __future__ import annotations

import sqlite3
from typing import Final

from pnyx_policies.suspension import Order, Suspension

TABLES: Final = """
CREATE TABLE IF NOT EXISTS suspension (
    number TEXT PRIMARY KEY, person TEXT NOT NULL, why TEXT NOT NULL, at INTEGER NOT NULL, signature TEXT NOT NULL,
    lifted_at INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS resumption (
    number TEXT NOT NULL, person TEXT NOT NULL, why TEXT NOT NULL, at INTEGER NOT NULL, signature TEXT NOT NULL,
    PRIMARY KEY (number, person)
) STRICT;
"""


def last_number(connection: sqlite3.Connection) -> int:
    """Of the last suspension, lifted or not; 0 when there was none."""
    return max((int(number) for (number,) in connection.execute("SELECT number FROM suspension")), default=0)


def in_force(connection: sqlite3.Connection) -> Suspension | None:
    """The last one, unless it was lifted: with it, those before it are."""
    number = str(last_number(connection))
    row = connection.execute(
        "SELECT person, why, at FROM suspension WHERE number = ? AND lifted_at IS NULL", (number,)
    ).fetchone()
    if row is None:
        return None
    people = connection.execute("SELECT person FROM resumption WHERE number = ? ORDER BY at, person", (number,))
    return Suspension(number=number, by=row[0], why=row[1], at=row[2], resumed_by=tuple(p for (p,) in people))


def add_suspension(connection: sqlite3.Connection, order: Order, person: str, now: int) -> None:
    """Within the transaction of whoever calls, as the next one."""
    row = (str(order.number), person, order.why, now, order.signature)
    connection.execute("INSERT INTO suspension (number, person, why, at, signature) VALUES (?, ?, ?, ?, ?)", row)


def add_resumption(connection: sqlite3.Connection, order: Order, person: str, now: int, *, lifts: bool) -> None:
    row = (str(order.number), person, order.why, now, order.signature)
    connection.execute("INSERT INTO resumption (number, person, why, at, signature) VALUES (?, ?, ?, ?, ?)", row)
    if lifts:
        connection.execute("UPDATE suspension SET lifted_at = ? WHERE number = ?", (now, str(order.number)))
