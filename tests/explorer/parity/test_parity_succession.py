"""Writers that take another one's place, remarks, and who else speaks: Python and JavaScript must say the same."""

from __future__ import annotations

from pnyx_contracts.decision_log import encode_register, encode_remark, encode_succeed
from pnyx_contracts.entry import RemarkVerdict
from pnyx_contracts.types import Vote
from pnyx_policies.verify import Step
from pnyx_tools.testing.deploy import DAY


def succeeded(world, key=3):
    """A plain key that voted once, and another one that took its place."""
    old, new = world.plain_key(), world.agent(key=world.node.accounts[key])
    old.act(world.blocks, world.open_proposal())
    world.node.send(world.log, encode_register(old.key, DAY, new.declaration), sender=new.key)
    world.node.send(world.log, encode_succeed(old.writer, old.next_seq(), new.writer), sender=old.key)
    return old, new


def test_a_writer_that_took_another_ones_place(world):
    old, new = succeeded(world)
    proposal = world.open_proposal()
    new.act(world.blocks, proposal)
    world.blocks.advance_to_closed(proposal)
    report = world.check()
    assert report.ok
    assert [(w.predecessor, w.successor) for w in report.writers] == [(None, new.writer), (old.writer, None)]


def test_a_proposal_that_the_old_writer_left_open(world):
    old, new = world.plain_key(), world.agent(key=world.node.accounts[3])
    left = world.open_proposal()
    world.node.send(world.log, encode_register(old.key, DAY, new.declaration), sender=new.key)
    world.node.send(world.log, encode_succeed(old.writer, old.next_seq(), new.writer), sender=old.key)
    world.check()
    new.act(world.blocks, left)
    world.check()
    world.blocks.advance_to_closed(left)
    world.check()


def test_a_proposal_that_nobody_answered(world):
    old, new = world.plain_key(), world.agent(key=world.node.accounts[3])
    left = world.open_proposal()
    world.node.send(world.log, encode_register(old.key, DAY, new.declaration), sender=new.key)
    world.node.send(world.log, encode_succeed(old.writer, old.next_seq(), new.writer), sender=old.key)
    world.blocks.advance_to_closed(left)
    assert Step.COMPLETENESS in {step for step, _ in world.check_fails()}


def test_a_vote_of_a_writer_whose_place_is_taken(world):
    old, _ = succeeded(world)
    proposal = world.open_proposal()
    old.cast(world.blocks, world.blocks.proposals[proposal].key, Vote.FOR)
    assert Step.VOTES in {step for step, _ in world.check_fails()}


def test_a_line_of_three(world):
    first, second = succeeded(world)
    third = world.agent(key=world.node.accounts[4])
    world.node.send(world.log, encode_register(first.key, DAY, third.declaration), sender=third.key)
    world.node.send(world.log, encode_succeed(second.writer, second.next_seq(), third.writer), sender=first.key)
    proposal = world.open_proposal()
    third.act(world.blocks, proposal)
    assert world.check().ok


def test_remarks_change_no_verdict(world):
    agent = world.plain_key()
    agent.act(world.blocks, world.open_proposal())
    remark = encode_remark(agent.writer, 1, RemarkVerdict.DIFFERS, bytes(32), "https://example.org/é")
    world.node.send(world.log, remark, sender=world.node.accounts[5])
    report = world.check()
    assert report.ok
    assert [r.uri for r in report.writers[0].remarks] == ["https://example.org/é"]
