"""From a sealed decision to a vote that was read back, on a real node, through the real signer."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pnyx_agents.reviewer import Governed
from pnyx_agents.scribe import ChainScribe
from pnyx_contracts.decision_log import read_gate_account, subject, vote_action
from pnyx_contracts.entry import EntryKind
from pnyx_contracts.errors import DiffersError, RefusedError
from pnyx_contracts.types import Vote, to_hex
from pnyx_policies.entitlement import Entitlement
from pnyx_tools.chain import Chain
from pnyx_tools.reader import RpcError
from pnyx_tools.recorder import Case, record, record_note
from pnyx_tools.sender import Errand, GivenUpError
from pnyx_tools.signer import payload
from pnyx_tools.signer.keys import UnsignedTransaction
from pnyx_tools.signer.payload import Desk
from pnyx_tools.signer.protocol import NotYetError, SignBallot, Signed, SignRequest, SignVote
from pnyx_tools.signer.settings import WriterKind
from pnyx_tools.signer.witness import entries_about
from pnyx_tools.testing.deploy import encode_call
from pnyx_tools.voter import is_settled, vote

from .conftest import GWEI, STRANGER, DirectSigner, Parliament


@pytest.mark.parametrize("kind", list(WriterKind))
@pytest.mark.parametrize(("version", "clock"), [(4, "block"), (4, "timestamp"), (5, "block"), (5, "timestamp")])
def test_a_vote_lands_as_decided_with_its_entry_before_it(
    found: Callable[..., Any], kind: WriterKind, version: int, clock: str
) -> None:
    parliament = found(kind=kind, version=version, clock=clock)
    number = parliament.open()
    case = parliament.case(parliament.dossier(number))

    voted = parliament.vote(case)

    assert voted.void is None
    assert voted.cast is not None
    assert voted.cast.vote is Vote.FOR
    assert voted.cast.voter == parliament.settings.writer
    assert voted.cast.reason == case.dossier.decision.reason
    assert voted.entry.kind is EntryKind.VOTE
    assert voted.entry.subject == subject(case.key)
    assert voted.entry.record_root == case.bundle.record_root
    assert voted.entry.action == vote_action(1)
    place = (voted.entry.block_number, voted.entry.log_index)
    assert place < (voted.cast.block_number, voted.cast.log_index)
    same = voted.entry.transaction_hash == voted.cast.transaction_hash
    assert same is kind.votes_at_once
    against, in_favour, _ = parliament.node.rpc.read(
        parliament.governance.adapter.read_tally(parliament.governance.profile, number)
    )
    assert (against, in_favour) == (0, 500_000 * 10**18)


@pytest.fixture
def decided(parliament: Parliament) -> Case:
    return parliament.case(parliament.dossier(parliament.open()))


def own_entries(parliament: Parliament, case: Case) -> list[EntryKind]:
    head = parliament.node.rpc.block().number
    settings = parliament.settings
    return [e.kind for e in entries_about(parliament.node.rpc, settings.log, settings.writer, case.key, 0, head)]


def own_votes(parliament: Parliament, case: Case) -> int:
    topics = [list(parliament.booth.adapter.vote_topics()), bytes(12) + bytes.fromhex(parliament.settings.writer[2:])]
    start, head = case.dossier.proposal.created_block, parliament.node.rpc.block().number
    return len(parliament.node.rpc.logs(start, head, topics, [case.key.governor]))


def test_asked_again_it_finds_what_landed(parliament: Parliament, decided: Case) -> None:
    first = parliament.vote(decided)
    parliament.outbox.contents.clear()

    again = parliament.vote(decided)

    assert again == first
    assert own_votes(parliament, decided) == 1


@pytest.mark.parametrize(
    ("step", "call"),
    [
        ("sign", 1),
        ("sign", 2),
        ("save", 2),
        ("save", 3),
        ("save", 5),
        ("send", 1),
        ("send", 2),
        ("receipt", 1),
        ("receipt", 3),
    ],
)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_between_any_two_steps_there_is_one_entry_and_one_vote(
    parliament: Parliament, decided: Case, step: str, call: int, moment: str
) -> None:
    signer, chain = parliament.signer(), parliament.chain
    owner, name = {
        "sign": (signer, "sign"),
        "save": (parliament.outbox, "save"),
        "send": (chain, "send_raw"),
        "receipt": (chain, "receipt"),
    }[step]
    original = getattr(owner, name)
    calls = 0

    def fatal(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        answer = original(*arguments) if calls < call or moment == "after" else None
        if calls == call:
            raise Killed
        return answer

    setattr(owner, name, fatal)
    with contextlib.suppress(Killed):
        parliament.vote(decided, parliament.writer(signer, chain))
    setattr(owner, name, original)

    voted = parliament.vote(decided)

    assert voted.cast is not None
    assert own_entries(parliament, decided) == [EntryKind.VOTE]
    assert own_votes(parliament, decided) == 1


class Killed(BaseException):
    """Stands for `kill -9`."""


def test_a_stuck_vote_is_replaced_and_lands_once(parliament: Parliament, decided: Case) -> None:
    signer = parliament.signer()
    parliament.node.request("evm_setAutomine", False)

    def a_miner_who_likes_replacements() -> None:
        if len([s for s in signer.signed if s.nonce == signer.signed[-1].nonce]) > 1:
            parliament.node.mine()

    parliament.clock.on_sleep = a_miner_who_likes_replacements
    voted = parliament.vote(decided, parliament.writer(signer))

    assert voted.cast is not None
    assert own_entries(parliament, decided) == [EntryKind.VOTE]
    assert own_votes(parliament, decided) == 1
    by_nonce = [s.nonce for s in signer.signed]
    assert len(by_nonce) == 2 * len(set(by_nonce))


def test_a_plain_keys_vote_that_cannot_land_any_more_is_declared_void(plain: Parliament) -> None:
    case = plain.case(plain.dossier(plain.open()))
    signer = plain.signer()
    honest = signer.sign

    def too_late(request: SignRequest) -> Signed:
        if isinstance(request, SignBallot):
            plain.governance.advance_to_closed(case.key.proposal_id)
        return honest(request)

    signer.sign = too_late
    with pytest.raises(RefusedError, match="the proposal is DEFEATED"):
        plain.vote(case, plain.writer(signer))
    assert own_entries(plain, case) == [EntryKind.VOTE]

    voted = plain.vote(case)

    assert voted.cast is None
    assert voted.void is not None
    assert own_entries(plain, case) == [EntryKind.VOTE, EntryKind.VOID]
    assert own_votes(plain, case) == 0
    assert plain.vote(case) == voted


def test_a_stuck_ballot_makes_way_for_its_void_entry(plain: Parliament) -> None:
    """The VOID entry takes the ballot's nonce, so that the ballot can never land after it."""
    case = plain.case(plain.dossier(plain.open()))
    signer, chain = plain.signer(), plain.chain
    writer = plain.writer(signer, chain)
    number = case.key.proposal_id

    def close_without_the_ballot() -> None:
        if isinstance(signer.signed[-1], Signed) and len(signer.signed) == 2:
            ballot = signer.signed[1]
            plain.node.request("anvil_dropTransaction", to_hex(ballot.transaction_hash))
            plain.governance.advance_to_closed(number)
            chain.send_raw(ballot.raw)
        elif len(signer.signed) > 2:
            plain.node.mine()

    plain.clock.on_sleep = plain.node.mine
    entry = record(writer, case, EntryKind.VOTE, vote_action(1), lambda: True)
    plain.node.request("evm_setAutomine", False)
    plain.clock.on_sleep = close_without_the_ballot

    voted = plain.vote(case, writer)

    assert voted.entry == entry
    assert voted.void is not None
    ballot, void = signer.signed[1], signer.signed[-1]
    assert void.nonce == ballot.nonce
    assert plain.chain.receipt(ballot.transaction_hash) is None
    assert own_entries(plain, case) == [EntryKind.VOTE, EntryKind.VOID]


def test_a_vote_through_a_gate_that_closes_in_time_is_given_up(gate: Parliament) -> None:
    case = gate.case(gate.dossier(gate.open()))
    gate.governance.advance_to_closed(case.key.proposal_id)
    with pytest.raises(GivenUpError):
        gate.vote(case)
    assert own_entries(gate, case) == []


# --- the time that is left -------------------------------------------------------------------------------------------


def errand_of(parliament: Parliament, case: Case, chain: Chain | None = None) -> Errand:
    """What the sender is asked for."""
    writer, asked = parliament.writer(chain=chain), list[Errand]()

    def send(errand: Errand) -> dict[str, Any]:
        asked.append(errand)
        raise Killed

    writer.sender.send = send
    with pytest.raises(Killed):
        vote(writer, parliament.booth, case)
    return asked[0]


@pytest.mark.parametrize("kind", [WriterKind.GATE, WriterKind.PLAIN_KEY])
@pytest.mark.parametrize("clock", ["block", "timestamp"])
def test_the_sender_knows_how_long_the_vote_is_open(found: Callable[..., Any], kind: WriterKind, clock: str) -> None:
    """In seconds, by the governor's clock; where that counts blocks, at the pace at which they come."""
    parliament = found(kind=kind, version=5, clock=clock)
    number = parliament.open()
    case = parliament.case(parliament.dossier(number))
    errand = errand_of(parliament, case)
    assert errand.is_urgent
    assert errand.charged_to == str(case.key)
    governance, node = parliament.governance, parliament.node
    deadline = node.rpc.read(governance.adapter.read_deadline(governance.profile, number))
    units = deadline - (node.rpc.block().number if clock == "block" else node.rpc.block().timestamp)

    node.mine(units // 2, interval_seconds=7 if clock == "block" else 1)
    head = node.rpc.block()
    left = deadline - head.number if clock == "block" else deadline - head.timestamp
    pace = 1.0
    if clock == "block":
        earlier = node.rpc.block(max(case.dossier.proposal.created_block, head.number - 100))
        pace = (head.timestamp - earlier.timestamp) / (head.number - earlier.number)

    assert errand.seconds_left() == pytest.approx(left * pace)
    governance.advance_to_closed(number)
    late = errand.seconds_left()
    assert late is not None
    assert late <= 0


def test_where_the_pace_cannot_be_known_the_vote_is_taken_to_close_soon(gate: Parliament) -> None:
    """A node without old blocks stops no vote."""
    case = gate.case(gate.dossier(gate.open()))
    gate.node.mine(3)
    chain = gate.chain
    block = chain.block

    def forgetful(at: Any = "latest") -> Any:
        if isinstance(at, int):
            raise RpcError("the node does not have this block")
        return block(at)

    errand = errand_of(gate, case, chain)
    chain.block = forgetful
    governance, head = gate.governance, gate.node.rpc.block().number
    deadline = gate.node.rpc.read(governance.adapter.read_deadline(governance.profile, case.key.proposal_id))
    assert errand.seconds_left() == deadline - head


# --- a plain key and reorganisations ---------------------------------------------------------------------------------


def ballots(signer: DirectSigner) -> int:
    """Signatures beyond the first, which is the entry's."""
    return max(0, len(signer.signed) - 1)


def test_a_ballot_is_signed_only_when_its_entry_is_as_deep_as_following_asks(plain: Parliament) -> None:
    case = plain.case(plain.dossier(plain.open()))
    signer = plain.signer()
    writer = plain.writer(signer, finality=3)
    for above in range(3):
        with pytest.raises(NotYetError, match=f"has {above} blocks above it and is not settled"):
            vote(writer, plain.booth, case)
        assert ballots(signer) == 0
        plain.node.mine()
    assert vote(writer, plain.booth, case).cast is not None
    assert ballots(signer) == 1


def test_no_setting_signs_a_ballot_in_the_block_of_its_entry(plain: Parliament) -> None:
    case = plain.case(plain.dossier(plain.open()))
    signer = plain.signer()
    writer = plain.writer(signer, finality=0)
    with pytest.raises(NotYetError, match="has 0 blocks above it"):
        vote(writer, plain.booth, case)
    plain.node.mine()
    assert vote(writer, plain.booth, case).cast is not None


def test_where_finality_would_come_too_late_half_of_the_time_is_waited(plain: Parliament) -> None:
    case = plain.case(plain.dossier(plain.open()))
    signer = plain.signer()
    writer = plain.writer(signer, finality=10_000)
    with pytest.raises(NotYetError):
        vote(writer, plain.booth, case)
    governance = plain.governance
    deadline = plain.node.rpc.read(governance.adapter.read_deadline(governance.profile, case.key.proposal_id))
    half = (deadline - plain.node.rpc.block().number) // 2
    plain.node.mine(half - 1)
    with pytest.raises(NotYetError):
        vote(writer, plain.booth, case)
    plain.node.mine(2)
    assert vote(writer, plain.booth, case).cast is not None


def test_an_entry_that_a_reorganisation_made_revert_leaves_no_vote_behind(plain: Parliament) -> None:
    """The block of the entry is replaced: there another entry of the writer takes its number."""
    case = plain.case(plain.dossier(plain.open()))
    other = plain.case(plain.dossier(plain.open(to=STRANGER)))
    signer = plain.signer()
    writer = plain.writer(signer, finality=2)
    plain.node.mine(2)
    before = plain.node.snapshot()
    with pytest.raises(NotYetError):
        vote(writer, plain.booth, case)
    plain.node.revert(before)
    elsewhere = Parliament(
        plain.node, plain.governance, plain.key, plain.secret, plain.settings, plain.folder, plain.clock
    )
    record_note(elsewhere.writer(signer), other, EntryKind.HOLD)
    assert (ballots(signer), own_votes(plain, case)) == (1, 0)

    voted = plain.vote(case, writer)

    assert voted.cast is not None
    assert own_entries(plain, case) == [EntryKind.VOTE]
    place = (voted.entry.block_number, voted.entry.log_index)
    assert place < (voted.cast.block_number, voted.cast.log_index)


def test_a_ballot_that_was_sent_before_a_reorganisation_waits_for_the_entry_again(plain: Parliament) -> None:
    case = plain.case(plain.dossier(plain.open()))
    writer, sent = plain.writer(finality=2), list[bytes]()
    chain = writer.chain
    assert isinstance(chain, Chain)
    send = chain.send_raw
    plain.node.mine(2)
    before = plain.node.snapshot()
    assert plain.vote(case, writer).cast is not None
    plain.node.revert(before)
    chain.send_raw = lambda raw: sent.append(raw) or send(raw)

    with pytest.raises(NotYetError, match="has 0 blocks above it"):
        vote(writer, plain.booth, case)
    assert len(sent) == 1, "the entry alone"

    assert plain.vote(case, writer).cast is not None
    assert own_entries(plain, case) == [EntryKind.VOTE]


@given(above=st.integers(0, 100), left_after=st.integers(0, 10**6), gone=st.integers(0, 10**6), is_final=st.booleans())
def test_settled_means_final_or_half_of_the_time_gone_and_never_the_newest_block(
    above: int, left_after: int, gone: int, is_final: bool
) -> None:
    settled = is_settled(above, left_after, left_after - gone, is_final=is_final)
    assert settled == (above >= 1 and (is_final or gone > left_after / 2))


# --- a stranger is quicker -------------------------------------------------------------------------------------------

SOMEBODY = "0x" + "22" * 20


@dataclass
class Race:
    """A gate with a due change that anybody may activate, and a stranger who does so before each vote."""

    gate: Parliament
    lost: int = 0

    def announce(self) -> None:
        node, writer = self.gate.node, self.gate.settings.writer
        operator = node.rpc.read(read_gate_account(writer, "operator"))
        node.send(writer, encode_call("announceGovernor(address,bool)", SOMEBODY, True), sender=operator)
        node.increase_time(2 * 24 * 60 * 60)

    def stranger_is_quicker(self, votes: int) -> None:
        """From now on blocks come by sleeping; the next `votes` of them begin with the stranger's transaction."""
        node = self.gate.node
        node.request("evm_setAutomine", False)

        def next_block() -> None:
            if self.lost < votes:
                self.lost += 1
                self._overtake()
            node.mine()

        self.gate.clock.on_sleep = next_block

    def _overtake(self) -> None:
        node, stranger = self.gate.node, self.gate.node.accounts[9]
        data = to_hex(encode_call("activateGovernor(address)", SOMEBODY))
        fees = {"maxFeePerGas": hex(200 * GWEI), "maxPriorityFeePerGas": hex(100 * GWEI), "gas": hex(400_000)}
        node.request("eth_sendTransaction", {"from": stranger, "to": self.gate.settings.writer, "data": data, **fees})


def test_a_vote_that_a_stranger_made_revert_is_signed_again_with_the_next_number(gate: Parliament) -> None:
    race = Race(gate)
    race.announce()
    case = gate.case(gate.dossier(gate.open()))
    signer = gate.signer()
    race.stranger_is_quicker(1)

    voted = gate.vote(case, gate.writer(signer))

    assert voted.cast is not None
    first, second = signer.signed
    assert second.nonce == first.nonce + 1
    receipts = [gate.chain.receipt(signed.transaction_hash) for signed in signer.signed]
    assert [receipt and receipt["status"] for receipt in receipts] == ["0x0", "0x1"]
    assert own_entries(gate, case) == [EntryKind.VOTE]
    assert own_votes(gate, case) == 1


def scribe_of(parliament: Parliament, signer: DirectSigner) -> ChainScribe:
    booth = parliament.booth
    governors = {parliament.governance.governor: Governed(booth.adapter, booth.profile)}
    return ChainScribe(parliament.writer(signer), governors, parliament.outbox)


def pause(gate: Parliament, verb: str) -> None:
    """The guardian's word, mined at once."""
    guardian = gate.node.rpc.read(read_gate_account(gate.settings.writer, "guardian"))
    gate.node.send(gate.settings.writer, encode_call(f"{verb}Votes()"), sender=guardian)


def test_an_announced_vote_that_is_refused_at_the_last_moment_still_gets_its_void_entry(plain: Parliament) -> None:
    """No review could say MISSED beside a VOTE entry: it is the same bundle that has to be written to its end."""
    case = plain.case(plain.dossier(plain.open()))
    signer = plain.signer()
    scribe, what = scribe_of(plain, signer), Entitlement(EntryKind.VOTE, Vote.FOR)
    with pytest.raises(NotYetError):
        scribe.write(case.bundle, what)
    plain.node.mine()
    sign = signer.sign

    def too_late(request: SignRequest) -> Signed:
        if isinstance(request, SignBallot):
            plain.governance.advance_to_closed(case.key.proposal_id)
        return sign(request)

    signer.sign = too_late
    with pytest.raises(GivenUpError, match="the proposal is DEFEATED"):
        scribe.write(case.bundle, what)

    assert scribe.write(case.bundle, what).is_void
    assert own_entries(plain, case) == [EntryKind.VOTE, EntryKind.VOID]


def test_a_reverted_vote_is_tried_again_while_it_is_open_and_missed_after_that(gate: Parliament) -> None:
    """A pause overtakes the vote. It is given up for now, for good when the vote closed; then a review says MISSED."""
    case = gate.case(gate.dossier(gate.open()))
    number, signer = case.key.proposal_id, gate.signer()
    scribe, what = scribe_of(gate, signer), Entitlement(EntryKind.VOTE, Vote.FOR)
    sign = signer.sign

    def pause_after_signing(request: SignRequest) -> Signed:
        signed = sign(request)
        pause(gate, "pause")
        return signed

    signer.sign = pause_after_signing
    with pytest.raises(GivenUpError, match="does not land yet"):
        scribe.write(case.bundle, what)
    signer.sign = sign
    reverted = gate.chain.receipt(signer.signed[0].transaction_hash)
    assert reverted is not None
    assert reverted["status"] == "0x0"

    gate.governance.advance_to_closed(number)
    pause(gate, "unpause")
    with pytest.raises(RefusedError, match="the vote closed before the decided vote could land"):
        scribe.write(case.bundle, what)
    missed = gate.case(gate.dossier(number))
    scribe.write(missed.bundle, Entitlement(EntryKind.MISSED))
    assert own_entries(gate, case) == [EntryKind.MISSED]


def test_a_vote_that_reverts_again_and_again_is_not_lost(gate: Parliament) -> None:
    case = gate.case(gate.dossier(gate.open()))
    signer = gate.signer()
    scribe, what = scribe_of(gate, signer), Entitlement(EntryKind.VOTE, Vote.FOR)
    chain = scribe.writer.chain
    assert isinstance(chain, Chain)
    chain.estimate_gas = lambda _sender, _call: 40_000
    with pytest.raises(GivenUpError, match="3 transactions reverted"):
        scribe.write(case.bundle, what)
    assert len(signer.signed) == 3

    landed = scribe_of(gate, signer).write(case.bundle, what)

    assert landed.vote_transaction == to_hex(signer.signed[-1].transaction_hash)
    assert own_votes(gate, case) == 1


def test_a_note_is_written_once_and_read_back(parliament: Parliament) -> None:
    case = parliament.case(parliament.dossier(parliament.open(to=STRANGER)))
    first = record_note(parliament.writer(), case, EntryKind.HOLD)
    parliament.outbox.contents.clear()
    assert record_note(parliament.writer(), case, EntryKind.HOLD) == first
    assert first.action == bytes(32)
    assert own_entries(parliament, case) == [EntryKind.HOLD]


def test_a_missed_proposal_is_written_down(parliament: Parliament) -> None:
    number = parliament.open()
    parliament.governance.advance_to_closed(number)
    case = parliament.case(parliament.dossier(number))
    assert record_note(parliament.writer(), case, EntryKind.MISSED).kind is EntryKind.MISSED


def test_a_vote_that_differs_from_its_decision_is_told_with_both_sides(parliament: Parliament, decided: Case) -> None:
    """The signer was replaced by one that votes as it likes: what landed is compared with what was decided."""
    booth, key = parliament.booth, decided.key
    support = booth.adapter.support_of(booth.profile, Vote.AGAINST)

    class Traitor(DirectSigner):
        def sign(self, request: SignRequest) -> Signed:
            desk = Desk(parliament.settings.writer_kind, parliament.settings.writer, parliament.settings.log)
            match request:
                case SignVote():
                    call = payload.vote_with_entry(
                        desk, request.expected_seq, key, support, decided.roots, "I like it better"
                    )
                case SignBallot():
                    call = payload.ballot(booth.adapter, booth.profile, key, Vote.AGAINST, "I like it better")
                case _:
                    return super().sign(request)
            signed = parliament.key.sign(
                UnsignedTransaction(chain_id=31337, to=call.to, data=call.data, **request.ticket.model_dump())
            )
            return Signed(
                raw=signed.raw,
                transaction_hash=signed.hash,
                nonce=request.ticket.nonce,
                max_fee_per_gas=request.ticket.max_fee_per_gas,
                max_priority_fee_per_gas=request.ticket.max_priority_fee_per_gas,
            )

    traitor = Traitor(parliament.signer().notary)
    expected = (
        r"action is 0x0+, it should be 0x0+1|its vote is <Vote.AGAINST: 'against'>, it should be <Vote.FOR: 'for'>"
    )
    for _ in range(2):
        with pytest.raises(DiffersError, match=expected):
            parliament.vote(decided, parliament.writer(traitor))
