"""What people have to say: the time in which they may reject a decided vote, and the wait for their answer to a held
one.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

from pydantic import JsonValue, ValidationError

from pnyx_agents.hearing import (
    Heard,
    Hearing,
    WaitEnded,
    is_of_the_clock,
    require_about,
    waits_for_people,
    with_people,
)
from pnyx_agents.steward.clerk import Clerk
from pnyx_agents.steward.review import Review
from pnyx_agents.steward.steps import Place
from pnyx_agents.steward.writing import Writing, Written
from pnyx_agents.wording import About
from pnyx_contracts.errors import RefusedError
from pnyx_contracts.types import Proposal, Vote
from pnyx_policies.bundle import Bundle
from pnyx_policies.dossier import Approval, Dossier
from pnyx_policies.entitlement import entitlement

LONG_PAUSE = 10
"""So many pauses between two looks at a deadline that is far away: it can come nearer."""

EXPIRY_SECONDS = 3600.0
"""A vote that people gave is cast so long before the first of their approvals expires, whatever the margin."""


@dataclass(frozen=True, slots=True)
class Times:
    """What the operator lets wait, in seconds."""

    delay: float = 0
    """Autonomous mode: people can reject a decided vote for so long."""
    margin: float | None = None
    """A decided vote is cast so long before the end; None: as soon as allowed."""
    approvals_end: float = 0
    """The wait for people ends so long before the vote does."""
    pause: float = 60
    """Between two reviews of the same proposal, and between two looks at the clock during the veto time."""


@dataclass(frozen=True, slots=True)
class Waited:
    """How long a decided vote waited for people."""

    ticks_at_first: int
    """Of the governor's clock, left to vote when it was first decided."""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Again:
    """The proposal has to be reviewed again, and why."""

    why: str
    vote: Vote | None = None
    """What the last review gave."""
    waited: Waited | None = None
    """What people had to reject it: it counts for the next review when that gives the same vote."""
    is_reorganised: bool = False
    """The chain took another way: nobody changed anything."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How long this agent waits, and whom it hears."""

    clerk: Clerk
    review: Review
    writing: Writing
    times: Times

    @property
    def hearing(self) -> Hearing:
        return self.clerk.hearing

    def clock_says(self, proposal: Proposal) -> JsonValue | None:
        """A word for a held proposal when the wait for people, or its vote, is over."""

        def held() -> Dossier | None:
            last = self.review.last(proposal)
            return last.dossier if last else None

        word = self.hearing.clock_says(proposal.key, held)
        return word.model_dump(mode="json") if word else None

    # What is decided

    def carry_out(self, bundle: Bundle, before: Again | None, place: Place) -> Again | None:
        """Writes what the bundle entitles to, a vote in its time, and waits for people where they decide; None when
        that is done. What the brake holds back while nothing is signed waits here, where people are heard.
        """
        for number in itertools.count():
            here = place.within(f"held:{number}") if number else place
            vote = entitlement(bundle.dossier).vote
            bundle, waited = self._before_vote(bundle, before, here)
            self.writing.await_settled(bundle.dossier, here)
            bundle = self._at_the_last_moment(bundle, here)
            dossier = bundle.dossier
            if change := self.review.change_since(dossier, here):
                if dossier.people.give_vote:
                    what = f"the approval does not count any more: {change.why}"
                    self.clerk.alert(dossier.proposal, About.CHANGED, here.label, what)
                return Again(change.why, entitlement(dossier).vote, waited, change.is_reorganised)
            written = self.writing.write(bundle, here)
            if written is not Written.HELD_BACK:
                break
            before = Again("all votes are held", vote, waited)
        if written is Written.OURS and waits_for_people(dossier):
            return self._for_people(bundle, here)
        self.writing.confirm(bundle, here)
        return None

    def _before_vote(self, bundle: Bundle, before: Again | None, place: Place) -> tuple[Bundle, Waited | None]:
        """A decided vote waits for as long as people may reject it, until the margin before the end that the operator
        set, and while all votes are held. A rejection that comes meanwhile is what is recorded.
        """
        vote, then = entitlement(bundle.dossier).vote, bundle.dossier.state.governor
        if vote is None:
            return bundle, None
        same = before is not None and before.vote is vote
        waited = (before.waited if before and same else None) or Waited(then.deadline - then.now)
        for number in itertools.count():
            turn = place.within(f"waiting:{number}")
            seconds = self._yet_to_wait(bundle.dossier, waited, turn)
            if seconds <= 0:
                break
            word = turn.steps.wait_for_word(seconds)
            if (rejected := self._rejected(bundle.dossier, word, turn)) is not None:
                return self.review.seal(rejected, bundle.bodies, turn), waited
            waited = replace(waited, seconds=waited.seconds + seconds)
        return bundle, waited

    def _at_the_last_moment(self, bundle: Bundle, place: Place) -> Bundle:
        """A rejection that came while nobody listened counts as long as nothing is signed."""
        if entitlement(bundle.dossier).vote is None:
            return bundle
        for number in itertools.count():
            turn = place.within(f"last:{number}")
            word = turn.steps.wait_for_word(0)
            if word is None:
                break
            if (rejected := self._rejected(bundle.dossier, word, turn)) is not None:
                return self.review.seal(rejected, bundle.bodies, turn)
        return bundle

    def _rejected(self, dossier: Dossier, word: JsonValue | None, turn: Place) -> Dossier | None:
        """With the word, when it rejects a decided vote. Approvals change nothing any more."""
        said = None if word is None or is_of_the_clock(word) else self._understood(dossier, word, turn)
        if said is None or said.verdict != "reject":
            return None
        return self.hearing.decided(dossier, self._heard(dossier, (), said, turn))

    def _yet_to_wait(self, dossier: Dossier, waited: Waited, turn: Place) -> float:
        """Seconds until the next look. State and deadline are read each time: both can move."""

        def to_wait() -> JsonValue:
            seconds = self.times.pause if self.clerk.held() else self._until_its_time(dossier, waited)
            if seconds > 0:
                self.clerk.note_waiting(dossier, entitlement(dossier))
            return seconds

        return float(str(turn.run("to wait", to_wait)))

    def _until_its_time(self, dossier: Dossier, waited: Waited) -> float:
        """At most until the next look."""
        times, people = self.times, dossier.people
        delay = 0.0 if people.give_vote else times.delay  # they decided: nobody waits for their veto
        if times.margin is None and waited.seconds >= delay:
            return 0.0  # nobody waits, so nobody needs to know how long the vote still runs
        left = self.review.reviewer.time_left(dossier.proposal.key)
        # Half of the time to vote is the vote's, however long people may reject it.
        veto = delay - waited.seconds if 2 * left.ticks >= waited.ticks_at_first else 0.0
        margin = left.seconds - times.margin if times.margin is not None and left.ticks else 0.0
        if people.give_vote:
            margin = min(margin, min(word.expires_at for word in people.words) - self.hearing.now() - EXPIRY_SECONDS)
        return max(0.0, min(veto, times.pause), min(margin, LONG_PAUSE * times.pause))

    # A held decision

    def _for_people(self, bundle: Bundle, place: Place) -> Again | None:
        """Until people decide or the wait for them ends; None when that is done. At the end, words that were given and
        not heard yet are heard first.
        """
        dossier, words, is_ending = bundle.dossier, tuple[Approval, ...](), False
        for number in itertools.count():
            turn = place.within(str(number))
            word = turn.steps.wait_for_word(0 if is_ending else None)
            if word is None and is_ending:
                ended = self._ended(dossier, turn)
                if ended is not None:
                    self._end_without_them(bundle, words, ended, turn)
                    return None
                is_ending = False
            elif is_of_the_clock(word):
                is_ending = True
            elif word is not None and (said := self._understood(dossier, word, turn)) is not None:
                words = self._heard(dossier, words, said, turn)
                answered = self.hearing.decided(dossier, words)
                if answered is not None:
                    return self.carry_out(self.review.seal(answered, bundle.bodies, turn), None, turn)
        raise AssertionError("unreachable")

    def _ended(self, dossier: Dossier, turn: Place) -> WaitEnded | None:
        def ended() -> JsonValue:
            found = self.hearing.ended(dossier)
            return found.model_dump(mode="json") if found else None

        said = turn.run("ended", ended)
        return None if said is None else WaitEnded.model_validate(said)

    def _end_without_them(self, bundle: Bundle, words: tuple[Approval, ...], ended: WaitEnded, turn: Place) -> None:
        """Its outcome is recorded, unless the vote was ended from elsewhere: then nobody was late."""
        if ended.expired is None:
            self.writing.confirm(bundle, turn, ", the vote was ended before its deadline")
            return
        expired = with_people(bundle.dossier, *words, expired=ended.expired)
        self.writing.finish(self.review.seal(expired, bundle.bodies, turn), turn)

    # Words

    def _understood(self, dossier: Dossier, word: JsonValue, turn: Place) -> Approval | None:
        """What somebody said about this decision; people hear when it is none."""
        try:
            said = Approval.model_validate(word)
            require_about(dossier, said)
        except (ValidationError, RefusedError) as error:
            self.clerk.alert(dossier.proposal, About.WORD, turn.label, f"an approval does not count: {error}")
            return None
        return said

    def _heard(
        self, dossier: Dossier, words: tuple[Approval, ...], said: Approval, turn: Place
    ) -> tuple[Approval, ...]:
        """The words that count with this one; people hear why one does not, and how many are missing."""
        proposal = dossier.proposal

        def counting() -> JsonValue:
            heard = self.hearing.counting(dossier, words, said)
            if heard.words != words and self.hearing.decided(dossier, heard.words) is None:
                self.clerk.note_so_far(dossier, heard.words)
            return heard.model_dump(mode="json")

        heard = Heard.model_validate(turn.run("approval", counting))
        for number, complaint in enumerate(heard.complaints):
            self.clerk.alert(proposal, About.WORD, f"{turn.label}:{number}", f"an approval does not count: {complaint}")
        return heard.words
