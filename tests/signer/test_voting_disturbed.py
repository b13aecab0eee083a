"""A vote while the chain is reorganised, and while strangers and guardians are quicker."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pnyx_contracts.decision_log import read_gate_account
from pnyx_contracts.entry import EntryKind
from pnyx_contracts.errors import RefusedError
from pnyx_contracts.types import Vote, to_hex
from pnyx_policies.entitlement import Entitlement
from pnyx_tools.chain import Chain
from pnyx_tools.recorder import record_note
from pnyx_tools.sender import GivenUpError
from pnyx_tools.signer.protocol import NotYetError, SignBallot, Signed, SignRequest
from pnyx_tools.testing.deploy import encode_call
from pnyx_tools.voter import is_settled, vote

from .landed import own_entries, own_votes, scribe_of
from .parliament import GWEI, STRANGER, DirectSigner, Parliament

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
    with pytest.raises(RefusedError, match="the proposal is defeated: the decided vote could not land"):
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
