"""What the signer remembers over restarts: the vote it gave for each subject, what it let be spent, what it refused,
and whether people suspended it.

Written before anything is signed, so that a crash in between errs on the side of having signed. The chain is asked as
well (`witness`); this file catches what the chain cannot show yet: a signed vote that was never sent.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pnyx_contracts.errors import UnreachableError, UsageError
from pnyx_contracts.types import DAY_SECONDS, Bytes32, Value
from pnyx_policies.suspension import Action, Order, Suspension
from pnyx_tools.signer import suspensions
from pnyx_tools.signer.refusals import TABLE, Refused, add_refusal

LOCK_SECONDS: Final = 1.0
"""How long a signer waits for the one before it to let go of the file."""

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS vote (
    subject TEXT PRIMARY KEY, support INTEGER NOT NULL, prompt_hash TEXT NOT NULL, record_root TEXT NOT NULL,
    reason TEXT NOT NULL, given_up INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS spending (
    key TEXT NOT NULL, nonce INTEGER NOT NULL, is_vote INTEGER NOT NULL, wei TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (key, nonce)
) STRICT;
CREATE TABLE IF NOT EXISTS charged (
    subject TEXT NOT NULL, key TEXT NOT NULL, nonce INTEGER NOT NULL, wei TEXT NOT NULL,
    PRIMARY KEY (subject, key, nonce)
) STRICT;
"""


def _only_signer(path: Path) -> int:
    """Holds a lock beside the file, not on it: a backup reads the file while the signer runs."""
    descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(descriptor)
                # Often the signer of a daemon that was killed, at its last request: another start may well succeed.
                raise UnreachableError(
                    f"the signer's memory {path} is in use",
                    hint="stop the other signer that has it, or try again in a moment; one signer per memory",
                ) from None
            time.sleep(0.05)


class VoteGiven(Value):
    """The one vote that a subject got."""

    support: int
    prompt_hash: Bytes32
    record_root: Bytes32
    reason: str


class Remembered(Value):
    """What memory says about one subject and one nonce, for the judgement."""

    vote: VoteGiven | None = None
    given_up: bool = False
    """A VOID entry was signed: the vote will not be signed again."""
    spent_wei: int = 0
    """Worst case over the last 24 hours, other nonces only: what is signed now takes this nonce's place."""
    spent_on_entries_wei: int = 0
    at_this_nonce_wei: int = 0
    """The most that this nonce could cost already."""
    spent_on_vote_wei: int = 0
    """Worst case of all that was ever signed for the subject's vote, other nonces only."""


class Memory:
    """One SQLite file of one signer. A second signer on it is refused."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        self._lock = _only_signer(path)
        self._connection = sqlite3.connect(path, timeout=LOCK_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.executescript(_TABLES + TABLE + suspensions.TABLES)
        except sqlite3.OperationalError as error:
            self.close()
            raise UsageError(f"the signer's memory {path} cannot be used: {error}") from None
        except sqlite3.DatabaseError as error:
            self.close()
            raise UsageError(
                f"the signer's memory {path} is damaged: {error}", hint="restore it from the backup"
            ) from None

    def close(self) -> None:
        self._connection.close()
        os.close(self._lock)

    def recall(self, subject: bytes, key: str, nonce: int, now: int) -> Remembered:
        """`now` in seconds since the epoch."""
        vote = self._connection.execute(
            "SELECT support, prompt_hash, record_root, reason, given_up FROM vote WHERE subject = ?", (subject.hex(),)
        ).fetchone()
        spending = self._connection.execute(
            "SELECT nonce, is_vote, wei FROM spending WHERE key = ? AND at > ?", (key, now - DAY_SECONDS)
        ).fetchall()
        charged = self._connection.execute(
            "SELECT wei FROM charged WHERE subject = ? AND NOT (key = ? AND nonce = ?)", (subject.hex(), key, nonce)
        ).fetchall()
        others = [(is_vote, int(wei)) for spent_nonce, is_vote, wei in spending if spent_nonce != nonce]
        return Remembered(
            vote=VoteGiven(support=vote[0], prompt_hash=vote[1], record_root=vote[2], reason=vote[3]) if vote else None,
            given_up=bool(vote and vote[4]),
            spent_wei=sum(wei for _, wei in others),
            spent_on_entries_wei=sum(wei for is_vote, wei in others if not is_vote),
            at_this_nonce_wei=max((int(wei) for spent_nonce, _, wei in spending if spent_nonce == nonce), default=0),
            spent_on_vote_wei=sum(int(wei) for (wei,) in charged),
        )

    def was_vote(self, key: str, nonce: int) -> bool:
        """Whether what was signed for this nonce carries a vote."""
        row = self._connection.execute(
            "SELECT is_vote FROM spending WHERE key = ? AND nonce = ?", (key, nonce)
        ).fetchone()
        return row is not None and bool(row[0])

    def has_signed_from(self, key: str, nonce: int) -> bool:
        """Whether anything was signed for this nonce, or for a later one, which waits for it."""
        query = "SELECT 1 FROM spending WHERE key = ? AND nonce >= ? LIMIT 1"
        return self._connection.execute(query, (key, nonce)).fetchone() is not None

    def remember_vote(self, subject: bytes, vote: VoteGiven) -> None:
        """Before the first signature that carries it; the same vote again changes nothing."""
        values = vote.model_dump(mode="json")
        with self._transaction():
            self._connection.execute(
                "INSERT OR IGNORE INTO vote (subject, support, prompt_hash, record_root, reason)"
                " VALUES (?, ?, ?, ?, ?)",
                (subject.hex(), values["support"], values["prompt_hash"], values["record_root"], values["reason"]),
            )

    def give_up(self, subject: bytes) -> None:
        """Before a VOID entry is signed."""
        with self._transaction():
            self._connection.execute("UPDATE vote SET given_up = 1 WHERE subject = ?", (subject.hex(),))

    def charge(self, subject: bytes, key: str, nonce: int, wei: int) -> None:
        """Before a transaction for the subject's vote is signed. Of several at one nonce the dearest counts."""
        of = (subject.hex(), key, nonce)
        with self._transaction():
            query = "SELECT wei FROM charged WHERE subject = ? AND key = ? AND nonce = ?"
            (before,) = self._connection.execute(query, of).fetchone() or (0,)
            dearest = str(max(wei, int(before)))
            self._connection.execute("INSERT OR REPLACE INTO charged VALUES (?, ?, ?, ?)", (*of, dearest))

    def remember_spending(self, key: str, nonce: int, *, is_vote: bool, wei: int, now: int) -> None:
        """Before it is signed: the most that this nonce can cost by now."""
        with self._transaction():
            self._connection.execute(
                "INSERT OR REPLACE INTO spending (key, nonce, is_vote, wei, at) VALUES (?, ?, ?, ?, ?)",
                (key, nonce, int(is_vote), str(wei), now),
            )

    def remember_refusal(self, refused: Refused) -> None:
        with self._transaction():
            add_refusal(self._connection, refused)

    def suspension(self) -> Suspension | None:
        """The one that is in force."""
        return suspensions.in_force(self._connection)

    def last_suspension(self) -> int:
        """Number of the last one, lifted or not; 0 when there was none."""
        return suspensions.last_number(self._connection)

    def remember_order(self, order: Order, person: str, now: int, *, lifts: bool = False) -> None:
        """`lifts`: with this order to resume, the suspension is over."""
        with self._transaction():
            if order.action is Action.SUSPEND:
                suspensions.add_suspension(self._connection, order, person, now)
            else:
                suspensions.add_resumption(self._connection, order, person, now, lifts=lifts)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._connection.in_transaction:  # after some errors (a full disk) SQLite rolled back already
                self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
