"""The agent's own memory: where following stands, what became of each proposal, what was signed.

SQLAlchemy on SQLite by default; every write is one transaction. What must survive a crash is here or in the workflow
engine; nothing here is evidence: members check the log and the bundles, never this file.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Any

from pnyx_contracts.errors import UnreachableError
from pnyx_contracts.types import Value

if TYPE_CHECKING:
    import sqlalchemy as sa


class Stage(Enum):
    """Where a proposal stands for this agent."""

    SEEN = "seen"
    WAITING = "waiting"
    """The vote has not opened yet."""
    STARTED = "started"
    """Under review."""
    REVIEWED = "reviewed"
    """Decided; the bundle is stored, nothing is on chain yet."""
    HELD = "held"
    """A HOLD entry is on chain; people may still decide."""
    VOTING = "voting"
    """The VOTE entry is being written."""
    CONFIRMING = "confirming"
    """On chain, and not final yet: what a reorganisation takes away is written again."""
    DONE = "done"
    """The last entry for this proposal is final."""
    GONE = "gone"
    """The governor does not know it: reorganised away, or the node lags. It is looked at again at every beat."""
    FAILED = "failed"
    """Something stopped it that needs a person; `detail` says what."""


class Case(Value):
    """One proposal as the journal knows it."""

    proposal: str
    """``chain:governor:id``"""
    stage: Stage
    detail: str = ""
    outcome: str = ""
    reason: str = ""
    record_root: str = ""
    entry_transaction: str = ""
    vote_transaction: str = ""
    title: str = ""
    deadline: str = ""
    workflow: str = ""
    """Id of the workflow that handles it; empty before it was started."""
    tries: int = 0
    """Workflows started for it so far."""
    updated_at: int = 0


class Found(Value):
    """A proposal as following hands it over. `content` is the `Proposal` as JSON."""

    proposal: str
    content: str
    title: str
    deadline: str


def _tables(sa: Any, metadata: Any) -> dict[str, Any]:  # noqa: ANN401 - sqlalchemy is imported late
    column, text, integer = sa.Column, sa.Text, sa.BigInteger
    return {
        "cursor": sa.Table(
            "cursor", metadata, column("governor", text, primary_key=True),
            column("content", text, nullable=False),
        ),
        "proposal": sa.Table(
            "proposal", metadata, column("proposal", text, primary_key=True), column("content", text, nullable=False),
            column("stage", text, nullable=False), column("detail", text, nullable=False, default=""),
            column("outcome", text, nullable=False, default=""), column("reason", text, nullable=False, default=""),
            column("record_root", text, nullable=False, default=""),
            column("entry_transaction", text, nullable=False, default=""),
            column("vote_transaction", text, nullable=False, default=""),
            column("title", text, nullable=False, default=""), column("deadline", text, nullable=False, default=""),
            column("workflow", text, nullable=False, default=""), column("tries", integer, nullable=False, default=0),
            column("updated_at", integer, nullable=False, default=0),
        ),
        "outbox": sa.Table(
            "outbox", metadata, column("purpose", text, primary_key=True), column("content", text, nullable=False),
            column("updated_at", integer, nullable=False),
        ),
    }  # fmt: skip


class Journal:
    """One database of one agent. Safe to open from several processes (the CLI beside the daemon)."""

    def __init__(self, url: str) -> None:
        import sqlalchemy as sa

        self._engine = sa.create_engine(url)
        if self._engine.dialect.name == "sqlite":
            sa.event.listen(self._engine, "connect", _careful_sqlite)
        metadata = sa.MetaData()
        self._table = _tables(sa, metadata)
        try:
            with self._engine.begin() as connection:
                for table in metadata.sorted_tables:  # two processes may open a new journal at the same moment
                    connection.execute(sa.schema.CreateTable(table, if_not_exists=True))
        except sa.exc.DatabaseError as error:
            raise UnreachableError(
                f"the journal {self._engine.url.render_as_string()} cannot be opened: {error.orig}",
                hint="check that the folder exists and is writable",
            ) from error

    def close(self) -> None:
        self._engine.dispose()

    @property
    def database(self) -> sa.Engine:
        """For tables of another module in the same database; it is closed with the journal."""
        return self._engine

    @contextmanager
    def _begin(self) -> Iterator[sa.Connection]:
        """One transaction. Raises `UnreachableError` when the database is locked, full or away: worth another try."""
        import sqlalchemy as sa

        try:
            with self._engine.begin() as connection:
                yield connection
        except sa.exc.OperationalError as error:
            raise UnreachableError(f"the journal cannot be used: {error.orig}", hint="is the disk full?") from error

    def _upsert(self, table: str, key: str, values: dict[str, Any]) -> None:
        target = self._table[table]
        column = next(iter(target.primary_key.columns))
        with self._begin() as connection:
            changed = connection.execute(target.update().where(column == key).values(**values))
            if not changed.rowcount:
                connection.execute(target.insert().values({column.name: key, **values}))

    # Following

    def cursor(self, governor: str) -> str | None:
        """How far one governor was followed: a `pnyx_tools.follow.Cursor` as JSON."""
        table = self._table["cursor"]
        with self._begin() as connection:
            row = connection.execute(table.select().where(table.c.governor == governor)).one_or_none()
        return row.content if row else None

    def advance_cursor(self, governor: str, cursor: str | None, found: Sequence[Found] = ()) -> list[str]:
        """Keep a poll's result, cursor and proposals in one transaction; the keys of those that are new.

        A proposal that is seen again in a re-scan changes nothing; after a reorganisation it may stand in another
        block, with another voting window: then what is known of it is replaced. A cursor of None starts over.
        """
        proposals, cursors = self._table["proposal"], self._table["cursor"]
        new: list[str] = []
        with self._begin() as connection:
            for each in found:
                same = proposals.c.proposal == each.proposal
                known = connection.execute(proposals.select().where(same)).one_or_none()
                if known is not None:
                    if known.content != each.content:
                        connection.execute(proposals.update().where(same).values(**each.model_dump()))
                    continue
                connection.execute(
                    proposals.insert().values(**each.model_dump(), stage=Stage.SEEN.value, updated_at=int(time.time()))
                )
                new.append(each.proposal)
            connection.execute(cursors.delete().where(cursors.c.governor == governor))
            if cursor is not None:
                connection.execute(cursors.insert().values(governor=governor, content=cursor))
        return new

    # Proposals

    def proposal_content(self, key: str) -> str | None:
        table = self._table["proposal"]
        with self._begin() as connection:
            row = connection.execute(table.select().where(table.c.proposal == key)).one_or_none()
        return row.content if row else None

    def advance(self, key: str, stage: Stage, **details: str | int) -> None:
        """Note where a proposal stands; `details` are columns of `Case`."""
        self._upsert("proposal", key, {"stage": stage.value, "updated_at": int(time.time()), **details})

    def cases(self, stages: Collection[Stage] = tuple(Stage)) -> list[Case]:
        """The proposals in one of these stages, newest last."""
        table = self._table["proposal"]
        wanted = table.c.stage.in_([stage.value for stage in stages])
        return self._cases(lambda query: query.where(wanted).order_by(table.c.updated_at, table.c.proposal))

    def case(self, key: str) -> Case | None:
        table = self._table["proposal"]
        return next(iter(self._cases(lambda query: query.where(table.c.proposal == key))), None)

    def _cases(self, narrowed: Callable[[sa.Select[Any]], sa.Select[Any]]) -> list[Case]:
        """Without the proposals' content, which can be large."""
        import sqlalchemy as sa

        columns = [column for column in self._table["proposal"].c if column.name in Case.model_fields]
        with self._begin() as connection:
            rows = connection.execute(narrowed(sa.select(*columns))).mappings().all()
        return [Case.model_validate(dict(row)) for row in rows]

    # Signed transactions, stored before they are sent (`pnyx_tools.sender.OutboxPort`)

    def save(self, purpose: str, content: str) -> None:
        self._upsert("outbox", purpose, {"content": content, "updated_at": int(time.time())})

    def load(self, purpose: str) -> str | None:
        table = self._table["outbox"]
        with self._begin() as connection:
            row = connection.execute(table.select().where(table.c.purpose == purpose)).one_or_none()
        return row.content if row else None


def _careful_sqlite(connection: Any, _record: Any) -> None:  # noqa: ANN401 - as it came
    """Write-ahead log, so that the CLI reads while the daemon writes; full sync, so that a power cut loses nothing."""
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")
