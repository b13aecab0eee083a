"""Votes that the owners of a Safe cast, announced by an agent's key that has no power over it."""

from __future__ import annotations

import pytest

from pnyx_contracts.entry import EntryKind
from pnyx_contracts.types import Vote
from pnyx_policies.decision import Mode
from pnyx_policies.entitlement import Entitlement
from pnyx_policies.verify import Status, Step, Tier
from pnyx_tools.testing.safe import LocalSafe, deploy_safe


@pytest.fixture
def safe(world) -> LocalSafe:
    made = deploy_safe(world.node)
    world.blocks.give_power(made.address, 10_000)
    return made


@pytest.fixture
def agent(world, safe):
    made = world.plain_key(safe=safe, mode=Mode.PROPOSE)
    world.blocks.give_power(made.key, 5)
    return made


@pytest.fixture
def announced(world, agent):
    """A decision, and its VOTE entry; the owners have not signed yet."""
    sealed = agent.review(world.blocks, world.open_proposal())
    agent.enter(
        sealed.dossier.proposal.key, EntryKind.VOTE, sealed.bundle.record_root, sealed.bundle.prompt_hash,
        (1).to_bytes(32, "big"),
    )  # fmt: skip
    return sealed.dossier.proposal.key


def test_the_owners_vote_as_was_decided(world, agent, safe):
    agent.act(world.blocks, world.open_proposal())
    report = world.check()
    assert report.ok, [str(v) for v in report.problems]
    writer = report.writers[0]
    assert (writer.tier, writer.safe) == (Tier.DECLARED, safe.address)
    (vote,) = [v for v in world.verdicts if v.step is Step.VOTES]
    assert vote.reason == f"cast by the Safe {safe.address}, executed by {world.node.accounts[0]}"


def test_who_votes_is_known_without_the_records_too(world, agent):
    agent.act(world.blocks, world.open_proposal())
    assert world.check(log_only=True, python_alone="the command has another name for it").ok


def test_owners_who_vote_otherwise_are_seen(world, agent, announced):
    agent.cast(world.blocks, announced, Vote.AGAINST)
    assert world.check_fails() == {(Step.VOTES, "action")}


def test_owners_who_vote_without_an_entry_are_seen(world, agent):
    agent.cast(world.blocks, world.blocks.proposals[world.open_proposal()].key, Vote.FOR)
    assert (Step.VOTES, "") in world.check_fails()


def test_a_vote_of_the_key_is_not_the_safes(world, agent, announced):
    world.blocks.vote(announced.proposal_id, Vote.FOR, agent.key, "")
    assert (Step.VOTES, "voter") in world.check_fails()


def test_owners_have_until_the_end(world, announced):
    report = world.check()
    assert report.ok
    assert [v.status for v in world.verdicts if v.step is Step.ANNOUNCED_VOTES] == [Status.PENDING]
    world.blocks.advance_to_closed(announced.proposal_id)
    assert world.check_fails() == {(Step.ANNOUNCED_VOTES, "")}


def test_a_decision_is_announced_and_not_only_held(world, agent):
    sealed = agent.review(world.blocks, world.open_proposal())
    agent.write(world.blocks, sealed, Entitlement(EntryKind.HOLD))
    assert world.check_fails() == {(Step.ENTRY, "kind")}


def test_the_standing_of_the_declared_safe_is_judged_and_no_others(world, agent):
    """Without voting power, any vote could be skipped."""
    honest, agent.safe = agent.safe, deploy_safe(world.node, "1.3.0", seed="poor")
    sealed = agent.review(world.blocks, world.open_proposal())
    agent.safe = honest
    header = {"header__config_hash": agent.configuration.hash}
    agent.write(world.blocks, agent.seal(world.with_parts(sealed.dossier, **header)))
    assert (Step.HEADER, "state.voter.voter") in world.check_fails()
