"""What people were told, what waits to be told, and how each way there does. Tables of its own in the journal's
database, SQLite or PostgreSQL; each call is one transaction.

A message is kept before anybody is told, with one line for each place that is to hear it. A line is deleted when the
place took the message: a crash in between, and the place hears it once more; nothing is lost. The key of a message
stays for good. A place is worked on by one process at a time, which says so for a while and says it again at each try.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from pnyx_contracts.types import Value
from pnyx_tools.database import Database
from pnyx_tools.notify.message import Message, Urgency
from pnyx_tools.notify.quiet import Waiting

if TYPE_CHECKING:
    import sqlalchemy as sa


class Standing(Value):
    """How a place does."""

    failures: int = 0
    """In a row."""
    try_at: float = 0
    """Not before; seconds since the epoch."""
    error: str = ""
    """Why the last try failed."""


def _tables(sa: Any, metadata: Any) -> dict[str, Any]:  # noqa: ANN401 - sqlalchemy is imported late
    column, text, integer, real = sa.Column, sa.Text, sa.BigInteger, sa.Double
    return {
        "message": sa.Table(
            "notify_message", metadata, column("key", text, primary_key=True), column("content", text, nullable=False),
            column("since", real, nullable=False),
        ),
        "untold": sa.Table(
            "notify_untold", metadata, column("place", text, primary_key=True), column("key", text, primary_key=True)
        ),
        "place": sa.Table(
            "notify_place", metadata, column("name", text, primary_key=True), column("held_by", text, nullable=False),
            column("held_until", real, nullable=False), column("failures", integer, nullable=False),
            column("try_at", real, nullable=False), column("error", text, nullable=False),
        ),
        "answered": sa.Table(
            "notify_answered", metadata, column("proposal", text, primary_key=True),
            column("record_root", text, primary_key=True), column("person", text, primary_key=True),
        ),
    }  # fmt: skip


class Ledger:
    """In the database that the journal opened."""

    def __init__(self, database: Database) -> None:
        import sqlalchemy as sa

        self._table = _tables(sa, sa.MetaData())
        self._begin = database.begin

    # Messages

    def keep(self, message: Message, places: Collection[str], now: float) -> bool:
        """For these places. False when a message of this key was kept before, and nothing is done."""
        import sqlalchemy as sa

        content = message.model_dump_json(exclude_defaults=True)
        untold = [{"place": place, "key": message.key} for place in places]
        try:
            with self._begin() as connection:
                connection.execute(self._table["message"].insert().values(key=message.key, content=content, since=now))
                if untold:
                    connection.execute(self._table["untold"].insert(), untold)
        except sa.exc.IntegrityError:
            return False
        return True

    def waiting(self, place: str) -> list[Waiting]:
        """What this place was not told yet, oldest first."""
        message, untold = self._table["message"], self._table["untold"]
        query = message.join(untold, message.c.key == untold.c.key).select().where(untold.c.place == place)
        with self._begin() as connection:
            rows = connection.execute(query.order_by(message.c.since, message.c.key)).all()
        return [Waiting(Message.model_validate_json(row.content), row.since) for row in rows]

    def alerts_about_the_agent(self, after: float) -> list[Waiting]:
        """Alerts later than `after` (seconds since the epoch) that are about no proposal, oldest first."""
        message = self._table["message"]
        query = message.select().where(message.c.since > after).order_by(message.c.since, message.c.key)
        with self._begin() as connection:
            rows = connection.execute(query).all()
        kept = [Waiting(Message.model_validate_json(row.content), row.since) for row in rows]
        return [one for one in kept if one.message.urgency is Urgency.ALERT and not one.message.proposal]

    def counts(self) -> dict[str, int]:
        """Messages that wait, by place."""
        import sqlalchemy as sa

        untold = self._table["untold"]
        query = sa.select(untold.c.place, sa.func.count()).group_by(untold.c.place)
        with self._begin() as connection:
            return {place: int(count) for place, count in connection.execute(query)}

    def withdraw(self, place: str, keys: Sequence[str]) -> None:
        """The place needs not hear these."""
        with self._begin() as connection:
            self._delete(connection, place, keys)

    def _delete(self, connection: sa.Connection, place: str, keys: Sequence[str]) -> None:
        untold = self._table["untold"]
        connection.execute(untold.delete().where(untold.c.place == place, untold.c.key.in_(keys)))

    def keep_only(self, places: Collection[str]) -> None:
        """What waits for places that are configured no longer will never be asked for."""
        with self._begin() as connection:
            for table, column in (("untold", "place"), ("place", "name")):
                target = self._table[table]
                connection.execute(target.delete().where(target.c[column].not_in(places)))

    # Places

    def hold(self, place: str, holder: str, now: float, seconds: float) -> bool:
        """For this process alone, `seconds` long. False when another one has it."""
        import sqlalchemy as sa

        table = self._table["place"]
        free = sa.or_(table.c.held_by == holder, table.c.held_until <= now)
        mine = {"held_by": holder, "held_until": now + seconds}
        try:
            with self._begin() as connection:
                if connection.execute(table.update().where(table.c.name == place, free).values(**mine)).rowcount:
                    return True
                connection.execute(table.insert().values(name=place, **mine, failures=0, try_at=0, error=""))
        except sa.exc.IntegrityError:
            return False
        return True

    def standing(self, place: str) -> Standing:
        import sqlalchemy as sa

        table = self._table["place"]
        query = sa.select(table.c.failures, table.c.try_at, table.c.error).where(table.c.name == place)
        with self._begin() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return Standing.model_validate(dict(row)) if row else Standing()

    def note_told(self, place: str, keys: Sequence[str]) -> None:
        """The place took these, and works again if it had failed."""
        table = self._table["place"]
        with self._begin() as connection:
            self._delete(connection, place, keys)
            connection.execute(table.update().where(table.c.name == place).values(**Standing().model_dump()))

    def note_failed(self, place: str, standing: Standing) -> None:
        table = self._table["place"]
        with self._begin() as connection:
            connection.execute(table.update().where(table.c.name == place).values(**standing.model_dump()))

    # Who has answered

    def note_answer(self, proposal: str, record_root: str, person: str) -> None:
        """A person's word on one decision was handed over: nobody reminds this person of it any more."""
        import sqlalchemy as sa

        row = {"proposal": proposal, "record_root": record_root, "person": person}
        try:
            with self._begin() as connection:
                connection.execute(self._table["answered"].insert().values(**row))
        except sa.exc.IntegrityError:
            return

    def answered_before(self, proposal: str, record_root: str) -> frozenset[str]:
        """Who gave a word on another record about this proposal."""
        import sqlalchemy as sa

        table = self._table["answered"]
        query = sa.select(table.c.person).where(table.c.proposal == proposal, table.c.record_root != record_root)
        with self._begin() as connection:
            return frozenset(connection.execute(query).scalars())

    def answered(self, proposal: str, record_root: str) -> frozenset[str]:
        """Who gave a word on this decision."""
        import sqlalchemy as sa

        table = self._table["answered"]
        query = sa.select(table.c.person).where(table.c.proposal == proposal, table.c.record_root == record_root)
        with self._begin() as connection:
            return frozenset(connection.execute(query).scalars())
