"""What goes wrong on the machine of an agent: a full disk, a locked database, a clock that jumps, the agent twice."""

from __future__ import annotations

import resource
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from pnyx_tools.testing.faults.launching import Launch
from pnyx_tools.testing.faults.play import Play, Report, StuckError, has_come_to, has_done
from pnyx_tools.testing.faults.world import World
from pnyx_tools.testing.postgres import Postgres

FULL, LOCKED, JUMP, SECOND, COPY = (
    "disk full", "database locked", "clock jumps", "a second agent on the same folder", "a copy of the agent",
)  # fmt: skip
OF_ONE: Final = (FULL, LOCKED, JUMP, SECOND)
OF_TWO: Final = (COPY,)
"""Apart from the others: here two agents race, and it is not the schedule that decides who wins."""

BLOCKS: Final = 25
"""How long a fault lasts: some seconds."""
BLOCKS_LOCKED: Final = 75
"""Longer than a database is waited for."""
JUMPS_SECONDS: Final = (-7 * 24 * 3600, -3600, 3600, 7 * 24 * 3600)


def play_machine(
    world: World, launch: Launch, seed: int, kinds: tuple[str, ...], *, proposals: int, faults: int
) -> Report:
    """Each fault comes together with a proposal, or in between; each kind as often as the others."""
    play = Play(world, launch, "copies" if kinds == OF_TWO else "machine", seed)
    order = [kinds[number % len(kinds)] for number in range(faults)]
    play.dice.shuffle(order)
    with play.performed():
        play.start_in_peace()
        for number, kind in enumerate(order):
            is_new = len(world.proposed) * faults <= number * proposals
            with _during(play, kind):
                if is_new:
                    play.propose()
                blocks = BLOCKS_LOCKED if kind == LOCKED else BLOCKS
                play.until(kind, partial(_is_over, play, kind, world.node.rpc.block().number + blocks))
                if is_new and kind in {FULL, LOCKED} and play.is_done():
                    raise StuckError(f"{kind}: and the agent did its work all the same")
            play.report.faults[kind] += 1
            play.until(f"recovery from: {kind}", partial(has_done, play))
    return play.report


def play_database(
    world: World, launch: Launch, seed: int, postgres: Postgres, *, proposals: int, faults: int
) -> Report:
    """The server that workers share ends while they work, and comes back some blocks later, again and again."""
    play = Play(world, launch, "database of workers", seed)
    with play.performed():
        play.start_in_peace()
        for number in range(faults):
            if len(world.proposed) * faults <= number * proposals:
                play.propose()
            for is_there in (True, False):
                blocks = play.dice.randint(1, BLOCKS)
                play.until("some blocks", partial(has_come_to, play, world.node.rpc.block().number + blocks))
                if is_there:
                    postgres.stop()
            postgres.start()
            play.report.faults["database away"] += 1
            play.until("recovery from: database away", partial(has_done, play))
    return play.report


def _is_over(play: Play, kind: str, block: int) -> bool:
    if kind == FULL:
        _limit_files(play, 0)  # of who was started meanwhile, too
    return has_come_to(play, block)


def _during(play: Play, kind: str) -> ExitStack:
    """The fault lasts until the stack is left."""
    stack = ExitStack()
    if kind == FULL:
        stack.enter_context(_full_disk(play))
    elif kind == LOCKED:
        stack.enter_context(_locked(play.world.folder / "data"))
    elif kind == JUMP:
        stack.enter_context(_jumping_clock(play))
    elif kind == SECOND:
        stack.enter_context(_another(play, play.world.folder))
    else:
        stack.enter_context(_copied(play))
    return stack


@contextmanager
def _full_disk(play: Play) -> Iterator[None]:
    """No process of the agent can write to a file: each limit on file sizes is zero."""
    _limit_files(play, 0)
    try:
        yield
    finally:
        _limit_files(play, resource.RLIM_INFINITY)


def _limit_files(play: Play, size: int) -> None:
    if play.running is None or not play.is_running():
        return
    for pid in (play.running.pid, *_children(play.running.pid)):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextmanager
def _locked(data: Path) -> Iterator[None]:
    """Somebody writes into the agent's databases and does not come to an end."""
    with ExitStack() as stack:
        for name in ("journal.sqlite", "workflows.sqlite", "signer.sqlite"):
            connection = sqlite3.connect(data / name, timeout=10, isolation_level=None, check_same_thread=False)
            stack.callback(connection.close)
            connection.execute("BEGIN IMMEDIATE")
            stack.callback(connection.execute, "ROLLBACK")
        yield


@contextmanager
def _jumping_clock(play: Play) -> Iterator[None]:
    """The agent is started anew under such a clock, and again under a good one."""
    play.stop()
    usual, play.trouble = play.trouble, replace(play.trouble, jump_seconds=play.dice.choice(JUMPS_SECONDS))
    play.start_in_peace()
    try:
        yield
    finally:
        play.kill()
        play.trouble = usual


@contextmanager
def _another(play: Play, folder: Path) -> Iterator[None]:
    """The same agent, once more. It has to refuse by itself, or to do no harm."""
    log = folder / "daemon.log"
    log.touch()
    before = log.stat().st_size
    second = play.launch(folder, play.trouble)
    try:
        play.until("the other one", lambda: second.code() is not None or b'"following"' in log.read_bytes()[before:])
        yield
    finally:
        second.kill()


@contextmanager
def _copied(play: Play) -> Iterator[None]:
    """Somebody restored a backup on the same machine, and started it. Both have one key."""
    copy = play.world.folder.with_name(f"copy-{play.report.faults.total()}")
    play.stop()
    shutil.copytree(play.world.folder, copy, ignore=shutil.ignore_patterns("daemon.log"))
    play.start()
    with _another(play, copy):
        yield
    shutil.copytree(copy / "evidence", play.world.evidence, dirs_exist_ok=True)
