"""One proposal through every step: facts, opinions, decision, record, vote, confirmation.

    establish -> ask -> conclude, seal -> (waiting) -> settled -> recheck -> write -> confirm
                                                                          -> hold: wait for people, seal, write, confirm
                                                                                   (or the wait expires)

`Steps` remembers finished steps, so a process that was killed goes on where it stopped. From the sealed bundle on, the
bundle is what counts. What a step does outside is idempotent by itself as well: bundles are content-addressed, entries
carry an expected sequence number, signed transactions are stored before they are sent, the governor refuses a second
vote. The journal is written inside of steps, so that going on after a restart leaves no trace in it.
"""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal, Protocol

from pydantic import JsonValue, TypeAdapter, ValidationError

from pnyx_agents.analyst import Deliberation
from pnyx_agents.brake import held_back
from pnyx_agents.hearing import Heard, Hearing, WaitEnded, is_of_the_clock, require_about, with_people
from pnyx_agents.reviewer import Reviewer
from pnyx_agents.wording import OWNERS, SUBJECTS, deadline, how_to_answer, in_words, kind_of
from pnyx_contracts.entry import EntryKind
from pnyx_contracts.errors import PnyxError, RefusedError
from pnyx_contracts.types import Bytes32, Proposal, Value, Vote, to_hex
from pnyx_policies.analysis import Opinion
from pnyx_policies.approval import speaks_of
from pnyx_policies.bundle import Body, Bundle
from pnyx_policies.decision import Mode
from pnyx_policies.dossier import NOBODY, Approval, Attempt, Dossier
from pnyx_policies.entitlement import Entitlement, entitlement
from pnyx_policies.facts import Facts
from pnyx_tools.evidence import Vault
from pnyx_tools.follow import from_kept
from pnyx_tools.journal import Journal, Stage
from pnyx_tools.notify import Message, Urgency, foreign
from pnyx_tools.safe.owners import Standing, WaitsForOwnersError
from pnyx_tools.sender import GivenUpError

logger = logging.getLogger("pnyx.steward")

MAX_REVIEWS = 5
"""A proposal whose targets change code again and again while we look is left to people."""

LONG_PAUSE = 10
"""So many pauses between two looks at a deadline that is far away: it can come nearer."""

A_YEAR_SECONDS = 366 * 24 * 3600.0


class StepFailedError(PnyxError):
    """A step failed in a way that trying again does not mend."""


class NotFinalError(PnyxError):
    """On chain, but a reorganisation could still take it away."""


class StrandedVoteError(GivenUpError):
    """A vote is signed, and the account that it was signed for has lost its delegation (EIP-7702). There is no other
    vote: it waits until the account runs our code again, and people are told, because only they can see to that.
    """

    def __init__(self, message: str, account: str, runs: str) -> None:
        super().__init__(message)
        self.account = account
        self.runs = runs


Task = Literal["establish", "ask"]
"""What of a review takes its time: the facts of a proposal; opinions on facts."""


class Steps(Protocol):
    """The durable engine, seen from here."""

    def run(self, name: str, work: Callable[[], JsonValue]) -> JsonValue:
        """The result of `work`, or the remembered one when this step has finished before."""
        ...

    def assign(self, name: str, task: Task, argument: JsonValue) -> JsonValue:
        """A step that asks nodes or models for minutes: `Steward.do(task, argument)`, of this worker or another one."""
        ...

    def pause(self, seconds: float) -> None:
        """Wait; a restart does not begin the wait anew."""
        ...

    def wait_for_word(self, seconds: float) -> JsonValue | None:
        """What a person said (an `Approval` as JSON), or the clock (a `ClockWord`); None after `seconds`.

        A word that was given while nobody waited is kept; a restart does not begin the wait anew.
        """
        ...


class Said(Value):
    """A `Deliberation` as the engine remembers it: asking a model twice would be another answer."""

    opinions: tuple[Opinion, ...]
    attempts: tuple[Attempt, ...]
    bodies: dict[Bytes32, Body]

    @classmethod
    def of(cls, deliberation: Deliberation) -> Said:
        return cls(opinions=deliberation.opinions, attempts=deliberation.attempts, bodies=dict(deliberation.bodies))

    @property
    def deliberation(self) -> Deliberation:
        return Deliberation(self.opinions, self.attempts, self.bodies)


class Landed(Value):
    """What is on chain now: 0x hashes, empty where there was no such transaction."""

    entry_transaction: str = ""
    vote_transaction: str = ""
    block: int = 0
    """Number of the last block that holds one of them."""
    is_void: bool = False
    """The entry is there, its vote could not land, and a VOID entry says so."""
    by_another: str = ""
    """Which entry it is, when another program with our key and log made it. Then it stands in the place of ours."""


@dataclass(frozen=True, slots=True)
class Again:
    """The proposal has to be reviewed again, and why."""

    why: str
    vote: Vote | None = None
    """What the last review gave."""
    waited: Waited | None = None
    """What people had to reject it: it counts for the next review when that gives the same vote."""


@dataclass(frozen=True, slots=True)
class Waited:
    """How long a decided vote waited for people."""

    ticks_at_first: int
    """Of the governor's clock, left to vote when it was first decided."""
    seconds: float = 0.0


class Scribe(Protocol):
    """Writes entries and votes on chain, through the signer, and reads back what landed."""

    def write(self, bundle: Bundle, what: Entitlement) -> Landed:
        """Safe to run again: what landed is found, what a reorganisation took away is written again.

        Raises `RefusedError` when it cannot be written as it is and a new look is needed, `StrandedVoteError` while the
        account cannot carry out what was signed for it.
        """
        ...

    def is_final(self, block_number: int) -> bool: ...

    def stranded(self, proposal: Proposal) -> list[bytes]:
        """Record roots of the entries about a proposal that no VOID entry takes back yet."""
        ...

    def take_back(self, bundle: Bundle) -> Landed:
        """The VOID entry for what was written about a proposal that is gone. Safe to run again, raises as `write`."""
        ...

    def was_signed(self, bundle: Bundle) -> bool:
        """Whether a vote was signed for it: then the proposal gets no other vote."""
        ...


@dataclass(frozen=True, slots=True)
class Steward:
    """Everything that one proposal needs. `scribe` is None for a local record only (observe mode without a key)."""

    reviewer: Reviewer
    evidence: Vault
    journal: Journal
    scribe: Scribe | None
    tell: Callable[[Message], None]
    delay_seconds: float = 0
    """Autonomous mode: people can reject a decided vote for so long."""
    margin_seconds: float | None = None
    """A decided vote is cast so long before the end; None: as soon as allowed."""
    approvals_end_seconds: float = 0
    """The wait for people ends so long before the vote does."""
    pause_seconds: float = 60
    """Between two reviews of the same proposal, and between two looks at the clock during the veto time."""
    heard: Callable[[str, Deliberation], None] = lambda _proposal, _said: None
    """Looks at what a committee said about a proposal."""
    places: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(4))
    """So many proposals are looked at, or shown to models, at the same time."""

    @property
    def hearing(self) -> Hearing:
        return Hearing(self.reviewer, self.approvals_end_seconds)

    def clock_says(self, proposal: Proposal) -> JsonValue | None:
        """A word for a held proposal when the wait for people, or its vote, is over."""

        def held() -> Dossier | None:
            data = self._last_bundle(proposal)
            return Bundle.parse(data).dossier if data else None

        word = self.hearing.clock_says(proposal.key, held)
        return word.model_dump(mode="json") if word else None

    def handle(self, proposal: Proposal, steps: Steps) -> None:
        """The whole way of one proposal. Errors that retrying cannot mend end in stage FAILED and an alert."""
        try:
            self._handle(proposal, steps)
        except (RefusedError, StepFailedError) as error:
            self.give_up(proposal, error.message)

    def give_up(self, proposal: Proposal, why: str) -> None:
        """Leave it to people: they are told, and the daemon tries again later. What vanished fails at nothing."""
        if self._is_void(proposal):
            return
        self._advance(proposal, Stage.FAILED, detail=why)
        self._alert(proposal, f"failed:{kind_of(why)}", why)

    def _handle(self, proposal: Proposal, steps: Steps) -> None:
        """Review and carry out; when the world moved on in between (code, deadline, power), from the start."""
        again: Again | None = None
        if self._finish_signed_vote(proposal, steps):
            return
        for number in range(MAX_REVIEWS):
            rejection = self._rejection(proposal, steps, str(number))
            bundle = self._review(proposal, steps, str(number))
            try:
                again = self._carry_out(bundle, rejection, again, steps, str(number))
                if again is None:
                    return
            except RefusedError as error:
                again = Again(error.message)
            logger.warning("reviewing again", extra={"proposal": str(proposal.key), "why": again.why})
            self._alert(proposal, f"again:{kind_of(again.why)}", f"not carried out, and reviewed again: {again.why}")
            steps.pause(self.pause_seconds)
        raise RefusedError(f"after {MAX_REVIEWS} reviews: {again.why if again else ''}")

    def _finish_signed_vote(self, proposal: Proposal, steps: Steps) -> bool:
        """An earlier workflow of this proposal may have come so far: then its vote is carried out, and no other."""

        def signed() -> JsonValue:
            data = self._last_bundle(proposal)
            if data is None or self.scribe is None or not self.scribe.was_signed(Bundle.parse(data)):
                return None
            return data.decode()

        text = steps.run("signed before", signed)
        if text is None:
            return False
        bundle = Bundle.parse(str(text).encode())
        try:
            self._write(bundle, steps, "signed before")
            self._confirm(bundle, steps, "signed before")
        except RefusedError as error:
            why = error.message
            logger.warning("reviewing again", extra={"proposal": str(proposal.key), "why": why})
            self._alert(
                proposal, f"signed:{kind_of(why)}", f"a signed vote is not carried out, and reviewed again: {why}"
            )
            return False
        return True

    def _rejection(self, proposal: Proposal, steps: Steps, label: str) -> Approval | None:
        """What a person said in the last record of this proposal, when it was a rejection."""

        def rejection() -> JsonValue:
            data = self._last_bundle(proposal)
            said = Bundle.parse(data).dossier.people.rejection if data else None
            return said.model_dump(mode="json") if said else None

        said = steps.run(f"rejected:{label}", rejection)
        return None if said is None else Approval.model_validate(said)

    def _last_bundle(self, proposal: Proposal) -> bytes | None:
        case = self.journal.case(str(proposal.key))
        return self.evidence.get_bundle(bytes.fromhex(case.record_root[2:])) if case and case.record_root else None

    def _is_proposed(self, proposal: Proposal) -> bool:
        case = self.journal.case(str(proposal.key))
        return case is not None and case.stage is Stage.PROPOSED

    def _is_void(self, proposal: Proposal) -> bool:
        case = self.journal.case(str(proposal.key))
        return case is not None and case.stage is Stage.VOID

    def take_back(self, proposal: Proposal, steps: Steps) -> None:
        """A reorganisation took it away for good. Whatever was written about it gets its VOID entry."""

        def stranded() -> JsonValue:
            return [root.hex() for root in self.scribe.stranded(proposal)] if self.scribe else []

        try:
            for root in TypeAdapter(list[str]).validate_python(steps.run("stranded", stranded)):
                steps.run(f"void:{root}", partial(self._take_back, proposal, bytes.fromhex(root)))
        except (RefusedError, StepFailedError) as error:
            self._alert(proposal, f"stranded:{kind_of(error.message)}", error.message)

    def _take_back(self, proposal: Proposal, record_root: bytes) -> JsonValue:
        """Until its VOID entry is final, or the proposal came again."""
        if self.scribe is None or not self._is_void(proposal):
            return None
        if why := self.journal.held():
            raise held_back(why)
        data = self.evidence.get_bundle(record_root)
        if data is None:
            raise RefusedError(f"the record {to_hex(record_root)} is not here: its entry cannot be taken back")
        landed = self.scribe.take_back(Bundle.parse(data))
        if not self.scribe.is_final(landed.block):
            raise NotFinalError(f"{proposal.key}: its VOID entry is in block {landed.block}")
        detail = "a reorganisation took the proposal away: a VOID entry takes back what was written about it"
        self._advance(proposal, Stage.VOID, detail=detail, entry_transaction=landed.entry_transaction)
        return None

    # Review

    def _review(self, proposal: Proposal, steps: Steps, label: str) -> Bundle:
        """Facts, opinions, decision, sealed. Each is remembered: a model asked twice would give another answer."""
        established = steps.assign(f"establish:{label}", "establish", proposal.model_dump(mode="json"))
        said = Said.model_validate(steps.assign(f"ask:{label}", "ask", established))
        facts = Facts.model_validate(established)
        return self._seal(self.reviewer.conclude(facts, said.deliberation), said.bodies, steps, label)

    def do(self, task: Task, argument: JsonValue) -> JsonValue:
        """One task of a review; so many at once as there are places."""
        with self.places:
            if task == "establish":
                return self.reviewer.establish(self._newest(Proposal.model_validate(argument))).model_dump(mode="json")
            facts = Facts.model_validate(argument)
            said = self.reviewer.ask(facts)
            self.heard(str(facts.proposal.key), said)
            return Said.of(said).model_dump(mode="json")

    def _newest(self, proposal: Proposal) -> Proposal:
        """As following saw it last: a reorganisation can move it to another block, with another voting window."""
        content = self.journal.proposal_content(str(proposal.key))
        return from_kept(content) if content else proposal

    def _seal(self, dossier: Dossier, bodies: Mapping[bytes, bytes], steps: Steps, label: str) -> Bundle:
        """The stored bundle, read back: what members will find is what goes to the signer.

        On a replay `dossier` may come from newer rules; the remembered root leads to the decision that was made.
        """

        def store() -> JsonValue:
            bundle = self.reviewer.seal(dossier, bodies)
            self.evidence.put_bundle(bundle)
            self.evidence.put_configuration(self.reviewer.configuration)
            self._advance(
                dossier.proposal, Stage.REVIEWED, outcome=dossier.decision.outcome.value,
                reason=dossier.decision.reason, record_root=to_hex(bundle.record_root),
            )  # fmt: skip
            return bundle.record_root.hex()

        root = bytes.fromhex(str(steps.run(f"seal:{label}", store)))
        data = self.evidence.get_bundle(root)
        if data is None:
            raise StepFailedError(f"the bundle {root.hex()} was stored and is gone", hint="restore the data folder")
        return Bundle.parse(data)

    # Acting

    def _carry_out(
        self, bundle: Bundle, rejection: Approval | None, before: Again | None, steps: Steps, label: str
    ) -> Again | None:
        """Write what the bundle entitles to; None when that is done.

        A rejection outlives the record that it was given for while the decision is the same: nobody says no twice.
        """
        waited: Waited | None = None
        if rejection is not None and speaks_of(rejection, bundle.dossier):
            bundle = self._seal(with_people(bundle.dossier, rejection), bundle.bodies, steps, f"{label}:rejected")
        else:
            bundle, waited = self._after_waiting(bundle, before, steps, label)
        self._await_settled(bundle.dossier.proposal, steps, label)
        if change := self._change_since(bundle.dossier, steps, label):
            return Again(change, entitlement(bundle.dossier).vote, waited)
        is_ours = self._write(bundle, steps, label)
        if is_ours and self._waits_for_people(bundle.dossier):
            return self._wait_for_people(bundle, steps, label)
        self._confirm(bundle, steps, label)
        return None

    def _await_settled(self, proposal: Proposal, steps: Steps, label: str) -> None:
        """The review can begin at once; what it leads to is written when no reorganisation can take the proposal away
        any more, so that no entry speaks of one that never was. Half of the time to vote is enough to wait for that.
        """

        def settled() -> JsonValue:
            case = self.journal.case(str(proposal.key))
            if case is not None and not case.present:
                raise NotFinalError(f"{proposal.key} is gone; it may come again")
            newest = self._newest(proposal)
            if self.scribe is None or self.scribe.is_final(newest.created_block):
                return None
            if self.reviewer.time_left(proposal.key).ticks * 2 >= proposal.vote_end - proposal.vote_start:
                raise NotFinalError(f"{proposal.key} was created in block {newest.created_block}")
            return None

        steps.run(f"settled:{label}", settled)

    def _change_since(self, dossier: Dossier, steps: Steps, label: str) -> str:
        """Looks again right before writing: what changed since the review, empty when nothing did."""

        def change() -> JsonValue:
            return self.reviewer.change_since(dossier, self._newest(dossier.proposal))

        return str(steps.run(f"recheck:{label}", change))

    def _write(self, bundle: Bundle, steps: Steps, label: str) -> bool:
        """The entry, and the vote when it is one. The record is stored before anything on chain speaks of it. False
        when another program with our key was faster.
        """
        dossier, what = bundle.dossier, entitlement(bundle.dossier)

        def write() -> JsonValue:
            if what.vote is not None and not self._is_proposed(dossier.proposal):
                self._advance(dossier.proposal, Stage.VOTING)
            landed = self._pen(bundle, what)
            self._note_landed(dossier, what, landed)
            return landed.by_another or None

        return steps.run(f"write:{label}", write) is None

    def _pen(self, bundle: Bundle, what: Entitlement) -> Landed:
        if self.scribe is None:
            return Landed()
        if self._is_void(bundle.dossier.proposal):
            raise PnyxError(f"{bundle.dossier.proposal.key} is gone: nothing more is written about it")
        if why := self.journal.held():
            raise held_back(why)
        try:
            return self.scribe.write(bundle, what)
        except WaitsForOwnersError as error:
            self._note_waiting(bundle.dossier.proposal, what, error)
            raise
        except StrandedVoteError as error:
            self._tell_stranded(bundle.dossier.proposal, error)
            raise

    def _note_waiting(self, proposal: Proposal, what: Entitlement, error: WaitsForOwnersError) -> None:
        """The owners of the Safe hear of each transaction that they are asked to sign, once."""
        assert what.vote is not None
        if not self._is_proposed(proposal):
            entry = to_hex(error.entry.transaction_hash)
            self._advance(proposal, Stage.PROPOSED, detail=f"vote {what.vote.value}", entry_transaction=entry)
        rejected = error.standing is Standing.REJECTED
        number = proposal.key.proposal_id
        self.tell(
            self._message(
                proposal,
                f"safe:{to_hex(error.transaction.hash)}{':rejected' if rejected else ''}",
                Urgency.ACTION if error.standing is Standing.WAITS else Urgency.ALERT,
                subject=f"the vote {what.vote.value!r} {OWNERS[error.standing]}",
                detail=foreign(error.message),
                to_do="" if rejected else f"pnyx safe show {number}",
            )
        )

    def _note_landed(self, dossier: Dossier, what: Entitlement, landed: Landed) -> None:
        waits = self._waits_for_people(dossier) and not landed.by_another
        self._advance(
            dossier.proposal, Stage.HELD if waits else Stage.CONFIRMING,
            detail=self._what_landed(dossier, what, landed),
            entry_transaction=landed.entry_transaction, vote_transaction=landed.vote_transaction,
        )  # fmt: skip
        if landed.by_another:
            self._tell_another(dossier.proposal, landed)
        else:
            self._tell_outcome(dossier, what)

    def _confirm(self, bundle: Bundle, steps: Steps, label: str) -> None:
        """Until what landed is final. What a reorganisation takes away meanwhile is written again."""
        dossier, what = bundle.dossier, entitlement(bundle.dossier)

        def confirm() -> JsonValue:
            landed = self._pen(bundle, what)
            if self.scribe is not None and not self.scribe.is_final(landed.block):
                raise NotFinalError(f"{dossier.proposal.key}: its {what.kind.name} entry is in block {landed.block}")
            self._advance(
                dossier.proposal, Stage.DONE, entry_transaction=landed.entry_transaction,
                vote_transaction=landed.vote_transaction,
            )  # fmt: skip
            return None

        steps.run(f"confirm:{label}", confirm)

    # People

    def _waits_for_people(self, dossier: Dossier) -> bool:
        """A rejection is an answer as well: nobody is asked twice."""
        is_held = entitlement(dossier).kind is EntryKind.HOLD
        return is_held and dossier.header.mode is not Mode.OBSERVE and dossier.people == NOBODY

    def _after_waiting(
        self, bundle: Bundle, before: Again | None, steps: Steps, label: str
    ) -> tuple[Bundle, Waited | None]:
        """A decided vote waits for as long as people may reject it, and until the margin before the end that the
        operator set. A rejection that comes meanwhile is what is recorded.
        """
        vote, then = entitlement(bundle.dossier).vote, bundle.dossier.state.governor
        if vote is None:
            return bundle, None
        same = before is not None and before.vote is vote
        waited = (before.waited if before and same else None) or Waited(then.deadline - then.now)
        for number in itertools.count():
            place = f"{label}:waiting:{number}"
            seconds = self._yet_to_wait(bundle.dossier, waited, steps, place)
            if seconds <= 0:
                break
            word = steps.wait_for_word(seconds)
            words = () if word is None else self._heard(bundle.dossier, (), word, steps, place)
            if (answered := self.hearing.decided(bundle.dossier, words)) is not None:
                return self._seal(answered, bundle.bodies, steps, place), waited
            waited = replace(waited, seconds=waited.seconds + seconds)
        return bundle, waited

    def _yet_to_wait(self, dossier: Dossier, waited: Waited, steps: Steps, place: str) -> float:
        """Seconds until the next look. State and deadline are read each time: both can move."""

        def to_wait() -> JsonValue:
            left = self.reviewer.time_left(dossier.proposal.key)
            # Half of the time to vote is the vote's, however long people may reject it.
            veto = self.delay_seconds - waited.seconds if 2 * left.ticks >= waited.ticks_at_first else 0.0
            margin = left.seconds - self.margin_seconds if self.margin_seconds is not None and left.ticks else 0.0
            return max(0.0, min(veto, self.pause_seconds), min(margin, LONG_PAUSE * self.pause_seconds))

        return float(str(steps.run(f"to wait:{place}", to_wait)))

    def _wait_for_people(self, bundle: Bundle, steps: Steps, label: str) -> Again | None:
        """Until people decide or the wait for them ends; None when that is done. At the end, words that were given and
        not heard yet are heard first.
        """
        dossier, words, is_ending = bundle.dossier, tuple[Approval, ...](), False
        for number in itertools.count():
            place = f"{label}:{number}"
            word = steps.wait_for_word(0 if is_ending else A_YEAR_SECONDS)
            if word is None and is_ending:
                ended = self._ended(dossier, steps, place)
                if ended is not None:
                    self._end_without_them(bundle, words, ended, steps, place)
                    return None
                is_ending = False
            elif is_of_the_clock(word):
                is_ending = True
            elif word is not None:
                words = self._heard(dossier, words, word, steps, place)
                answered = self.hearing.decided(dossier, words)
                if answered is not None:
                    return self._carry_out_answer(bundle, answered, steps, place)
        raise AssertionError("unreachable")

    def _carry_out_answer(self, bundle: Bundle, answered: Dossier, steps: Steps, place: str) -> Again | None:
        if change := self._change_since(answered, steps, place):
            self._alert(answered.proposal, f"changed:{place}", f"the approval does not count any more: {change}")
            return Again(change)
        self._finish(self._seal(answered, bundle.bodies, steps, place), steps, place)
        return None

    def _end_without_them(
        self, bundle: Bundle, words: tuple[Approval, ...], ended: WaitEnded, steps: Steps, place: str
    ) -> None:
        """Its outcome is recorded, unless the vote was ended from elsewhere: then nobody was late."""
        if ended.expired is None:
            self._confirm(bundle, steps, place)
            return
        expired = with_people(bundle.dossier, *words, expired=ended.expired)
        self._finish(self._seal(expired, bundle.bodies, steps, place), steps, place)

    def _finish(self, sealed: Bundle, steps: Steps, place: str) -> None:
        self._write(sealed, steps, place)
        self._confirm(sealed, steps, place)

    def _ended(self, dossier: Dossier, steps: Steps, place: str) -> WaitEnded | None:
        def ended() -> JsonValue:
            found = self.hearing.ended(dossier)
            return found.model_dump(mode="json") if found else None

        said = steps.run(f"ended:{place}", ended)
        return None if said is None else WaitEnded.model_validate(said)

    def _heard(
        self, dossier: Dossier, words: tuple[Approval, ...], word: JsonValue, steps: Steps, place: str
    ) -> tuple[Approval, ...]:
        """The words that count with this one; people hear why one does not, and how many are missing."""
        proposal = dossier.proposal
        try:
            said = Approval.model_validate(word)
            require_about(dossier, said)
        except (ValidationError, RefusedError) as error:
            self._alert(proposal, f"word:{place}", f"an approval does not count: {error}")
            return words

        def counting() -> JsonValue:
            heard = self.hearing.counting(dossier, words, said)
            if heard.words != words and self.hearing.decided(dossier, heard.words) is None:
                self._tell_so_far(dossier, heard.words)
            return heard.model_dump(mode="json")

        heard = Heard.model_validate(steps.run(f"approval:{place}", counting))
        for number, complaint in enumerate(heard.complaints):
            self._alert(proposal, f"word:{place}:{number}", f"an approval does not count: {complaint}")
        return heard.words

    def _tell_so_far(self, dossier: Dossier, words: tuple[Approval, ...]) -> None:
        so_far = self.hearing.so_far(dossier, words)
        self._advance(dossier.proposal, Stage.HELD, detail=f"hold, {so_far}")
        self.tell(self._message(dossier.proposal, f"heard:{so_far}", Urgency.INFO, subject=so_far))

    # Telling

    def _advance(self, proposal: Proposal, stage: Stage, **details: str) -> None:
        self.journal.work_on(str(proposal.key), stage, **details)
        logger.info("proposal %s", stage.value, extra={"proposal": str(proposal.key), **details})

    def _in_words(self, dossier: Dossier, what: Entitlement) -> str:
        """How many were heard is only worth a word where more than one is needed, or too few came."""
        waits = self._waits_for_people(dossier) and self.hearing.required > 1
        is_open = waits or dossier.people.expired is not None
        return in_words(dossier, what, self.hearing.so_far(dossier, dossier.people.words) if is_open else "")

    def _what_landed(self, dossier: Dossier, what: Entitlement, landed: Landed) -> str:
        if landed.by_another:
            return f"another program with this agent's key decided: {landed.by_another}"
        return "void: the vote could not land" if landed.is_void else self._in_words(dossier, what)

    def _tell_outcome(self, dossier: Dossier, what: Entitlement) -> None:
        waits, is_expired = self._waits_for_people(dossier), dossier.people.expired is not None
        is_missed = is_expired or what.kind is EntryKind.MISSED
        self.tell(
            self._message(
                dossier.proposal,
                "EXPIRED" if is_expired else what.kind.name,
                Urgency.ALERT if is_missed else Urgency.ACTION if waits else Urgency.INFO,
                subject=self._in_words(dossier, what),
                decision=dossier.decision.outcome.value,
                reason=foreign(dossier.decision.reason),
                to_do=how_to_answer(dossier) if waits else "",
                **deadline(dossier.state.governor),
            )
        )

    def _tell_another(self, proposal: Proposal, landed: Landed) -> None:
        self.tell(
            self._message(
                proposal,
                "another",
                Urgency.ALERT,
                subject="another program decided about it with this agent's key and log",
                detail=foreign(f"{landed.by_another} is not this agent's, which adds nothing to it"),
                to_do="is a copy of this agent running? Stop it, and copy its evidence here: members look for that "
                "record. If nobody you know runs it, the key is stolen",
            )
        )

    def _tell_stranded(self, proposal: Proposal, error: StrandedVoteError) -> None:
        subject = f"account {error.account} lost its delegation: it runs {error.runs} (EIP-7702)"
        what = f"delegation:{error.runs}"
        self.tell(self._message(proposal, what, Urgency.ALERT, subject=subject, detail=foreign(error.message)))

    def _alert(self, proposal: Proposal, what: str, why: str) -> None:
        subject = SUBJECTS[what.partition(":")[0]]
        self.tell(self._message(proposal, what, Urgency.ALERT, subject=subject, detail=foreign(why)))

    def _message(self, proposal: Proposal, what: str, urgency: Urgency, **parts: Any) -> Message:  # noqa: ANN401
        key = str(proposal.key)
        case = self.journal.case(key)
        known = {"stage": case.stage.value, "title": foreign(case.title)} if case else {}
        return Message(key=f"{key}:{what}", urgency=urgency, proposal=key, **known, **parts)
