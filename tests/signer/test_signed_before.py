"""A vote that was signed before the process was killed, by an agent whose configuration is another one now."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from pnyx_agents.steward.clerk import Clerk
from pnyx_agents.steward.review import Review
from pnyx_agents.steward.steps import UnreadableRecordError
from pnyx_agents.steward.writing import Writing
from pnyx_agents.watch import found_in
from pnyx_contracts.governors import Read
from pnyx_contracts.types import ProposalState, to_hex
from pnyx_tools.evidence import FolderStore, Vault
from pnyx_tools.journal import Journal, Stage
from pnyx_tools.notify import Message, Urgency
from pnyx_tools.reader import BlockId
from pnyx_tools.sender import GivenUpError

from .landed import own_votes, scribe_of
from .moments import Killed
from .parliament import Parliament
from .test_copies import VOTE, AtOnce, case_of


def not_sent(_raw: bytes) -> Any:
    """A power cut."""
    raise Killed


def test_a_signed_vote_that_came_too_late_is_told_and_reviewed_again(
    gate: Parliament, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left to do, a record that says so, is the next review's."""
    case = case_of(gate, gate.open())
    proposal = case.dossier.proposal
    scribe = scribe_of(gate, gate.signer())

    monkeypatch.setattr(scribe.writer.chain, "send_raw", not_sent)
    with pytest.raises(Killed):
        scribe.write(case.bundle, VOTE)
    monkeypatch.undo()
    assert scribe.was_signed(case.key, case.bundle.record_root)
    gate.governance.advance_to_closed(case.key.proposal_id)

    vault = Vault(FolderStore(tmp_path / "private"), FolderStore(tmp_path / "published"))
    vault.put_bundle(case.bundle)
    journal, told = Journal(f"sqlite:///{tmp_path / 'journal.sqlite'}"), list[Message]()
    journal.follow("1", [found_in(proposal)])
    journal.advance(str(case.key), Stage.VOTING, record_root=to_hex(case.bundle.record_root))
    nothing = cast("Any", None)
    clerk = Clerk(journal, told.append, hearing=nothing, crowd=nothing)
    writing = Writing(scribe, clerk, Review(nothing, vault, clerk, heard=nothing, room=nothing))

    assert not writing.finish_signed(proposal, cast("Any", AtOnce()))

    assert own_votes(gate, case) == 0
    assert [(m.urgency, m.subject) for m in told] == [(Urgency.ALERT, "its signed vote could not be carried out")]
    assert "the proposal is defeated: the decided vote could not land" in str(told[0].detail)


def test_a_signed_vote_of_a_record_that_cannot_be_read_is_left_to_people(
    gate: Parliament, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was signed may still land, and nothing else is signed for the proposal."""
    case = case_of(gate, gate.open())
    scribe = scribe_of(gate, gate.signer())
    vault = Vault(FolderStore(tmp_path / "private"), FolderStore(tmp_path / "published"))
    file = vault.private.put_bundle(case.bundle)
    file.write_bytes(file.read_bytes().replace(b'"state":{', b'"state":{"an_older_member":1,', 1))
    journal = Journal(f"sqlite:///{tmp_path / 'journal.sqlite'}")
    journal.follow("1", [found_in(case.dossier.proposal)])
    journal.advance(str(case.key), Stage.VOTING, record_root=to_hex(case.bundle.record_root))
    nothing = cast("Any", None)
    clerk = Clerk(journal, nothing, hearing=nothing, crowd=nothing)
    writing = Writing(scribe, clerk, Review(nothing, vault, clerk, heard=nothing, room=nothing))
    assert not writing.finish_signed(case.dossier.proposal, cast("Any", AtOnce())), "nothing is signed yet"

    monkeypatch.setattr(scribe.writer.chain, "send_raw", not_sent)
    with pytest.raises(Killed):
        scribe.write(case.bundle, VOTE)
    with pytest.raises(UnreadableRecordError, match=r"fields\.state\.an_older_member: there is no such member"):
        writing.finish_signed(case.dossier.proposal, cast("Any", AtOnce()))


def test_a_signed_vote_waits_where_the_proposal_is_before_its_time_again(
    gate: Parliament, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reorganisation, or an endpoint that lags, shows it so. The vote is not over, and there is no other."""
    case = case_of(gate, gate.open())
    scribe = scribe_of(gate, gate.signer())
    chain = scribe.writer.chain
    honest, asks_state = chain.read, gate.booth.adapter.read_state(gate.booth.profile, case.key.proposal_id)

    def lagging(read: Read[Any], block: BlockId = "latest") -> Any:
        return ProposalState.PENDING if read.data == asks_state.data else honest(read, block)

    def not_mined(*_: object) -> Any:
        raise GivenUpError("not mined")

    monkeypatch.setattr(chain, "read", lagging)
    monkeypatch.setattr("pnyx_agents.scribe.vote", not_mined)
    with pytest.raises(GivenUpError, match="does not land yet: not mined"):
        scribe.write(case.bundle, VOTE)
    monkeypatch.undo()

    assert scribe.write(case.bundle, VOTE).vote_transaction
    assert own_votes(gate, case) == 1
