"""What a node leaves out or makes up is seen, as far as it can be seen."""

from __future__ import annotations

import pytest
from eth_abi.abi import decode, encode
from msgspec.structs import replace

from pnyx_contracts.decision_log import (
    ENTRY_TOPIC,
    REGISTERED_TOPIC,
    decode_registered,
    encode_register,
    genesis,
)
from pnyx_contracts.governors.openzeppelin import CREATED_TOPIC, VOTE_TOPIC
from pnyx_contracts.types import Vote
from pnyx_policies.verify import Status, Step
from pnyx_tools.reader import RpcError
from pnyx_tools.testing.passing_on import PassingOn
from pnyx_tools.verifier import verify

from .lying import lying

NOBODY = "0x00000000000000000000000000000000000A11cE"


def without(topic, which=None):
    """Drops the events with this topic: all of them, or the one at a place."""

    def change(logs):
        found = [log for log in logs if log.topics[0] == topic]
        dropped = found if which is None else found[which : which + 1 or None]
        return [log for log in logs if log not in dropped]

    return change


def altered(topic, **parts):
    return lambda logs: [replace(log, **parts) if log.topics[0] == topic else log for log in logs]


def check(world, change, agent=None):
    with lying(world.node.url, change) as url:
        return world.check(agent, url=url)


@pytest.fixture
def votes(world):
    """A plain key with three votes."""
    agent = world.plain_key()
    for _ in range(3):
        agent.act(world.blocks, world.open_proposal())
    assert world.check().ok
    return agent


@pytest.mark.usefixtures("votes")
@pytest.mark.parametrize("which", [0, 1, -1])
def test_a_dropped_entry(world, which):
    problems = check(world, without(ENTRY_TOPIC, which)).problems
    entries = [v for v in problems if v.step is Step.ENTRIES]
    assert entries
    assert {v.where for v in entries} <= {"seq", "head"}
    assert any(v.step is Step.VOTES and v.status is Status.MISSING for v in problems)


@pytest.mark.usefixtures("votes")
def test_all_entries_dropped(world):
    found = {(v.step, v.where) for v in check(world, without(ENTRY_TOPIC)).problems}
    assert (Step.ENTRIES, "seq") in found


@pytest.mark.usefixtures("votes")
def test_an_altered_entry(world):
    def change(logs):
        return [replace(log, data=log.data[:-1] + b"\x02") if log.topics[0] == ENTRY_TOPIC else log for log in logs]

    found = {(v.step, v.where) for v in check(world, change).problems}
    assert (Step.ENTRIES, "head") in found


@pytest.mark.usefixtures("votes")
def test_an_entry_of_a_kind_that_does_not_exist(world):
    def change(logs):
        kind = (99).to_bytes(32, "big")
        return [replace(log, topics=(*log.topics[:3], kind)) if log.topics[0] == ENTRY_TOPIC else log for log in logs]

    found = {(v.step, v.where) for v in check(world, change).problems}
    assert (Step.ENTRIES, "event") in found


def test_a_hidden_registration(world, votes):
    report = check(world, without(REGISTERED_TOPIC), votes)
    assert [(v.step, v.reason) for v in report.problems] == [
        (Step.REGISTRATION, "the log's state knows the writer, its event is not shown")
    ]


REGISTERED_WORDS = {
    "notice": "uint32",
    "start": "uint64",
    "genesis": "bytes32",
    "configuration": "bytes32",
    "governors": "address[]",
    "evidence": "bytes",
}


def registration(log, **lies):
    """The event with other words."""
    types = list(REGISTERED_WORDS.values())
    told = dict(zip(REGISTERED_WORDS, decode(types, log.data), strict=True)) | lies
    return replace(log, data=encode(types, list(told.values())))


def consistent(world, log):
    """The event with the genesis that fits its other words."""
    event = decode_registered(log)
    place = (world.node.rpc.chain_id(), world.log, event.writer)
    return registration(log, genesis=genesis(*place, event.operator, event.notice_seconds, event.subject))


def lies_about_registration(world, lies, *, forge_genesis):
    """Other words in every registration; `forge_genesis` makes them agree with each other."""
    lies = dict(lies)
    operator = lies.pop("operator", None)

    def lie(log):
        told = registration(log, **lies)
        if operator:
            topics = (*log.topics[:2], bytes(12) + bytes.fromhex(operator[2:]))
            told = replace(told, topics=topics)
        return consistent(world, told) if forge_genesis else told

    return lambda logs: [lie(log) if log.topics[0] == REGISTERED_TOPIC else log for log in logs]


def assert_seen(world, lies):
    """A lie contradicts the true genesis, and a genesis that fits the lie does not lead to the head."""

    def problems(*, forge_genesis):
        found = check(world, lies_about_registration(world, lies, forge_genesis=forge_genesis)).problems
        return {(v.step, v.where) for v in found if v.step in {Step.REGISTRATION, Step.ENTRIES}}

    assert problems(forge_genesis=False) == {(Step.REGISTRATION, "genesis")}
    assert problems(forge_genesis=True) == {(Step.ENTRIES, "head")}


@pytest.mark.parametrize("entries", [0, 1])
@pytest.mark.parametrize(
    "lie",
    [
        {"configuration": bytes([9]) * 32},
        {"governors": []},
        {"evidence": b"https://example.org/forged"},
        {"notice": 1},
        {"operator": NOBODY},
    ],
    ids=lambda lie: next(iter(lie)),
)
def test_a_registration_that_never_was(world, lie, entries):
    """The head descends from what was registered, also before the first entry."""
    agent = world.plain_key()
    for _ in range(entries):
        agent.act(world.blocks, world.open_proposal())
    assert world.check().ok
    assert_seen(world, lie)


def test_a_duty_that_is_hidden_by_another_scope(world):
    world.plain_key()
    world.blocks.advance_to_closed(world.open_proposal())
    assert {v.step for v in world.check().problems} == {Step.COMPLETENESS}
    (problem,) = check(world, lies_about_registration(world, {"governors": []}, forge_genesis=True)).problems
    assert (problem.step, problem.where) == (Step.ENTRIES, "head")


def test_a_place_of_evidence_that_is_no_text(world):
    """An honest node shows the bytes that were registered; their escaped form is another place."""
    agent = world.agent(evidence_uri="https://example.org/XX")
    register = encode_register(agent.key, 86_400, agent.declaration).replace(b"XX", b"\xff\xfe")
    world.store.put_configuration(agent.configuration)
    world.node.send(world.log, register, sender=agent.key)
    agent.act(world.blocks, world.open_proposal())
    assert world.check().ok
    assert_seen(world, {"evidence": rb"https://example.org/\xff\xfe"})


@pytest.mark.usefixtures("votes")
def test_a_hidden_vote_that_was_recorded(world):
    problems = check(world, without(VOTE_TOPIC)).problems
    assert {v.step for v in problems} == {Step.VOTES, Step.ANNOUNCED_VOTES}
    assert all("does not show" in v.reason for v in problems)


def test_a_hidden_vote_that_was_not_recorded(world):
    """The governor itself is asked whether the writer voted, so hiding the event does not hide the vote."""
    agent, proposal = world.plain_key(), world.open_proposal()
    agent.cast(world.blocks, world.blocks.proposals[proposal].key, Vote.FOR)
    (problem,) = check(world, without(VOTE_TOPIC)).problems
    assert (problem.step, problem.status) == (Step.VOTES, Status.MISSING)


@pytest.mark.usefixtures("votes")
def test_a_hidden_proposal_that_was_decided(world):
    found = {v.step for v in check(world, without(CREATED_TOPIC)).problems}
    assert Step.PROPOSAL in found


@pytest.mark.usefixtures("votes")
@pytest.mark.parametrize(
    ("topic", "step", "where"),
    [
        (CREATED_TOPIC, Step.COMPLETENESS, "governor"),
        (VOTE_TOPIC, Step.VOTES, "event"),
    ],
)
def test_a_governor_that_emits_nonsense_does_not_end_the_check(world, topic, step, where):
    found = {(v.step, v.where) for v in check(world, altered(topic, data=b"nonsense")).problems}
    assert (step, where) in found


@pytest.mark.usefixtures("votes")
def test_a_log_with_foreign_code(world):
    world.node.set_code(world.log, world.node.rpc.code(world.log) + b"\x00")
    report = world.check()
    problem = world.only_problem(report)
    assert (problem.step, problem.where) == (Step.LOG_CODE, "code")
    assert report.writers == []


class ForgetfulNode(PassingOn):
    """Keeps no state of old blocks."""

    def __init__(self, honest, oldest):
        super().__init__(honest)
        self._oldest = oldest

    def _require(self, block):
        number = self.honest.block(block).number
        if number < self._oldest:
            raise RpcError(f"missing trie node at block {number}")

    def code(self, address, block="latest"):
        self._require(block)
        return self.honest.code(address, block)

    def balance(self, address, block="latest"):
        self._require(block)
        return self.honest.balance(address, block)

    def call(self, to, data, block="latest", **options):
        self._require(block)
        return self.honest.call(to, data, block, **options)

    def read(self, read, block="latest"):
        self._require(block)
        return self.honest.read(read, block)

    def ask_together(self, questions):
        raise RpcError("asked one by one, it is forgetful each time")


@pytest.mark.usefixtures("votes")
def test_a_node_without_old_state(world):
    """Not an archive node: what needs old state is not checkable, and the rest is checked."""
    head = world.node.mine(5)
    node = ForgetfulNode(world.node.rpc, head.number)
    report = verify(node, world.log, evidence=world.folder, upto="latest")
    assert report.ok
    unchecked = {v.step for v in report.kept(Status.NOT_CHECKABLE)}
    assert unchecked == {Step.STATE, Step.SIMULATION, Step.CONTEXT}
    assert all("no state at block" in v.reason for v in report.kept(Status.NOT_CHECKABLE))


@pytest.mark.usefixtures("votes")
def test_a_call_that_no_node_answers_is_no_lack_of_state(world):
    """The node has the pinned block's state and fails at what the record touches: that proves nothing, and says so."""
    head = world.node.mine(5)

    class Failing(ForgetfulNode):
        def balance(self, address, block="latest"):
            return self.honest.balance(address, block)

    report = verify(Failing(world.node.rpc, head.number), world.log, evidence=world.folder, upto="latest")
    assert report.problems == []
    assert not report.ok
    assert report.exit_code == 1
    assert {v.step for v in report.unproven} == {Step.STATE, Step.SIMULATION, Step.CONTEXT}
    assert all("has the state of block" in v.reason for v in report.unproven)


@pytest.mark.usefixtures("votes")
def test_a_node_that_dies_half_way_is_an_error(world):
    """Silence is no evidence of anything."""

    class Dying(ForgetfulNode):
        def read(self, *_):
            raise RpcError("connection refused")

    with pytest.raises(RpcError):
        verify(Dying(world.node.rpc, 0), world.log, evidence=world.folder, upto="latest")
