"""One proposal through every step: facts, opinions, decision, record, vote, confirmation.

    establish -> ask -> conclude, seal -> (veto time) -> recheck -> write -> (hold: wait for people, seal, write again)

`Steps` remembers finished steps, so a process that was killed goes on where it stopped. From the sealed bundle on, the
bundle is what counts: rules that changed in the meantime do not change a decision that was made. What a step does
outside is idempotent by itself as well: bundles are content-addressed, entries carry an expected sequence number,
signed transactions are stored before they are sent, the governor refuses a second vote.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from pydantic import JsonValue, ValidationError

from pnyx_agents.analyst import Deliberation
from pnyx_agents.reviewer import Reviewer
from pnyx_contracts.entry import EntryKind
from pnyx_contracts.errors import PnyxError, RefusedError
from pnyx_contracts.types import Bytes32, Proposal, Value, to_hex
from pnyx_policies.analysis import Opinion
from pnyx_policies.bundle import Body, Bundle
from pnyx_policies.decision import Mode
from pnyx_policies.dossier import Approval, Attempt, Dossier
from pnyx_policies.entitlement import OPEN_STATES, Entitlement, entitlement
from pnyx_policies.facts import Facts
from pnyx_tools.evidence import FolderStore
from pnyx_tools.journal import Journal, Stage
from pnyx_tools.notify import Message

logger = logging.getLogger("pnyx.steward")

MAX_REVIEWS = 5
"""A proposal whose targets change code again and again while we look is left to people."""


class StepFailedError(PnyxError):
    """A step failed in a way that trying again does not mend."""


class Steps(Protocol):
    """The durable engine, seen from here."""

    def run(self, name: str, work: Callable[[], JsonValue]) -> JsonValue:
        """The result of `work`, or the remembered one when this step has finished before."""
        ...

    def pause(self, seconds: float) -> None:
        """Wait; a restart does not begin the wait anew."""
        ...

    def wait_for_word(self, seconds: float) -> JsonValue | None:
        """What a person said meanwhile (an `Approval` as JSON), or None after `seconds`. Survives restarts."""
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
    too_late: bool = False
    """The vote closed before anything could land: nothing is on chain."""


class Scribe(Protocol):
    """Writes entries and votes on chain, through the signer, and reads back what landed."""

    def write(self, bundle: Bundle, what: Entitlement) -> Landed: ...


@dataclass(frozen=True, slots=True)
class Steward:
    """Everything that one proposal needs. `scribe` is None for a local record only (observe mode without a key)."""

    reviewer: Reviewer
    evidence: FolderStore
    journal: Journal
    scribe: Scribe | None
    tell: Callable[[Message], None]
    delay_seconds: float = 0
    """Autonomous mode: people can reject a decided vote for so long."""
    patience_seconds: float = 60
    """How long one wait for people lasts before the vote's state is looked at again."""

    def handle(self, proposal: Proposal, steps: Steps) -> None:
        """The whole way of one proposal. Errors that retrying cannot mend end in stage FAILED and an alert."""
        try:
            self._handle(proposal, steps)
        except (RefusedError, StepFailedError) as error:
            self.give_up(proposal, error.message)

    def give_up(self, proposal: Proposal, why: str) -> None:
        """Leave it to people: they are told, and the daemon's next start tries again."""
        self._advance(proposal, Stage.FAILED, detail=why)
        self._alert(proposal, "failed", why)

    def _handle(self, proposal: Proposal, steps: Steps) -> None:
        """Review and carry out; when the world moved on in between (code, deadline, power), from the start."""
        why = ""
        for number in range(MAX_REVIEWS):
            bundle = self._review(proposal, steps, str(number))
            try:
                if self._carry_out(bundle, steps, str(number)):
                    return
                why = "the code behind it changed since the review"
            except RefusedError as error:
                why = error.message
            logger.warning("reviewing again", extra={"proposal": str(proposal.key), "why": why})
            steps.pause(self.patience_seconds)
        raise RefusedError(f"after {MAX_REVIEWS} reviews: {why}")

    # Review

    def _review(self, proposal: Proposal, steps: Steps, label: str) -> Bundle:
        """Facts, opinions, decision, sealed. Each is remembered: a model asked twice would give another answer."""
        facts = Facts.model_validate(
            steps.run(
                f"establish:{label}", lambda: self.reviewer.establish(self._newest(proposal)).model_dump(mode="json")
            )
        )
        said = Said.model_validate(
            steps.run(f"ask:{label}", lambda: Said.of(self.reviewer.ask(facts)).model_dump(mode="json"))
        )
        return self._seal(self.reviewer.conclude(facts, said.deliberation), said.bodies, steps, label)

    def _newest(self, proposal: Proposal) -> Proposal:
        """As following saw it last: a reorganisation can move it to another block, with another voting window."""
        content = self.journal.proposal_content(str(proposal.key))
        return Proposal.model_validate_json(content) if content else proposal

    def _seal(self, dossier: Dossier, bodies: Mapping[bytes, bytes], steps: Steps, label: str) -> Bundle:
        """The stored bundle, read back: what members will find is what goes to the signer.

        On a replay `dossier` may come from newer rules; the remembered root leads to the decision that was made.
        """

        def store() -> JsonValue:
            bundle = self.reviewer.seal(dossier, bodies)
            self.evidence.put_bundle(bundle)
            self.evidence.put_configuration(self.reviewer.configuration)
            return bundle.record_root.hex()

        root = bytes.fromhex(str(steps.run(f"seal:{label}", store)))
        data = self.evidence.get_bundle(root)
        if data is None:
            raise StepFailedError(f"the bundle {root.hex()} was stored and is gone", hint="restore the evidence folder")
        bundle = Bundle.parse(data)
        decision = bundle.dossier.decision
        self._advance(
            bundle.dossier.proposal, Stage.REVIEWED, outcome=decision.outcome.value, reason=decision.reason,
            record_root=to_hex(root),
        )  # fmt: skip
        return bundle

    # Acting

    def _carry_out(self, bundle: Bundle, steps: Steps, label: str) -> bool:
        """Write what the bundle entitles to. False when the proposal's code is not what was reviewed any more."""
        bundle = self._after_veto_time(bundle, steps, label)
        if self._changed_since(bundle.dossier, steps, label):
            return False
        what = self._write(bundle, steps, label)
        if what.kind is EntryKind.HOLD and self._people_may_decide(bundle.dossier):
            return self._wait_for_people(bundle, steps, label)
        return True

    def _changed_since(self, dossier: Dossier, steps: Steps, label: str) -> bool:
        """Looks again right before writing: the review is bound to content and code hashes."""
        digest = steps.run(f"recheck:{label}", lambda: self.reviewer.establish(dossier.proposal).review_digest.hex())
        return digest != dossier.state.review_digest.hex()

    def _write(self, bundle: Bundle, steps: Steps, label: str) -> Entitlement:
        """The entry, and the vote when it is one. The record is stored before anything on chain speaks of it."""
        dossier, what = bundle.dossier, entitlement(bundle.dossier)
        if what.vote is not None:
            self._advance(dossier.proposal, Stage.VOTING)
        landed = Landed()
        if self.scribe is not None:
            scribe = self.scribe
            landed = Landed.model_validate(
                steps.run(f"write:{label}", lambda: scribe.write(bundle, what).model_dump(mode="json"))
            )
        if landed.too_late:
            return self._record_missed(dossier.proposal, steps)
        self._advance(
            dossier.proposal, Stage.HELD if what.kind is EntryKind.HOLD else Stage.DONE, detail=what.kind.name.lower(),
            entry_transaction=landed.entry_transaction, vote_transaction=landed.vote_transaction,
        )  # fmt: skip
        self._tell_outcome(dossier, what)
        return what

    def _record_missed(self, proposal: Proposal, steps: Steps) -> Entitlement:
        """The vote closed before it could be cast: looked at again, the facts say so, and the entry is MISSED."""
        self._alert(proposal, "missed", "the vote closed before the decided vote could land")
        return self._write(self._review(proposal, steps, "missed"), steps, "missed")

    # People

    def _people_may_decide(self, dossier: Dossier) -> bool:
        """A rejection is an answer as well: nobody is asked twice."""
        return dossier.header.mode is not Mode.OBSERVE and dossier.approval is None

    def _after_veto_time(self, bundle: Bundle, steps: Steps, label: str) -> Bundle:
        """Autonomous mode: people can reject a vote for a while. Then the rejection is what is recorded."""
        if not self.delay_seconds or entitlement(bundle.dossier).vote is None:
            return bundle
        word = steps.wait_for_word(self.delay_seconds)
        answered = self._answered(bundle, word, f"veto:{label}") if word is not None else None
        if answered is None or entitlement(answered).vote is not None:
            return bundle
        return self._seal(answered, bundle.bodies, steps, f"{label}:veto")

    def _wait_for_people(self, bundle: Bundle, steps: Steps, label: str) -> bool:
        """Until a person's word counts or the vote closes. False when the proposal's code changed in the meantime."""
        proposal = bundle.dossier.proposal
        for number in itertools.count():
            place = f"{label}:{number}"
            word = steps.wait_for_word(self.patience_seconds)
            if word is None:
                if not steps.run(f"open:{place}", lambda: self._still_open(proposal)):
                    self._advance(proposal, Stage.DONE, detail="held until the vote closed")
                    return True
                continue
            answered = self._answered(bundle, word, place)
            if answered is None:
                continue
            if self._changed_since(answered, steps, place):
                self._alert(proposal, f"changed:{place}", "its code changed: the approval does not count any more")
                return False
            try:
                self._write(self._seal(answered, bundle.bodies, steps, place), steps, place)
            except RefusedError as error:
                self._advance(proposal, Stage.HELD, record_root=to_hex(bundle.record_root))
                self._alert(proposal, f"word:{place}", f"an approval does not count: {error.message}")
                continue
            return True
        raise AssertionError("unreachable")

    def _answered(self, bundle: Bundle, word: JsonValue, place: str) -> Dossier | None:
        """The dossier with the person's word in it, None (and an alert) when the word does not fit the decision."""
        dossier = bundle.dossier
        try:
            answered = dossier.model_copy(update={"approval": Approval.model_validate(word)})
            entitlement(answered)
        except (ValidationError, RefusedError) as error:
            self._alert(dossier.proposal, f"word:{place}", f"an approval does not count: {error}")
            return None
        return answered

    def _still_open(self, proposal: Proposal) -> bool:
        governed = self.reviewer.governors[proposal.key.governor]
        read = governed.adapter.read_state(governed.profile, proposal.key.proposal_id)
        return self.reviewer.reader.read(read) in OPEN_STATES

    # Telling

    def _advance(self, proposal: Proposal, stage: Stage, **details: str) -> None:
        self.journal.advance(str(proposal.key), stage, **details)
        logger.info("proposal %s", stage.value, extra={"proposal": str(proposal.key), **details})

    def _tell_outcome(self, dossier: Dossier, what: Entitlement) -> None:
        held = what.kind is EntryKind.HOLD and self._people_may_decide(dossier)
        self.tell(
            Message(
                key=f"{dossier.proposal.key}:{what.kind.name}",
                urgency="action" if held else "info",
                title=f"{_in_words(what)}: proposal {dossier.proposal.key}",
                body=dossier.decision.reason,
            )
        )

    def _alert(self, proposal: Proposal, what: str, why: str) -> None:
        self.tell(Message(key=f"{proposal.key}:{what}", urgency="alert", title=f"proposal {proposal.key}", body=why))


def _in_words(what: Entitlement) -> str:
    """``hold``, ``vote against``."""
    return what.kind.name.lower() + (f" {what.vote.value}" if what.vote else "")
