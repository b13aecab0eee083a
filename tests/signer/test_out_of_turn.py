"""A daemon that was taken over asks at the wrong place, at the wrong time, twice, or before its turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from eth_account import Account

from pnyx_contracts.decision_log import (
    encode_activate,
    encode_announce,
    encode_record,
    read_operator,
    subject,
    vote_action,
)
from pnyx_contracts.entry import Declaration, EntryKind
from pnyx_contracts.errors import DiffersError, PnyxError, RefusedError
from pnyx_contracts.types import ProposalState
from pnyx_policies.decision import Outcome
from pnyx_tools.reader import WrongChainError
from pnyx_tools.signer.protocol import NotYetError
from pnyx_tools.signer.settings import WriterKind
from pnyx_tools.testing.deploy import deploy_governance, deploy_log

from .doctoring import GENEROUS, WORD, changed, judged_again, refuses
from .parliament import FRIEND, GWEI, RULES, STRANGER, Parliament, sealed, text

# --- place and time --------------------------------------------------------------------------------------------------


def test_a_governor_that_is_not_on_the_list_is_refused(gate: Parliament) -> None:
    """Another governor of the same chain, with an honest review of its proposal."""
    own = gate.governance
    gate.governance = deploy_governance(gate.node, powers={gate.settings.writer: 100_000})
    elsewhere = gate.dossier(gate.open())
    assert elsewhere.proposal.key.governor != own.governor
    refuses(gate, gate.ask_vote(elsewhere), "is not on this signer's list")
    refuses(gate, gate.ask_entry(elsewhere, EntryKind.SKIP), "is not on this signer's list")


def test_a_signer_does_not_start_where_it_does_not_belong(gate: Parliament) -> None:
    for wrong, reason in (
        ({"chain_id": 1}, "serves chain 31337, expected is chain 1"),
        ({"log": deploy_log(gate.node)}, "the gate's log"),
    ):
        with pytest.raises((DiffersError, WrongChainError), match=reason):
            gate.signer(gate.settings.model_copy(update=wrong))
    with pytest.raises(PnyxError, match="the signer's ruleset has the hash"):
        gate.signer(gate.settings.model_copy(update={"ruleset": GENEROUS}))


def test_a_signer_with_another_key_does_not_start(parliament: Parliament) -> None:
    from pnyx_tools.signer.keys import LocalKey

    parliament.key = LocalKey(bytes(Account.create().key))
    with pytest.raises(DiffersError, match=r"the gate's signer|the writer, which is the key's address"):
        parliament.signer()


def test_a_vote_before_or_after_its_time_is_refused(parliament: Parliament) -> None:
    early = parliament.governance.propose(
        [FRIEND], [2 * 10**15], [b""], f"# Pay a friend\n\nPay 0.002 ETH to {FRIEND}."
    )
    refuses(parliament, parliament.ask_vote(parliament.dossier(early)), "voting has not started yet")
    number = parliament.open()
    honest = parliament.dossier(number)
    parliament.node.mine(47)
    refuses(parliament, parliament.ask_vote(honest), "the rules give 'skip'")
    parliament.governance.advance_to_closed(number)
    refuses(parliament, parliament.ask_vote(honest), "the proposal is DEFEATED")


def test_a_vote_in_nobodys_name_is_refused(parliament: Parliament) -> None:
    """Without a voter the rules are asked for their opinion only, past the limits on power and time."""
    honest = parliament.dossier(parliament.open())
    preview = honest.model_copy(update={"state": honest.state.model_copy(update={"voter": None})})
    refuses(parliament, parliament.ask_vote(preview), "the voter in the bundle differs: it says None")


@pytest.mark.parametrize("nonce", [-1, 1, 5])
def test_only_the_next_nonce_is_signed(parliament: Parliament, nonce: int) -> None:
    honest = parliament.dossier(parliament.open())
    now = parliament.node.rpc.nonce(parliament.key.address)
    if now + nonce < 0:
        parliament.node.send(FRIEND, sender=parliament.key.address)
        now += 1
    request = parliament.ask_vote(honest, ticket=parliament.ticket(nonce=now + nonce))
    refuses(parliament, request, "the key's next nonce on chain", NotYetError)


@pytest.mark.parametrize("ahead", [2, 9])
def test_only_the_next_number_is_signed(parliament: Parliament, ahead: int) -> None:
    honest = parliament.dossier(parliament.open())
    request = parliament.ask_vote(honest, expected_seq=parliament.state().seq + ahead)
    refuses(parliament, request, "the log's next number", NotYetError)


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"gas_limit": 500_001}, "the gas limit"),
        ({"max_fee_per_gas": 401 * GWEI}, "the maximum fee"),
        ({"max_priority_fee_per_gas": 21 * GWEI}, "the priority fee"),
    ],
)
def test_absurd_fees_are_refused(parliament: Parliament, parts: dict[str, int], reason: str) -> None:
    request = parliament.ask_vote(parliament.dossier(parliament.open()), ticket=parliament.ticket(**parts))
    refuses(parliament, request, reason)


def test_a_wave_of_proposals_does_not_drain_the_key(gate: Parliament) -> None:
    """Entries end at half of the daily cap; the vote that matters still has its money."""
    cost = 300_000 * 20 * GWEI
    limits = gate.settings.limits.model_copy(update={"daily_wei": 4 * cost})
    gate.settings = gate.settings.model_copy(update={"limits": limits})
    for _ in range(2):
        held = gate.dossier(gate.open(to=STRANGER))
        signed = gate.signer().sign(gate.ask_entry(held, EntryKind.HOLD))
        gate.land(signed)
    spam = gate.dossier(gate.open(to=STRANGER))
    refuses(
        gate,
        gate.ask_entry(spam, EntryKind.HOLD),
        r"entries without a vote \(half of max_spend_\w+\) would be",
    )
    for _ in range(2):
        signed = gate.signer().sign(gate.ask_vote(gate.dossier(gate.open())))
        gate.land(signed)
    refuses(
        gate,
        gate.ask_vote(gate.dossier(gate.open())),
        r"worst cost of 24 hours \(max_spend_per_day_ether\) would be",
    )


@pytest.mark.parametrize("votes", [1, 2])
def test_entry_and_vote_of_a_plain_key_have_one_cap(plain: Parliament, votes: int) -> None:
    """Also over the signer's restarts. Another proposal's vote has a cap of its own."""
    cost = 300_000 * 20 * GWEI
    limits = plain.settings.limits.model_copy(update={"max_spend_wei": votes * cost})
    plain.settings = plain.settings.model_copy(update={"limits": limits})
    dossier = plain.dossier(plain.open())
    entry = plain.signer().sign(plain.ask_vote(dossier))
    plain.land(entry)
    ballot = plain.ask_ballot(dossier, entry.transaction_hash)
    if votes == 1:
        refuses(plain, ballot, rf"max_spend_per_vote_ether\) would be {2 * cost} wei; this signer's limit is {cost}")
    else:
        assert plain.land(plain.signer().sign(ballot))["status"] == "0x1"
    assert plain.signer().sign(plain.ask_vote(plain.dossier(plain.open()))).raw


# --- twice, and by other names ---------------------------------------------------------------------------------------


def test_the_same_vote_is_signed_again_with_other_fees_but_never_another_vote(parliament: Parliament) -> None:
    number = parliament.open()
    honest = parliament.dossier(number)
    first = parliament.signer().sign(parliament.ask_vote(honest))
    dearer = parliament.ticket(max_fee_per_gas=40 * GWEI)
    second = parliament.signer().sign(parliament.ask_vote(honest, ticket=dearer))
    assert second.nonce == first.nonce
    assert second.raw != first.raw

    other = changed(honest, "software.pnyx", "0.1.1")
    refuses(parliament, parliament.ask_vote(other), "another vote was signed for this proposal")
    parliament.node.send(FRIEND, sender=parliament.key.address)
    refuses(parliament, parliament.ask_vote(other), "another vote was signed for this proposal")
    assert parliament.signer().sign(parliament.ask_vote(honest)).nonce == first.nonce + 1


def test_after_the_vote_nothing_contradicts_it(parliament: Parliament) -> None:
    honest = parliament.dossier(parliament.open())
    parliament.vote(parliament.case(honest))
    refuses(
        parliament, parliament.ask_vote(honest), "has voted|VOTE entry is on chain already|reverts|on chain already"
    )
    again = parliament.dossier(honest.proposal.key.proposal_id)
    assert again.decision.outcome is Outcome.SKIP
    refuses(parliament, parliament.ask_entry(again, EntryKind.SKIP), "SKIP would contradict it")
    refuses(parliament, parliament.ask_entry(honest, EntryKind.VOID), "nothing to void|cannot be voided")
    assert parliament.signer().sign(parliament.ask_entry(again, EntryKind.CORRECTION)).raw


def test_a_vote_entry_is_not_smuggled_through_a_gates_note(gate: Parliament) -> None:
    honest = gate.dossier(gate.open())
    refuses(gate, gate.ask_entry(honest, EntryKind.VOTE), "this writer makes no VOTE entry without its vote")
    refuses(gate, gate.ask_entry(honest, EntryKind.VOID), "there is nothing to void")
    refuses(gate, gate.ask_ballot(honest, WORD), "this writer votes only together with its entry")


def test_an_entry_that_is_there_is_not_written_twice(parliament: Parliament) -> None:
    held = parliament.dossier(parliament.open(to=STRANGER))
    parliament.land(parliament.signer().sign(parliament.ask_entry(held, EntryKind.HOLD)))
    refuses(parliament, parliament.ask_entry(held, EntryKind.HOLD), "this HOLD entry is on chain already")


# --- the plain key's two steps ---------------------------------------------------------------------------------------


def test_a_ballot_without_its_landed_entry_is_refused(plain: Parliament) -> None:
    honest = plain.dossier(plain.open())
    plain.node.request("evm_setAutomine", False)
    entry = plain.signer().sign(plain.ask_vote(honest))
    plain.chain.send_raw(entry.raw)
    refuses(plain, plain.ask_ballot(honest, entry.transaction_hash), "holds no VOTE entry", NotYetError)
    future = plain.ticket(nonce=entry.nonce + 1)
    refuses(plain, plain.ask_ballot(honest, entry.transaction_hash, ticket=future), "next nonce", NotYetError)
    plain.node.mine()
    plain.node.request("evm_setAutomine", True)
    refuses(plain, plain.ask_ballot(honest, WORD), "holds no VOTE entry", NotYetError)
    other = changed(honest, "software.pnyx", "0.1.1")
    refuses(plain, plain.ask_ballot(other, entry.transaction_hash), "another vote was signed")
    assert plain.signer().sign(plain.ask_ballot(honest, entry.transaction_hash)).raw


def test_a_ballot_whose_entry_reverted_is_refused(plain: Parliament) -> None:
    honest = plain.dossier(plain.open())
    entry = plain.signer().sign(plain.ask_vote(honest, ticket=plain.ticket(gas_limit=30_000)))
    assert plain.land(entry)["status"] == "0x0"
    refuses(plain, plain.ask_ballot(honest, entry.transaction_hash), "holds no VOTE entry", NotYetError)


def test_a_forgetful_signer_still_sees_what_is_on_chain(plain: Parliament) -> None:
    """Its memory was lost; the entry on chain binds it all the same."""
    number = plain.open()
    honest = plain.dossier(number)
    entry = plain.signer().sign(plain.ask_vote(honest))
    plain.land(entry)
    plain.close()
    plain.settings.memory.unlink()
    other = changed(honest, "software.pnyx", "0.1.1")
    refuses(plain, plain.ask_vote(other), "another VOTE entry about this proposal is on chain already")
    refuses(plain, plain.ask_ballot(other, entry.transaction_hash), "the entry's record root")


@pytest.mark.parametrize(
    ("part", "reason"), [({"action": vote_action(0)}, "the entry's action"), ({"prompt_hash": WORD}, "prompt hash")]
)
def test_a_ballot_whose_entry_says_something_else_is_refused(plain: Parliament, part: Any, reason: str) -> None:
    """An entry that the key wrote elsewhere: the right record, but not the whole truth about the vote."""
    honest = plain.dossier(plain.open())
    bundle = sealed(honest)
    words = {"prompt_hash": bundle.prompt_hash, "record_root": bundle.record_root, "action": vote_action(1), **part}
    data = encode_record(plain.state().seq + 1, EntryKind.VOTE, subject(honest.proposal.key), **words)
    receipt = plain.node.send(plain.settings.log, data, sender=plain.key.address)
    refuses(plain, plain.ask_ballot(honest, bytes.fromhex(receipt["transactionHash"][2:])), reason)


def test_the_signers_own_checks_are_the_least_that_must_run(gate: Parliament) -> None:
    """Also when the declared configuration leaves one out."""
    fewer = dict(list(gate.settings.configuration.checks.items())[1:])
    configuration = gate.settings.configuration.model_copy(update={"checks": fewer})
    gate.settings = gate.settings.model_copy(update={"configuration": configuration})
    honest = gate.dossier(gate.open())
    lazy = changed(honest, "checks", lambda old: tuple(r for r in old if r.check in fewer))
    refuses(gate, gate.ask_vote(lazy), "the bundle has no report of these checks")


def test_only_an_announced_vote_that_was_not_cast_is_void(plain: Parliament) -> None:
    honest = plain.dossier(plain.open())
    refuses(plain, plain.ask_entry(honest, EntryKind.VOID), "no VOTE entry with this record root is on chain")
    voted = plain.vote(plain.case(honest))
    refuses(plain, plain.ask_entry(honest, EntryKind.VOID), "the vote was cast")
    refuses(plain, plain.ask_ballot(honest, voted.entry.transaction_hash), "the writer has voted on this proposal")


def test_a_vote_that_can_still_be_cast_is_not_void(plain: Parliament) -> None:
    honest = plain.dossier(plain.open())
    plain.land(plain.signer().sign(plain.ask_vote(honest)))
    refuses(plain, plain.ask_entry(honest, EntryKind.VOID), "the proposal is ACTIVE: the announced vote can still be")
    plain.governance.advance_to_closed(honest.proposal.key.proposal_id)
    assert plain.signer().sign(plain.ask_entry(honest, EntryKind.VOID)).raw


def test_a_void_vote_is_not_cast_any_more(plain: Parliament) -> None:
    """Also when a reorganisation opens the proposal again."""
    honest = plain.dossier(plain.open())
    entry = plain.signer().sign(plain.ask_vote(honest))
    plain.land(entry)
    still_open = plain.node.snapshot()
    plain.governance.advance_to_closed(honest.proposal.key.proposal_id)
    void = plain.signer().sign(plain.ask_entry(honest, EntryKind.VOID))
    plain.node.revert(still_open)
    refuses(plain, plain.ask_ballot(honest, entry.transaction_hash), "given up by a VOID entry")
    plain.land(void)
    plain.close()
    plain.settings.memory.unlink()
    refuses(
        plain, plain.ask_ballot(honest, entry.transaction_hash), "a VOID entry says that this vote will not be cast"
    )


def test_a_plain_key_does_not_vote_in_one_step(plain: Parliament) -> None:
    from pnyx_tools.signer.protocol import SignVote

    honest = plain.dossier(plain.open())
    request = SignVote(bundle=text(honest), expected_seq=plain.state().seq + 1, ticket=plain.ticket())
    refuses(plain, request, "a plain key cannot vote and write in one transaction")


def test_a_vote_is_not_silenced_by_facts_that_say_it_is_impossible(parliament: Parliament) -> None:
    honest = parliament.dossier(parliament.open())
    powerless = judged_again(changed(honest, "state.voter.voting_power", 0))
    assert powerless.decision.outcome is Outcome.SKIP
    refuses(parliament, parliament.ask_entry(powerless, EntryKind.SKIP), "from what the signer sees now")
    late = changed(changed(honest, "state.governor.state", ProposalState.DEFEATED), "state.governor.now", 10**9)
    closed = judged_again(late)
    refuses(parliament, parliament.ask_entry(closed, EntryKind.MISSED), "from what the signer sees now")


def test_what_is_skipped_is_not_called_missed(parliament: Parliament) -> None:
    """Both come from the same outcome. Only one of them says that the vote is over."""
    honest = parliament.dossier(parliament.open())
    parliament.node.mine(honest.state.governor.deadline - honest.state.governor.now - 2)
    late = parliament.dossier(honest.proposal.key.proposal_id)
    closed = changed(changed(late, "state.governor.state", ProposalState.DEFEATED), "state.governor.now", 10**9)
    missed = judged_again(closed)
    assert [late.decision.outcome, missed.decision.outcome] == [Outcome.SKIP, Outcome.SKIP]
    refuses(parliament, parliament.ask_entry(missed, EntryKind.MISSED), "a SKIP entry is due, not MISSED")
    assert parliament.signer().sign(parliament.ask_entry(late, EntryKind.SKIP)).raw


@pytest.mark.parametrize("kind", list(WriterKind))
def test_nothing_is_written_under_a_configuration_that_is_not_in_force_any_more(
    found: Callable[..., Parliament], kind: WriterKind
) -> None:
    """Anybody can activate what was announced, at the moment that suits them. Members would call the entry a fault."""
    parliament = found(kind=kind, ruleset=f"{RULES}\n")
    settings, node = parliament.settings, parliament.node
    honest = parliament.dossier(parliament.open(), ruleset=settings.ruleset)
    signer = parliament.signer()
    announced = Declaration(config_hash=WORD, governors=settings.configuration.governors, evidence_uri="")
    operator, notice_seconds = node.rpc.read(read_operator(settings.log, settings.writer))
    announce = encode_announce(settings.writer, parliament.state().seq + 1, announced)
    node.send(settings.log, announce, sender=operator)
    node.increase_time(notice_seconds)
    signed_before = signer.sign(parliament.ask_vote(honest))
    activate = encode_activate(settings.writer, parliament.state().seq + 1)
    node.send(settings.log, activate, sender=node.accounts[-1])

    assert parliament.land(signed_before)["status"] == "0x0"
    with pytest.raises(RefusedError, match="another configuration came into force since this signer started"):
        signer.sign(parliament.ask_vote(honest))
    with pytest.raises(RefusedError, match="another configuration came into force"):
        signer.sign(parliament.ask_entry(honest, EntryKind.HOLD))


def test_a_skip_that_is_true_is_signed(parliament: Parliament) -> None:
    number = parliament.open()
    parliament.governance.advance_to_closed(number)
    missed = parliament.dossier(number)
    assert parliament.signer().sign(parliament.ask_entry(missed, EntryKind.MISSED)).raw
