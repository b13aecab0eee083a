"""The daemon: APScheduler is the clock, the engine runs one workflow per proposal, the journal remembers.

    poll       each governor: new proposals into the journal, together with the cursor
    dispatch   each proposal whose vote has opened (or closed) gets its workflow, once

SIGTERM and SIGINT stop it cleanly; after ``kill -9`` the next start goes on where this one stopped.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from apscheduler.schedulers.background import BackgroundScheduler

from pnyx_agents.engine import Engine
from pnyx_agents.metrics import Metrics
from pnyx_agents.reviewer import Governed
from pnyx_contracts.errors import PnyxError
from pnyx_contracts.types import Address, Proposal, ProposalState
from pnyx_tools.follow import Advanced, Cursor, Follower, Rewound
from pnyx_tools.journal import Case, Found, Journal, Stage
from pnyx_tools.notify import Message, Notifier
from pnyx_tools.reader import ChainReader, RevertedError

logger = logging.getLogger("pnyx.daemon")

TITLE_CHARACTERS = 120

UNDISPATCHED = frozenset({Stage.SEEN, Stage.WAITING, Stage.GONE})


@dataclass(frozen=True, slots=True)
class Crier:
    """Tells people through every notifier, each message once."""

    journal: Journal
    notifiers: tuple[Notifier, ...]
    metrics: Metrics

    def tell(self, message: Message) -> None:
        if not self.journal.first_time(message.key):
            return
        if message.urgency == "alert":
            self.metrics.alerts.inc()
        for notifier in self.notifiers:
            try:
                notifier.notify(message)
            except Exception as error:  # noqa: BLE001 - a plugin's business; telling people never stops a vote
                logger.warning("a notifier failed", extra={"notifier": type(notifier).__name__, "error": str(error)})


@dataclass(frozen=True, slots=True)
class Daemon:
    """The parts of a running agent. `agent` names its workflows."""

    agent: str
    reader: ChainReader
    governors: Mapping[Address, Governed]
    followers: Mapping[Address, Follower]
    journal: Journal
    engine: Engine
    metrics: Metrics
    tell: Callable[[Message], None]
    poll_seconds: float

    def run(self, until_stopped: Callable[[], None]) -> None:
        """Works until `until_stopped` returns."""
        self.engine.launch()
        self._take_up_failed()
        scheduler = BackgroundScheduler(timezone="UTC")
        scheduler.add_job(
            self.beat, "interval", seconds=self.poll_seconds, coalesce=True, misfire_grace_time=None, max_instances=1
        )
        self.beat()
        scheduler.start()
        logger.info("following", extra={"governors": list(self.governors), "agent": self.agent})
        try:
            until_stopped()
        finally:
            scheduler.shutdown(wait=True)
            self.engine.close()
            logger.info("stopped")

    def beat(self) -> None:
        """One look at everything. An error is logged and met again at the next beat; it never ends the daemon."""
        for address in self.governors:
            self._guarded(address, partial(self.poll, address))
        for case in self.journal.cases():
            if case.stage in UNDISPATCHED:
                self._guarded(case.proposal.split(":")[1], partial(self.dispatch, case))
        self._count()

    def poll(self, address: Address) -> None:
        """Follow one governor a step further; after a reorganisation at once to the new chain's end."""
        while self._follow(address):
            continue

    def _follow(self, address: Address) -> bool:
        """One step. True when the chain was reorganised and has to be read again."""
        kept = self.journal.cursor(address)
        step = self.followers[address].poll(Cursor.model_validate_json(kept) if kept else None)
        match step:
            case Advanced():
                new = self.journal.advance_cursor(
                    address, step.cursor.model_dump_json(), [_found(p) for p in step.proposals]
                )
                for key in new:
                    logger.info("new proposal", extra={"proposal": key})
                for log, error in step.undecodable:
                    self._alert(f"undecodable:{log.transaction_hash.hex()}:{log.log_index}", str(error))
                self.metrics.block.labels(address).set(step.cursor.block.number)
            case Rewound():
                logger.warning("the chain was reorganised", extra={"governor": address, "above": step.above})
                self.journal.advance_cursor(address, step.cursor.model_dump_json() if step.cursor else None)
        self.metrics.polled_at.labels(address).set(time.time())
        return isinstance(step, Rewound)

    def dispatch(self, case: Case) -> None:
        """Start the workflow when the vote is open, or over: then the record says that it was missed."""
        content = self.journal.proposal_content(case.proposal)
        assert content is not None, "a case without content"
        proposal = Proposal.model_validate_json(content)
        governed = self.governors.get(proposal.key.governor)
        if governed is None:
            return  # followed by an earlier configuration
        try:
            state = self.reader.read(governed.adapter.read_state(governed.profile, proposal.key.proposal_id))
        except RevertedError:  # the governor does not know it any more
            if case.stage is not Stage.GONE:
                logger.warning("the governor does not know a proposal any more", extra={"proposal": case.proposal})
                self.journal.advance(case.proposal, Stage.GONE)
            return
        if state is ProposalState.PENDING:
            if case.stage is not Stage.WAITING:
                self.journal.advance(case.proposal, Stage.WAITING)
            return
        self._start(case, proposal, f"{self.agent}:{case.proposal}")

    def _start(self, case: Case, proposal: Proposal, workflow: str) -> None:
        """The workflow first, then the journal: a second start under the same id changes nothing."""
        self.engine.start(workflow, proposal)
        current = self.journal.case(case.proposal)
        stage = current.stage if current and current.stage not in UNDISPATCHED else Stage.STARTED
        self.journal.advance(case.proposal, stage, workflow=workflow)

    def _take_up_failed(self) -> None:
        """What failed for a reason that a person may have mended gets one more try at each start of the daemon."""
        for case in self.journal.cases():
            if case.stage is Stage.FAILED and (content := self.journal.proposal_content(case.proposal)):
                logger.info("trying again", extra={"proposal": case.proposal, "failed": case.detail})
                workflow = f"{self.agent}:{case.proposal}:{int(time.time())}"
                self.journal.advance(case.proposal, Stage.STARTED, workflow=workflow)
                self.engine.start(workflow, Proposal.model_validate_json(content))

    def _guarded(self, governor: str, work: Callable[[], None]) -> None:
        try:
            work()
        except PnyxError as error:
            self.metrics.poll_failures.labels(governor).inc()
            logger.warning("will try again", extra={"governor": governor, "error": str(error)})
        except Exception:
            self.metrics.poll_failures.labels(governor).inc()
            logger.exception("an error that nobody foresaw; will try again", extra={"governor": governor})

    def _alert(self, key: str, body: str) -> None:
        self.tell(Message(key=key, urgency="alert", title="an event that cannot be read", body=body))

    def _count(self) -> None:
        cases = self.journal.cases()
        for stage in Stage:
            self.metrics.proposals.labels(stage.value).set(sum(c.stage is stage for c in cases))


def _found(proposal: Proposal) -> Found:
    lines = (line.strip("# ").strip() for line in proposal.text.splitlines())
    title = next((line for line in lines if line), "(no text)")[:TITLE_CHARACTERS]
    return Found(
        proposal=str(proposal.key), content=proposal.model_dump_json(), title=title, deadline=str(proposal.vote_end)
    )
