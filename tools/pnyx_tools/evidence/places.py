"""From the name of a place to its store."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pnyx_contracts.errors import UsageError
from pnyx_tools.evidence.folder import FolderStore
from pnyx_tools.evidence.http import HttpStore
from pnyx_tools.evidence.remote import RemoteStore

MAX_PLACES = 8
"""So many places of one declaration are asked; the rest of a hostile list is not."""


def open_store(location: str | Path) -> FolderStore | HttpStore | RemoteStore:
    """The store at a folder, or behind a URL: file, http(s), or whatever fsspec knows. Raises `UsageError`.

    A location from the chain was written by a stranger: open it only when `is_remote` says that it is no place here.
    """
    text = str(location)
    return HttpStore(text) if is_remote(text) else open_writable(text)


def open_writable(location: str, options: Mapping[str, Mapping[str, Any]] | None = None) -> FolderStore | RemoteStore:
    """A place that can be written to. `options` are those of file systems, by scheme: ``{"s3": {"key": ...}}``."""
    if is_remote(location):
        raise UsageError(
            f"{location}: an http(s) URL is only read", hint="name the place where that server's files lie"
        )
    scheme, separator, rest = location.partition("://")
    if not separator:
        return FolderStore(location)
    if scheme.lower() != "file":
        return RemoteStore(location, (options or {}).get(scheme.lower()))
    host, _, path = rest.partition("/")
    if host not in {"", "localhost"}:
        raise UsageError(f"{location}: a file URL names a folder of this machine", hint="file:///folder, or /folder")
    return FolderStore(unquote(f"/{path}"))


def open_named(location: str | Path) -> FolderStore | HttpStore | RemoteStore:
    """The store that a person named. A misspelled place must not look like evidence that was removed, so one that is
    not there is a `UsageError`.
    """
    store = open_store(location)
    hint = "name the folder or the URL where the evidence lies: --evidence"
    if isinstance(store, FolderStore) and not store.path.is_dir():
        raise UsageError(f"there is no folder {store.path}", hint=hint)
    if isinstance(store, RemoteStore) and not store.is_there():
        raise UsageError(f"there is nothing at {store.url}", hint=hint)
    return store


def is_remote(location: str) -> bool:
    """True for http(s) URLs."""
    return location.lower().startswith(("http://", "https://"))


def places_of(evidence_uri: str) -> tuple[str, ...]:
    """The places that a declaration names, separated by spaces. All of them when there is none that a stranger can
    read, so that a report can say so.
    """
    named = tuple(dict.fromkeys(evidence_uri.split()))[:MAX_PLACES]
    return tuple(place for place in named if is_remote(place)) or named or ("",)
