"""Backup and restore: one tar file with a list of SHA-256 sums, complete or not there at all.

A keystore or a ruleset outside of the configuration's folder lies there on purpose (a mounted secret, a file that many
agents share), and a restore could not put it back. So it is left out and named, in the backup too.
"""

from __future__ import annotations

import hashlib
import io
import os
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from pnyx_agents.settings import Settings
from pnyx_contracts.errors import DecodingError, RefusedError, UsageError
from pnyx_contracts.types import Value
from pnyx_tools.database import display_name
from pnyx_tools.signer.tls import TlsFiles

MANIFEST = "manifest.json"
CONFIG = "pnyx.toml"
BESIDE_A_DATABASE = (".sqlite-wal", ".sqlite-shm", ".sqlite-journal")
"""Ends of names: what a copy of the database has in it."""
PRIVATE, PUBLISHED = 0o600, 0o644
"""Modes of what is restored: a web server under another name serves the evidence."""


class Listing(Value):
    """What a backup holds, and what it does not: its own list."""

    files: dict[str, str]
    """Name -> SHA-256."""
    kept_apart: tuple[str, ...]
    """What the configuration names and the backup does not hold: password files, keys of certificates, what lies
    outside of the configuration's folder, a PostgreSQL database. Paths inside of it are relative.
    """


def make_backup(settings: Settings, config: Path, file: Path) -> Listing:
    """Write the backup. Databases are copied through SQLite, so a running daemon does not matter."""
    if file.exists():
        raise UsageError(f"{file} exists already", hint="name a new file: a backup never overwrites another")
    for root in _roots(settings):
        _require_inside(root, settings)
        if file.resolve().is_relative_to(root):
            raise UsageError(
                f"{file} would lie in {root}, which goes into the backup", hint="name a file outside of it"
            )
    if not file.parent.is_dir():
        raise UsageError(f"there is no folder {file.parent}", hint="make it first")
    sums: dict[str, str] = {}
    partial = file.with_name(file.name + ".partial")
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            with tarfile.open(fileobj=out, mode="w:gz") as archive:
                for name, mode, content in _contents(settings, config):
                    sums[name] = hashlib.sha256(content).hexdigest()
                    _add(archive, name, mode, content)
                apart = (*sorted(_shown(path, settings) for path in _apart(settings)), *_database_apart(settings))
                listing = Listing(files=sums, kept_apart=apart)
                _add(archive, MANIFEST, PRIVATE, listing.model_dump_json(indent=1).encode())
            out.flush()
            os.fsync(out.fileno())
        partial.rename(file)
    finally:
        partial.unlink(missing_ok=True)
    return listing


def restore_backup(file: Path, folder: Path) -> Listing:
    """Unpack into an empty folder. Raises `DecodingError` when a file is missing, added or changed: then nothing is
    kept.
    """
    if folder.exists() and any(folder.iterdir()):
        raise RefusedError(f"{folder} is not empty", hint="restore into a new folder, then compare")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".restore-") as staging:
        listing = _unpack(file, Path(staging) / "files")
        if folder.exists():
            folder.rmdir()
        (Path(staging) / "files").rename(folder)
    return listing


def _roots(settings: Settings) -> tuple[Path, Path]:
    return settings.data, settings.published


def _require_inside(root: Path, settings: Settings) -> None:
    """A backup without journal, salt key, memory or evidence would be none."""
    if not root.is_relative_to(settings.folder):
        raise UsageError(
            f"{root} lies outside of {settings.folder}, which a backup holds",
            hint="move it there and name it by a relative path; or copy everything by other means",
        )


def _named_files(settings: Settings) -> set[Path]:
    """Keystore, rulesets, ABIs, certificates."""
    own = settings.signer
    keystores = {settings.path(own.keystore)} if own is not None and own.keystore is not None else set()
    certificates = {path for files in _tls_files(settings) for path in (files.ca, files.certificate)}
    return keystores | certificates | settings.ruleset_files() | settings.interface_files()


def _tls_files(settings: Settings) -> list[TlsFiles]:
    own = settings.signer
    named = (own.tls, getattr(own.key, "tls", None)) if own is not None else ()
    return [settings.tls_files(tls) for tls in named if tls is not None]


def _apart(settings: Settings) -> set[Path]:
    """What is kept apart from the backup: password files, keys of certificates, and what lies outside of the
    configuration's folder.
    """
    own = settings.signer
    passwords = {settings.path(own.password_file)} if own is not None and own.password_file is not None else set()
    keys = {files.key for files in _tls_files(settings)}
    return passwords | keys | {path for path in _named_files(settings) if not path.is_relative_to(settings.folder)}


def _database_apart(settings: Settings) -> tuple[str, ...]:
    """Journal and workflows of several workers: `pg_dump` copies them."""
    return (display_name(settings.database.url),) if settings.database else ()


def _shown(path: Path, settings: Settings) -> str:
    return str(path.relative_to(settings.folder) if path.is_relative_to(settings.folder) else path)


def _contents(settings: Settings, config: Path) -> Iterator[tuple[str, int, bytes]]:
    """Name, mode, content."""
    yield CONFIG, PRIVATE, config.read_bytes()
    _, evidence = _roots(settings)
    named, apart = _named_files(settings), _apart(settings)
    found = {path for root in _roots(settings) if root.is_dir() for path in root.rglob("*") if path.is_file()}
    for path in sorted(found | named):
        if path.resolve() in apart:  # also by a link in the data folder
            continue
        if path.suffix in {".lock", ".sock"} or path.name.endswith(BESIDE_A_DATABASE):
            continue
        try:
            content = database_copy(path) if path.suffix == ".sqlite" else path.read_bytes()
        except FileNotFoundError:
            if path in named:
                raise
            continue  # it was there for a moment: whoever wrote it has given it its name
        mode = PUBLISHED if path.is_relative_to(evidence) else PRIVATE
        yield str(path.relative_to(settings.folder)), mode, content


def database_copy(path: Path) -> bytes:
    """A consistent copy of an SQLite database that may be in use."""
    with closing(sqlite3.connect(f"file:{path}?mode=rw", uri=True, isolation_level=None)) as source:
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()  # from here on it stands still
        return source.serialize()


def _add(archive: tarfile.TarFile, name: str, mode: int, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), mode
    archive.addfile(info, io.BytesIO(content))


def _unpack(file: Path, folder: Path) -> Listing:
    if not file.is_file():
        raise UsageError(f"there is no file {file}", hint="name one that pnyx backup wrote")
    try:
        with tarfile.open(file, mode="r:gz") as archive:
            archive.extractall(folder, filter="data")
        listing = Listing.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, tarfile.TarError, ValueError, EOFError) as error:
        raise DecodingError(f"{file} is not a backup: {type(error).__name__}: {error}") from error
    found = {str(p.relative_to(folder)): p for p in folder.rglob("*") if p.is_file() and p.name != MANIFEST}
    if found.keys() != listing.files.keys():
        raise DecodingError(f"{file} is incomplete: its list and its files differ")
    for name, path in found.items():
        if hashlib.sha256(path.read_bytes()).hexdigest() != listing.files[name]:
            raise DecodingError(f"{file}: {name} was changed after the backup was made")
    (folder / MANIFEST).unlink()
    return listing
