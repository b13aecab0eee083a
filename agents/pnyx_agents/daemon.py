"""The daemon: a timetable is the clock, the engine runs one workflow per proposal, the journal remembers.

    look       at the chain: new proposals into the journal, together with the position
    dispatch   each proposal whose vote has opened (or closed) gets its workflow, once
    void       what was written about a proposal that is gone for good is taken back, once
    remind     each proposal that waits for people hears when the wait is over
    ask signer whether people or the chain stopped it
    keep up    what the agent lives on: the chain, the signer, gas money
    mirror     each file of the evidence folder that another place does not have yet is copied there
    take up    each proposal that is not finished, and whose workflow does not go on, gets a new one

SIGTERM and SIGINT stop it cleanly; after ``kill -9`` the next start goes on where this one stopped.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from pydantic import JsonValue

from pnyx_agents import upkeep
from pnyx_agents.crew import CrewMember
from pnyx_agents.engine import Engine, is_worth_a_line
from pnyx_agents.holds import Holds
from pnyx_agents.metrics import Metrics
from pnyx_agents.observing import workflow_id
from pnyx_agents.reviewer import Governed
from pnyx_agents.timetable import Job, Timetable
from pnyx_agents.watch import Watch
from pnyx_contracts.errors import PnyxError
from pnyx_contracts.governors import Read
from pnyx_contracts.types import Address, Proposal, ProposalKey, ProposalState
from pnyx_policies.eligibility import is_waiting
from pnyx_policies.entitlement import OPEN_STATES
from pnyx_tools.clock import clock_at
from pnyx_tools.endpoints import Health
from pnyx_tools.evidence import Mirror
from pnyx_tools.follow import Hints, from_kept
from pnyx_tools.journal import Case, Journal, Stage
from pnyx_tools.notify import Message
from pnyx_tools.pinned import MOST_ANSWERS, PinnedReader, reads_of
from pnyx_tools.reader import ChainReader, RevertedError
from pnyx_tools.workers import GivenUpByOthersError

logger = logging.getLogger("pnyx.daemon")

MIRRORED_AGAIN_SECONDS = 3600
"""How often the mirrors are asked anew what they have: somebody may have removed something."""

TAKE_UP_SECONDS = 3600
"""How often what failed is tried again: what stopped it (a paused gate, an odd answer of a node) may be over."""

REMIND_EVERY = 5
"""Polls."""

UNDISPATCHED = frozenset({Stage.SEEN, Stage.WAITING, Stage.GONE})
FINISHED = frozenset({Stage.DONE, Stage.PAST, Stage.VOID})


@dataclass(frozen=True, slots=True)
class Daemon:
    """The parts of a running agent. `agent` names its workflows."""

    agent: str
    reader: ChainReader
    governors: Mapping[Address, Governed]
    watch: Watch
    journal: Journal
    engine: Engine
    mirrors: tuple[Mirror, ...]
    metrics: Metrics
    poll_seconds: float
    holds: Holds
    tell: Callable[[Message], None]
    clock_says: Callable[[Proposal], JsonValue | None]
    """A word for a held proposal when the wait for people is over."""
    require_signer: Callable[[], None]
    """Raises when nothing can be written any more: the signer that this daemon started is gone, or another writer
    succeeded this one."""
    endpoints: Callable[[], list[Health]] = list
    websocket: str | None = None
    """Announces new blocks: then the next beat comes at once."""
    since_block: int | None = None
    """Proposals of the history count from here on, also when their vote is over; None: only what is still open."""
    crew: CrewMember | None = None
    """When other workers are on the same database: one of them does what is done once, all run workflows."""
    look_after: Callable[[], None] = lambda: None
    """Looks at what the agent lives on."""
    publish: Callable[[], object] = lambda: None
    """Brings what other workers sealed into the evidence folder."""
    led: threading.Event = field(default_factory=threading.Event)
    """Set once this process began to do what is done once."""
    failures: Counter[str] = field(default_factory=Counter)
    """In a row, by what failed."""

    def run(self, stop: threading.Event) -> None:
        """Works until `stop` is set. Raises what `require_signer` raises, and `GivenUpByOthersError`. The engine's
        threads are left as they are.
        """
        self.engine.launch()
        given_up = threading.Event()
        if self.crew is not None:
            self.crew.work(stop, given_up.set)
        clock = Timetable(self._jobs())
        clock.start()
        hints = Hints(self.websocket, partial(clock.run_now, self.beat.__name__)) if self.websocket else None
        if hints is not None:
            hints.start()
        logger.info("following", extra={"governors": list(self.governors), "agent": self.agent})
        try:
            while not stop.wait(self.poll_seconds):
                self.require_signer()
                if given_up.is_set():
                    raise GivenUpByOthersError("the other workers do its work now", hint="start this one again")
        finally:
            if hints is not None:
                hints.stop()
            clock.stop()
            self.engine.stop()

    def _jobs(self) -> list[Job]:
        """A mirror that hangs, or a signer that judges, must not hold up a look: each has a thread of its own."""
        jobs = [
            Job("looks", self.take_up, TAKE_UP_SECONDS),
            Job("looks", self.beat, self.poll_seconds),
            Job("looks", self.remind_all, REMIND_EVERY * self.poll_seconds),
            Job("signer", self.ask_signer, self.poll_seconds),
            Job("upkeep", self.keep_up, upkeep.LOOK_SECONDS),
        ]
        if self.mirrors or self.crew:
            jobs.append(Job("mirrors", self.look_again, MIRRORED_AGAIN_SECONDS))
            jobs.append(Job("mirrors", self.mirror, self.poll_seconds))
        return jobs

    def _leads(self) -> bool:
        """Whether this process does what is done once."""
        if self.crew is None:
            return True
        crew, answers = self.crew, list[bool]()
        self._guarded("asking who leads", lambda: answers.append(crew.leads()))
        return answers == [True]

    def beat(self) -> None:
        """One look at everything. An error is logged and met again at the next beat; it never ends the daemon."""
        if self._leads():
            if not self.led.is_set():
                self.led.set()
                self._guarded("asking for what is past", self.ask_for_past)
                self.take_up()  # whoever led before may have died between journal and engine
            self._lead()
        self._guarded("counting", self._count)

    def _lead(self) -> None:
        self._guarded("following the chain", self.watch.look)
        new = self.journal.cases(UNDISPATCHED)
        now = self._look_at(new)
        for case in new:
            self._guarded(f"dispatching {case.proposal}", partial(self.dispatch, case, now))
        for case in self.journal.cases({Stage.VOID}):
            self._guarded(f"taking back {case.proposal}", partial(self.take_back, case))

    def remind_all(self) -> None:
        """Less often than a beat: each held proposal takes a few reads."""
        if not self._leads():
            return
        for case in self.journal.cases({Stage.HELD}):
            self._guarded(f"reminding {case.proposal}", partial(self.remind, case))

    def ask_signer(self) -> None:
        """Whether people, or the chain, stopped it."""
        self._guarded("asking the signer", partial(self.holds.ask, self.tell))

    def keep_up(self) -> None:
        if self._leads():
            self._guarded("looking after the agent", self.look_after)

    def mirror(self) -> None:
        """Copies what was published since. A mirror that fails is met again at the next beat; no vote waits for it."""
        if not self._leads():
            return
        self._guarded("publishing", self.publish)
        for mirror in self.mirrors:
            self._guarded(f"mirroring to {mirror.name}", partial(self._copy_to, mirror))

    def _copy_to(self, mirror: Mirror) -> None:
        try:
            mirror.copy()
        finally:
            self.metrics.unmirrored.labels(mirror.name).set(mirror.behind())

    def look_again(self) -> None:
        for mirror in self.mirrors:
            mirror.look_again()

    def take_up(self) -> None:
        """Whatever is not finished has a workflow that goes on: what failed, what an earlier configuration or version
        began, and what a crash lost between journal and engine gets a new one.
        """
        if not self._leads():
            return
        for case in self.journal.cases(set(Stage) - UNDISPATCHED - FINISHED):
            self._guarded(f"taking up {case.proposal}", partial(self._take_up, case.proposal, case.workflow))

    def _take_up(self, proposal: str, workflow: str) -> None:
        if self.engine.goes_on(workflow):
            return
        case = self.journal.case(proposal)  # read again: its workflow may just have finished
        content = self.journal.proposal_content(proposal)
        if case is None or content is None or case.stage in FINISHED:
            return
        known = from_kept(proposal, content)
        if known.key.governor in self.governors:
            logger.info("trying again", extra={"proposal": proposal, "stage": case.stage.value, "was": case.detail})
            self.engine.cancel(workflow)
            self._start(case, known)

    def _look_at(self, cases: Sequence[Case]) -> ChainReader:
        """The chain as it is now, with the states of all these proposals asked for together."""
        look = PinnedReader(self.reader, latest_stands=True, most_answers=len(cases) + MOST_ANSWERS)
        self._guarded("asking together", partial(self._ask_ahead, look, cases))
        return look

    def _ask_ahead(self, look: PinnedReader, cases: Sequence[Case]) -> None:
        reads = [self._state(ProposalKey.parse(case.proposal)) for case in cases if case.present]
        look.ask_ahead(reads_of([read for read in reads if read is not None], "latest"))

    def dispatch(self, case: Case, now: ChainReader) -> None:
        """Start the workflow when the vote is open, or over: then the record says that it was missed."""
        key = ProposalKey.parse(case.proposal)
        read = self._state(key)
        if not case.present or read is None:
            return
        try:
            state = now.read(read)
        except RevertedError:  # the governor does not know it any more
            if case.stage is not Stage.GONE:
                logger.warning("the governor does not know a proposal any more", extra={"proposal": case.proposal})
                self.journal.advance(case.proposal, Stage.GONE)
            return
        if self._is_waiting(key, state, now):
            if case.stage is not Stage.WAITING:
                self.journal.advance(case.proposal, Stage.WAITING)
            return
        if self._is_past(case, state):
            self.journal.advance(case.proposal, Stage.PAST, detail=f"{state.name.lower()} before this agent began")
            return
        content = self.journal.proposal_content(case.proposal)
        assert content is not None, "a case without content"
        self._start(case, from_kept(case.proposal, content))

    def _is_past(self, case: Case, state: ProposalState) -> bool:
        """Over before this agent followed its governor: no record says that it was missed, and nobody is told."""
        if case.tries:
            return False
        is_older = self.since_block is None or case.created_block < self.since_block
        return case.from_history and is_older and state not in OPEN_STATES

    def ask_for_past(self) -> None:
        """An earlier run passed over what the operator asks for now."""
        if self.since_block is None:
            return
        for case in self.journal.cases({Stage.PAST}):
            if case.created_block >= self.since_block:
                self.journal.advance(case.proposal, Stage.SEEN, detail="")

    def take_back(self, case: Case) -> None:
        """Nobody works on it as on a proposal any more. The engine first, then the journal: a crash in between starts
        the same workflow again, which changes nothing.
        """
        workflow = f"{self.agent}:{case.proposal}:void after {case.tries}"
        content = self.journal.proposal_content(case.proposal)
        if case.workflow == workflow or content is None:
            return
        if case.workflow:
            self.engine.cancel(case.workflow)
        self.engine.take_back(workflow, from_kept(case.proposal, content))
        self.journal.work_on(case.proposal, Stage.VOID, workflow=workflow)

    def remind(self, case: Case) -> None:
        """People can answer while there is time; then the proposal's workflow comes to its end."""
        content = self.journal.proposal_content(case.proposal)
        assert content is not None, "a case without content"
        proposal = from_kept(case.proposal, content)
        if proposal.key.governor not in self.governors:
            return
        word = self.clock_says(proposal)
        if word is not None:
            self.engine.say_once(case.workflow, word)

    def _state(self, key: ProposalKey) -> Read[ProposalState] | None:
        """None when only an earlier configuration followed its governor."""
        governed = self.governors.get(key.governor)
        return None if governed is None else governed.adapter.read_state(governed.profile, key.proposal_id)

    def _is_waiting(self, key: ProposalKey, state: ProposalState, now: ChainReader) -> bool:
        if state is not ProposalState.ACTIVE:
            return state is ProposalState.PENDING
        governed = self.governors[key.governor]
        snapshot = now.read(governed.adapter.read_snapshot(governed.profile, key.proposal_id))
        return is_waiting(state, snapshot, clock_at(now, governed.profile, now.block()))

    def _start(self, case: Case, proposal: Proposal) -> None:
        """The journal first, then the engine: a crash in between leaves a case that is taken up."""
        number = case.tries + 1
        workflow = workflow_id(self.agent, case.proposal, number)
        self.journal.advance(case.proposal, Stage.STARTED, workflow=workflow, tries=number)
        self.engine.start(workflow, proposal)

    def _guarded(self, what: str, work: Callable[[], object]) -> None:
        """Logs what fails, ever more rarely while it keeps failing, and once more when it works again."""
        try:
            work()
        except Exception as error:
            self.metrics.failures.labels(what.split()[0]).inc()
            if is_worth_a_line(self.failures[what]):
                unforeseen = not isinstance(error, PnyxError)
                logger.warning(
                    "%s failed; it is tried again", what, extra={"error": str(error), "failures": self.failures[what]},
                    exc_info=unforeseen,
                )  # fmt: skip
            self.failures[what] += 1
        else:
            if failures := self.failures.pop(what, 0):
                logger.info("%s works again", what, extra={"failures": failures})

    def _count(self) -> None:
        cases = self.journal.cases()
        for stage in Stage:
            self.metrics.proposals.labels(stage.value).set(sum(c.stage is stage for c in cases))
        self.metrics.note_endpoints(self.endpoints())
        self.metrics.note_beat(held=self.holds.why is not None)
