"""Starts an agent's program with some trouble in it. A `Launch` is all that a play knows about starting."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from pnyx_tools.testing.faults import killing
from pnyx_tools.testing.faults.forks import PROGRAM, Fork, start_fork
from pnyx_tools.testing.faults.killing import Trouble


class Running(Protocol):
    """A program that was started. Several processes may stand behind it."""

    @property
    def pid(self) -> int: ...

    def code(self) -> int | None:
        """The exit code, minus the signal that ended it; None while it runs."""
        ...

    def kill(self) -> None:
        """``kill -9``, and wait for its end."""
        ...

    def stop(self) -> None:
        """SIGTERM."""
        ...


Launch = Callable[[Path, Trouble], Running]
"""Starts the agent of a folder (``pnyx.toml`` lies there), which writes to ``daemon.log`` beside it."""


class Start(Protocol):
    """A `Launch` that knows more commands than ``pnyx run``."""

    def __call__(self, folder: Path, trouble: Trouble, command: str = "run", config: str = "pnyx.toml") -> Running: ...


class _Process:
    def __init__(self, process: subprocess.Popen[bytes] | Fork) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    def code(self) -> int | None:
        return self._process.poll()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        self._process.terminate()


def as_process(folder: Path, trouble: Trouble, command: str = "run", config: str = "pnyx.toml") -> Running:
    """A process like any other. Most of its first seconds goes into imports."""
    with (folder / "daemon.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", killing.__name__, *trouble.arguments(), PROGRAM, command, "--config",
             str(folder / config)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    return _Process(process)


class Forks:
    """Starts them as forks of one process that has all modules in memory: hundreds of starts in little time."""

    def __call__(self, folder: Path, trouble: Trouble, command: str = "run", config: str = "pnyx.toml") -> Running:
        log = folder / "daemon.log"
        return _Process(start_fork([command, "--config", str(folder / config)], log, log, trouble=trouble))
