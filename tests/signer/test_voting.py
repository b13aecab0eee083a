"""From a sealed decision to a vote that was read back, on a real node, through the real signer."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest

from pnyx_contracts.decision_log import subject, vote_action
from pnyx_contracts.entry import EntryKind
from pnyx_contracts.errors import DiffersError, RefusedError
from pnyx_contracts.types import Vote, to_hex
from pnyx_tools.chain import Chain
from pnyx_tools.reader import RpcError
from pnyx_tools.recorder import Case, record, record_note
from pnyx_tools.rpc import Rpc
from pnyx_tools.sender import Errand, GivenUpError
from pnyx_tools.signer import payload
from pnyx_tools.signer.keys import UnsignedTransaction
from pnyx_tools.signer.memory import Memory
from pnyx_tools.signer.notary import Notary
from pnyx_tools.signer.payload import Desk
from pnyx_tools.signer.protocol import DailyLimitError, SignBallot, Signed, SignRequest, SignVote
from pnyx_tools.signer.settings import WriterKind
from pnyx_tools.testing.provider import Provider
from pnyx_tools.voter import vote

from .landed import own_entries, own_votes
from .moments import Killed
from .parliament import STRANGER, DirectSigner, Parliament


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


def test_asked_again_it_finds_what_landed(parliament: Parliament, decided: Case) -> None:
    first = parliament.vote(decided)
    parliament.outbox.contents.clear()

    again = parliament.vote(decided)

    assert again == first
    assert own_votes(parliament, decided) == 1


def test_an_entry_whose_transaction_is_gone_in_that_moment_is_looked_at_again(
    gate: Parliament, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reorganisation came between two questions."""
    case = gate.case(gate.dossier(gate.open()))
    gate.vote(case)
    chain = gate.chain
    monkeypatch.setattr(chain, "receipt", lambda _transaction_hash: None)
    with pytest.raises(RpcError, match="but not its transaction"):
        vote(gate.writer(chain=chain), gate.booth, case)
    assert gate.vote(case).cast is not None


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


@pytest.mark.parametrize("cap", ["vote_wei", "daily_wei", "balance"])
def test_a_plain_key_announces_no_vote_that_it_cannot_pay_for(plain: Parliament, cap: str) -> None:
    """Money for the entry alone is not enough."""
    case = plain.case(plain.dossier(plain.open()))
    call = payload.ballot(
        plain.booth.adapter, plain.booth.profile, case.key, Vote.FOR, case.dossier.decision.reason
    )  # fmt: skip
    market = plain.chain.fee_market()
    ballot = plain.chain.estimate_gas(plain.key.address, call)
    enough_for_one = 3 * ballot * (market.base_fee + market.tips[0]) // 2
    if cap == "balance":
        plain.node.set_balance(plain.key.address, enough_for_one)
    with pytest.raises(GivenUpError if cap != "daily_wei" else DailyLimitError):
        vote(plain.writer(**({} if cap == "balance" else {cap: enough_for_one})), plain.booth, case)
    assert own_entries(plain, case) == []

    plain.node.set_balance(plain.key.address, 10**18)
    assert plain.vote(case).cast is not None


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


def test_a_judgement_waits_for_the_node_only_a_few_times(gate: Parliament) -> None:
    """Alone, these are some fifty questions, one after another."""
    memory = Memory(gate.settings.memory)
    with Provider(gate.node.url) as provider:
        notary = Notary(gate.settings, gate.key, Rpc(provider.url), memory, gate.clock.now)
        notary.check_place()
        request = gate.ask_vote(gate.dossier(gate.open()))
        before = provider.requests
        assert isinstance(notary.answer(request), Signed)
        assert provider.requests - before <= 40, "seven of them while other proposals are live"
    memory.close()
