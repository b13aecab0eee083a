"""What one machine carries: ``python benchmarks/scaling.py [--proposals N] [--waiting N] [--workers N] [--json]``.

Proposals whose votes are open already wait for an agent that is started then: how many it reviews, records and votes on
in a minute, alone on SQLite, and as one, two and three workers on PostgreSQL. Then one process that holds proposals for
people: what it costs while nobody answers. Node, database and signer run on the same machine,
blocks come as fast as they are wanted, no model is asked.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from pnyx_agents import assembly
from pnyx_agents.settings import load_settings
from pnyx_tools.journal import Stage
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.faults.killing import Trouble
from pnyx_tools.testing.faults.launching import Running, as_process
from pnyx_tools.testing.faults.plays import local_node, shared_database
from pnyx_tools.testing.faults.world import World, make_world
from pnyx_tools.testing.settling import Plan

WORKERS = 3
WATCHED_SECONDS = 30.0
PATIENCE_SECONDS = 1800
HOLD_RULES = """
name = "people"
version = "1"
description = "People decide."

[[rule]]
id = "people"
because = "People decide."
when = ["always"]
then = "hold"
"""


@dataclass(frozen=True)
class Throughput:
    who: str
    proposals: int
    seconds: float
    """From the first review to the last final vote."""
    megabytes: float
    """Of the workers together, without their signer."""

    @property
    def per_minute(self) -> float:
        return 60 * self.proposals / self.seconds


@dataclass(frozen=True)
class Waiting:
    proposals: int
    megabytes: float
    threads: int
    cpu_percent: float
    """Of one core, while it was watched."""


def declared(config: Path) -> bytes:
    return assembly.declared_configuration(load_settings(config)).hash


@contextmanager
def started(world: World, commands: list[tuple[str, str]]) -> Iterator[list[Running]]:
    """Killed at the end."""
    running = [as_process(world.folder, Trouble(), command, config) for command, config in commands]
    try:
        yield running
    finally:
        for process in running:
            process.kill()


def until(world: World, stage: Stage, count: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while sum(case.stage is stage for case in world.cases()) < count:
        if time.monotonic() > deadline:
            sys.exit(f"waited {PATIENCE_SECONDS} seconds for {count} proposals {stage.value}\n{world.words()}")
        world.node.mine()
        time.sleep(0.2)


def filled(node: Anvil, folder: Path, plan: Plan, proposals: int) -> World:
    world = make_world(node, folder, plan)
    dice = random.Random(1)
    for _ in range(proposals):
        world.propose(dice)
    node.mine(10)
    return world


def throughput(workers: int | None, proposals: int) -> Throughput:
    """None: alone, on SQLite."""
    with (
        tempfile.TemporaryDirectory() as folder,
        local_node() as node,
        shared_database(wanted=workers is not None) as database,
    ):
        world = filled(node, Path(folder) / "agent", Plan(declared, database=database), proposals)
        run = ("run", "pnyx.toml")
        commands = (
            [run] if workers is None else [("signer", "signer.toml"), run, *[("worker", "pnyx.toml")] * (workers - 1)]
        )
        with started(world, commands) as running:
            while not any(case.stage not in {Stage.SEEN, Stage.WAITING} for case in world.cases()):
                time.sleep(0.1)
            began = time.monotonic()
            until(world, Stage.DONE, proposals)
            seconds = time.monotonic() - began
            megabytes = sum(psutil.Process(r.pid).memory_info().rss for r in running[workers is not None :]) / 2**20
        who = "one process, SQLite" if workers is None else f"{workers} on PostgreSQL"
        return Throughput(who, proposals, seconds, megabytes)


def waiting(proposals: int, watched_seconds: float) -> Waiting:
    with tempfile.TemporaryDirectory() as folder, local_node() as node:
        world = filled(node, Path(folder) / "agent", Plan(declared, rules=HOLD_RULES), proposals)
        with started(world, [("run", "pnyx.toml")]) as (running,):
            until(world, Stage.HELD, proposals)
            process = psutil.Process(running.pid)
            process.cpu_percent()
            time.sleep(watched_seconds)
            return Waiting(proposals, process.memory_info().rss / 2**20, process.num_threads(), process.cpu_percent())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--proposals", type=int, default=60)
    parser.add_argument("--waiting", type=int, default=200, help="proposals that wait for people")
    parser.add_argument("--workers", type=int, default=WORKERS, help="so many on PostgreSQL at most")
    parser.add_argument("--watched", type=float, default=WATCHED_SECONDS, help="seconds to watch the one that waits")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    results = []
    for workers in (None, *range(1, given.workers + 1)):
        results.append(throughput(workers, given.proposals))
        Console(stderr=True).print(f"{results[-1].who}: {results[-1].per_minute:.0f} proposals a minute")
    held = waiting(given.waiting, given.watched)
    if given.json:
        print(json.dumps({"throughput": [asdict(result) for result in results], "waiting": asdict(held)}, indent=1))
    console = Console(stderr=given.json)
    table = Table(title=f"{given.proposals} proposals, reviewed, recorded and voted on", title_justify="left")
    for column in ("who", "proposals a minute", "memory, MB"):
        table.add_column(column, justify="left" if column == "who" else "right")
    for result in results:
        table.add_row(result.who, f"{result.per_minute:.0f}", f"{result.megabytes:.0f}")
    console.print(table)
    console.print(
        f"{held.proposals} proposals that wait for people: {held.megabytes:.0f} MB, {held.threads} threads, "
        f"{held.cpu_percent:.0f} % of a core"
    )


if __name__ == "__main__":
    main()
