"""What a report says about agents on a real chain, and what it does not claim to know."""

from __future__ import annotations

from typing import Any

import pytest
from tests.worlds import CALM

from pnyx_contracts.decision_log import encode_register, encode_remark, encode_succeed, vote_action
from pnyx_contracts.entry import EntryKind, RemarkVerdict
from pnyx_contracts.types import Vote
from pnyx_policies.audit import Bound, Label, Period, Prices, Story, tell
from pnyx_policies.bundle import Bundle
from pnyx_policies.decision import Mode
from pnyx_tools.audit import telling
from pnyx_tools.testing.openai_server import answer, completion, dropped, refusal
from pnyx_tools.testing.safe import deploy_safe

from .conftest import HOLDING, PRICES, World


def cost_of(world: World, *transactions: bytes) -> int:
    receipts = [world.node.rpc.receipt(transaction) for transaction in transactions]
    return sum(int(r["gasUsed"], 16) * int(r["effectiveGasPrice"], 16) for r in receipts if r)


def test_a_vote_through_a_gate(world: World) -> None:
    agent = world.gate()
    proposal = world.open_proposal()
    sealed = agent.act(world.blocks, proposal)
    told = world.told(agent)
    row, head = told.row, told.head
    assert (head.agent, head.tier.value, head.entries) == ("local", "enforced", 1)
    assert (row.kind, row.announced, row.support) == (EntryKind.VOTE, "for", 1)
    assert row.cast is not None
    assert (row.cast.vote, row.cast.reason) == ("for", sealed.dossier.decision.reason)
    assert row.cast.weight == 10_000 * 10**18
    assert (row.story.decided_by, row.story.fired, row.story.outcome) == ("calm", ("calm",), "for")
    assert row.proposal is not None
    assert (row.proposal.title, row.proposal.from_record) == ("Pay the gardener", False)
    assert row.check.label is Label.CHECKED
    assert set(row.check.counts) <= {"matches", "not checkable"}
    assert row.gas.transactions == (row.transaction,), "entry and vote are one transaction"
    assert row.gas.cost_wei == cost_of(world, row.transaction)
    assert [v.model_dump() for v in told.summary.votes] == [{"governor": world.blocks.governor, "votes": {"for": 1}}]
    assert told.summary.model.use.requests == 0


def test_a_vote_that_the_owners_of_a_safe_cast(world: World) -> None:
    """They pay for it, the agent for its entry."""
    safe = deploy_safe(world.node)
    world.blocks.give_power(safe.address, 10_000)
    agent = world.plain_key(safe=safe, mode=Mode.PROPOSE)
    agent.act(world.blocks, world.open_proposal())
    told = world.told(agent)
    assert told.row.cast is not None
    assert (told.row.announced, told.row.cast.vote, told.row.check.label) == ("for", "for", Label.CHECKED)
    assert told.row.gas.transactions == (told.row.transaction,)


def test_a_vote_of_a_plain_key_takes_two_transactions(world: World) -> None:
    agent = world.plain_key()
    agent.act(world.blocks, world.open_proposal())
    told = world.told(agent)
    assert told.row.cast is not None
    transactions = (told.row.transaction, told.row.cast.transaction)
    assert told.row.gas.transactions == transactions
    assert told.row.gas.cost_wei == told.summary.gas.cost_wei == cost_of(world, *transactions)
    assert told.summary.gas.unknown == 0


@pytest.mark.parametrize("clock", ["blocks", "seconds"])
def test_times_on_both_clocks(world: World, clock: str) -> None:
    governance = getattr(world, clock)
    agent = world.plain_key()
    proposal = governance.proposals[number := world.open_proposal(governance)]
    world.node.increase_time(600)
    if clock == "blocks":
        world.node.mine(10)
    agent.act(governance, number)
    row = world.told(agent).row
    rpc = world.node.rpc
    created = rpc.block(proposal.created_block).timestamp
    assert row.seconds_to_decision == row.time - created >= 600
    assert row.cast is not None
    assert row.seconds_to_vote == rpc.block(row.cast.block).timestamp - created
    now = row.block if clock == "blocks" else row.time
    assert row.decision_share == (now - proposal.vote_start) * 10_000 // (proposal.vote_end - proposal.vote_start)
    assert 0 < row.decision_share < 10_000


def test_holds_and_what_became_of_them(world: World) -> None:
    agent = world.plain_key(ruleset=HOLDING, unsafe_unsigned_approvals=True)
    voted, rejected, left = world.open_proposal(), world.open_proposal(), world.open_proposal()
    for proposal in (voted, rejected, left):
        agent.act(world.blocks, proposal)
    world.say(agent, voted, "approve", "against", comment="Paid already.")
    world.say(agent, rejected, "reject")
    told = world.told(agent)
    assert [(row.became.word, row.became.seq) for row in told.rows if row.became] == [
        ("voted", 4),
        ("rejected", 5),
        ("open", None),
    ]
    assert told.summary.holds == {"voted": 1, "rejected": 1, "open": 1}
    assert told.summary.people == {"lifted": 1, "rejected": 1}
    assert told.summary.overrides == 2
    word = told.rows[3].story.person
    assert word is not None
    assert (word.effect, word.person, word.vote, word.comment, word.signed) == (
        "lifted",
        "Ada",
        "against",
        "Paid already.",
        False,
    )
    world.blocks.advance_to_closed(left)
    assert world.told(agent).summary.holds == {"voted": 1, "rejected": 1, "closed": 1}


def test_what_people_did_where_they_are_asked_for_each_vote(world: World) -> None:
    agent = world.plain_key(mode=Mode.PROPOSE, unsafe_unsigned_approvals=True)
    same, other, no = world.open_proposal(), world.open_proposal(), world.open_proposal()
    world.say(agent, same, "approve")
    world.say(agent, other, "approve", "abstain")
    world.say(agent, no, "reject")
    summary = world.told(agent).summary
    assert summary.people == {"confirmed": 1, "changed": 1, "rejected": 1}
    assert summary.overrides == 2


def test_a_veto(world: World) -> None:
    agent = world.plain_key()
    world.say(agent, world.open_proposal(), "reject", comment="Stop.")
    told = world.told(agent)
    assert told.summary.people == {"vetoed": 1}
    assert (told.row.kind, told.row.became) == (EntryKind.HOLD, None)
    assert told.summary.holds == {}, "nobody waits for people who have spoken"


def test_skipped_missed_taken_back(world: World) -> None:
    agent = world.plain_key()
    late = world.open_proposal()
    world.blocks.advance_to_closed(late)
    agent.act(world.blocks, late)
    voted = world.open_proposal()
    world.blocks.vote(voted, Vote.FOR, agent.key)  # by hand: the agent finds that it has voted
    agent.act(world.blocks, voted)
    proposal = world.open_proposal()
    sealed = agent.review(world.blocks, proposal)
    words = (sealed.bundle.record_root, sealed.bundle.prompt_hash)
    agent.enter(sealed.dossier.proposal.key, EntryKind.VOTE, *words, vote_action(1))
    world.blocks.advance_to_closed(proposal)
    agent.enter(sealed.dossier.proposal.key, EntryKind.VOID, *words)
    told = world.told(agent)
    assert told.summary.kinds == {"missed": 1, "skip": 1, "vote": 1, "void": 1}
    assert (told.summary.not_cast, told.summary.voided) == (1, 1)
    assert (told.rows[2].voided_by, told.rows[2].cast) == (4, None)
    assert told.rows[3].story.evidence == "none"
    assert told.summary.decision_time.count == 2, "a miss is no decision"
    assert [note.note.status for note in told.head.proposals] == ["missing"], "the vote by hand has no entry"


def test_a_proposal_without_an_answer(world: World) -> None:
    agent = world.plain_key()
    world.blocks.advance_to_closed(world.open_proposal(title="# Forgotten"))
    world.open_proposal(title="# Still open")
    told = world.told(agent)
    assert {(n.title, n.note.status) for n in told.head.proposals} == {
        ("Forgotten", "missing"),
        ("Still open", "pending"),
    }
    assert told.rows == []
    later = Period(since=Bound(block=world.node.rpc.block().number))
    assert [n.title for n in world.told(agent, period=later).head.proposals] == ["Still open"]


def test_what_the_model_was_asked_and_what_it_took(world: World) -> None:
    agent = world.model(refusal(), answer(CALM), dropped(), answer(CALM))
    agent.act(world.blocks, world.open_proposal())
    agent.act(world.blocks, world.open_proposal())
    told = world.told(agent, prices=PRICES)
    first, second = (row.story.model for row in told.rows)
    assert first is not None
    assert second is not None
    # The scripted server says 11 and 7 tokens for each answer.
    assert (first.opinions, first.requests, first.retries, first.failures) == (1, 2, 1, 1)
    assert (first.input_tokens, first.output_tokens, first.without_tokens) == (22, 14, 0)
    assert (second.requests, second.failures, second.without_tokens) == (2, 1, 1), "nothing came back from one"
    assert first.cost == "0.0000335", "22 * 0.25 / 1,000,000 + 14 * 2 / 1,000,000"
    assert second.cost == "0.00001675"
    use = told.summary.model.use
    assert (told.summary.model.decisions, use.requests, use.input_tokens, use.output_tokens) == (2, 4, 33, 21)
    assert use.cost == "0.00005025"
    assert use.unpriced == ()


def test_a_model_without_a_price_costs_nothing_that_is_known(world: World) -> None:
    agent = world.model(completion(CALM.model_dump_json(), model="dearer"))
    agent.act(world.blocks, world.open_proposal())
    use = world.told(agent, prices=PRICES).row.story.model
    assert use is not None
    assert (use.cost, use.unpriced) == ("0", ("dearer",))
    asked = Prices.parse(
        'currency = "EUR"\n[[model]]\nname = "asked-for"\ninput_per_million = "1"\noutput_per_million = "1"', "prices"
    )
    use = world.told(agent, prices=asked).row.story.model
    assert use is not None
    assert (use.cost, use.unpriced) == ("0.000018", ()), "the name that the configuration asks for"
    assert (told := world.told(agent).row.story.model) is not None
    assert told.cost is None, "no table, no cost"


def test_a_period(world: World) -> None:
    agent = world.plain_key()
    for _ in range(3):
        agent.act(world.blocks, world.open_proposal())
        world.node.increase_time(3600)
    rows = world.told(agent).rows
    middle = rows[1]

    def seqs(**bounds: Any) -> list[int]:
        return [row.seq for row in world.told(agent, period=Period(**bounds)).rows]

    assert seqs(since=Bound(block=middle.block), until=Bound(block=middle.block)) == [2]
    assert seqs(since=Bound(time=middle.time)) == [2, 3]
    assert seqs(until=Bound(time=middle.time)) == [1, 2]
    assert seqs(until=Bound(time=middle.time - 1)) == [1]
    empty = world.told(agent, period=Period(until=Bound(time=1)))
    assert (empty.rows, empty.head.configuration, empty.head.changes, empty.head.agent) == ([], None, (), None)
    assert empty.summary.entries == 0
    assert empty.summary.decision_time.median_seconds is None
    assert empty.head.counts["matches"] > 10, "the whole log was checked all the same"


def test_configurations(world: World) -> None:
    agent = world.plain_key()
    agent.act(world.blocks, world.open_proposal())
    agent.change(HOLDING)
    agent.act(world.blocks, world.open_proposal())
    told = world.told(agent)
    assert [row.epoch for row in told.rows] == [0, 1]
    first, second = told.head.changes
    assert (first.announced_time, first.changed) == (None, ())
    assert second.announced_time is not None
    assert second.from_time - second.announced_time >= 86_400
    assert second.changed == ("ruleset_hash",)
    assert told.head.configuration == second
    assert [event.kind for event in told.head.events] == [EntryKind.CONFIG_ANNOUNCED, EntryKind.CONFIG_ACTIVATED]
    (world.folder / f"{second.config_hash.hex()}.json").unlink()
    told = world.told(agent)
    assert told.head.configuration is not None
    assert told.head.configuration.document is None
    assert "withheld" in told.head.configuration.why_no_document
    assert told.head.agent is None


def test_two_agents_are_told_apart(world: World) -> None:
    first, second = world.plain_key(), world.plain_key(key=world.node.accounts[2], ruleset=HOLDING)
    proposal = world.open_proposal()
    first.act(world.blocks, proposal)
    second.act(world.blocks, proposal)
    by_writer = {writer.head.writer: [row.kind for row in writer.rows()] for writer in world.audit().writers()}
    assert by_writer == {first.writer: [EntryKind.VOTE], second.writer: [EntryKind.HOLD]}


def test_remarks_of_anybody(world: World) -> None:
    agent = world.plain_key()
    agent.act(world.blocks, world.open_proposal())
    agent.act(world.blocks, world.open_proposal())
    stranger = world.node.accounts[8]
    for verdict, uri in ((RemarkVerdict.WITHHELD, "<b>where?</b>"), (RemarkVerdict.ANSWER, "")):
        world.node.send(world.log, encode_remark(agent.writer, 2, verdict, b"\x01" * 32, uri), sender=stranger)
    told = world.told(agent)
    assert [[(r.author, r.verdict, r.uri) for r in row.remarks] for row in told.rows] == [
        [],
        [(stranger, "withheld", "<b>where?</b>"), (stranger, "answer", "")],
    ]
    assert told.summary.remarks == {"withheld": 1, "answer": 1}
    assert {row.check.label for row in told.rows} == {Label.CHECKED}, "anybody can write one; it decides nothing"


def test_a_successor(world: World) -> None:
    old = world.plain_key()
    old.act(world.blocks, world.open_proposal())
    new = world.agent(key=world.node.accounts[2])
    new.evidence.put_configuration(new.configuration)
    # Only who operates both writers may do this.
    world.node.send(world.log, encode_register(old.key, 86_400, new.declaration), sender=new.key)
    world.node.send(world.log, encode_succeed(old.writer, old.next_seq(), new.writer), sender=old.key)
    new.act(world.blocks, world.open_proposal())
    first, second = world.told(old), world.told(new)
    assert (first.head.predecessor, first.head.successor) == (None, new.writer)
    assert (second.head.predecessor, second.head.successor) == (old.writer, None)
    assert [event.kind.name for event in (*first.head.events, *second.head.events)] == ["SUCCEEDED", "SUCCEEDS"]
    assert [row.seq for row in second.rows] == [2]


def test_a_record_that_cannot_be_told_ends_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records come from strangers: whatever one of them provokes, the others are told."""
    agent = world.plain_key()
    bad = agent.act(world.blocks, world.open_proposal())
    agent.act(world.blocks, world.open_proposal())

    def stumble(bundle: Bundle, *options: Any) -> Story:
        if bundle.record_root == bad.bundle.record_root:
            raise RecursionError("nested too deep")
        return tell(bundle, *options)

    monkeypatch.setattr(telling, "tell", stumble)
    first, second = world.told(agent).rows
    assert (first.story.evidence, first.story.why) == ("differs", "it cannot be told: RecursionError: nested too deep")
    assert (first.cast and first.cast.vote, second.story.outcome) == ("for", "for")
