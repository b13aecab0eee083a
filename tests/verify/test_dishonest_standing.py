"""A record judges the writer's own standing, when a vote is possible."""

from __future__ import annotations

import pytest

from pnyx_contracts.entry import EntryKind
from pnyx_contracts.errors import RefusedError
from pnyx_contracts.types import Vote
from pnyx_policies.decision import Outcome
from pnyx_policies.entitlement import Entitlement, entitlement
from pnyx_policies.verify import Step
from pnyx_tools.context import OwnLog
from pnyx_tools.gather import gather_facts


def gathered(world, agent, proposal, **options):
    adapter, profile, own_log = world.blocks.adapter, world.blocks.profile, OwnLog(agent.log, agent.writer)
    return gather_facts(world.node.rpc, adapter, profile, world.blocks.proposals[proposal], own_log=own_log, **options)


def test_another_voter_whose_vote_can_be_skipped(world, agent, proposal):
    """The rules give "for". The standing of an address without power makes it a skip."""
    sealed = world.concluded(agent, gathered(world, agent, proposal, voter=world.RECIPIENT))
    assert sealed.dossier.decision.outcome is Outcome.SKIP
    agent.write(world.blocks, sealed)
    problem = world.only_problem(world.check())
    assert (problem.step, problem.where) == (Step.HEADER, "state.voter.voter")
    assert (problem.expected, problem.seen) == (agent.writer, world.RECIPIENT)


STRICT = '[limits]\nmin_voting_power = "1000000000000000000000000000000"\n\n[[rule]]'


@pytest.fixture
def strict(world):
    """An agent whose rules never let it vote with the power that it has."""
    return world.plain_key(ruleset=world.RULESET.replace("[[rule]]", STRICT, 1))


def write_vote_all_the_same(world, agent, sealed):
    with pytest.raises(RefusedError):
        entitlement(sealed.dossier)
    agent.write(world.blocks, sealed, Entitlement(EntryKind.VOTE, Vote.FOR))


def test_a_vote_in_nobodys_name_is_no_way_around_the_limits(world, strict, proposal):
    sealed = world.concluded(strict, gathered(world, strict, proposal))
    assert sealed.dossier.decision.outcome is Outcome.FOR
    write_vote_all_the_same(world, strict, sealed)
    assert world.check_fails() == {(Step.HEADER, "state.voter.voter"), (Step.ENTRY, "kind")}


def test_a_preview_is_no_vote(world, strict, proposal):
    """Looked at before voting started, nothing was asked about power and time."""
    created = world.blocks.proposals[proposal].created_block
    sealed = world.concluded(strict, gathered(world, strict, proposal, voter=strict.writer, block=created))
    assert sealed.dossier.decision.outcome is Outcome.FOR
    write_vote_all_the_same(world, strict, sealed)
    problem = world.only_problem(world.check())
    assert (problem.step, problem.where) == (Step.ENTRY, "kind")
    assert "voting has not started yet" in problem.reason
