"""Who is reminded of what: held proposals, before the wait for people ends, those who have not answered; and everybody,
when a proposal nears its end undecided.

The deadline is the governor's, read anew at each look: when it moves, the reminders move with it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from pnyx_agents.crier import Crier
from pnyx_agents.crowd import Crowd
from pnyx_agents.deadlines import Deadline, DeadlineOf
from pnyx_agents.hearing import LEAST_PART_FOR_PEOPLE
from pnyx_contracts.errors import PnyxError
from pnyx_contracts.types import Address, ProposalKey
from pnyx_tools.follow import from_kept
from pnyx_tools.journal import Case, Journal, Stage
from pnyx_tools.notify import Message, Urgency, foreign
from pnyx_tools.notify.ledger import Ledger
from pnyx_tools.notify.quiet import next_reminder

logger = logging.getLogger("pnyx.reminders")

LOOK_SECONDS = 60.0

UNDECIDED = frozenset(
    {Stage.SEEN, Stage.STARTED, Stage.REVIEWED, Stage.HELD, Stage.VOTING, Stage.PROPOSED, Stage.FAILED}
)
"""No vote is on chain yet."""

ANSWERED = frozenset({Stage.CONFIRMING, Stage.DONE})


class ReadsDeadlines(Protocol):
    """`pnyx_agents.deadlines.Deadlines`."""

    def of(self, key: ProposalKey, created_block: int) -> Deadline | None: ...

    def together(self, keys: Sequence[ProposalKey]) -> DeadlineOf: ...


@dataclass(frozen=True, slots=True)
class Reminders:
    """Times are distances from the deadline, or from the end of the wait for people, in seconds."""

    journal: Journal
    ledger: Ledger
    deadlines: ReadsDeadlines
    crowd: Crowd
    """Nobody is asked again about one account's flood of proposals."""
    before: tuple[float, ...]
    alert_before: float
    approvers: frozenset[Address] = frozenset()
    people: frozenset[Address] = frozenset()
    """Approvers with a place of their own."""
    end_seconds: float = 0
    """The wait for people ends so long before the vote (`hearing`): that is what they are reminded of."""
    margin_seconds: float | None = None
    """A decided vote is cast so long before its end; None: as soon as allowed."""
    on_duty: Callable[[], bool] = lambda: True
    """Of several workers, one reminds."""
    now: Callable[[], float] = time.time

    def look(self, crier: Crier) -> None:
        """At every proposal that is not decided. What cannot be read now is read at the next look."""
        if not self.on_duty():
            return
        cases = self.journal.cases(UNDECIDED | {Stage.WAITING})
        if not cases:
            return
        try:
            deadline_of = self.deadlines.together([ProposalKey.parse(case.proposal) for case in cases])
        except PnyxError as error:
            logger.warning("no reminders now", extra={"error": str(error)})
            return
        flood = self.crowd.flood()
        for case in cases:
            try:
                deadline = deadline_of(ProposalKey.parse(case.proposal), case.created_block)
                self._remind(case, deadline, crier, asks=case.proposal not in flood)
            except PnyxError as error:
                logger.warning("no reminder now", extra={"proposal": case.proposal, "error": str(error)})

    def _remind(self, case: Case, deadline: Deadline | None, crier: Crier, *, asks: bool) -> None:
        if deadline is None:
            return
        missing = self.approvers - self.ledger.answered(case.proposal, case.record_root)
        since, now = self._since(case, deadline), self.now()
        alert = min(self._alert_before(case), (deadline.at - since) / 2)
        if next_reminder([alert], since=since, deadline=deadline.at, now=now) is not None:
            message = _message(case, deadline, Urgency.ALERT, "nears its end undecided", "ends")
            crier.tell_about_people(message, missing, in_public=True)
        elif case.stage is Stage.PROPOSED:
            self._remind_owners(case, deadline, crier)
        elif case.stage is Stage.HELD and asks:
            self._remind_missing(case, deadline, missing, crier)

    def _since(self, case: Case, deadline: Deadline) -> float:
        """When the time began that is half over when people are told. One that waits should be open since then: when it
        still waits, the endpoint may say so against the truth.
        """
        content = self.journal.proposal_content(case.proposal) if case.stage is Stage.WAITING else None
        if content is None:
            return case.updated_at
        proposal = from_kept(case.proposal, content)
        return deadline.at - (proposal.vote_end - proposal.vote_start) * deadline.seconds_per_tick

    def _alert_before(self, case: Case) -> float:
        """A decided vote that waits for its time is late in the middle of what is left then."""
        if case.stage is not Stage.REVIEWED or self.margin_seconds is None:
            return self.alert_before
        return min(self.alert_before, self.margin_seconds / 2)

    def _remind_missing(self, case: Case, deadline: Deadline, missing: frozenset[Address], crier: Crier) -> None:
        """Those who have not answered. In public only when one of them has no place of his or her own."""
        if self.approvers and not missing:
            return
        since = case.updated_at
        end = deadline.at - min(self.end_seconds, max(0, deadline.at - since) / LEAST_PART_FOR_PEOPLE)
        due = next_reminder(self.before, since=since, deadline=end, now=self.now())
        if due is not None:
            message = _message(case, deadline, Urgency.ACTION, "waits for people", f"remind:{due:.0f}")
            crier.tell_about_people(message, missing, in_public=not self.approvers or bool(missing - self.people))

    def _remind_owners(self, case: Case, deadline: Deadline, crier: Crier) -> None:
        """Those of the Safe. Who of them has signed is not known here."""
        due = next_reminder(self.before, since=case.updated_at, deadline=deadline.at, now=self.now())
        if due is not None:
            subject = "waits for the owners of the Safe"
            crier.tell(_message(case, deadline, Urgency.ACTION, subject, f"remind:{due:.0f}"))

    def date(self, message: Message) -> Message:
        """With the deadline as the governor says it now; as it is when that cannot be read."""
        case = self.journal.case(message.proposal)
        if case is None:
            return message
        try:
            deadline = self.deadlines.of(ProposalKey.parse(case.proposal), case.created_block)
        except PnyxError:
            return message
        return message.model_copy(update=_dated(deadline)) if deadline else message

    def is_outdated(self, message: Message, person: Address | None) -> bool:
        """A request to do something that is done."""
        if message.urgency is not Urgency.ACTION or not message.proposal:
            return False
        case = self.journal.case(message.proposal)
        if case is None:
            return False
        return case.stage in ANSWERED or person in self.ledger.answered(case.proposal, case.record_root)

    @contextmanager
    def at_work(self, crier: Crier) -> Iterator[None]:
        """In a thread of its own, which is not waited for."""
        stop = threading.Event()
        threading.Thread(target=self._watch, args=(crier, stop), name="reminders", daemon=True).start()
        try:
            yield
        finally:
            stop.set()

    def _watch(self, crier: Crier, stop: threading.Event) -> None:
        while not stop.wait(LOOK_SECONDS):
            try:
                self.look(crier)
            except Exception as error:  # noqa: BLE001 - the thread goes on, whatever it met
                logger.warning("reminders failed", extra={"error": str(error)})


def _dated(deadline: Deadline) -> dict[str, str | int]:
    return {"deadline": deadline.words, "deadline_at": int(deadline.at)}


def _message(case: Case, deadline: Deadline, urgency: Urgency, subject: str, what: str) -> Message:
    """Its key names the deadline: another one is reminded of anew."""
    number = case.proposal.rpartition(":")[2]
    return Message(
        key=f"{case.proposal}:{what}:{deadline.timepoint}", urgency=urgency, subject=subject, stage=case.stage.value,
        proposal=case.proposal, title=foreign(case.title), decision=case.outcome, reason=foreign(case.reason),
        deadline=deadline.words, deadline_at=int(deadline.at),
        to_do=_TO_DO.get(case.stage, "pnyx status").format(number),
    )  # fmt: skip


_TO_DO = {
    Stage.HELD: "pnyx approve {0}, or pnyx reject {0}",
    Stage.PROPOSED: "pnyx safe show {0}",
    Stage.WAITING: "is its vote open? pnyx doctor compares the endpoints",
}
