"""What a proposal is, what is thought of it, what is decided, and the sealed record of all that."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue, ValidationError

from pnyx_agents.analyst import Deliberation
from pnyx_agents.reviewer import Change, Reviewer
from pnyx_agents.steward.clerk import Clerk
from pnyx_agents.steward.steps import NotFinalError, Place, StepFailedError, Task, UnreadableRecordError
from pnyx_agents.wording import About, in_words
from pnyx_contracts.canonical import parse_json
from pnyx_contracts.errors import DecodingError, DiffersError
from pnyx_contracts.types import Bytes32, Proposal, Value, to_hex
from pnyx_policies.analysis import Opinion
from pnyx_policies.bundle import Body, Bundle
from pnyx_policies.dossier import Approval, Attempt, Dossier, People
from pnyx_policies.entitlement import entitlement
from pnyx_policies.facts import Facts
from pnyx_tools.evidence import Vault
from pnyx_tools.journal import Stage
from pnyx_tools.reader import RevertedError


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


@dataclass(frozen=True, slots=True)
class Review:
    """How proposals are reviewed here. `room`: so many are looked at, or shown to models, at the same time."""

    reviewer: Reviewer
    evidence: Vault
    clerk: Clerk
    heard: Callable[[str, Deliberation], None]
    """Looks at what a committee said about a proposal."""
    room: threading.Semaphore

    def of(self, proposal: Proposal, place: Place) -> Bundle:
        """Facts, opinions, decision, sealed. Each is remembered: a model asked twice would give another answer."""
        established = place.assign("establish", proposal.model_dump(mode="json"))
        said = Said.model_validate(place.assign("ask", established))
        facts = Facts.model_validate(established)
        return self.seal(self.reviewer.conclude(facts, said.deliberation), said.bodies, place)

    def do(self, task: Task, argument: JsonValue) -> JsonValue:
        """One task of a review; so many at once as there is room for."""
        with self.room:
            if task == "establish":
                return self._established(Proposal.model_validate(argument)).model_dump(mode="json")
            facts = Facts.model_validate(argument)
            said = self.reviewer.ask(facts)
            self.heard(str(facts.proposal.key), said)
            return Said.of(said).model_dump(mode="json")

    def _established(self, known: Proposal) -> Facts:
        proposal = self.clerk.newest(known)
        try:
            return self.reviewer.establish(proposal)
        except RevertedError:
            case = self.clerk.case(proposal)
            if case is None or case.present:
                raise
            raise NotFinalError(f"{proposal.key} is gone; it may come again") from None

    def seal(self, dossier: Dossier, bodies: Mapping[bytes, bytes], place: Place) -> Bundle:
        """The stored bundle, read back: what members will find is what goes to the signer.

        On a replay `dossier` may come from newer rules; the remembered root leads to the decision that was made. Raises
        `UnreadableRecordError` when another release made that.
        """

        def store() -> JsonValue:
            bundle = self.reviewer.seal(dossier, bodies)
            self.evidence.put_bundle(bundle)
            self.bundle(bundle.record_root)  # it fails here, not at every replay
            self.evidence.put_configuration(self.reviewer.configuration)
            is_rejected = dossier.people.rejection is not None
            self.clerk.advance(
                dossier.proposal, Stage.REVIEWED, outcome=dossier.decision.outcome.value,
                reason=dossier.decision.reason, record_root=to_hex(bundle.record_root),
                detail=in_words(dossier, entitlement(dossier)) if is_rejected else "",
            )  # fmt: skip
            return bundle.record_root.hex()

        root = bytes.fromhex(str(place.run("seal", store)))
        bundle = self.bundle(root)
        if bundle is None:
            raise StepFailedError(f"the bundle {root.hex()} was stored and is gone", hint="restore the data folder")
        return bundle

    def change_since(self, dossier: Dossier, place: Place) -> Change | None:
        """Looks again right before writing: what changed since the review."""

        def change() -> JsonValue:
            found = self.reviewer.change_since(dossier, self.clerk.newest(dossier.proposal))
            return found.model_dump(mode="json") if found else None

        found = place.run("recheck", change)
        return None if found is None else Change.model_validate(found)

    def rejection(self, proposal: Proposal, place: Place) -> Approval | None:
        """What a person said in the last record of this proposal, when it was a rejection. Nothing else of that record
        is read: another release may have made it. People hear when not even that can be read.
        """

        def rejection() -> JsonValue:
            root = self.last_root(proposal)
            try:
                said = self._rejection_in(root) if root else None
            except (DecodingError, ValidationError, KeyError, TypeError):
                why = "its last record cannot be read here, and who rejected it has to say so again"
                self.clerk.alert(proposal, About.WORD, to_hex(root), why)
                return None
            return said.model_dump(mode="json") if said else None

        said = place.run("rejected", rejection)
        return None if said is None else Approval.model_validate(said)

    def _rejection_in(self, record_root: bytes) -> Approval | None:
        data = self.evidence.unchecked(record_root)
        if data is None:
            return None
        bundle: Any = parse_json(data, Bundle.CALLED)
        return People.model_validate(bundle["fields"]["people"]).rejection

    def last_root(self, proposal: Proposal) -> bytes:
        """Of the last record of this proposal; empty while there is none."""
        case = self.clerk.case(proposal)
        return bytes.fromhex(case.record_root[2:]) if case else b""

    def last(self, proposal: Proposal) -> Bundle | None:
        """The last record of this proposal. Raises as `bundle` does."""
        root = self.last_root(proposal)
        return self.bundle(root) if root else None

    def bundle(self, record_root: bytes) -> Bundle | None:
        """None when it is gone. Raises `UnreadableRecordError`."""
        try:
            return self.evidence.bundle(record_root)
        except DiffersError as error:
            raise UnreadableRecordError(error.message) from error
