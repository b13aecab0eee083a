"""One proposal through every step: facts, opinions, decision, record, vote, confirmation.

    establish -> ask -> conclude -> seal -> write -> (hold: wait for people, then seal and write again)

`Steps` remembers finished steps, so a process that was killed goes on where it stopped. What a step does outside is
idempotent by itself as well: bundles are content-addressed, entries carry an expected sequence number, signed
transactions
are stored before they are sent, the governor refuses a second vote.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pydantic import JsonValue

from pnyx_agents.analyst import Deliberation
from pnyx_agents.reviewer import Reviewer
from pnyx_contracts.entry import EntryKind
from pnyx_contracts.errors import PnyxError, RefusedError
from pnyx_contracts.types import Bytes32, Proposal, Value
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
        for attempt in range(MAX_REVIEWS):
            facts, said = self._review(proposal, steps, attempt)
            dossier = self.reviewer.conclude(facts, said.deliberation)
            if entitlement(dossier).kind is EntryKind.VOTE and self._vetoed(proposal, steps):
                return
            if not self._changed_since(dossier, steps, attempt):
                break
            logger.warning("the proposal's code changed since the review", extra={"proposal": str(proposal.key)})
        else:
            raise RefusedError(f"the code behind the proposal changed {MAX_REVIEWS} times during the review")
        self._write(dossier, said, steps, f"write:{attempt}")
        if self._people_may_decide(dossier):
            self._wait_for_people(dossier, said, steps)

    def _review(self, proposal: Proposal, steps: Steps, attempt: int) -> tuple[Facts, Said]:
        facts = Facts.model_validate(
            steps.run(f"establish:{attempt}", lambda: self.reviewer.establish(proposal).model_dump(mode="json"))
        )
        said = Said.model_validate(
            steps.run(f"ask:{attempt}", lambda: Said.of(self.reviewer.ask(facts)).model_dump(mode="json"))
        )
        return facts, said

    def _changed_since(self, dossier: Dossier, steps: Steps, attempt: int) -> bool:
        """Looks again right before writing: the review is bound to content and code hashes."""
        digest = steps.run(
            f"recheck:{attempt}", lambda: self.reviewer.establish(dossier.proposal).review_digest.hex()
        )  # fmt: skip
        return digest != dossier.state.review_digest.hex()

    def _write(self, dossier: Dossier, said: Said, steps: Steps, step: str) -> None:
        """Seal, store, then write the entry (and the vote): the record is there before anything on chain speaks of
        it.
        """
        what = entitlement(dossier)
        bundle = self._sealed(dossier, said, steps, f"seal:{step}")
        self._advance(
            dossier.proposal, Stage.VOTING if what.vote else Stage.REVIEWED, outcome=dossier.decision.outcome.value,
            reason=dossier.decision.reason, record_root="0x" + bundle.record_root.hex(),
        )  # fmt: skip
        landed = Landed()
        if self.scribe is not None:
            scribe = self.scribe
            landed = Landed.model_validate(steps.run(step, lambda: scribe.write(bundle, what).model_dump(mode="json")))
        if landed.too_late:
            self._record_missed(dossier.proposal, said, steps)
            return
        self._advance(
            dossier.proposal, Stage.HELD if what.kind is EntryKind.HOLD else Stage.DONE, detail=what.kind.name.lower(),
            entry_transaction=landed.entry_transaction, vote_transaction=landed.vote_transaction,
        )  # fmt: skip
        self._tell_outcome(dossier, what)

    def _record_missed(self, proposal: Proposal, said: Said, steps: Steps) -> None:
        """The vote closed before it could be cast: looked at again, the facts say so, and the entry is MISSED."""
        facts = Facts.model_validate(
            steps.run("establish:missed", lambda: self.reviewer.establish(proposal).model_dump(mode="json"))
        )
        self._alert(proposal, "missed", "the vote closed before the decided vote could land")
        self._write(self.reviewer.conclude(facts, said.deliberation), said, steps, "write:missed")

    def _sealed(self, dossier: Dossier, said: Said, steps: Steps, step: str) -> Bundle:
        """The stored bundle, read back: what members will find is what goes to the signer."""

        def store() -> JsonValue:
            bundle = self.reviewer.seal(dossier, said.bodies)
            self.evidence.put_bundle(bundle)
            self.evidence.put_configuration(self.reviewer.configuration)
            return bundle.record_root.hex()

        root = bytes.fromhex(str(steps.run(step, store)))
        data = self.evidence.get_bundle(root)
        if data is None:
            raise PnyxError(f"the bundle {root.hex()} was stored and is gone", hint="restore the evidence folder")
        return Bundle.parse(data)

    # People

    def _people_may_decide(self, dossier: Dossier) -> bool:
        return dossier.header.mode is not Mode.OBSERVE and entitlement(dossier).kind is EntryKind.HOLD

    def _vetoed(self, proposal: Proposal, steps: Steps) -> bool:
        """Waits out the veto time of autonomous mode. A rejection leaves the vote to people."""
        if not self.delay_seconds:
            return False
        word = steps.wait_for_word(self.delay_seconds)
        if word is None or Approval.model_validate(word).verdict == "approve":
            return False
        self._advance(proposal, Stage.HELD, detail="rejected during the veto time")
        return True

    def _wait_for_people(self, dossier: Dossier, said: Said, steps: Steps) -> None:
        """Until a person speaks or the vote closes."""
        attempt = 0
        while True:
            word = steps.wait_for_word(self.patience_seconds)
            if word is None:
                attempt += 1
                if not steps.run(f"open:{attempt}", lambda: self._still_open(dossier.proposal)):
                    self._advance(dossier.proposal, Stage.DONE, detail="held until the vote closed")
                    return
                continue
            answered = dossier.model_copy(update={"approval": Approval.model_validate(word)})
            try:
                entitlement(answered)
            except RefusedError as error:
                self._alert(dossier.proposal, f"word:{attempt}", f"an approval does not count: {error.message}")
                continue
            self._write(answered, said, steps, "write:answer")
            return

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
