"""Where the check gets evidence from: the place that the member names, or those that the writer declared on chain."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from pnyx_contracts.entry import Declaration
from pnyx_contracts.errors import DiffersError, UnreachableError
from pnyx_policies.bundle import Bundle
from pnyx_tools.evidence import EvidenceStore, is_remote, open_store, places_of

T = TypeVar("T")

MAX_FAILURES: Final = 3
"""A place of a writer that failed so often is not asked again."""
SLOW_SECONDS: Final = 20.0
"""No honest place needs longer for one file."""
PATIENCE_SECONDS: Final = 300.0
"""So much time goes into files of one writer that come slowly or fail; then none of its places is asked again. One
writer must not hold up the check of all others.
"""


class EvidenceGoneError(UnreachableError):
    """No place that the writer declared can be read. The writer owes the evidence, so the failure is its own."""


class EvidenceDesk:
    """Evidence of one writer.

    A place that the member named must answer: otherwise `UnreachableError`. Places from the chain were written by a
    stranger: only http(s) URLs are opened, and the patience with them ends.
    """

    def __init__(
        self,
        named: EvidenceStore | None,
        declarations: Sequence[Declaration],
        *,
        open_place: Callable[[str], EvidenceStore] = open_store,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._named = named
        self._newest = declarations[-1].evidence_uri if declarations else ""
        self._bad: list[str] = []
        self._open_place = open_place
        self._open: dict[str, EvidenceStore] = {}
        self._clock = clock
        self._lost_seconds = 0.0
        self._failures: Counter[str] = Counter()
        self._why: dict[str, str] = {}
        """The last failure of each place."""

    def bundle(self, declaration: Declaration, root: bytes) -> Bundle | DiffersError | None:
        """The bundle, what is wrong with it, or None when no place has it. Raises `EvidenceGoneError`."""

        def read(store: EvidenceStore) -> Bundle | None:
            data = store.get_bundle(root)
            return None if data is None else Bundle.parse(data)

        return self._first(declaration, read)

    def configuration(self, declaration: Declaration) -> bytes | DiffersError | None:
        """The document of a configuration, what is wrong with it, or None. Raises `EvidenceGoneError`."""
        return self._first(declaration, lambda store: store.get_configuration(declaration.config_hash))

    def take_bad_places(self) -> list[str]:
        """Places that had something else than the file that another place has, since this was asked last."""
        bad, self._bad = self._bad, []
        return bad

    def _first(self, declaration: Declaration, read: Callable[[EvidenceStore], T | None]) -> T | DiffersError | None:
        wrong: DiffersError | None = None
        if self._named is not None:
            try:
                return read(self._named)
            except DiffersError as error:
                return error
        answered = False
        wrong_at: list[str] = []
        places = dict.fromkeys(p for uri in (self._newest, declaration.evidence_uri) for p in places_of(uri))
        for place in places:
            store = self._store(place)
            if store is None:
                continue
            try:
                found = self._asked(store, read)
            except DiffersError as error:
                answered, wrong = True, error
                wrong_at.append(f"{place}: {error.message}")
            except UnreachableError as error:
                self._failures[place] += 1
                self._why[place] = error.message
            else:
                answered = True
                if found is not None:
                    self._bad += wrong_at
                    return found
        if not answered:
            raise EvidenceGoneError("; ".join(f"{place!r}: {self._why_not(place)}" for place in places))
        return wrong

    def _asked(self, store: EvidenceStore, read: Callable[[EvidenceStore], T | None]) -> T | None:
        begun, failed = self._clock(), True
        try:
            found = read(store)
            failed = False
        finally:
            seconds = self._clock() - begun
            if failed or seconds > SLOW_SECONDS:
                self._lost_seconds += seconds
        return found

    def _store(self, place: str) -> EvidenceStore | None:
        if not is_remote(place) or self._failures[place] >= MAX_FAILURES or self._lost_seconds > PATIENCE_SECONDS:
            return None
        if place not in self._open:
            self._open[place] = self._open_place(place)
        return self._open[place]

    def _why_not(self, place: str) -> str:
        if not is_remote(place):
            return "no http(s) URL, so nothing a stranger can read (give the place of the evidence yourself)"
        if place in self._why:
            return self._why[place]
        return f"withheld: not asked any more, after {self._lost_seconds:.0f} seconds for files that came slowly or not"
