"""What one writer wrote and how it voted, sorted by subject, in a temporary database.

A log may have millions of entries, and steps 6 to 8 hold those about one proposal against its votes, wherever in the
chain they stand. So they wait on disk, not in memory; SQLite deletes the file when the casebook is closed.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Final, Self

from pnyx_contracts.decision_log import subject
from pnyx_contracts.entry import Entry, EntryKind
from pnyx_contracts.types import ProposalKey
from pnyx_policies.dossier import Approval
from pnyx_policies.verify.votes import Ballot

_CACHE_KIB: Final = 2_048
_ROWS_AT_ONCE: Final = 500

_SCHEMA: Final = """
CREATE TABLE entries (number INTEGER PRIMARY KEY, subject BLOB, kind INTEGER, rest BLOB);
CREATE TABLE ballots (
    number INTEGER PRIMARY KEY, subject BLOB, chain_id INTEGER, governor TEXT, proposal_id TEXT, support TEXT,
    block_number INTEGER, log_index INTEGER, transaction_hash BLOB, in_scope INTEGER, is_genuine INTEGER,
    counts INTEGER, voter TEXT, executor TEXT
);
CREATE TABLE proposals (subject BLOB PRIMARY KEY, name TEXT) WITHOUT ROWID;
CREATE TABLE rejections (subject BLOB, seq INTEGER, word TEXT, PRIMARY KEY (subject, seq)) WITHOUT ROWID;
"""

_REST: Final = struct.Struct(">QQQHQ?32s32s32s32s")
"""What of an entry is only read back: number, block and place in it, epoch, time, whether votes were paused, prompt
hash, record root, action, transaction hash. In one piece, because every column of a million rows costs a second.
"""
_ROOT: Final = "substr(rest, 68, 32)"
"""The record root in it, for SQL, which counts from 1."""

_KINDS: Final = {int(kind): kind for kind in EntryKind}


class Casebook:
    """Of one writer. First all entries, then all ballots; then they are asked for."""

    def __init__(self, writer: str) -> None:
        self.writer = writer
        self._database = sqlite3.connect("")  # a file of its own, without a name
        self._database.executescript(
            f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -{_CACHE_KIB}; {_SCHEMA}"
        )
        self._new_entries = _Rows(self._database, "entries", 3)
        self._new_ballots = _Rows(self._database, "ballots", 13)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    # What is put in

    def enter(self, entry: Entry, *, paused: bool) -> None:
        """`paused`: made while the votes of a gate were paused."""
        rest = _REST.pack(
            entry.seq, entry.block_number, entry.log_index, entry.epoch, entry.time, paused, entry.prompt_hash,
            entry.record_root, entry.action, entry.transaction_hash,
        )  # fmt: skip
        self._new_entries.add((entry.subject, int(entry.kind), rest))

    def all_entered(self) -> None:
        """Every entry is in."""
        self._new_entries.write()
        self._database.execute("CREATE INDEX entries_about ON entries (subject)")

    def all_cast(self) -> None:
        """Every ballot is in."""
        self._new_ballots.write()
        self._database.execute("CREATE INDEX ballots_about ON ballots (subject)")

    def cast(self, ballot: Ballot) -> None:
        self._new_ballots.add(
            (
                subject(ballot.key), ballot.key.chain_id, ballot.key.governor, str(ballot.key.proposal_id),
                str(ballot.support), ballot.block_number, ballot.log_index, ballot.transaction_hash, ballot.in_scope,
                ballot.is_genuine, ballot.counts, ballot.voter, ballot.executor,
            )
        )  # fmt: skip

    def name(self, about: bytes, key: ProposalKey) -> bool:
        """From now on the subject has the proposal's name. False when it had one."""
        row = (about, str(key))
        return self._database.execute("INSERT OR IGNORE INTO proposals VALUES (?, ?)", row).rowcount > 0

    def reject(self, entry: Entry, rejection: Approval) -> None:
        """The entry is a person's rejection of a decision."""
        row = (entry.subject, entry.seq, rejection.model_dump_json())
        self._database.execute("INSERT OR REPLACE INTO rejections VALUES (?, ?, ?)", row)

    # What is asked for

    def name_of(self, about: bytes) -> str:
        """``chain:governor:id``; empty when no vote and no proposal in scope told it."""
        found = self._database.execute("SELECT name FROM proposals WHERE subject = ?", (about,)).fetchone()
        return found[0] if found else ""

    def entries_about(self, about: bytes) -> list[Entry]:
        return list(self._entries("WHERE subject = ? AND kind <= ?", about, EntryKind.CORRECTION))

    def ballots_about(self, about: bytes) -> list[Ballot]:
        rows = self._database.execute(
            "SELECT chain_id, governor, proposal_id, support, block_number, log_index, transaction_hash, in_scope,"
            " is_genuine, counts, voter, executor FROM ballots WHERE subject = ? ORDER BY block_number, log_index",
            (about,),
        )
        return [
            Ballot(
                ProposalKey(chain_id=c, governor=g, proposal_id=p), int(s), b, i, t, bool(scope), bool(genuine),
                bool(counts), voter, executor,
            )
            for c, g, p, s, b, i, t, scope, genuine, counts, voter, executor in rows
        ]  # fmt: skip

    def announces_vote(self, about: bytes) -> bool:
        question = "SELECT 1 FROM entries WHERE subject = ? AND kind = ? LIMIT 1"
        return self._database.execute(question, (about, int(EntryKind.VOTE))).fetchone() is not None

    def unsettled(self) -> Iterator[bytes]:
        """Subjects of votes, announced or cast, that have no name yet: no proposal in scope is theirs."""
        rows = self._database.execute(
            "SELECT subject FROM (SELECT subject, number FROM entries WHERE kind IN (?, ?)"
            " UNION ALL SELECT subject, number FROM ballots)"
            " WHERE subject NOT IN (SELECT subject FROM proposals) GROUP BY subject ORDER BY min(number)",
            (int(EntryKind.VOTE), int(EntryKind.VOID)),
        )
        return (about for (about,) in rows)

    def void_of(self, entry: Entry) -> Entry | None:
        """The VOID entry that takes this one back."""
        about = self._entries("WHERE subject = ? AND kind = ?", entry.subject, int(EntryKind.VOID))
        own = [e for e in about if e.record_root == entry.record_root and e.seq > entry.seq]
        return own[-1] if own else None

    def with_kinds(self, kinds: Iterable[EntryKind]) -> Iterator[Entry]:
        """In order."""
        numbers = [int(kind) for kind in kinds]
        return self._entries(f"WHERE kind IN ({', '.join('?' * len(numbers))})", *numbers)

    def was_paused(self, entry: Entry) -> bool:
        rows = self._database.execute("SELECT rest FROM entries WHERE subject = ?", (entry.subject,))
        return any(paused for seq, _, _, _, _, paused, *_ in map(_unpacked, rows) if seq == entry.seq)

    def owner_of(self, record_root: bytes, kinds: Iterable[EntryKind]) -> int | None:
        """The number of the first entry of these kinds with this record root."""
        self._database.execute(f"CREATE INDEX IF NOT EXISTS entries_of_root ON entries ({_ROOT})")
        found = self._entries(f"WHERE {_ROOT} = ?", record_root)
        return next((entry.seq for entry in found if entry.kind in frozenset(kinds)), None)

    def rejections_of(self, about: bytes) -> dict[int, Approval]:
        """By the number of the entry."""
        rows = self._database.execute("SELECT seq, word FROM rejections WHERE subject = ?", (about,))
        return {seq: Approval.model_validate_json(text) for seq, text in rows}

    def _entries(self, which: str, *values: object) -> Iterator[Entry]:
        question = f"SELECT rest, kind, subject FROM entries {which} ORDER BY number"  # noqa: S608 - `which` is written above
        for row in self._database.execute(question, values):
            seq, block, index, epoch, time, _, prompt_hash, record_root, action, transaction = _unpacked(row)
            yield Entry(
                writer=self.writer, subject=row[2], kind=_KINDS[row[1]], seq=seq, epoch=epoch, time=time,
                prompt_hash=prompt_hash, record_root=record_root, action=action, block_number=block,
                transaction_hash=transaction, log_index=index,
            )  # fmt: skip


def _unpacked(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The first column of a row of `entries`: `_REST`."""
    return _REST.unpack(row[0])


class _Rows:
    """New rows of a table, written many at a time in one statement: each statement lets other threads run, and waits
    until they let it go on.
    """

    def __init__(self, database: sqlite3.Connection, table: str, columns: int) -> None:
        self._database = database
        self._table = table
        self._columns = columns
        self._waiting: list[Any] = []
        """Row after row."""

    def add(self, row: tuple[Any, ...]) -> None:
        self._waiting += row
        if len(self._waiting) >= _ROWS_AT_ONCE * self._columns:
            self.write()

    def write(self) -> None:
        row = f"(NULL, {', '.join('?' * self._columns)})"
        if self._waiting:
            rows = ", ".join([row] * (len(self._waiting) // self._columns))
            self._database.execute(f"INSERT INTO {self._table} VALUES {rows}", self._waiting)  # noqa: S608 - our names
            self._waiting.clear()
