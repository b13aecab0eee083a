"""What places behind URLs answered, kept as long as a piece of work takes that reads the same evidence twice."""

from __future__ import annotations

import sqlite3
import weakref
from typing import Final

from pnyx_contracts.errors import UnreachableError
from pnyx_tools.evidence.http import HttpStore
from pnyx_tools.evidence.places import open_store
from pnyx_tools.evidence.remote import RemoteStore
from pnyx_tools.evidence.store import CheckedStore, EvidenceStore

MOST_KEPT_BYTES: Final = 2 * 2**30
"""On disk. What comes after that is fetched again when it is wanted again: evidence may be a stranger's, and must not
fill a reader's disk."""
_CACHE_KIB: Final = 8_192


class Keeper:
    """Asks each place for each file once, and remembers the answer: also that there is none, or why it did not come. So
    both readings see the same.

    The answers lie in a temporary database, not in memory. SQLite deletes its file when the keeper is gone.
    """

    def __init__(self, most_bytes: int = MOST_KEPT_BYTES) -> None:
        self._room = most_bytes
        # A file of its own, without a name. Whichever thread collects the keeper closes it.
        self._database = sqlite3.connect("", check_same_thread=False)
        weakref.finalize(self, self._database.close)
        self._database.executescript(
            f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -{_CACHE_KIB};"
            " CREATE TABLE answers (place TEXT, digest BLOB, data BLOB, why TEXT, hint TEXT,"
            " PRIMARY KEY (place, digest));"
        )

    def open(self, location: str) -> EvidenceStore:
        """`open_store`, kept."""
        return self.around(open_store(location))

    def around(self, store: EvidenceStore) -> EvidenceStore:
        """The store, kept when it lies behind a URL: a folder is here already."""
        return _KeptStore(self, store) if isinstance(store, HttpStore | RemoteStore) else store

    def find(self, place: str, digest: bytes) -> tuple[bytes | None, str | None, str] | None:
        """Data, why it did not come, and a hint; None when the place was not asked."""
        question = "SELECT data, why, hint FROM answers WHERE place = ? AND digest = ?"
        found: tuple[bytes | None, str | None, str] | None
        found = self._database.execute(question, (place, digest)).fetchone()
        return found

    def keep(self, place: str, digest: bytes, data: bytes | None, why: str | None = None, hint: str = "") -> None:
        """One answer, while there is room for it."""
        size = len(data or b"")
        if size <= self._room:
            self._room -= size
            self._database.execute("INSERT INTO answers VALUES (?, ?, ?, ?, ?)", (place, digest, data, why, hint))


class _KeptStore(CheckedStore):
    """What is kept is checked again when it is read, as what is fetched."""

    def __init__(self, keeper: Keeper, store: HttpStore | RemoteStore) -> None:
        self._keeper = keeper
        self._store = store

    def read(self, digest: bytes) -> bytes | None:
        found = self._keeper.find(self._store.url, digest)
        if found is None:
            return self._ask(digest)
        data, why, hint = found
        if why is not None:
            raise UnreachableError(why, hint=hint)
        return data

    def _ask(self, digest: bytes) -> bytes | None:
        try:
            data = self._store.read(digest)
        except UnreachableError as error:
            self._keeper.keep(self._store.url, digest, None, error.message, error.hint)
            raise
        self._keeper.keep(self._store.url, digest, data)
        return data
