"""The whole way of one proposal."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from pydantic import JsonValue

from pnyx_agents.analyst import Deliberation
from pnyx_agents.crowd import Crowd
from pnyx_agents.hearing import Hearing, with_people
from pnyx_agents.reviewer import Reviewer
from pnyx_agents.steward.clerk import Clerk
from pnyx_agents.steward.pen import Scribe
from pnyx_agents.steward.review import Review
from pnyx_agents.steward.steps import Place, StepFailedError, Steps, Task, UnreadableRecordError
from pnyx_agents.steward.waiting import Again, Times, Waiting
from pnyx_agents.steward.writing import Writing
from pnyx_agents.wording import About, kind_of
from pnyx_contracts.errors import RefusedError
from pnyx_contracts.types import Proposal
from pnyx_policies.approval import speaks_of
from pnyx_policies.bundle import Bundle
from pnyx_policies.dossier import Approval
from pnyx_tools.evidence import Vault
from pnyx_tools.journal import Journal
from pnyx_tools.notify import Message

logger = logging.getLogger("pnyx.steward")

MAX_CHANGES = 5
"""A proposal whose targets change code again and again while we look is left to people."""


@dataclass(frozen=True, slots=True)
class Steward:
    """Everything that one proposal needs."""

    clerk: Clerk
    review: Review
    writing: Writing
    waiting: Waiting

    @classmethod
    def of(
        cls,
        *,
        reviewer: Reviewer,
        evidence: Vault,
        journal: Journal,
        scribe: Scribe | None,
        tell: Callable[[Message], None],
        heard: Callable[[str, Deliberation], None],
        times: Times,
        crowd: Crowd,
        reviews_at_once: int,
    ) -> Self:
        clerk = Clerk(journal, tell, Hearing(reviewer, times.approvals_end), crowd)
        review = Review(reviewer, evidence, clerk, heard, threading.Semaphore(reviews_at_once))
        writing = Writing(scribe, clerk, review)
        return cls(clerk, review, writing, Waiting(clerk, review, writing, times))

    def do(self, task: Task, argument: JsonValue) -> JsonValue:
        """See `Review.do`."""
        return self.review.do(task, argument)

    def clock_says(self, proposal: Proposal) -> JsonValue | None:
        """See `Waiting.clock_says`."""
        return self.waiting.clock_says(proposal)

    def take_back(self, proposal: Proposal, steps: Steps) -> None:
        """See `Writing.take_back`."""
        self.writing.take_back(proposal, steps)

    def give_up(self, proposal: Proposal, why: str) -> None:
        """See `Clerk.give_up`."""
        self.clerk.give_up(proposal, why)

    def handle(self, proposal: Proposal, steps: Steps) -> None:
        """The whole way of one proposal. Errors that retrying cannot mend end in stage FAILED and an alert; a record
        that cannot be read, met on a replay, leaves the proposal to a new workflow.
        """
        try:
            self._handle(proposal, steps)
        except UnreadableRecordError as error:
            self.clerk.begin_again(proposal, error.message)
        except (RefusedError, StepFailedError) as error:
            self.give_up(proposal, error.message)

    def _handle(self, proposal: Proposal, steps: Steps) -> None:
        """Review and carry out; when the world moved on in between (code, deadline, power), from the start."""
        again, changes = None, 0
        if self.writing.finish_signed(proposal, steps):
            return
        for number in itertools.count():
            place = Place(steps, str(number))
            rejection = self.review.rejection(proposal, place)
            bundle = self.review.of(proposal, place)
            try:
                again = self._carry_out(bundle, rejection, again, place)
                if again is None:
                    return
            except RefusedError as error:
                again = Again(error.message)
            why = again.why
            logger.warning("reviewing again", extra={"proposal": str(proposal.key), "why": why})
            self.clerk.alert(proposal, About.AGAIN, kind_of(why), f"not carried out, and reviewed again: {why}")
            changes += not again.is_reorganised
            if changes == MAX_CHANGES:
                raise RefusedError(f"after {MAX_CHANGES} reviews: {why}")
            steps.pause(self.waiting.times.pause)

    def _carry_out(
        self, bundle: Bundle, rejection: Approval | None, before: Again | None, place: Place
    ) -> Again | None:
        """Write what the bundle entitles to; None when that is done.

        A rejection outlives the record that it was given for while the decision is the same: nobody says no twice.
        """
        if rejection is not None and speaks_of(rejection, bundle.dossier):
            rejected = with_people(bundle.dossier, rejection)
            bundle = self.review.seal(rejected, bundle.bodies, place.within("rejected"))
        return self.waiting.carry_out(bundle, before, place)
