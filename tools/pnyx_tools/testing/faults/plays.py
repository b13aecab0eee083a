"""The kinds of plays by name, each with the world that it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from pnyx_policies.analysis import Analysis, Recommendation
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.faults.launching import Start
from pnyx_tools.testing.faults.machine import OF_ONE, OF_TWO, play_database, play_machine
from pnyx_tools.testing.faults.models import ModelFault, ModelFaults
from pnyx_tools.testing.faults.play import Report, play_endpoints, play_kills, play_models, play_reorgs
from pnyx_tools.testing.faults.proxy import FOR_A_WHILE, OF_TRANSACTIONS, Fault, FaultProxy
from pnyx_tools.testing.faults.reorgs import DEEPEST
from pnyx_tools.testing.faults.schedule import Schedule
from pnyx_tools.testing.faults.team import Team
from pnyx_tools.testing.faults.world import make_world
from pnyx_tools.testing.openai_server import OpenAIServer, answer
from pnyx_tools.testing.postgres import run_postgres
from pnyx_tools.testing.settling import Plan

Declare = Callable[[Path], bytes]

MOST_STATES: Final = 5_000


def local_node(states: int | None = None) -> Anvil:
    """Blocks are final at once. `states` as of `Anvil`: of a node whose blocks are replaced, all are in memory. A play
    that is stuck mines on, and each block's state takes megabytes of the disk: so many and no more.
    """
    most = () if states else ("--max-persisted-states", str(MOST_STATES))
    return Anvil(states=states, calm=True, extra_arguments=("--slots-in-an-epoch", "1", *most))


@dataclass(frozen=True, slots=True)
class Amount:
    """How much of it in one world."""

    faults: int
    proposals: int


class Run(Protocol):
    """Makes a world for `folder`, which does not exist yet, and plays in it. An even seed votes by a plain key."""

    def __call__(self, folder: Path, declare: Declare, start: Start, seed: int, amount: Amount) -> Report: ...


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault."""

    run: Run
    faults: int
    """How many it is meant to survive, over all worlds."""


def has_gate(seed: int) -> bool:
    return seed % 2 == 1


@contextmanager
def shared_database(*, wanted: bool) -> Iterator[str | None]:
    """The URL of an empty one on a PostgreSQL server of its own."""
    if not wanted:
        yield None
        return
    with run_postgres() as postgres:
        yield postgres.new_database()


def run_database(folder: Path, declare: Declare, start: Start, seed: int, amount: Amount) -> Report:
    with local_node() as node, run_postgres() as postgres:
        plan = Plan(declare, gate=has_gate(seed), database=postgres.new_database())
        world = make_world(node, folder, plan)
        return play_database(world, Team(start), seed, postgres, proposals=amount.proposals, faults=amount.faults)


@dataclass(frozen=True, slots=True)
class Kills:
    """``kill -9`` of one agent; or of workers that share a database, and their signer."""

    workers: bool = False

    def __call__(self, folder: Path, declare: Declare, start: Start, seed: int, amount: Amount) -> Report:
        with local_node() as node, shared_database(wanted=self.workers) as database:
            world = make_world(node, folder, Plan(declare, gate=has_gate(seed), database=database))
            return play_kills(
                world, Team(start) if self.workers else start, seed, proposals=amount.proposals, kills=amount.faults,
                several=self.workers,
            )  # fmt: skip


EVERY: Final = 25
"""So many requests an endpoint answers well, on average, between two faults. A judgement of the signer takes fifty."""

FAILING: Final = tuple(fault for fault in Fault if fault not in FOR_A_WHILE)


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Agent and signer, each with an endpoint of its own, and both no good."""

    kinds: tuple[Fault, ...]
    workers: bool = False
    """Two of them on PostgreSQL, instead of one agent alone."""
    confirmations: int = 1

    def __call__(self, folder: Path, declare: Declare, start: Start, seed: int, amount: Amount) -> Report:
        of_signer = amount.faults // 10
        signer_kinds: list[Fault] = [fault for fault in self.kinds if fault not in OF_TRANSACTIONS]
        schedules = (
            Schedule(f"agent {seed}", self.kinds, every=EVERY, most=amount.faults - of_signer),
            Schedule(f"signer {seed}", signer_kinds, every=2 * EVERY, most=of_signer),
        )
        with (
            local_node() as node,
            Anvil(chain_id=1) as stranger,
            FaultProxy(node.url, schedules[0], seed=seed, stranger=stranger.url) as agents,
            FaultProxy(node.url, schedules[1], seed=seed, stranger=stranger.url) as signers,
            shared_database(wanted=self.workers) as database,
        ):
            plan = Plan(
                declare, gate=has_gate(seed), rpc=agents.url, signer_rpc=signers.url, database=database,
                confirmations=self.confirmations,
            )  # fmt: skip
            world, launch = make_world(node, folder, plan), Team(start) if self.workers else start
            return play_endpoints(world, launch, seed, (agents, signers), proposals=amount.proposals)


@dataclass(frozen=True, slots=True)
class Reorgs:
    workers: bool = False

    def __call__(self, folder: Path, declare: Declare, start: Start, seed: int, amount: Amount) -> Report:
        with local_node(MOST_STATES) as node, shared_database(wanted=self.workers) as database:
            plan = Plan(declare, gate=has_gate(seed), confirmations=DEEPEST, database=database)
            world, launch = make_world(node, folder, plan), Team(start) if self.workers else start
            return play_reorgs(world, launch, seed, proposals=amount.proposals, reorgs=amount.faults)


ADVICE: Final = Analysis(
    summary="It was read.", key_points=(), stated_intent="Pay for documentation.", claimed_effects=(), risks=(),
    recommendation=Recommendation.FOR, confidence_percent=90,
)  # fmt: skip


def run_models(folder: Path, declare: Declare, start: Start, seed: int, amount: Amount) -> Report:
    schedule = Schedule(seed, tuple(ModelFault), every=2, most=amount.faults)
    with (
        local_node() as node,
        OpenAIServer([answer(ADVICE)]) as server,
        ModelFaults(server, schedule) as models,
    ):
        model = (
            f'[[model]]\nmodel = "scripted"\nbase_url = "{models.base_url}"\napi_key_env = ""\ntimeout_seconds = 2\n'
        )
        world = make_world(node, folder, Plan(declare, gate=has_gate(seed), lines=model))
        return play_models(world, start, seed, models, proposals=amount.proposals)


@dataclass(frozen=True, slots=True)
class Machine:
    """One agent on a machine with these troubles."""

    kinds: tuple[str, ...]

    def __call__(self, folder: Path, declare: Declare, start: Start, seed: int, amount: Amount) -> Report:
        with local_node() as node:
            world = make_world(node, folder, Plan(declare, gate=has_gate(seed)))
            return play_machine(world, start, seed, self.kinds, proposals=amount.proposals, faults=amount.faults)


PLAYS: Final[dict[str, Kind]] = {
    "kills": Kind(Kills(), 200),
    "reorgs": Kind(Reorgs(), 100),
    "models": Kind(run_models, 100),
    "machine": Kind(Machine(OF_ONE), 40),
    "copies": Kind(Machine(OF_TWO), 10),
    "failing endpoints": Kind(Endpoints(FAILING), 1000),
    "lying endpoints": Kind(Endpoints(FOR_A_WHILE, confirmations=DEEPEST), 100),
    "kills of workers": Kind(Kills(workers=True), 100),
    "reorgs under workers": Kind(Reorgs(workers=True), 50),
    "failing endpoints of workers": Kind(Endpoints(FAILING, workers=True), 300),
    "lying endpoints of workers": Kind(Endpoints(FOR_A_WHILE, workers=True, confirmations=DEEPEST), 50),
    "database of workers": Kind(run_database, 20),
}
