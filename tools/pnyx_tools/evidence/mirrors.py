"""Copies of the published evidence in other places."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pnyx_tools.evidence.folder import FolderStore
from pnyx_tools.evidence.places import open_writable
from pnyx_tools.evidence.store import digest_in


class Mirror:
    """One copy of `folder`. What was seen there is remembered, so that a look that finds nothing new costs nothing."""

    def __init__(self, folder: FolderStore, url: str, options: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self.name = re.sub("//[^/@]*@", "//", url)
        """The URL without user and password."""
        self._folder = folder
        self._target = open_writable(url, options)
        self._there: dict[str, int] | None = None

    def look_again(self) -> None:
        """Forgets what was seen there: somebody may have removed something."""
        self._there = None

    def missing(self) -> list[str]:
        """Files that are not there, or there with another size. Raises `UnreachableError`."""
        there = self._seen()
        return [name for name, size in sorted(self._folder.sizes().items()) if there.get(name) != size]

    def copy(self) -> list[str]:
        """Copies what is missing, and returns the names. Raises `UnreachableError` at the first that cannot be copied:
        the next time goes on from there.
        """
        copied = []
        for name in self.missing():
            digest = digest_in(name)
            data = self._folder.read(digest) if digest is not None else None
            if digest is not None and data is not None:
                self._target.copy_in(digest, data)
                self._seen()[name] = len(data)
                copied.append(name)
        return copied

    def behind(self) -> int:
        """How many files are not known to be there, without asking."""
        there = self._there or {}
        return sum(there.get(name) != size for name, size in self._folder.sizes().items())

    def _seen(self) -> dict[str, int]:
        if self._there is None:
            self._there = self._target.sizes()
        return self._there


def open_mirrors(
    folder: FolderStore, urls: Sequence[str], options: Mapping[str, Mapping[str, Any]] | None = None
) -> tuple[Mirror, ...]:
    """One for each URL. Raises `UsageError` for a place that cannot be written to."""
    return tuple(Mirror(folder, url, options) for url in urls)
