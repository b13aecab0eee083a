"""One agent through many proposals under faults, started again as a service manager would, and judged at the end."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from pnyx_contracts.errors import PnyxError
from pnyx_contracts.types import ProposalKey
from pnyx_tools.journal import Stage
from pnyx_tools.testing.faults.killing import WINDOWS, Kill, Trouble
from pnyx_tools.testing.faults.launching import Launch, Running
from pnyx_tools.testing.faults.oracle import Oracle, Ruling
from pnyx_tools.testing.faults.proxy import FaultProxy
from pnyx_tools.testing.faults.schedule import dice
from pnyx_tools.testing.faults.world import World

TICK_SECONDS: Final = 0.2
PATIENCE_SECONDS: Final = 120.0
"""For one condition, however busy the machine is. Then it counts as one that does not come."""
NOT_STARTED_AGAIN: Final = 2
"""The exit code that the shipped unit file takes for a wrong configuration: no service manager helps then."""

SIGNER_GONE: Final = 3
SHORT_TIMEOUT_SECONDS: Final = 2.0
"""Of requests to an endpoint, so that time-outs come by the hundred."""
MOST_FURTHER: Final = 3
"""So many times the proposals that were asked for, until all windows were met."""


class StuckError(PnyxError):
    """What was waited for does not come."""


@dataclass
class Report:
    """What a play did to its agent, and what became of it."""

    kind: str
    seed: int
    faults: Counter[str] = field(default_factory=Counter)
    starts: int = 0
    seconds: float = 0.0
    ruling: Ruling = field(default_factory=Ruling)

    def needs_help(self, why: str) -> None:
        """Once for each reason."""
        if why not in self.ruling.wrongs["agents that need help"]:
            self.ruling.wrongs["agents that need help"].append(why)


class Play:
    """The stage: an agent in its world. Blocks come while somebody waits."""

    def __init__(self, world: World, launch: Launch, kind: str, seed: int) -> None:
        self.world = world
        self.launch = launch
        self.dice = dice(kind, seed)
        self.report = Report(kind, seed)
        self.trouble = Trouble()
        """What the next start gets."""
        self.running: Running | None = None

    # --- the service manager -----------------------------------------------------------------------------------------

    def start(self) -> None:
        self.report.starts += 1
        self.running = self.launch(self.world.folder, self.trouble)

    def start_in_peace(self) -> None:
        """Starts it before anything goes wrong; what a start survives is a matter of its own."""
        self.start()
        self.until("the agent to follow", lambda: '"following"' in self.world.words())

    def is_running(self) -> bool:
        return self.running is not None and self.running.code() is None

    def keep_running(self) -> None:
        """Starts what ended, and takes down when it would have stayed down."""
        if self.is_running():
            return
        if self.running is not None and self.running.code() == NOT_STARTED_AGAIN:
            self.report.needs_help(f"ended with {NOT_STARTED_AGAIN}, stays down: {self._last_line()}")
        self.start()

    def died_of_kill(self) -> bool:
        """Of its own `kill -9`, or because its signer died of one."""
        return self.running is not None and self.running.code() in {-signal.SIGKILL, SIGNER_GONE}

    def kill(self) -> None:
        if self.running is not None:
            self.running.kill()

    def _last_line(self) -> str:
        return " ".join(self.world.words(1000).split("error: ")[-1].split())

    # --- waiting -----------------------------------------------------------------------------------------------------

    def until(self, what: str, holds: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
        """Raises `StuckError`."""
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                raise StuckError(f"waited {seconds:g} seconds for {what}; {self.stages()}\n{self.world.words(2000)}")
            self.world.node.mine()
            time.sleep(TICK_SECONDS)

    def is_done(self, *keys: ProposalKey) -> bool:
        done = {case.proposal for case in self.world.cases() if case.stage is Stage.DONE}
        return done >= {str(key) for key in keys or self.world.proposed}

    def stages(self) -> str:
        return ", ".join(f"{case.proposal[-6:]} {case.stage.value} {case.detail}" for case in self.world.cases())

    def propose(self) -> ProposalKey:
        return self.world.propose(self.dice)

    # --- the end -----------------------------------------------------------------------------------------------------

    @contextmanager
    def performed(self) -> Iterator[None]:
        """Runs what stands inside; then everything must come to its end by itself, and one proposal more."""
        began = time.monotonic()
        try:
            yield
            self._come_to_rest()
        except StuckError as error:
            self.report.needs_help(error.message)
        finally:
            self.kill()
        self.report.ruling.add(self._judge())
        self.report.seconds = time.monotonic() - began

    def _come_to_rest(self) -> None:
        self.trouble = Trouble(timeout_seconds=self.trouble.timeout_seconds)
        self.propose()

        def at_rest() -> bool:
            self.keep_running()
            return self.is_done()

        self.until("everything to be done", at_rest)
        assert self.running is not None
        self.running.stop()
        self.until("a clean end", lambda: not self.is_running())
        if self.running.code() != 0:
            self.report.needs_help(f"SIGTERM ended it with {self.running.code()}: {self._last_line()}")

    def _judge(self) -> Ruling:
        world = self.world
        oracle = Oracle(world.node.rpc, world.log, world.writer, world.governances, world.evidence)
        return oracle.rule(world.cases())


def play_kills(world: World, launch: Launch, seed: int, *, proposals: int, kills: int) -> Report:
    """``kill -9`` inside `kills` windows: each proposal comes through its share of them, in the order of its life.

    A proposal that is done before its last window leaves it to a further proposal.
    """
    play = Play(world, launch, "kills", seed)
    share = -(-kills // proposals)
    with play.performed():
        while (left := kills - play.report.faults.total()) > 0 or len(world.proposed) < proposals:
            if len(world.proposed) == MOST_FURTHER * proposals:
                raise StuckError(f"{left} windows were never reached")
            play.propose()
            for kill in kills_for(play, min(share, left)):
                _die_at(play, kill)
    return play.report


def kills_for(play: Play, how_many: int) -> list[Kill]:
    """In the order in which one proposal comes through the windows."""
    names = list(WINDOWS)
    chosen = sorted(play.dice.choices(range(len(names)), k=how_many))
    return [Kill(names[place], play.dice.choice(("before", "after"))) for place in chosen]


def _die_at(play: Play, kill: Kill) -> None:
    """Until it died where it should, or nothing is left to die at: then it lives on, and dies later."""
    if not play.is_running():
        play.trouble = replace(play.trouble, kill=kill)
        play.start()

    def is_dead() -> bool:
        if play.died_of_kill():
            return True
        play.keep_running()
        return False

    play.until(str(kill), lambda: is_dead() or play.is_done())
    if play.died_of_kill():
        play.report.faults[str(play.trouble.kill)] += 1


def play_endpoints(world: World, launch: Launch, seed: int, proxies: Sequence[FaultProxy], *, proposals: int) -> Report:
    """Proposals come while the endpoints fail and lie, until the schedule of the first one is through."""
    play = Play(world, launch, "endpoints", seed)
    play.trouble = Trouble(timeout_seconds=SHORT_TIMEOUT_SECONDS)
    with play.performed():
        play.start_in_peace()
        for proxy in proxies:
            proxy.schedule.is_on = True
        for number in range(proposals):
            key, part = play.propose(), (number + 1) / proposals

            def is_through(key: ProposalKey = key, part: float = part) -> bool:
                play.keep_running()
                return play.is_done(key) and proxies[0].schedule.part >= part

            play.until(f"proposal {number} of {proposals}", is_through)
        for proxy in proxies:
            proxy.be_honest()
    for proxy in proxies:
        play.report.faults.update({str(fault): count for fault, count in proxy.schedule.happened.items()})
    return play.report
