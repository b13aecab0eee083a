"""One agent through many proposals under faults, started again as a service manager would, and judged at the end."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from pnyx_contracts.errors import PnyxError
from pnyx_contracts.types import ProposalKey
from pnyx_tools.journal import Stage
from pnyx_tools.testing.faults.killing import WINDOWS, Kill, Trouble
from pnyx_tools.testing.faults.launching import Launch, Running
from pnyx_tools.testing.faults.models import ModelFaults
from pnyx_tools.testing.faults.oracle import Oracle, Ruling
from pnyx_tools.testing.faults.proxy import FaultProxy
from pnyx_tools.testing.faults.reorgs import DEEPEST, reorganise
from pnyx_tools.testing.faults.schedule import dice
from pnyx_tools.testing.faults.world import World

TICK_SECONDS: Final = 0.2
PATIENCE_SECONDS: Final = 300.0
"""For one condition, however busy the machine is. Then it counts as one that does not come."""
CLEAN: Final = {0, -signal.SIGTERM}
"""After SIGTERM; by the signal itself where it came before the program had begun."""
NOT_STARTED_AGAIN: Final = 2
"""The exit code that the shipped unit file takes for a wrong configuration: no service manager helps then."""

SIGNER_GONE: Final = 3
SHORT_TIMEOUT_SECONDS: Final = 2.0
"""Of requests to an endpoint, so that time-outs come by the hundred."""
MANY: Final = 10**8
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
        self.blocks_at_once = 1
        """Mined at each look while something is waited for."""
        self.running: Running | None = None

    # --- the service manager -----------------------------------------------------------------------------------------

    def start(self) -> None:
        self.report.starts += 1
        self.running = self.launch(self.world.folder, self.trouble)

    def stop(self) -> None:
        """SIGTERM, and its end."""
        assert self.running is not None
        self.running.stop()
        self.until("a clean end", lambda: not self.is_running())
        if self.running.code() not in CLEAN:
            self.report.needs_help(f"SIGTERM ended it with {self.running.code()}: {self._last_line()}")

    def start_in_peace(self) -> None:
        """Starts it before anything goes wrong; what a start survives is a matter of its own."""
        before = self.world.words(MANY).count('"following"')
        self.start()
        self.until("the agent to follow", lambda: self.world.words(MANY).count('"following"') > before)

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
            self.world.node.mine(self.blocks_at_once)
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
        self.stop()

    def _judge(self) -> Ruling:
        world = self.world
        oracle = Oracle(world.node.rpc, world.log, world.writer, world.governances, world.evidence)
        return oracle.rule(world.cases())


def play_kills(world: World, launch: Launch, seed: int, *, proposals: int, kills: int, several: bool = False) -> Report:
    """``kill -9`` inside `kills` windows: each proposal comes through its share of them, in the order of its life.

    A proposal that is done before its last window leaves it to a further proposal. Of `several` processes, the one that
    dies in a window may not be the one that comes to it: then all of them are started again for the next.
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
                if several and play.is_running():
                    play.kill()
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
            play.until(f"proposal {number} of {proposals}", partial(has_done, play, play.propose()))
            part = partial(_has_met, play, proxies[0], (number + 1) / proposals)
            play.until(f"{(number + 1)} of {proposals} parts of the faults", part)
        for proxy in proxies:
            proxy.be_honest()
    for proxy in proxies:
        play.report.faults.update({str(fault): count for fault, count in proxy.schedule.happened.items()})
    return play.report


def _has_met(play: Play, proxy: FaultProxy, part: float) -> bool:
    play.keep_running()
    return proxy.schedule.part >= part


def play_reorgs(world: World, launch: Launch, seed: int, *, proposals: int, reorgs: int) -> Report:
    """Reorganisations in all stages of a proposal, the agent's finality just out of their reach."""
    play = Play(world, launch, "reorgs", seed)
    play.blocks_at_once = 4
    with play.performed():
        play.start_in_peace()
        world.node.mine(DEEPEST)
        for number in range(reorgs):
            if number * proposals >= len(world.proposed) * reorgs or play.is_done():
                play.propose()
            if play.dice.random() < 0.7:
                play.until("the agent to act", partial(_has_acted, play, world.node.rpc.nonce(world.key)))
            end = world.node.rpc.block().number + play.dice.randint(1, DEEPEST)
            play.until("some blocks more", partial(has_come_to, play, end))
            depth = play.dice.randint(1, DEEPEST)
            play.report.faults[str(reorganise(world.node, play.dice, depth))] += 1
            world.forget_what_is_gone()
    return play.report


def _has_acted(play: Play, nonce: int) -> bool:
    """It sent something, or has nothing left to do."""
    play.keep_running()
    return play.world.node.rpc.nonce(play.world.key) > nonce or play.is_done()


def has_come_to(play: Play, block: int) -> bool:
    play.keep_running()
    return play.world.node.rpc.block().number >= block


def play_models(world: World, launch: Launch, seed: int, models: ModelFaults, *, proposals: int) -> Report:
    """Proposals come while the model's server fails."""
    play = Play(world, launch, "models", seed)
    with play.performed():
        play.start_in_peace()
        models.schedule.is_on = True
        while len(world.proposed) < proposals or models.schedule.part < 1:
            key = play.propose()

            play.until(f"proposal {len(world.proposed)}", partial(has_done, play, key))
        models.schedule.is_on = False
    play.report.faults.update({str(fault): count for fault, count in models.schedule.happened.items()})
    return play.report


def has_done(play: Play, *keys: ProposalKey) -> bool:
    play.keep_running()
    return play.is_done(*keys)
