"""Decisions, rules, configurations and people's words that are not what they should be."""

from __future__ import annotations

import pytest
from eth_account import Account

from pnyx_contracts.decision_log import encode_activate, encode_announce, vote_action
from pnyx_contracts.entry import EntryKind
from pnyx_contracts.types import Vote, to_hex
from pnyx_policies.approval import answer_in, answered
from pnyx_policies.decision import Mode, Outcome
from pnyx_policies.dossier import Expired
from pnyx_policies.entitlement import Entitlement
from pnyx_policies.facts import Grade
from pnyx_policies.verify import Status, Step
from pnyx_tools.testing.deploy import DAY


def test_a_ruleset_that_would_have_decided_otherwise(world, agent, proposal):
    _, changed = world.write_changed(agent, proposal, decision__outcome=Outcome.AGAINST)
    assert changed.dossier.decision.outcome is Outcome.AGAINST
    problem = world.only_problem(world.check())
    assert (problem.step, problem.where) == (Step.DECISION, "decision.outcome")
    assert (problem.expected, problem.seen) == ("for", "against")


def test_rules_that_did_something_else(world, agent, proposal):
    honest = agent.review(world.blocks, proposal)
    rules = tuple(rule.model_copy(update={"matched": not rule.matched}) for rule in honest.dossier.rules)
    agent.write(world.blocks, agent.seal(world.with_parts(honest.dossier, rules=rules)))
    assert world.check_fails() == {(Step.DECISION, "rules")}


def test_a_ruleset_that_was_not_declared(world, agent, proposal):
    """The record is consistent: another ruleset, and what it decides. But it is not the configured one."""
    honest = agent.review(world.blocks, proposal)
    other = world.agent(ruleset=world.OTHER_RULESET)
    silent = other.conclude(
        honest.dossier.facts, type("Said", (), {"opinions": honest.dossier.opinions, "attempts": ()})
    )
    dossier = world.with_parts(silent, header__config_hash=honest.dossier.header.config_hash)
    agent.write(world.blocks, agent.seal(dossier))
    assert world.check_fails() == {
        (Step.DECLARED_CONFIGURATION, "ruleset"),
        (Step.DECLARED_CONFIGURATION, "decision.ruleset_hash"),
    }


def test_a_silent_change_of_configuration(world, agent, proposal):
    agent.act(world.blocks, proposal)
    silent = world.agent(ruleset=world.OTHER_RULESET)  # same key, nothing announced
    world.store.put_configuration(silent.configuration)
    silent.act(world.blocks, world.open_proposal())
    report = world.check()
    (header,) = [v for v in report.problems if v.step is Step.HEADER]
    assert header.where == "header.config_hash"
    assert header.about.seq == 2
    assert "silent change" in header.reason
    assert {v.about.seq for v in report.problems} == {2}


@pytest.mark.parametrize("how", ["changed", "removed"])
def test_the_document_of_the_configuration(world, agent, proposal, how):
    agent.act(world.blocks, proposal)
    file = world.bundle_file(agent.configuration.hash)
    file.unlink() if how == "removed" else file.write_bytes(file.read_bytes().replace(b"autonomous", b"propose"))
    problem = world.only_problem(world.check())
    assert problem.step is Step.DECLARED_CONFIGURATION
    assert problem.status is (Status.MISSING if how == "removed" else Status.DIFFERS)


def test_other_governors_under_the_same_document(world, agent):
    """The document was read for the first declaration. The second names a governor less, the document does not."""
    agent.act(world.blocks, world.open_proposal())
    fewer = agent.declaration.model_copy(update={"governors": (world.blocks.governor,)})
    agent._send(world.log, encode_announce(agent.writer, agent.next_seq(), fewer))
    world.node.increase_time(DAY)
    agent._send(world.log, encode_activate(agent.writer, agent.next_seq()))
    agent.act(world.blocks, world.open_proposal())
    problem = world.only_problem(world.check())
    assert (problem.step, problem.where) == (Step.DECLARED_CONFIGURATION, "governors")


def test_an_entry_that_its_record_does_not_entitle_to(world, agent, proposal):
    sealed = agent.review(world.blocks, proposal)
    agent.enter(sealed.dossier.proposal.key, EntryKind.SKIP, sealed.bundle.record_root, sealed.bundle.prompt_hash)
    problem = world.only_problem(world.check())
    assert (problem.step, problem.where, problem.expected, problem.seen) == (Step.ENTRY, "kind", "VOTE", "SKIP")


def test_an_entry_and_a_vote_that_agree_against_the_record(world, agent, proposal):
    sealed = agent.review(world.blocks, proposal)
    key = sealed.dossier.proposal.key
    agent.enter(key, EntryKind.VOTE, sealed.bundle.record_root, sealed.bundle.prompt_hash, vote_action(0))
    agent.cast(world.blocks, key, Vote.AGAINST)
    problem = world.only_problem(world.check())
    assert (problem.step, problem.where) == (Step.ENTRY, "action")


@pytest.mark.parametrize(
    ("forgery", "where"),
    [({"decision_digest": bytes(32)}, "people"), ({"expires_at": 1}, "people.words[0].expires_at")],
)
def test_a_forged_and_an_expired_approval(world, proposal, forgery, where):
    agent = world.plain_key(mode=Mode.PROPOSE)
    dossier = agent.review(world.blocks, proposal).dossier
    expires_at = forgery.get("expires_at", 2**40)
    approval = answered(dossier, person="Ada", verdict="approve", vote="for", expires_at=expires_at)
    vote_all_the_same(world, agent, proposal, Vote.FOR, approval.model_copy(update=forgery))
    assert world.check_fails() == {(Step.ENTRY, where)}


def vote_all_the_same(world, agent, proposal, vote, *words):
    """Entry and vote, with these words in the record, whatever the record entitles to."""
    sealed = agent.review(world.blocks, proposal, *words)
    agent.write(world.blocks, sealed, Entitlement(EntryKind.VOTE, vote))
    return sealed


FULL = {"person": "the community", "expires_at": 2**40}


@pytest.mark.parametrize("signature", ["", "0xdeadbeef", "0x" + "1b" * 65])
def test_an_invented_approval_does_not_overrule_an_autonomous_ruleset(world, proposal, signature):
    agent = world.plain_key()
    dossier = agent.review(world.blocks, proposal).dossier
    word = answered(dossier, verdict="approve", vote="against", **FULL)
    vote_all_the_same(world, agent, proposal, Vote.AGAINST, word.model_copy(update={"signature": signature}))
    assert world.check_fails() == {(Step.ENTRY, "people")}


@pytest.mark.parametrize("options", [{}, {"approvers": True}])
def test_an_unsigned_word_that_gives_another_vote(world, proposal, options):
    """It counts neither without approvers nor with them."""
    approvers = (Account.create().address,) if options else ()
    agent = world.plain_key(mode=Mode.PROPOSE, approvers=approvers)
    dossier = agent.review(world.blocks, proposal).dossier
    word = answered(dossier, verdict="approve", vote="against", **FULL)
    vote_all_the_same(world, agent, proposal, Vote.AGAINST, word)
    assert world.check_fails() == {(Step.ENTRY, "people")}


def test_an_unsigned_word_that_is_declared_to_count_is_the_operators(world, proposal):
    agent = world.plain_key(mode=Mode.PROPOSE, unsafe_unsigned_approvals=True)
    dossier = agent.review(world.blocks, proposal).dossier
    word = answered(dossier, verdict="approve", vote="against", **FULL)
    vote_all_the_same(world, agent, proposal, Vote.AGAINST, word)
    report = world.check()
    assert report.ok
    (entry,) = [v for v in world.verdicts if v.step is Step.ENTRY]
    assert (entry.grade, "as the operator attests" in entry.reason) == (Grade.ATTESTED, True)


def test_a_signed_rejection_that_was_flipped(world, proposal):
    ada = Account.create()
    agent = world.plain_key(mode=Mode.PROPOSE, approvers=(ada.address,))
    dossier = agent.review(world.blocks, proposal).dossier
    word = answered(dossier, person=ada.address, verdict="reject", expires_at=2**40)
    signature = ada.sign_typed_data(full_message=answer_in(dossier, word).typed_data).signature
    flipped = word.model_copy(update={"signature": to_hex(bytes(signature)), "verdict": "approve"})
    vote_all_the_same(world, agent, proposal, Vote.FOR, flipped)
    assert world.check_fails() == {(Step.ENTRY, "people")}


def signed_by(person, dossier, **word):
    said = answered(dossier, **{"person": person.address, "expires_at": 2**40, **word})
    signature = person.sign_typed_data(full_message=answer_in(dossier, said).typed_data).signature
    return said.model_copy(update={"signature": to_hex(bytes(signature))})


def test_a_vote_that_was_rejected_and_cast_all_the_same(world, proposal):
    """Each record holds by itself: a veto, and what the rules give."""
    ada = Account.create()
    agent = world.plain_key(approvers=(ada.address,))
    dossier = agent.review(world.blocks, proposal).dossier
    rejection = signed_by(ada, dossier, verdict="reject")
    agent.write(world.blocks, agent.review(world.blocks, proposal, rejection))
    agent.act(world.blocks, proposal)
    problem = world.only_problem(world.check())
    assert (problem.step, problem.where, problem.about.seq) == (Step.ENTRY, "people", 2)
    assert problem.reason == "a person rejected this decision, as entry 1 says"


def test_a_later_word_lifts_a_rejection(world, proposal):
    ada = Account.create()
    agent = world.plain_key(mode=Mode.PROPOSE, approvers=(ada.address,))
    dossier = agent.review(world.blocks, proposal).dossier
    for verdict in ("reject", "approve"):
        agent.write(world.blocks, agent.review(world.blocks, proposal, signed_by(ada, dossier, verdict=verdict)))
    assert world.check().ok


def test_a_rejection_that_nobody_signed_where_approvers_are_declared(world, proposal):
    agent = world.plain_key(approvers=(Account.create().address,))
    dossier = agent.review(world.blocks, proposal).dossier
    agent.write(world.blocks, agent.review(world.blocks, proposal, answered(dossier, verdict="reject", **FULL)))
    assert world.check_fails() == {(Step.ENTRY, "people")}


def two_of_three(world, **options):
    people = tuple(Account.create() for _ in range(3))
    agent = world.plain_key(mode=Mode.PROPOSE, approvers=tuple(p.address for p in people), approvals=2, **options)
    return people, agent


def test_fewer_people_approved_than_declared(world, proposal):
    (ada, _, _), agent = two_of_three(world)
    dossier = agent.review(world.blocks, proposal).dossier
    vote_all_the_same(world, agent, proposal, Vote.FOR, signed_by(ada, dossier, verdict="approve"))
    assert world.check_fails() == {(Step.ENTRY, "people")}


def test_one_person_who_is_counted_twice(world, proposal):
    (ada, _, _), agent = two_of_three(world)
    dossier = agent.review(world.blocks, proposal).dossier
    words = [signed_by(ada, dossier, verdict="approve", comment=comment) for comment in ("Yes.", "Yes, yes.")]
    vote_all_the_same(world, agent, proposal, Vote.FOR, *words)
    assert world.check_fails() == {(Step.ENTRY, "people")}


def test_a_second_approval_that_was_given_for_another_decision(world, proposal):
    (ada, bob, _), agent = two_of_three(world)
    dossier = agent.review(world.blocks, proposal).dossier
    other = agent.review(world.blocks, world.open_proposal()).dossier
    words = [signed_by(ada, dossier, verdict="approve"), signed_by(bob, other, verdict="approve")]
    vote_all_the_same(world, agent, proposal, Vote.FOR, *words)
    assert (Step.ENTRY, "people") in world.check_fails()


def test_an_approval_among_several_that_had_expired(world, proposal):
    (ada, bob, _), agent = two_of_three(world)
    dossier = agent.review(world.blocks, proposal).dossier
    old = signed_by(bob, dossier, verdict="approve", expires_at=1)
    vote_all_the_same(world, agent, proposal, Vote.FOR, signed_by(ada, dossier, verdict="approve"), old)
    assert world.check_fails() == {(Step.ENTRY, "people.words[1].expires_at")}


def test_a_wait_that_is_said_to_have_ended_though_enough_approved(world, proposal):
    (ada, bob, _), agent = two_of_three(world)
    dossier = agent.review(world.blocks, proposal).dossier
    words = [signed_by(person, dossier, verdict="approve") for person in (ada, bob)]
    agent.write(world.blocks, agent.review(world.blocks, proposal, *words, expired=Expired(now=1, deadline=2)))
    assert world.check_fails() == {(Step.ENTRY, "people")}
