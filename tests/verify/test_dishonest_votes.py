"""Votes, entries and gates that are not what they should be, on a real chain."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode
from eth_hash.auto import keccak

from pnyx_contracts.artifacts import artifact
from pnyx_contracts.decision_log import encode_register, vote_action
from pnyx_contracts.entry import EntryKind
from pnyx_contracts.types import Vote
from pnyx_policies.verify import Status, Step, Tier
from pnyx_tools.testing.deploy import DAY, deploy, deploy_factory, deploy_governance
from pnyx_tools.verifier import verify


def key_of(world, proposal):
    return world.blocks.proposals[proposal].key


def entered(world, agent, proposal, kind=EntryKind.VOTE, action=None):
    """An entry with an honest record behind it, and no vote."""
    sealed = agent.review(world.blocks, proposal)
    bundle = sealed.bundle
    agent.enter(key_of(world, proposal), kind, bundle.record_root, bundle.prompt_hash, action or vote_action(1))
    return sealed


# 6. Votes


def test_a_vote_without_an_entry(world):
    agent, proposal = world.plain_key(), world.open_proposal()
    agent.cast(world.blocks, key_of(world, proposal), Vote.FOR)
    problem = world.only_problem(world.check())
    assert (problem.step, problem.status) == (Step.VOTES, Status.MISSING)
    assert problem.reason.startswith("a vote without an entry (transaction 0x")


def test_a_vote_before_its_entry(world):
    agent, proposal = world.plain_key(), world.open_proposal()
    sealed = agent.review(world.blocks, proposal)
    agent.cast(world.blocks, key_of(world, proposal), Vote.FOR)
    bundle = sealed.bundle
    agent.enter(key_of(world, proposal), EntryKind.VOTE, bundle.record_root, bundle.prompt_hash, vote_action(1))
    found = {v.step: v.reason for v in world.check().problems}
    assert found[Step.VOTES].startswith("a vote without an entry before it")


def test_a_vote_that_differs_from_its_entry(world):
    agent, proposal = world.plain_key(), world.open_proposal()
    entered(world, agent, proposal)
    agent.cast(world.blocks, key_of(world, proposal), Vote.AGAINST)
    problem = world.only_problem(world.check())
    assert (problem.step, problem.where, problem.expected, problem.seen) == (Step.VOTES, "action", "0", "1")


def test_two_entries_for_one_vote(world):
    """Announce both, then choose: the second announcement is what gives it away."""
    agent, proposal = world.plain_key(), world.open_proposal()
    entered(world, agent, proposal)
    entered(world, agent, proposal)
    agent.cast(world.blocks, key_of(world, proposal), Vote.FOR)
    assert (Step.VOTES, "entries") in world.check_fails()


def test_a_vote_that_was_taken_back_and_cast_all_the_same(world):
    agent, proposal = world.plain_key(), world.open_proposal()
    sealed = entered(world, agent, proposal)
    agent.enter(key_of(world, proposal), EntryKind.VOID, sealed.bundle.record_root, sealed.bundle.prompt_hash)
    agent.cast(world.blocks, key_of(world, proposal), Vote.FOR)
    assert {step for step, _ in world.check_fails()} == {Step.VOTES, Step.ANNOUNCED_VOTES}


def test_a_vote_that_was_taken_back_while_it_could_be_cast(world):
    """Say one thing, then do not do it: a decided vote is cast."""
    agent, proposal = world.plain_key(), world.open_proposal()
    sealed = entered(world, agent, proposal)
    agent.enter(key_of(world, proposal), EntryKind.VOID, sealed.bundle.record_root, sealed.bundle.prompt_hash)
    problem = world.only_problem(world.check())
    assert (problem.step, problem.where) == (Step.ANNOUNCED_VOTES, "vote")
    assert "entry 2 takes it back while it could still be cast" in problem.reason
    world.blocks.advance_to_closed(proposal)
    assert world.only_problem(world.check()).step is Step.ANNOUNCED_VOTES


def test_a_vote_where_the_writer_never_said_it_would(world):
    agent = world.plain_key()
    elsewhere = deploy_governance(world.node, powers={agent.key: 10_000})
    proposal = elsewhere.propose([world.RECIPIENT], [0], [b""], "# Elsewhere")
    elsewhere.advance_to_active(proposal)
    agent.cast(elsewhere, elsewhere.proposals[proposal].key, Vote.FOR)
    problem = world.only_problem(world.check())
    assert (problem.step, problem.status) == (Step.VOTES, Status.MISSING)
    assert elsewhere.governor in problem.about.proposal


def test_a_recorded_vote_out_of_scope(world):
    agent = world.plain_key()
    elsewhere = deploy_governance(world.node, powers={agent.key: 10_000})
    proposal = elsewhere.propose([world.RECIPIENT], [0], [b""], "# Elsewhere")
    elsewhere.advance_to_active(proposal)
    agent.act(elsewhere, proposal)
    assert world.check_fails() == {(Step.VOTES, "scope"), (Step.HEADER, "proposal.key.governor")}


def test_voting_selectively_after_leaving_the_scope(world):
    """Announced, in force: no duties in this governor any more. Then no votes either."""
    agent = world.plain_key()
    del agent.governances[world.blocks.governor]
    agent.change(world.RULESET + "\n")
    liked, disliked = world.open_proposal(), world.open_proposal()
    agent.act(world.blocks, liked)
    world.blocks.advance_to_closed(disliked)
    assert world.check_fails() == {(Step.VOTES, "scope"), (Step.HEADER, "proposal.key.governor")}


def test_a_vote_without_an_entry_after_leaving_the_scope(world):
    """Sent by somebody else, as a vote by signature is. A governor that the writer declared once invents nothing."""
    agent = world.plain_key()
    del agent.governances[world.blocks.governor]
    agent.change(world.RULESET + "\n")
    proposal = world.open_proposal()
    agent.cast(world.blocks, key_of(world, proposal), Vote.FOR)

    class Relayed:
        def __getattr__(self, name):
            return getattr(world.node.rpc, name)

        def transaction(self, digest):
            return world.node.rpc.transaction(digest) | {"from": world.node.accounts[9]}

    problem = world.only_problem(verify(Relayed(), world.log, evidence=world.folder, upto="latest"))
    assert (problem.step, problem.status) == (Step.VOTES, Status.MISSING)


EMIT = bytes.fromhex("60403603806040600037602035600035826000a200")
"""Emits an event with two topics: the first two words of the calldata, then the rest as data."""


def test_a_stranger_cannot_frame_a_writer(world):
    """Anybody can deploy a contract that emits ``VoteCast`` with somebody else's name."""
    agent = world.plain_key()
    emitter = "0x00000000000000000000000000000000000E0E0E"
    world.node.set_code(emitter, EMIT)
    topics = keccak(b"VoteCast(address,uint256,uint8,uint256,string)") + bytes(12) + bytes.fromhex(agent.key[2:])
    data = encode(["uint256", "uint8", "uint256", "string"], [1, 1, 1, "framed"])
    world.node.send(emitter, topics + data)
    world.node.send(emitter, topics + b"not even an encoding")
    report = world.check()
    assert report.ok
    (framed,) = [v for v in world.verdicts if v.step is Step.VOTES]
    assert framed.status is Status.NOT_CHECKABLE
    assert "anybody can emit that" in framed.reason


# 7, 8. What is owed


def test_a_missing_decision(world):
    world.plain_key()
    proposal = world.open_proposal()
    assert world.check().ok
    world.blocks.advance_to_closed(proposal)
    problem = world.only_problem(world.check())
    assert (problem.step, problem.status) == (Step.COMPLETENESS, Status.MISSING)
    assert problem.about.proposal == str(key_of(world, proposal))


def test_a_decision_that_came_too_late(world):
    agent, proposal = world.plain_key(), world.open_proposal()
    sealed = agent.review(world.blocks, proposal)
    world.blocks.advance_to_closed(proposal)
    agent.enter(key_of(world, proposal), EntryKind.HOLD, sealed.bundle.record_root, sealed.bundle.prompt_hash)
    assert (Step.COMPLETENESS, "time") in world.check_fails()


def test_a_vote_that_was_announced_and_never_cast(world):
    agent, proposal = world.plain_key(), world.open_proposal()
    entered(world, agent, proposal)
    world.blocks.advance_to_closed(proposal)
    problem = world.only_problem(world.check())
    assert (problem.step, problem.status) == (Step.ANNOUNCED_VOTES, Status.MISSING)


def test_an_entry_about_no_proposal_at_all(world):
    agent = world.plain_key()
    sealed = agent.review(world.blocks, world.open_proposal())
    nowhere = key_of(world, sealed.dossier.proposal.key.proposal_id).model_copy(update={"proposal_id": 1})
    agent.enter(nowhere, EntryKind.VOTE, sealed.bundle.record_root, sealed.bundle.prompt_hash, vote_action(1))
    found = {v.step for v in world.check().problems}
    assert {Step.ANNOUNCED_VOTES, Step.HEADER} <= found


def test_taking_back_what_was_never_announced(world):
    agent, proposal = world.plain_key(), world.open_proposal()
    entered(world, agent, proposal, EntryKind.VOID, bytes(32))
    problem = world.only_problem(world.check())
    assert (problem.step, problem.status) == (Step.ANNOUNCED_VOTES, Status.MISSING)


def test_a_duty_ends_and_begins_with_the_configuration(world):
    """What was announced before a governor came into scope is not owed."""
    proposal = world.open_proposal()
    world.plain_key()
    world.blocks.advance_to_closed(proposal)
    assert world.check().ok


# 5. Gates


def test_a_gate_of_another_factory(world):
    agent = world.agent()
    agent.make_gate(factory=deploy_factory(world.node, world.log))
    ours = deploy_factory(world.node, world.log)
    assert world.check(agent).ok  # any contract with our code gives the same promise ...
    problem = world.only_problem(world.check(agent, factory=ours))  # ... unless the member wants to see this one
    assert (problem.step, problem.where) == (Step.WRITER, "gate")
    assert "another factory" in problem.reason


def unlike_ours(world, address):
    """The same contract, apart from one byte that is never executed."""
    world.node.set_code(address, world.node.rpc.code(address) + b"\x00")


@pytest.mark.parametrize("what", ["gate", "factory"])
def test_the_same_interface_with_other_code(world, what):
    agent = world.gate()
    proposal = world.open_proposal()
    agent.act(world.blocks, proposal)
    assert world.check().writers[0].tier is Tier.ENFORCED
    unlike_ours(world, agent.gate.address if what == "gate" else agent.gate.factory)
    report = world.check()
    assert world.only_problem(report).step is Step.WRITER
    assert report.writers[0].tier is Tier.UNKNOWN


def test_our_gate_without_a_factory(world):
    agent = world.agent()
    configuration = (agent.configuration.hash, list(agent.governances), "")
    types = ["address"] * 4 + ["uint32", "uint32", "(bytes32,address[],string)"]
    arguments = encode(types, [world.log, agent.key, agent.key, agent.key, DAY, DAY, configuration])
    world.node.send(None, artifact("VoteGate").bytecode + arguments, sender=agent.key)
    world.store.put_configuration(agent.configuration)
    problem = world.only_problem(world.check())
    assert (problem.step, problem.where) == (Step.WRITER, "gate")


def test_a_gate_that_its_factory_does_not_know(world):
    """Another factory with our code is put where the gate's own factory was: it never made this gate."""
    agent = world.gate()
    world.node.request("anvil_setStorageAt", agent.gate.factory, _is_gate_slot(agent.gate.address), "0x" + "00" * 32)
    problem = world.only_problem(world.check())
    assert "says that it did not make this gate" in problem.reason


def _is_gate_slot(gate):
    """``isGate`` is the factory's only storage variable, so it has slot 0."""
    return "0x" + keccak(encode(["address", "uint256"], [gate, 0])).hex()


def test_a_gate_for_another_log(world):
    agent = world.gate()
    other = deploy(world.node, "DecisionLog")
    world.node.impersonate(agent.writer)
    world.node.set_balance(agent.writer, 10**18)
    world.node.send(other, encode_register(agent.key, DAY, agent.declaration), sender=agent.writer)
    report = verify(world.node.rpc, other, evidence=world.folder, upto="latest")
    assert "writes to another log" in world.only_problem(report).reason


def test_an_account_with_delegated_code_is_declared(world):
    agent, proposal = world.plain_key(), world.open_proposal()
    agent.act(world.blocks, proposal)
    world.node.set_code(agent.key, bytes.fromhex("ef0100" + "11" * 20))
    report = world.check()
    assert report.ok
    assert report.writers[0].tier is Tier.DECLARED


def test_administration_by_a_writer_that_is_no_gate(world):
    agent, proposal = world.plain_key(), world.open_proposal()
    agent.enter(key_of(world, proposal), EntryKind.PAUSED, bytes([1]) * 32, bytes([1]) * 32)
    problem = world.only_problem(world.check())
    assert (problem.step, problem.where, problem.seen) == (Step.WRITER, "kind", "PAUSED")
