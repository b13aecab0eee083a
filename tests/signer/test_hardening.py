"""What the system does for the process that holds the key, and for whom its socket is."""

from __future__ import annotations

import os
import re
import resource
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from pnyx_contracts.errors import UsageError
from pnyx_tools.signer.doors import SocketDoor, listen
from pnyx_tools.signer.hardening import _may_lock_anything
from pnyx_tools.signer.process import spawn

from .parliament import Parliament
from .serving import Parrot, Serving, keystore_of, logged

linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")

NOBODY, SOMEBODY = 65534, 65533


def can_lock() -> bool:
    return _may_lock_anything() or resource.getrlimit(resource.RLIMIT_MEMLOCK)[1] == resource.RLIM_INFINITY


def locked_kilobytes(pid: int) -> int:
    found = re.search(r"VmLck:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found.group(1))


# --- memory ----------------------------------------------------------------------------------------------------------


@linux
def test_a_signer_locks_its_memory_or_says_that_it_cannot(gate: Parliament, capfd: pytest.CaptureFixture[str]) -> None:
    with spawn(gate.settings, keystore_of(gate)) as child:
        locked = locked_kilobytes(child.pid)
    said = "memory is not locked" in capfd.readouterr().err
    assert (locked > 20_000, said) == (can_lock(), not can_lock())


BECOME = """
import os
def become(user, group):
    os.setgroups([])
    os.setgid(group)
    os.setuid(user)
"""
"""The interpreter may lie where other users cannot go: a program changes its user itself, after its imports."""


def hardened(*, require: bool, before: str = "", then: str = "") -> subprocess.CompletedProcess[str]:
    """`harden` in a process that may lock 64 kB and no more, as a user without privileges."""
    program = f"""
import ctypes, logging, resource, subprocess
from pnyx_contracts.errors import UsageError
from pnyx_tools.signer.hardening import harden
logging.basicConfig(level="INFO")
resource.setrlimit(resource.RLIMIT_MEMLOCK, (65536, 65536))
if os.getuid() == 0:
    become({NOBODY}, {NOBODY})
{before}
try:
    harden(require_locked_memory={require})
except UsageError as error:
    print(error)
{then}
"""
    return run(BECOME + program)


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@linux
def test_memory_that_cannot_be_locked_is_one_line_in_the_log() -> None:
    done = hardened(require=False)
    assert done.returncode == 0
    assert done.stderr.count("memory is not locked") == 1
    assert "the limit of locked memory is 65536 bytes" in done.stderr


@linux
def test_memory_that_must_be_locked_and_cannot_be_is_fatal() -> None:
    done = hardened(require=True)
    assert "the signer's memory cannot be locked: the limit of locked memory is 65536 bytes" in done.stdout
    assert "LimitMEMLOCK=infinity" in done.stdout


@linux
def test_no_core_and_no_look_from_another_process_of_the_same_user() -> None:
    cat = "subprocess.run(['cat', f'/proc/{os.getpid()}/environ'], capture_output=True).stdout"
    look = f"print('seen' if {cat} else 'hidden')"
    dumpable = "ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # a change of user takes it away already"
    limits = "print(resource.getrlimit(resource.RLIMIT_CORE))"
    done = hardened(require=False, before=f"{dumpable}\n{look}", then=f"{look}\n{limits}")
    assert done.stdout.splitlines() == ["seen", "hidden", "(0, 0)"]


# --- users -----------------------------------------------------------------------------------------------------------

ASK = """
import socket, sys
become(int(sys.argv[2]), int(sys.argv[3]))
peer = socket.socket(socket.AF_UNIX)
peer.settimeout(10)
peer.connect(sys.argv[1])
peer.sendall(b'\\0\\0\\0\\x1a{"op":"hello","version":1}')
print(peer.recv(4000))
"""


def ask_as(user: int, group: int, path: Path) -> str:
    done = run(BECOME + ASK, str(path), str(user), str(group))
    return done.stdout + done.stderr


@pytest.fixture
def folder() -> Iterator[Path]:
    """That other users can come near: pytest's own folders are closed to them."""
    with TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)


@linux
@as_root
def test_a_listed_user_is_answered_and_no_other(folder: Path) -> None:
    """Signer and daemon as different users: the daemon's is in the signer's group, and on its list."""
    path = folder / "run" / "signer.sock"
    with logged() as lines, Serving(Parrot(), SocketDoor(path, frozenset({NOBODY}))):
        assert "no hello today" in ask_as(NOBODY, os.getgid(), path)
        assert "no hello" not in ask_as(SOMEBODY, os.getgid(), path)
        lines.wait_for(f"user {SOMEBODY} asked")  # written when the connection is closed already
        assert "PermissionError" in ask_as(NOBODY, NOBODY, path)  # listed, but not in the group


@linux
@as_root
def test_without_a_list_the_group_does_not_help(folder: Path) -> None:
    path = folder / "run" / "signer.sock"
    with Serving(Parrot(), SocketDoor(path)):
        assert "PermissionError" in ask_as(NOBODY, os.getgid(), path)


def test_a_shared_socket_is_open_to_the_group_and_no_further(tmp_path: Path) -> None:
    path = tmp_path / "run" / "signer.sock"
    with listen(path, shared=True) as listener:
        assert isinstance(listener, socket.socket)
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o750
    path.unlink()
    path.parent.chmod(0o770)
    with pytest.raises(UsageError, match="chmod 750"):
        listen(path, shared=True)
