"""Several workers of one agent on one PostgreSQL database: who is there, who was given up, who leads.

A worker says that it is there, again and again. One that is silent for longer than the lease is given up: its name is
struck off, its work goes to others, and whatever it still wants to write is refused, because each of its transactions
looks for its name first. So a machine that was only asleep cannot do again what another one did meanwhile. All times
are the database's, in seconds since the epoch: machines' clocks need not agree.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from pnyx_contracts.errors import RefusedError, UnreachableError
from pnyx_tools.database import Database

if TYPE_CHECKING:
    import sqlalchemy as sa

FOLLOWING: Final = "following"
"""The duty of the one worker that follows the chain, hands out proposals and reminds people."""


class GivenUpByOthersError(RefusedError):
    """The other workers gave this one up, and do its work: it must end."""


@dataclass(frozen=True, slots=True)
class Worker:
    """One that is there."""

    id: str
    version: str
    """Workflow version and configuration: workers of one agent have the same."""
    silent_seconds: float


def _tables(sa: Any, metadata: Any) -> dict[str, Any]:  # noqa: ANN401 - sqlalchemy is imported late
    column, text = sa.Column, sa.Text
    return {
        "trait": sa.Table(
            "trait", metadata, column("name", text, primary_key=True), column("value", text, nullable=False)
        ),
        "worker": sa.Table(
            "worker", metadata, column("id", text, primary_key=True), column("version", text, nullable=False),
            column("beat_at", sa.Double, nullable=False), column("gone", sa.Boolean, nullable=False),
        ),
        "lead": sa.Table(
            "lead", metadata, column("duty", text, primary_key=True), column("worker", text, nullable=False)
        ),
        "turn": sa.Table(
            "turn", metadata, column("id", text, primary_key=True), column("key", text, nullable=False),
            column("worker", text, nullable=False), column("urgent", sa.Boolean, nullable=False),
            column("since", sa.Double, nullable=False), column("taken", sa.Boolean, nullable=False),
        ),
    }  # fmt: skip


class Roll:
    """The list of the workers, seen by the one with the name `me`, which is never used again. `lease_seconds`: so long
    may a worker be silent.
    """

    def __init__(self, database: Database, me: str, lease_seconds: float) -> None:
        import sqlalchemy as sa

        self.me = me
        self.lease_seconds = lease_seconds
        self.database = database
        self.table = _tables(sa, sa.MetaData())
        self.now = sa.literal_column("extract(epoch FROM clock_timestamp())", sa.Double)

    def join(self, version: str, traits: Mapping[str, str]) -> None:
        """From here on this worker counts. `traits` is what all workers of this database must have in common. Raises
        `RefusedError` when they have not.
        """
        with self.alone() as connection:
            self._require_same(connection, traits)
            self._require_version(connection, version)
            row = {"id": self.me, "version": version, "beat_at": self.now, "gone": False}
            connection.execute(self.table["worker"].insert().values(row))
        self.database.fence = self._require_there

    def beat(self) -> None:
        """Say that this worker is there. Raises `GivenUpByOthersError` when the others think otherwise."""
        worker = self.table["worker"]
        with self.database.begin() as connection:
            connection.execute(worker.update().where(worker.c.id == self.me).values(beat_at=self.now))

    def workers(self) -> list[Worker]:
        """Those that are there."""
        import sqlalchemy as sa

        worker = self.table["worker"]
        query = sa.select(worker.c.id, worker.c.version, self.now - worker.c.beat_at).where(~worker.c.gone)
        with self.database.begin() as connection:
            return [Worker(*row) for row in connection.execute(query.order_by(worker.c.id))]

    def leads(self, duty: str) -> bool:
        """Whether this worker has a duty that only one has: it takes it when nobody has it that is there."""
        worker, lead = self.table["worker"], self.table["lead"]
        with self.alone() as connection:
            living = worker.select().with_only_columns(worker.c.id).where(~worker.c.gone)
            holder = connection.execute(
                lead.select().with_only_columns(lead.c.worker).where(lead.c.duty == duty, lead.c.worker.in_(living))
            ).scalar()
            if holder is None:
                self.database.upsert(connection, lead, {"duty": duty, "worker": self.me})
            return holder in {None, self.me}

    def has(self, duty: str) -> bool:
        """Whether this worker has the duty now, without taking it."""
        lead = self.table["lead"]
        query = lead.select().where(lead.c.duty == duty, lead.c.worker == self.me)
        with self.database.begin() as connection:
            return connection.execute(query).first() is not None

    def require_there(self) -> None:
        """Raises `GivenUpByOthersError`."""
        with self.database.begin():
            pass  # the fence asks

    def leave(self) -> None:
        """This worker ends: what it leaves goes to others at once. Nothing it does counts from here on."""
        with self.database.begin() as connection:
            self._strike_off(connection, self.table["worker"].c.id == self.me)

    def give_up_silent(self) -> list[str]:
        """Strike off who was silent for too long; then `gone`."""
        worker = self.table["worker"]
        with self.database.begin() as connection:
            self._strike_off(connection, worker.c.beat_at < self.now - self.lease_seconds)
        return self.gone()

    def gone(self) -> list[str]:
        """All who were struck off, or left, and whose work nobody took over yet."""
        worker = self.table["worker"]
        query = worker.select().with_only_columns(worker.c.id).where(worker.c.gone).order_by(worker.c.id)
        with self.database.begin() as connection:
            return list(connection.execute(query).scalars())

    def forget(self, gone: str) -> None:
        """Its work was taken over."""
        worker = self.table["worker"]
        with self.database.begin() as connection:
            connection.execute(worker.delete().where(worker.c.id == gone, worker.c.gone))

    def _strike_off(self, connection: sa.Connection, who: sa.ColumnElement[bool]) -> None:
        """Waits for the transactions that these workers are in; the next ones fail."""
        worker, turn = self.table["worker"], self.table["turn"]
        struck = worker.update().where(who, ~worker.c.gone).values(gone=True).returning(worker.c.id)
        gone = list(connection.execute(struck).scalars())
        connection.execute(turn.delete().where(turn.c.worker.in_(gone)))

    def _require_there(self, connection: sa.Connection) -> None:
        worker = self.table["worker"]
        query = worker.select().where(worker.c.id == self.me, ~worker.c.gone).with_for_update(read=True)
        if connection.execute(query).first() is None:
            raise GivenUpByOthersError(
                f"the other workers gave up {self.me}, and do its work now",
                hint="start it again; was the machine asleep, or away from the database?",
            )

    def _require_same(self, connection: sa.Connection, traits: Mapping[str, str]) -> None:
        trait = self.table["trait"]
        known = {row.name: row.value for row in connection.execute(trait.select())}
        for name, value in traits.items():
            if known.get(name, value) != value:
                raise RefusedError(
                    f"the database {self.database.name} belongs to workers with another {name}",
                    hint="workers of one agent share configuration and salt key; another agent needs a database of its "
                    "own",
                )
            if name not in known:
                connection.execute(trait.insert().values(name=name, value=value))

    def _require_version(self, connection: sa.Connection, version: str) -> None:
        worker = self.table["worker"]
        lives = worker.c.beat_at >= self.now - self.lease_seconds, ~worker.c.gone, worker.c.version != version
        other = connection.execute(worker.select().where(*lives)).first()
        if other is not None:
            raise RefusedError(
                f"the worker {other.id} runs another configuration or release of Pnyx",
                hint="stop all workers of this agent, then start them with the new one",
            )

    @contextmanager
    def alone(self) -> Iterator[sa.Connection]:
        """One transaction, and no other worker is in one like it: what is read stays true until it is written."""
        import sqlalchemy as sa

        with self.database.begin() as connection:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            yield connection


_LOCK = 0x77726B72


class SharedTurns:
    """The queue of one key, over all workers: one errand at a time, the urgent ones first.

    Implements `pnyx_tools.sender.Turns`. Whoever ends without giving its turn back loses it when it is given up.
    """

    def __init__(self, roll: Roll, key: str, poll_seconds: float = 0.25) -> None:
        self._roll = roll
        self._key = key
        self._poll_seconds = poll_seconds

    @property
    def urgent_waits(self) -> bool:
        return any(row.urgent for row in self._waiting())

    @property
    def anyone_waits(self) -> bool:
        return bool(self._waiting())

    @contextmanager
    def take(self, *, urgent: bool) -> Iterator[None]:
        mine = uuid4().hex
        try:
            self._queue_up(mine, urgent=urgent)
            while not self._is_mine(mine):
                time.sleep(self._poll_seconds)
            yield
        finally:
            self._give_back(mine)

    def _queue_up(self, mine: str, *, urgent: bool) -> None:
        row = {"id": mine, "key": self._key, "worker": self._roll.me, "urgent": urgent, "taken": False}
        with self._roll.alone() as connection:
            connection.execute(self._roll.table["turn"].insert().values(**row, since=self._roll.now))

    def _is_mine(self, mine: str) -> bool:
        """Takes the turn when nobody has it and nobody comes first."""
        turn = self._roll.table["turn"]
        order = turn.c.taken.desc(), turn.c.urgent.desc(), turn.c.since, turn.c.id
        with self._roll.alone() as connection:
            first = connection.execute(turn.select().where(turn.c.key == self._key).order_by(*order)).first()
            if first is None or first.id != mine:
                return False
            connection.execute(turn.update().where(turn.c.id == mine).values(taken=True))
            return True

    def _give_back(self, mine: str) -> None:
        """For as long as it takes: a turn that is kept by mistake would hold up every vote."""
        turn = self._roll.table["turn"]
        while True:
            try:
                with self._roll.database.begin() as connection:
                    connection.execute(turn.delete().where(turn.c.id == mine))
            except UnreachableError:
                time.sleep(self._poll_seconds)
            except GivenUpByOthersError:
                return  # it was taken away already
            else:
                return

    def _waiting(self) -> list[Any]:
        turn = self._roll.table["turn"]
        with self._roll.database.begin() as connection:
            return list(connection.execute(turn.select().where(turn.c.key == self._key, ~turn.c.taken)))
