"""Programs as forks of one process that has all modules in memory: a start costs hundredths of a second, not four.

All that a fork does differently from a fresh interpreter: it has imported more than it needs, its signer too, and
``/proc/PID/environ`` shows the environment of the process that it was forked from.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import IO, Any, Final

from pnyx_tools.testing.faults import killing
from pnyx_tools.testing.faults.killing import Trouble

PROGRAM: Final = "pnyx_agents"
"""``pnyx``; by name only, for it lies in a layer above."""

PRELOADED: Final = [
    "pnyx_agents.cli.main", "pnyx_agents.running", "dbos", "web3", "sqlalchemy", "langchain_openai",
    "pnyx_tools.signer.process", "pnyx_tools.signer.logs", "pnyx_tools.verifier", "pnyx_tools.testing.faults.killing",
]  # fmt: skip


class Fork:
    """A process that was forked: what one needs of `subprocess.Popen`."""

    def __init__(self, process: BaseProcess) -> None:
        process.start()
        self._process = process

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Raises `subprocess.TimeoutExpired`."""
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired(str(self._process), timeout or 0)
        return code

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()


def start_fork(
    arguments: Sequence[str],
    stdout: Path,
    stderr: Path,
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    trouble: Trouble = Trouble(),  # noqa: B008 - frozen
) -> Fork:
    """``pnyx`` with these arguments, in a folder; it writes to the ends of these files. Folder and environment are ours
    when not given.
    """
    forkserver = multiprocessing.get_context("forkserver")
    forkserver.set_forkserver_preload(PRELOADED)
    given = dict(os.environ if environment is None else environment)
    for file in (stdout, stderr):
        file.touch()
    begun = (list(arguments), folder or Path.cwd(), given, stdout.absolute(), stderr.absolute(), trouble)
    return Fork(forkserver.Process(target=_begin, args=begun))


def run_fork(
    arguments: Sequence[str], *, timeout: float, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """``pnyx`` with these arguments, to its end. Raises `subprocess.TimeoutExpired`."""
    with tempfile.TemporaryDirectory() as temporary:
        stdout, stderr = Path(temporary) / "stdout", Path(temporary) / "stderr"
        fork = start_fork(arguments, stdout, stderr, folder=folder)
        try:
            code = fork.wait(timeout)
        except subprocess.TimeoutExpired:
            fork.kill()
            raise
        said, complained = (file.read_text(encoding="utf-8") for file in (stdout, stderr))
    return subprocess.CompletedProcess(list(arguments), code, said, complained)


def _begin(
    arguments: list[str], where: Path, environment: dict[str, str], stdout: Path, stderr: Path, trouble: Trouble
) -> None:
    """In the fork: as if it had been started by a shell."""
    for descriptor, file in ((1, stdout), (2, stderr)):
        with file.open("ab") as output:
            os.dup2(output.fileno(), descriptor)
    os.chdir(where)
    _take_environment(environment)
    killing.run(PROGRAM, arguments, trouble, _fork_the_signer)


def _take_environment(environment: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)


def _fork_the_signer(trouble: Trouble) -> None:
    """From now on, what the program starts as its signer is a fork too."""

    class Popen(subprocess.Popen[Any]):
        def __new__(cls, args: Any, **options: Any) -> Any:  # noqa: ANN401 - one of these, or a fork
            if list(args[1:]) == killing.SIGNER_ARGUMENTS:
                return _SignerFork(options["env"], trouble)
            return super().__new__(cls)

    setattr(subprocess, "Popen", Popen)  # noqa: B010 - mypy takes no assignment to a class


class _SignerFork(Fork):
    """Of the program that starts it, with pipes in place of standard input and output."""

    def __init__(self, environment: Mapping[str, str], trouble: Trouble) -> None:
        theirs_in, ours_in = os.pipe()
        ours_out, theirs_out = os.pipe()
        fork = multiprocessing.get_context("fork")
        super().__init__(fork.Process(target=_sign, args=(theirs_in, theirs_out, environment, trouble), daemon=True))
        os.close(theirs_in)
        os.close(theirs_out)
        self.stdin: IO[str] = open(ours_in, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - closed by who started it
        self.stdout: IO[str] = open(ours_out, encoding="utf-8")  # noqa: SIM115, PTH123 - the same


def _sign(stdin: int, stdout: int, environment: Mapping[str, str], trouble: Trouble) -> None:
    """In the fork: without anything of the program but its modules and its standard error."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    os.setsid()
    os.dup2(stdin, 0)
    os.dup2(stdout, 1)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - multiprocessing closed the old one
    _take_environment(environment)
    killing.run(killing.SIGNER_MODULE, [], trouble)
