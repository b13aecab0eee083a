"""Two programs with one key and one log: what the other one decided stands, and is not waited for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from pnyx_agents.steward.clerk import Clerk
from pnyx_agents.steward.steps import Place
from pnyx_agents.steward.writing import Writing, Written
from pnyx_agents.watch import found_in
from pnyx_contracts.entry import EntryKind
from pnyx_contracts.errors import PnyxError, RefusedError
from pnyx_contracts.types import Vote, to_hex
from pnyx_policies.entitlement import Entitlement
from pnyx_tools.journal import Journal, Stage
from pnyx_tools.notify import Message, Urgency
from pnyx_tools.recorder import Case
from pnyx_tools.sender import GivenUpError
from pnyx_tools.signer.protocol import NotYetError
from pnyx_tools.testing.outbox import MemoryOutbox

from .landed import own_entries, own_votes, scribe_of
from .parliament import Parliament

VOTE = Entitlement(EntryKind.VOTE, Vote.FOR)


def copy_of(parliament: Parliament) -> Parliament:
    """The agent's folder as it was, somewhere else: the key is the same, memories part."""
    memory = parliament.settings.memory.with_name("copy.sqlite")
    return replace(
        parliament,
        outbox=MemoryOutbox(),
        settings=parliament.settings.model_copy(update={"memory": memory}),
        _opened=[],
    )


def case_of(parliament: Parliament, proposal: int) -> Case:
    """Each looks in a block of its own, so that each has a record of its own."""
    parliament.node.mine()
    return parliament.case(parliament.dossier(proposal))


def test_a_vote_of_a_copy_is_found_and_left_alone(gate: Parliament) -> None:
    copy, number = copy_of(gate), gate.open()
    ours, theirs = case_of(gate, number), case_of(copy, number)
    voted = copy.vote(theirs)
    scribe = scribe_of(gate, gate.signer())

    landed = scribe.write(ours.bundle, VOTE)

    assert landed.by_another == f"VOTE {voted.entry.seq}, record root {to_hex(theirs.bundle.record_root)}"
    assert landed.entry_transaction == landed.vote_transaction == to_hex(voted.entry.transaction_hash)
    assert scribe.write(ours.bundle, VOTE) == landed
    assert own_votes(gate, ours) == 1
    assert not scribe_of(copy, copy.signer()).write(theirs.bundle, VOTE).by_another, "for the copy it is its own"


def test_a_copy_that_is_faster_by_a_moment(gate: Parliament) -> None:
    """Ours is signed when the other one lands. The next try finds that, long before the vote closes."""
    copy, number = copy_of(gate), gate.open()
    ours, theirs = case_of(gate, number), case_of(copy, number)
    signer = gate.signer()
    scribe, sign = scribe_of(gate, signer), signer.sign

    def too_slow(request):
        signed = sign(request)
        if own_votes(copy, theirs) == 0:
            copy.vote(theirs)
        return signed

    signer.sign = too_slow
    with pytest.raises(GivenUpError, match="does not land yet"):
        scribe.write(ours.bundle, VOTE)
    assert scribe.write(ours.bundle, VOTE).by_another.startswith("VOTE")
    assert own_votes(gate, ours) == 1


def test_an_announced_vote_of_a_copy_is_waited_for(plain: Parliament) -> None:
    copy, number = copy_of(plain), plain.open()
    ours, theirs = case_of(plain, number), case_of(copy, number)
    other = scribe_of(copy, copy.signer())
    with pytest.raises(NotYetError):
        other.write(theirs.bundle, VOTE)
    scribe = scribe_of(plain, plain.signer())
    with pytest.raises(GivenUpError, match=r"announced a vote .* and has not cast it yet"):
        scribe.write(ours.bundle, VOTE)
    plain.node.mine(2)
    cast = other.write(theirs.bundle, VOTE)

    landed = scribe.write(ours.bundle, VOTE)

    assert landed.by_another
    assert (landed.entry_transaction, landed.vote_transaction) == (cast.entry_transaction, cast.vote_transaction)
    assert own_entries(plain, ours) == [EntryKind.VOTE]


def test_an_announced_vote_that_a_copy_never_casts_is_for_people(plain: Parliament) -> None:
    copy, number = copy_of(plain), plain.open()
    ours, theirs = case_of(plain, number), case_of(copy, number)
    with pytest.raises(NotYetError):
        scribe_of(copy, copy.signer()).write(theirs.bundle, VOTE)
    plain.governance.advance_to_closed(number)
    with pytest.raises(PnyxError, match="and did not cast it") as caught:
        scribe_of(plain, plain.signer()).write(ours.bundle, VOTE)
    assert not isinstance(caught.value, RefusedError), "another review would not help"


def test_an_announced_vote_of_a_copy_that_died_is_cast_where_its_record_is(plain: Parliament) -> None:
    copy, number = copy_of(plain), plain.open()
    ours, theirs = case_of(plain, number), case_of(copy, number)
    with pytest.raises(NotYetError):
        scribe_of(copy, copy.signer()).write(theirs.bundle, VOTE)
    brought = {theirs.bundle.record_root: theirs.bundle}
    scribe = replace(scribe_of(plain, plain.signer()), record=brought.get)
    with pytest.raises(NotYetError, match="is not settled"):
        scribe.write(ours.bundle, VOTE)
    plain.node.mine(2)

    landed = scribe.write(ours.bundle, VOTE)

    assert landed.by_another.endswith(to_hex(theirs.bundle.record_root))
    assert landed.vote_transaction
    assert scribe.write(ours.bundle, VOTE) == landed
    assert own_entries(plain, ours) == [EntryKind.VOTE]
    assert own_votes(plain, ours) == 1


def test_an_announced_vote_of_a_copy_that_died_is_void_when_its_record_comes_too_late(plain: Parliament) -> None:
    copy, number = copy_of(plain), plain.open()
    ours, theirs = case_of(plain, number), case_of(copy, number)
    with pytest.raises(NotYetError):
        scribe_of(copy, copy.signer()).write(theirs.bundle, VOTE)
    plain.governance.advance_to_closed(number)
    scribe = replace(scribe_of(plain, plain.signer()), record={theirs.bundle.record_root: theirs.bundle}.get)

    landed = scribe.write(ours.bundle, VOTE)

    assert landed.is_void
    assert landed == scribe.write(ours.bundle, VOTE)
    assert own_entries(plain, ours) == [EntryKind.VOTE, EntryKind.VOID]
    assert own_votes(plain, ours) == 0


def test_a_hold_of_a_copy_leaves_the_vote_to_people(gate: Parliament) -> None:
    copy, number = copy_of(gate), gate.open(value=10**24)
    ours, theirs = case_of(gate, number), case_of(copy, number)
    held = Entitlement(EntryKind.HOLD)
    assert scribe_of(copy, copy.signer()).write(theirs.bundle, held).entry_transaction
    assert not scribe_of(gate, gate.signer()).write(ours.bundle, held).by_another


class AtOnce:
    """Steps without an engine."""

    def run(self, _name, work):
        return work()


def test_people_hear_of_it_once_and_the_journal_says_what_is_there(gate: Parliament, tmp_path: Path) -> None:
    copy, number = copy_of(gate), gate.open()
    ours, theirs = case_of(gate, number), case_of(copy, number)
    voted = copy.vote(theirs)
    journal, told = Journal(f"sqlite:///{tmp_path / 'journal.sqlite'}"), list[Message]()
    journal.follow("1", [found_in(ours.dossier.proposal)])
    nothing, place = cast("Any", None), Place(cast("Any", AtOnce()), "0")
    scribe = scribe_of(gate, gate.signer())
    writing = Writing(scribe, Clerk(journal, told.append, hearing=nothing, crowd=nothing), review=nothing)

    assert writing.write(ours.bundle, place) is Written.ANOTHERS
    gate.node.mine()
    writing.confirm(ours.bundle, place)

    case = journal.case(str(ours.key))
    assert case is not None
    assert (case.stage, case.entry_transaction) == (Stage.DONE, to_hex(voted.entry.transaction_hash))
    assert case.detail.startswith(f"another program with this agent's key decided: VOTE {voted.entry.seq}")
    assert [(m.urgency, m.subject) for m in told] == [
        (Urgency.ALERT, "another program decided about it with this agent's key and log")
    ]
