"""Where the check gets evidence from: the place that the member names, or those that the writer declared on chain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from pnyx_contracts.entry import Declaration
from pnyx_contracts.errors import DiffersError, UnreachableError
from pnyx_policies.bundle import Bundle
from pnyx_tools.evidence import EvidenceStore, is_remote, open_store

T = TypeVar("T")


class EvidenceGoneError(UnreachableError):
    """No place that the writer declared can be read. The writer owes the evidence, so the failure is its own."""


class EvidenceDesk:
    """Evidence of one writer.

    A place that the member named must answer: otherwise `UnreachableError`. Places from the chain were written by a
    stranger: only http(s) URLs are opened, and one that does not answer is not asked again.
    """

    def __init__(self, named: EvidenceStore | str | Path | None, declarations: Sequence[Declaration]) -> None:
        self._named = open_store(named) if isinstance(named, str | Path) else named
        self._dead: dict[str, str] = {}
        newest = declarations[-1].evidence_uri if declarations else ""
        self._newest = newest
        self._open: dict[str, EvidenceStore] = {}

    def bundle(self, declaration: Declaration, root: bytes) -> Bundle | DiffersError | None:
        """The bundle, what is wrong with it, or None when no place has it. Raises `EvidenceGoneError`."""

        def read(store: EvidenceStore) -> Bundle | None:
            data = store.get_bundle(root)
            return None if data is None else Bundle.parse(data)

        return self._first(declaration, read)

    def configuration(self, declaration: Declaration) -> bytes | DiffersError | None:
        """The document of a configuration, what is wrong with it, or None. Raises `EvidenceGoneError`."""
        return self._first(declaration, lambda store: store.get_configuration(declaration.config_hash))

    def _first(self, declaration: Declaration, read: Callable[[EvidenceStore], T | None]) -> T | DiffersError | None:
        wrong: DiffersError | None = None
        if self._named is not None:
            try:
                return read(self._named)
            except DiffersError as error:
                return error
        answered = False
        for place in dict.fromkeys((self._newest, declaration.evidence_uri)):
            store = self._store(place)
            if store is None:
                continue
            try:
                found = read(store)
            except DiffersError as error:
                answered, wrong = True, error
            except UnreachableError as error:
                self._dead[place] = error.message
            else:
                answered = True
                if found is not None:
                    return found
        if not answered:
            raise EvidenceGoneError("; ".join(f"{place!r}: {why}" for place, why in self._dead.items()))
        return wrong

    def _store(self, place: str) -> EvidenceStore | None:
        if place in self._dead:
            return None
        if not is_remote(place):
            self._dead[place] = (
                "no http(s) URL, so nothing a stranger can read (give the place of the evidence yourself)"
            )
            return None
        if place not in self._open:
            self._open[place] = open_store(place)
        return self._open[place]
