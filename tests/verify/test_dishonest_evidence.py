"""The evidence of a record, changed, swapped or removed."""

from __future__ import annotations

from pnyx_contracts.decision_log import vote_action
from pnyx_contracts.entry import EntryKind
from pnyx_contracts.types import Vote
from pnyx_policies.verify import Status, Step


def test_a_changed_byte(world, agent, proposal):
    sealed = agent.act(world.blocks, proposal)
    file = world.bundle_file(sealed.bundle.record_root)
    data = file.read_bytes()
    assert b"Nothing speaks against it" in data
    file.write_bytes(data.replace(b"Nothing speaks against it", b"Nothing speaks against if"))
    problem = world.only_problem(world.check())
    assert (problem.step, problem.status) == (Step.BUNDLE, Status.DIFFERS)
    assert "fields.decision" in problem.where
    assert "fields.ruleset" in problem.where
    assert "fields.proposal" not in problem.where


def test_a_byte_that_makes_it_unreadable(world, agent, proposal):
    sealed = agent.act(world.blocks, proposal)
    world.bundle_file(sealed.bundle.record_root).write_bytes(b"{" + sealed.bundle.to_bytes())
    assert world.only_problem(world.check()).step is Step.BUNDLE


def test_a_swapped_bundle(world, agent, proposal):
    first = agent.act(world.blocks, proposal)
    second = agent.act(world.blocks, world.open_proposal())
    file = world.bundle_file(first.bundle.record_root)
    file.write_bytes(world.bundle_file(second.bundle.record_root).read_bytes())
    problem = world.only_problem(world.check())
    assert (problem.step, problem.where) == (Step.BUNDLE, "recordRoot")
    assert problem.reason == "swapped: this is the bundle of entry 2"


def test_a_removed_bundle(world, agent, proposal):
    sealed = agent.act(world.blocks, proposal)
    world.bundle_file(sealed.bundle.record_root).unlink()
    problem = world.only_problem(world.check())
    assert (problem.step, problem.status, problem.about.seq) == (Step.BUNDLE, Status.MISSING, 1)


def test_a_bundle_of_another_proposal(world, agent, proposal):
    """Properly sealed, but entered under the subject of another proposal."""
    other = agent.review(world.blocks, world.open_proposal())
    key = world.blocks.proposals[proposal].key
    agent.enter(key, EntryKind.VOTE, other.bundle.record_root, other.bundle.prompt_hash, vote_action(1))
    agent.cast(world.blocks, key, Vote.FOR)
    assert (Step.HEADER, "proposal.key") in world.check_fails()
