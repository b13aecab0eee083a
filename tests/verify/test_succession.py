"""A writer that takes another one's place: the two chains are linked, and nobody's duty falls between them."""

from __future__ import annotations

import pytest

from pnyx_contracts.decision_log import encode_register, encode_succeed
from pnyx_contracts.entry import EntryKind
from pnyx_contracts.types import Vote
from pnyx_policies.verify import Status, Step
from pnyx_tools.testing.deploy import DAY

from .lying import lying


def registered(world, number, operator):
    agent = world.agent(key=world.node.accounts[number])
    world.store.put_configuration(agent.configuration)
    world.node.send(world.log, encode_register(operator, DAY, agent.declaration), sender=agent.key)
    return agent


class Pair:
    """An old writer, a new one, and the operator of both."""

    def __init__(self, world):
        self.world = world
        self.operator = world.node.accounts[3]
        self.old = registered(world, 1, self.operator)
        self.new = world.agent(key=world.node.accounts[2])
        world.blocks.give_power(self.new.key, 10_000)

    def succeed(self):
        """The new writer registers, and takes the old one's place."""
        registered(self.world, 2, self.operator)
        data = encode_succeed(self.old.writer, self.old.next_seq(), self.new.writer)
        self.world.node.send(self.world.log, data, sender=self.operator)


@pytest.fixture
def pair(world):
    return Pair(world)


def test_an_honest_succession_holds(world, pair):
    pair.old.act(world.blocks, world.open_proposal())
    pair.succeed()
    pair.new.act(world.blocks, world.open_proposal())
    report = world.check()
    assert report.ok, [str(v) for v in report.problems]
    old, new = report.writers
    assert (old.successor, new.predecessor) == (new.writer, old.writer)
    assert old.kinds[EntryKind.SUCCEEDED] == new.kinds[EntryKind.SUCCEEDS] == 1
    linked = [v.reason for v in world.verdicts if v.step is Step.REGISTRATION and "place" in v.reason]
    assert len(linked) == 2


def test_each_of_the_two_can_be_checked_alone(world, pair):
    pair.succeed()
    assert world.check(pair.old).ok
    assert world.check(pair.new).ok


def test_a_closed_writers_vote_is_seen(world, pair):
    pair.succeed()
    proposal = world.open_proposal()
    pair.old.cast(world.blocks, world.blocks.proposals[proposal].key, Vote.FOR)
    assert world.check_fails() == {(Step.VOTES, "")}


def test_a_vote_that_was_announced_before_the_end_and_cast_after_it(world, pair):
    proposal = world.open_proposal()
    sealed = pair.old.review(world.blocks, proposal)
    cast = pair.old.cast
    pair.old.cast = lambda *_: None
    pair.old.write(world.blocks, sealed)
    pair.succeed()
    cast(world.blocks, sealed.dossier.proposal.key, Vote.FOR)
    assert (Step.VOTES, "end") in world.check_fails()


def test_what_the_old_writer_left_open_the_new_one_answers(world, pair):
    left = world.open_proposal()
    pair.succeed()
    pair.new.act(world.blocks, left)
    world.blocks.advance_to_closed(left)
    report = world.check()
    assert report.ok, [str(v) for v in report.problems]
    (answered,) = [v for v in world.verdicts if v.step is Step.COMPLETENESS]
    assert answered.about.writer == pair.old.writer
    assert pair.new.writer in answered.reason


def test_what_neither_answers_is_missing(world, pair):
    left = world.open_proposal()
    pair.succeed()
    world.blocks.advance_to_closed(left)
    assert world.check_fails() == {(Step.COMPLETENESS, "")}
    (problem,) = world.check().problems
    assert problem.about.writer == pair.old.writer


def test_after_the_end_only_the_new_writer_has_duties(world, pair):
    pair.succeed()
    world.blocks.advance_to_closed(world.open_proposal())
    problem = world.only_problem(world.check())
    assert problem.about.writer == pair.new.writer


@pytest.mark.parametrize("kind", [EntryKind.SUCCEEDED, EntryKind.SUCCEEDS])
def test_a_node_that_hides_one_side_of_a_succession(world, pair, kind):
    pair.succeed()
    word = int(kind).to_bytes(32, "big")
    with lying(world.node.url, lambda logs: [log for log in logs if log.topics[-1] != word]) as url:
        report = world.check(url=url)
    found = {(v.about.writer, v.step) for v in report.problems}
    hidden, other = (pair.old, pair.new) if kind is EntryKind.SUCCEEDED else (pair.new, pair.old)
    assert {(hidden.writer, Step.ENTRIES), (other.writer, Step.REGISTRATION)} <= found
    assert all(v.status in {Status.DIFFERS, Status.MISSING} for v in report.problems)
