"""A daemon that was taken over forges what people said."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from eth_account import Account

from pnyx_contracts.entry import EntryKind
from pnyx_contracts.types import Vote
from pnyx_policies.approval import answer_in
from pnyx_policies.decision import Mode
from pnyx_policies.dossier import Expired
from pnyx_tools.signer.settings import WriterKind

from .doctoring import WORD, changed, declare, refuses
from .parliament import STRANGER, Parliament, approve, heard, signed


def test_in_propose_mode_a_vote_needs_an_approval(found: Callable[..., Parliament]) -> None:
    parliament = found(kind=WriterKind.GATE, mode=Mode.PROPOSE)
    number = parliament.open()
    honest = parliament.dossier(number)
    refuses(parliament, parliament.ask_vote(honest), "entitles to a HOLD entry")
    for wrong, reason in (
        (approve(decision_digest=WORD), "for another decision"),
        (approve(verdict="reject"), "entitles to a HOLD entry"),
        (approve(expires_at=1_700_000_000), "expired at 1700000000"),
        (approve(vote=Vote.AGAINST), "nobody signed for 'against' instead"),
    ):
        refuses(parliament, parliament.ask_vote(parliament.dossier(number, words=[wrong])), reason)
    assert parliament.signer().sign(parliament.ask_vote(parliament.dossier(number, words=[approve()]))).raw


def test_a_hold_is_lifted_only_by_the_signature_of_an_approver(found: Callable[..., Parliament]) -> None:
    parliament = found(kind=WriterKind.GATE)
    ada, mallory = Account.create(), Account.create()
    declare(parliament, approvers=(ada.address,))
    number = parliament.open(to=STRANGER)
    for unsigned, reason in (
        (approve(vote=Vote.FOR), "is not signed"),
        (approve(vote=Vote.FOR, signature="0x1234"), "signed by nobody"),
        (signed(mallory, vote=Vote.FOR), f"signed by {mallory.address}"),
        (signed(ada, vote=Vote.FOR, person="Vitalik"), "speaks for 'Vitalik'"),
        (signed(ada, vote=Vote.FOR, comment="She never said that."), "another word"),
        (signed(ada, vote=Vote.FOR, expires_at=1_700_000_000), "expired at"),
    ):
        refuses(parliament, parliament.ask_vote(parliament.dossier(number, words=[unsigned])), reason)
    word = signed(ada, vote=Vote.FOR)
    assert parliament.signer().sign(parliament.ask_vote(parliament.dossier(number, words=[word]))).raw


@pytest.mark.parametrize("part", [{"verdict": "approve"}, {"verdict": "approve", "vote": "for"}])
def test_a_signed_rejection_is_no_approval(found: Callable[..., Parliament], part: dict[str, str]) -> None:
    """The daemon flips the verdict; with a digest of its own making the signature is nobody's."""
    parliament = found(kind=WriterKind.GATE, mode=Mode.PROPOSE)
    ada = Account.create()
    declare(parliament, approvers=(ada.address,))
    number = parliament.open()
    honest = parliament.dossier(number)
    flipped = signed(ada, verdict="reject")(honest).model_copy(update=part)
    refuses(parliament, parliament.ask_vote(changed(honest, "people", heard(flipped))), "another word")
    rebound = flipped.model_copy(update={"decision_digest": answer_in(honest, flipped).digest})
    refuses(parliament, parliament.ask_vote(changed(honest, "people", heard(rebound))), "signed by 0x")


def test_a_word_for_one_vote_or_proposal_is_none_for_another(found: Callable[..., Parliament]) -> None:
    parliament = found(kind=WriterKind.GATE, mode=Mode.PROPOSE)
    ada = Account.create()
    declare(parliament, approvers=(ada.address,))
    honest, other = (parliament.dossier(parliament.open()) for _ in range(2))
    word = signed(ada)(honest)
    against = word.model_copy(update={"vote": "against"})
    refuses(parliament, parliament.ask_vote(changed(honest, "people", heard(against))), "another word")
    refuses(parliament, parliament.ask_vote(changed(other, "people", heard(word))), "another decision")
    longer = word.model_copy(update={"expires_at": word.expires_at + 1})
    refuses(parliament, parliament.ask_vote(changed(honest, "people", heard(longer))), "another word")
    assert parliament.signer().sign(parliament.ask_vote(changed(honest, "people", heard(word)))).raw


def test_nobody_turns_the_rules_own_vote_into_another(gate: Parliament) -> None:
    """In autonomous mode, not even an approver: people can only stop it."""
    ada = Account.create()
    declare(gate, approvers=(ada.address,))
    number = gate.open()
    for word in (signed(ada, vote=Vote.AGAINST), signed(ada)):
        refuses(gate, gate.ask_vote(gate.dossier(number, words=[word])), "people can stop it, not change it")
    rejected = gate.dossier(number, words=[signed(ada, verdict="reject")])
    refuses(gate, gate.ask_vote(rejected), "entitles to a HOLD entry")
    invented = gate.dossier(number, words=[approve(verdict="reject")])
    refuses(gate, gate.ask_entry(invented, EntryKind.HOLD), "the reject is not signed")
    assert gate.signer().sign(gate.ask_entry(rejected, EntryKind.HOLD)).raw


def test_without_approvers_a_hold_stays_unless_the_operator_chose_the_unsafe_way(gate: Parliament) -> None:
    number = gate.open(to=STRANGER)
    request = gate.ask_vote(gate.dossier(number, words=[approve(vote=Vote.FOR)]))
    refuses(gate, request, "nobody signed for 'for' instead")
    declare(gate, unsafe_unsigned_approvals=True)
    refuses(gate, request, "the configuration")
    assert gate.signer().sign(gate.ask_vote(gate.dossier(number, words=[approve(vote=Vote.FOR)]))).raw


def test_two_people_are_two_people(found: Callable[..., Parliament]) -> None:
    """The daemon has one approval, and makes the most of it."""
    parliament = found(kind=WriterKind.GATE, mode=Mode.PROPOSE)
    ada, bob, mallory = (Account.create() for _ in range(3))
    declare(parliament, approvers=(ada.address, bob.address), approvals=2)
    number, other = parliament.open(), parliament.open()
    honest = parliament.dossier(number)
    elsewhere = signed(bob)(parliament.dossier(other))
    for words, reason in (
        ([signed(ada)], "1 of 2 approvals"),
        ([signed(ada), signed(ada, expires_at=1_900_000_001)], f"{ada.address} is heard twice"),
        ([signed(ada), signed(mallory)], f"signed by {mallory.address}, which is not declared"),
        ([signed(ada), approve(bob.address)], "is not signed"),
        ([signed(ada), lambda _: elsewhere], "for another decision"),
        ([signed(ada), signed(bob, vote=Vote.AGAINST)], "different votes"),
        ([signed(ada), signed(bob, expires_at=1_700_000_000)], "expired at 1700000000"),
        ([signed(ada), signed(bob, verdict="reject")], "entitles to a HOLD entry"),
    ):
        refuses(parliament, parliament.ask_vote(parliament.dossier(number, words=words)), reason)
    ended = Expired(now=1, deadline=2)
    late = parliament.dossier(number, words=[signed(ada), signed(bob)], expired=ended)
    refuses(parliament, parliament.ask_entry(late, EntryKind.HOLD), "did not end without them: 2 of 2 approvals")
    expired = parliament.dossier(number, words=[signed(ada)], expired=ended)
    refuses(parliament, parliament.ask_vote(expired), "entitles to a HOLD entry")
    assert parliament.signer().sign(parliament.ask_entry(expired, EntryKind.HOLD)).raw
    both = changed(honest, "people", heard(signed(ada)(honest), signed(bob)(honest)))
    assert parliament.signer().sign(parliament.ask_vote(both)).raw
