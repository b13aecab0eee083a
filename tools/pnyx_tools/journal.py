"""The agent's own memory: where following stands, what became of each proposal, what was signed.

SQLAlchemy on SQLite by default; every write is one transaction. What must survive a crash is here or in the workflow
engine; nothing here is evidence: members check the log and the bundles, never this file.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

from msgspec import Struct, structs

from pnyx_contracts.errors import PnyxError
from pnyx_contracts.types import Value
from pnyx_tools.database import Database

if TYPE_CHECKING:
    import sqlalchemy as sa

T = TypeVar("T")

THE_CHAIN: Final = "chain"
"""An agent works on one chain."""
MANY: Final = 500
"""Values in one statement; databases take a limited number."""
MOST_VALUES: Final = 32_000
"""In one statement of our own making: SQLite takes 32,766, PostgreSQL 65,535."""


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
    PROPOSED = "proposed"
    """The VOTE entry is on chain; the owners of the Safe have not cast the vote yet."""
    CONFIRMING = "confirming"
    """On chain, and not final yet: what a reorganisation takes away is written again."""
    DONE = "done"
    """The last entry for this proposal is final."""
    GONE = "gone"
    """A reorganisation took it away, or the governor does not know it. It is looked at again."""
    PAST = "past"
    """Its vote was over when this agent began: it is none of its business."""
    VOID = "void"
    """A reorganisation took it away for good: what was decided about it counts for nothing."""
    FAILED = "failed"
    """Something stopped it that needs a person; `detail` says what."""


class MovedError(PnyxError):
    """Somebody else moved the position meanwhile: a person who had the chain followed anew, another worker."""


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
    created_block: int = 0
    from_history: bool = False
    """Created before the agent followed its governor."""
    present: bool = True
    """False after a reorganisation, until it is seen again."""


class Found(Struct, frozen=True, gc=False):
    """A proposal as following hands it over. `content` is what `pnyx_tools.follow.to_kept` makes of it."""

    proposal: str
    content: str
    title: str
    deadline: str
    created_block: int


@dataclass(frozen=True, slots=True)
class Unread:
    """The part of a governor's history that was not read yet: from block `first` up to and with block `last`."""

    governor: str
    first: int
    last: int

    @property
    def is_read(self) -> bool:
        return self.first > self.last


def _tables(sa: Any, metadata: Any) -> dict[str, Any]:  # noqa: ANN401 - sqlalchemy is imported late
    column, text, integer = sa.Column, sa.Text, sa.BigInteger
    return {
        "position": sa.Table(
            "position", metadata, column("chain", text, primary_key=True), column("content", text, nullable=False),
        ),
        "history": sa.Table(
            "history", metadata, column("governor", text, primary_key=True), column("first", integer, nullable=False),
            column("last", integer, nullable=False),
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
            column("created_block", integer, nullable=False, default=0),
            column("from_history", sa.Boolean, nullable=False, default=False),
            column("present", sa.Boolean, nullable=False, default=True),
        ),
        "outbox": sa.Table(
            "outbox", metadata, column("purpose", text, primary_key=True), column("content", text, nullable=False),
            column("updated_at", integer, nullable=False),
        ),
        "hold": sa.Table(
            "hold", metadata, column("chain", text, primary_key=True), column("why", text, nullable=False),
            column("at", integer, nullable=False),
        ),
    }  # fmt: skip


class Journal:
    """What an agent's database says about proposals. Safe to open from several processes."""

    def __init__(self, database: Database | str) -> None:
        """An open database, or the URL of one."""
        import sqlalchemy as sa

        self.database = Database(database) if isinstance(database, str) else database
        """For other tables; it is closed with the journal."""
        self._table = _tables(sa, sa.MetaData())
        self._begin = self.database.begin

    def close(self) -> None:
        self.database.close()

    def _upsert(self, table: str, values: dict[str, Any]) -> None:
        with self._begin() as connection:
            self.database.upsert(connection, self._table[table], values)

    # Following

    def position(self) -> str | None:
        """How far the chain was followed: a `pnyx_tools.follow.Position` as JSON."""
        table = self._table["position"]
        with self._begin() as connection:
            row = connection.execute(table.select().where(table.c.chain == THE_CHAIN)).one_or_none()
        return row.content if row else None

    def follow(self, position: str, found: Sequence[Found] = (), *, since: str | None = None) -> list[str]:
        """Keep a step's result, position and proposals in one transaction; the keys of those that are new. `since` is
        the position that the step began at, None when the chain was not followed before; raises `MovedError` when it is
        another one now. So do `rewind` and `settle`.

        A proposal that is seen again changes nothing; after a reorganisation it may stand in another block, with
        another voting window: then what is known of it is replaced.
        """
        with self._begin() as connection:
            self._place(connection, position, since)
            return self._keep(connection, found, from_history=False)

    def rewind(self, position: str, above: int, *, since: str) -> list[str]:
        """A reorganisation dropped the blocks above `above`: their proposals may be gone. The keys of those."""
        table = self._table["proposal"]
        dropped = table.c.created_block > above, table.c.present
        idle = table.c.stage.in_([Stage.SEEN.value, Stage.WAITING.value])
        with self._begin() as connection:
            self._place(connection, position, since)
            keys = list(connection.execute(self._keys().where(*dropped)).scalars())
            connection.execute(table.update().where(*dropped, idle).values(stage=Stage.GONE.value))
            connection.execute(table.update().where(*dropped).values(present=False))
        return keys

    def settle(
        self, position: str, up_to: int, found: Sequence[Found] = (), *, since: str
    ) -> tuple[list[str], list[str]]:
        """Blocks up to `up_to` are final, and hold these proposals: the keys of those that nobody had shown before, and
        of those that a reorganisation took away for good. These become void.
        """
        table = self._table["proposal"]
        lost = ~table.c.present, table.c.created_block <= up_to, table.c.stage != Stage.VOID.value
        with self._begin() as connection:
            self._place(connection, position, since)
            late = self._keep(connection, found, from_history=False)
            keys = list(connection.execute(self._keys().where(*lost)).scalars())
            why = "a reorganisation took the proposal away: what was decided about it is void"
            connection.execute(
                table.update().where(*lost).values(stage=Stage.VOID.value, detail=why, updated_at=int(time.time()))
            )
        return late, keys

    def histories(self) -> list[Unread]:
        """What was read of each governor's history."""
        table = self._table["history"]
        with self._begin() as connection:
            rows = connection.execute(table.select().order_by(table.c.governor)).all()
        return [Unread(row.governor, row.first, row.last) for row in rows]

    def begin_histories(self, unread: Sequence[Unread]) -> None:
        with self._begin() as connection:
            connection.execute(self._table["history"].insert(), [asdict(each) for each in unread])

    def read_history(self, governors: Collection[str], up_to: int, found: Sequence[Found]) -> list[str]:
        """The history of these governors was read up to and with block `up_to`; the keys of new proposals."""
        table = self._table["history"]
        with self._begin() as connection:
            for some in batched(governors, MANY):
                connection.execute(table.update().where(table.c.governor.in_(some)).values(first=up_to + 1))
            return self._keep(connection, found, from_history=True)

    def _place(self, connection: sa.Connection, position: str, since: str | None) -> None:
        table = self._table["position"]
        if since is None:
            self.database.upsert(connection, table, {"chain": THE_CHAIN, "content": position})
        elif connection.execute(table.update().where(table.c.content == since).values(content=position)).rowcount == 0:
            raise MovedError("the chain is followed from another block since", hint="look again from there")

    def _keep(self, connection: sa.Connection, found: Sequence[Found], *, from_history: bool) -> list[str]:
        table = self._table["proposal"]
        latest = {each.proposal: each for each in found}
        there = [key for some in batched(latest, MOST_VALUES) for key in self._among(connection, some)]
        known: dict[str, Any] = {}
        for some in batched(there, MANY):
            rows = connection.execute(table.select().where(table.c.proposal.in_(some))).all()
            known.update({row.proposal: row for row in rows})
        new = [each for key, each in latest.items() if key not in known]
        self._insert(connection, new, stage=Stage.SEEN.value, from_history=from_history, updated_at=int(time.time()))
        for key, row in known.items():
            if not row.present or row.content != latest[key].content:
                self._see_again(connection, row, latest[key])
        return [each.proposal for each in new]

    # Histories are long, and SQLAlchemy looks at each value longer than it takes to write it: statements of our own.

    def _among(self, connection: sa.Connection, keys: Sequence[str]) -> Sequence[str]:
        """Those of these proposals that are kept already."""
        statement = f"SELECT proposal FROM proposal WHERE proposal IN ({self._marks(len(keys))})"  # noqa: S608 - only marks
        return connection.exec_driver_sql(statement, tuple(keys)).scalars().all()

    def _insert(self, connection: sa.Connection, found: Sequence[Found], **fresh: str | int | bool) -> None:
        """All rows alike in `fresh`, and in what a column has by default."""
        table, given = self._table["proposal"], Found.__struct_fields__
        usual = {column.name: column.default.arg for column in table.columns if column.default is not None}
        others = {name: value for name, value in (usual | fresh).items() if name not in given}
        into = (
            f"INSERT INTO {table.name} ({', '.join((*given, *others))}) "  # noqa: S608 - names of our own
            f"SELECT found.*, {self._marks(len(others))} FROM (VALUES {{}}) AS found"
        )
        row = f"({self._marks(len(given))})"
        for some in batched(found, MOST_VALUES // len(given)):
            values = (*others.values(), *chain.from_iterable(map(structs.astuple, some)))
            connection.exec_driver_sql(into.format(", ".join([row] * len(some))), values)

    def _marks(self, values: int) -> str:
        """Where so many values go."""
        mark = "?" if self.database.engine.dialect.paramstyle == "qmark" else "%s"
        return ", ".join([mark] * values)

    def _see_again(self, connection: sa.Connection, row: Any, found: Found) -> None:  # noqa: ANN401 - a row
        table = self._table["proposal"]
        values: dict[str, Any] = {**structs.asdict(found), "present": True}
        if row.stage in {Stage.GONE.value, Stage.VOID.value, Stage.FAILED.value}:
            values |= {"stage": Stage.SEEN.value, "detail": ""}
        connection.execute(table.update().where(table.c.proposal == found.proposal).values(**values))

    def _keys(self) -> sa.Select[Any]:
        import sqlalchemy as sa

        return sa.select(self._table["proposal"].c.proposal)

    # Proposals

    def proposal_content(self, key: str) -> str | None:
        table = self._table["proposal"]
        with self._begin() as connection:
            row = connection.execute(table.select().where(table.c.proposal == key)).one_or_none()
        return row.content if row else None

    def advance(self, key: str, stage: Stage, **details: str | int) -> None:
        """Note where a proposal stands; `details` are columns of `Case`."""
        table = self._table["proposal"]
        values = {"stage": stage.value, "updated_at": int(time.time()), **details}
        with self._begin() as connection:
            connection.execute(table.update().where(table.c.proposal == key).values(**values))

    def work_on(self, key: str, stage: Stage, **details: str | int) -> None:
        """As `advance`, for whoever works on a proposal: what is void stays so, and nothing else becomes it. Only
        following knows when one is gone, or came again, and that may be at any moment.
        """
        table = self._table["proposal"]
        is_void = table.c.stage == Stage.VOID.value
        values = {"stage": stage.value, "updated_at": int(time.time()), **details}
        with self._begin() as connection:
            connection.execute(
                table.update()
                .where(table.c.proposal == key, is_void if stage is Stage.VOID else ~is_void)
                .values(**values)
            )

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
        self._upsert("outbox", {"purpose": purpose, "content": content, "updated_at": int(time.time())})

    def load(self, purpose: str) -> str | None:
        table = self._table["outbox"]
        with self._begin() as connection:
            row = connection.execute(table.select().where(table.c.purpose == purpose)).one_or_none()
        return row.content if row else None

    # Held votes

    def hold(self, why: str, *, at: str | None = None) -> None:
        """From now on nothing is written on chain and no vote is cast, until `release`. What was concluded at a
        position holds nothing when the chain is followed from another one since: raises `MovedError`.
        """
        with self._begin() as connection:
            if at is not None:
                self._place(connection, at, since=at)
            kept = {"chain": THE_CHAIN, "why": why, "at": int(time.time())}
            self.database.upsert(connection, self._table["hold"], kept)

    def release(self, why: str) -> None:
        """What holds all votes for another reason since goes on doing so."""
        table = self._table["hold"]
        with self._begin() as connection:
            connection.execute(table.delete().where(table.c.why == why))

    def held(self) -> str | None:
        """Why all votes are held; None while they are not."""
        table = self._table["hold"]
        with self._begin() as connection:
            row = connection.execute(table.select()).one_or_none()
        return row.why if row else None


def batched(values: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    """In tuples of `size`, the last one shorter (`itertools.batched` of Python 3.12)."""
    rest = iter(values)
    while some := tuple(islice(rest, size)):
        yield some
