"""What `pnyx status` says about a proposal is about the stage it is at, and not about the one before."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, cast

from pydantic import JsonValue
from tests.reading.samples import honest_payment

from pnyx_agents.steward.clerk import Clerk
from pnyx_agents.steward.review import Review
from pnyx_agents.watch import found_in
from pnyx_contracts.entry import EntryKind
from pnyx_contracts.types import Vote
from pnyx_policies.bundle import Bundle, seal
from pnyx_policies.dossier import Approval, Dossier, People
from pnyx_policies.entitlement import Entitlement
from pnyx_tools.journal import Case, Journal, Stage

NOTHING = cast("Any", None)


class Desk:
    """One bundle, and a place where everything is done at once."""

    label = ""
    configuration = None
    stored: Bundle | None = None

    def seal(self, dossier: Dossier, bodies: Mapping[bytes, bytes]) -> Bundle:
        return seal(dossier, bodies, bytes(32))

    def put_bundle(self, bundle: Bundle) -> None:
        self.stored = bundle

    def put_configuration(self, _configuration: object) -> None:
        """Nobody reads it here."""

    def bundle(self, _root: bytes) -> Bundle | None:
        return self.stored

    def run(self, _name: str, work: Callable[[], JsonValue]) -> JsonValue:
        return work()


def test_what_was_said_while_people_were_waited_for_is_over_when_the_vote_is_written(journal: Journal) -> None:
    dossier, desk = honest_payment(), cast("Any", Desk())
    clerk = Clerk(journal, NOTHING, cast("Any", SimpleNamespace(required=2)), NOTHING)

    def case() -> Case:
        found = clerk.case(dossier.proposal)
        assert found is not None
        return found

    journal.follow("1", [found_in(dossier.proposal)])
    clerk.advance(dossier.proposal, Stage.HELD, detail="hold, 1 of 2 approvals by 0xAda (for)")
    words = tuple(
        Approval(person=person, verdict="approve", expires_at=9, decision_digest=bytes(32)) for person in ("Ada", "Bob")
    )
    answered = dossier.model_copy(update={"people": People(words=words, expired=None)})
    Review(desk, desk, clerk, NOTHING, threading.Semaphore()).seal(answered, {}, desk)
    assert (case().stage, case().detail) == (Stage.REVIEWED, "")
    clerk.note_voting(answered, Entitlement(EntryKind.VOTE, Vote.FOR))
    assert (case().stage, case().detail) == (Stage.VOTING, "vote for, approved by Ada, Bob")
