"""What people said to a held decision: whose word counts, what they decided, and when the wait for them is over.

The wait ends before the vote does, while there is time to write down how it ended. Deadline and clock are read each
time: a deadline that moves out takes the end of the wait with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import JsonValue

from pnyx_agents.reviewer import Reviewer, TimeLeft
from pnyx_contracts.entry import EntryKind
from pnyx_contracts.errors import RefusedError
from pnyx_contracts.types import ProposalKey, Value
from pnyx_policies.approval import counted, decisive, joined, most_for_one_vote, require_word, wanted_vote
from pnyx_policies.decision import Mode
from pnyx_policies.dossier import NOBODY, Approval, Dossier, Expired, People
from pnyx_policies.entitlement import entitlement

LEAST_PART_FOR_PEOPLE = 4
"""However early the operator lets the wait end, people have all but one part in so many of the time there was."""


class ClockWord(Value):
    """The clock's word to a proposal that waits for people: look whether the wait is over. Another deadline is another
    word.
    """

    deadline: str
    is_over: bool
    """The vote is over, and not only the wait."""

    @classmethod
    def of(cls, left: TimeLeft) -> ClockWord:
        return cls(deadline=str(left.deadline), is_over=not left.ticks)


def is_of_the_clock(word: JsonValue) -> bool:
    return isinstance(word, dict) and word.keys() == ClockWord.model_fields.keys()


class Heard(Value):
    """The words that count now, and why others do not."""

    words: tuple[Approval, ...]
    complaints: tuple[str, ...]


class WaitEnded(Value):
    """`expired` is None when the vote ended otherwise than by its deadline: canceled, say."""

    expired: Expired | None


@dataclass(frozen=True, slots=True)
class Hearing:
    """How this agent listens. `now` in seconds since the epoch."""

    reviewer: Reviewer
    end_seconds: float
    """The wait for people ends so long before the vote."""
    now: Callable[[], float] = time.time

    @property
    def required(self) -> int:
        """So many people must approve a vote."""
        return self.reviewer.configuration.approvals

    def counting(self, dossier: Dossier, words: tuple[Approval, ...], word: Approval) -> Heard:
        """`words` with one more. An approval that expired meanwhile counts no more."""
        kept: list[Approval] = []
        complaints: list[str] = []
        for each in joined(words, word):
            try:
                self.require(dossier, each)
                kept.append(each)
            except RefusedError as error:
                complaints.append(error.message)
        return Heard(words=tuple(kept), complaints=tuple(complaints))

    def require(self, dossier: Dossier, word: Approval) -> None:
        """Raises `RefusedError` when this word alone does not count for the decision in `dossier`."""
        require_about(dossier, word)
        require_word(dossier, word, self.reviewer.configuration, int(self.now()))

    def decided(self, dossier: Dossier, words: tuple[Approval, ...]) -> Dossier | None:
        """With the words that decide; None while more people are waited for."""
        enough = decisive(dossier, words, self.required)
        return None if enough is None else with_people(dossier, *enough)

    def so_far(self, dossier: Dossier, words: tuple[Approval, ...]) -> str:
        """``1 of 2 approvals by 0xAda (for), 0xBob (against)``"""
        count = counted(most_for_one_vote(dossier, words), self.required)
        by = ", ".join(f"{word.person} ({_wanted(dossier, word)})" for word in words)
        return f"{count} by {by}" if words else count

    def clock_says(self, key: ProposalKey, dossier: Callable[[], Dossier | None]) -> ClockWord | None:
        """Whether a held proposal should look at the clock; `dossier` is only read when the end is near."""
        left = self.reviewer.time_left(key)
        if left.ticks and left.seconds > self.end_seconds:
            return None
        held = dossier()
        return ClockWord.of(left) if held is not None and self._ended(held, left) else None

    def ended(self, dossier: Dossier) -> WaitEnded | None:
        """None while people can still answer."""
        return self._ended(dossier, self.reviewer.time_left(dossier.proposal.key))

    def _ended(self, dossier: Dossier, left: TimeLeft) -> WaitEnded | None:
        had = dossier.state.governor.deadline - dossier.state.governor.now
        is_near = left.seconds <= self.end_seconds and left.ticks * LEAST_PART_FOR_PEOPLE <= had
        if left.ticks and not is_near:
            return None
        in_time = left.ticks or left.now >= left.deadline
        return WaitEnded(expired=Expired(now=left.now, deadline=left.deadline) if in_time else None)


def waits_for_people(dossier: Dossier) -> bool:
    """A rejection is an answer as well: nobody is asked twice."""
    is_held = entitlement(dossier).kind is EntryKind.HOLD
    return is_held and dossier.header.mode is not Mode.OBSERVE and dossier.people == NOBODY


def _wanted(dossier: Dossier, word: Approval) -> str:
    vote = wanted_vote(dossier, word)
    return vote.value if vote is not None else word.verdict


def with_people(dossier: Dossier, *words: Approval, expired: Expired | None = None) -> Dossier:
    return dossier.model_copy(update={"people": People(words=words, expired=expired)})


def require_about(dossier: Dossier, word: Approval) -> None:
    """Raises `RefusedError` when the word is about another decision, or can do nothing about this one."""
    entitlement(with_people(dossier, word))
