"""Following a chain: no proposal is missed, whatever the chain and the nodes do meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pnyx_contracts.errors import DiffersError, UsageError
from pnyx_contracts.governors.openzeppelin import CREATED_TOPIC
from pnyx_contracts.types import Log
from pnyx_tools.follow import (
    Advanced,
    DeepReorganisationError,
    Position,
    Rewound,
    Settled,
    Stream,
    Undecodable,
    Waiting,
    Watched,
    Watchlist,
    block_since,
    read_history,
)
from pnyx_tools.follow.headers import Sieve, bloom_of_logs, read_header
from pnyx_tools.follow.stream import IDLE_POLLS
from pnyx_tools.reader import ChainReader, RpcError
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import Governance, deploy_governance
from pnyx_tools.testing.fake_reader import FakeReader
from pnyx_tools.testing.provider import Provider, error, result

NOBODY = "0x00000000000000000000000000000000DeaDBeef"
DEEP = 1_000
"""Confirmations: nothing in these tests is final by itself."""


@pytest.fixture
def governance() -> Iterator[Governance]:
    with Anvil() as node:
        yield deploy_governance(node)


def watchlist(governance: Governance, start_block: int = 0) -> Watchlist:
    return Watchlist({governance.governor: Watched(governance.adapter, governance.profile, start_block)})


def stream(governance: Governance, **options) -> Stream:
    reader: ChainReader = options.pop("reader", governance.node.rpc)
    return Stream(reader, [CREATED_TOPIC], [governance.governor], **{"finality": DEEP, **options})


def propose(governance: Governance, number: int) -> int:
    return governance.propose([NOBODY], [number], [b""], f"# Proposal {number}")


def ids(governance: Governance, logs: Sequence[Log]) -> list[int]:
    return [proposal.key.proposal_id for proposal in watchlist(governance).read(logs)]


@dataclass
class Follower:
    """Keeps what a stream hands out, as a caller would: position and logs together."""

    stream: Stream
    position: Position
    known: set[tuple[bytes, int]] = field(default_factory=set)
    settled: set[tuple[bytes, int]] = field(default_factory=set)

    @classmethod
    def of(cls, following: Stream) -> Follower:
        return cls(following, following.begin())

    def poll(self):
        step = self.stream.poll(self.position)
        if isinstance(step, Advanced):
            self.known |= {(log.transaction_hash, log.block_number) for log in step.logs}
            self.position = step.position
        elif isinstance(step, Rewound):
            self.known = {(transaction, block) for transaction, block in self.known if block <= step.above}
            self.position = step.position
        return step

    def settle(self):
        """With the head standing still."""
        for _ in range(IDLE_POLLS):
            self.stream.poll(self.position)
        step = self.stream.settle(self.position)
        if isinstance(step, Settled):
            self.settled |= {(log.transaction_hash, log.block_number) for log in step.logs}
            self.position = step.position
        return step

    def advance(self) -> Advanced:
        step = self.poll()
        assert isinstance(step, Advanced), step
        return step


# --- a real governor -------------------------------------------------------------------------------------------------


def test_proposals_are_handed_out_as_they_come(governance: Governance):
    follower = Follower.of(stream(governance))
    first = propose(governance, 1)
    assert ids(governance, follower.advance().logs) == [first]
    assert isinstance(follower.poll(), Waiting)
    second, third = propose(governance, 2), propose(governance, 3)
    step = follower.advance()
    assert ids(governance, step.logs) == [second, third]
    assert step.position.head == governance.node.rpc.block()


def test_a_restart_goes_on_from_the_position_that_was_kept(governance: Governance):
    follower = Follower.of(stream(governance))
    propose(governance, 1)
    kept = follower.advance().position.model_dump_json()
    second = propose(governance, 2)
    again = Follower(stream(governance), Position.model_validate_json(kept))
    assert ids(governance, again.advance().logs) == [second]


def test_a_long_gap_is_read_in_parts_that_are_kept(governance: Governance):
    follower = Follower.of(stream(governance, blocks_per_poll=4))
    made = [propose(governance, n) for n in range(3)]
    found, steps = [], 0
    while isinstance(step := follower.poll(), Advanced):
        found += ids(governance, step.logs)
        steps += 1
    assert found == made
    assert steps > 1


def test_a_first_run_begins_at_the_last_final_block(governance: Governance):
    head = governance.node.mine(100).number
    assert stream(governance, finality=30).begin().head.number == head - 30
    final = governance.node.rpc.block("finalized")
    assert stream(governance, finality="finalized").begin() == Position.at(final)
    assert final.number < head


@pytest.mark.parametrize("finality", [3, "finalized"])
def test_what_is_final_is_looked_at_again(governance: Governance, finality):
    follower = Follower.of(stream(governance, finality=finality))
    propose(governance, 1)
    follower.advance()
    follower.settle()
    assert follower.settled == set()
    governance.node.mine(200)
    while isinstance(follower.poll(), Advanced):
        pass
    assert isinstance(follower.settle(), Settled)
    assert follower.settled == follower.known
    assert follower.position.final.number > min(block for _, block in follower.known)


def test_few_new_blocks_are_not_settled_while_the_head_moves(governance: Governance):
    following = stream(governance, finality=1)
    follower = Follower.of(following)
    governance.node.mine(30)
    follower.advance()
    assert isinstance(following.settle(follower.position), Settled)
    following._settled_at = follower.position.head.model_copy(update={"number": follower.position.head.number - 11})
    for number in range(1, 12):
        governance.node.mine(1)
        follower.advance()
        settled = following.settle(follower.position)
        assert isinstance(settled, Settled) == (number == 5), number


def test_a_reorganisation_rewinds_and_the_new_chain_is_read(governance: Governance):
    follower = Follower.of(stream(governance))
    kept = propose(governance, 1)
    before = follower.advance().position
    snapshot = governance.node.snapshot()
    gone = propose(governance, 2)
    assert ids(governance, follower.advance().logs) == [gone]

    governance.node.revert(snapshot)
    assert isinstance(follower.poll(), Waiting), "the node is behind"
    governance.node.mine(2)
    replacement = propose(governance, 3)
    rewound = follower.poll()
    assert isinstance(rewound, Rewound)
    assert (rewound.position.head, rewound.above) == (before.head, before.head.number)
    assert ids(governance, follower.advance().logs) == [replacement]
    assert kept not in {gone, replacement}


def test_a_reorganisation_deep_below_the_head(governance: Governance):
    node, follower = governance.node, Follower.of(stream(governance))
    for _ in range(6):
        node.mine(3)
        follower.advance()
    node.reorg(8)
    node.mine(1)
    rewound = follower.poll()
    assert isinstance(rewound, Rewound)
    assert rewound.above <= node.rpc.block().number - 8
    assert node.rpc.block(rewound.above) == rewound.position.head
    follower.advance()


def test_a_reorganisation_of_the_head_is_seen_before_the_next_block(governance: Governance):
    follower = Follower.of(stream(governance))
    governance.node.mine(1)
    before = follower.advance().position.head
    governance.node.mine(1)
    follower.advance()
    governance.node.reorg(1)
    rewound = follower.poll()
    assert isinstance(rewound, Rewound)
    assert rewound.position.head == before


def test_a_reorganisation_deeper_than_finality_stops(governance: Governance):
    follower = Follower.of(stream(governance, finality=2))
    for _ in range(12):
        governance.node.mine(1)
        follower.advance()
        follower.settle()
    final = follower.position.final
    governance.node.reorg(8)
    governance.node.mine(1)
    with pytest.raises(DeepReorganisationError, match=f"block {final.number} .* counted as final"):
        follower.poll()
    with pytest.raises(DeepReorganisationError):
        follower.poll()


def test_history_is_read_in_pieces(governance: Governance):
    made = [propose(governance, n) for n in range(3)]
    head = governance.node.mine(100).number
    chapters = list(read_history(governance.node.rpc, [CREATED_TOPIC], [governance.governor], 0, head))
    assert [chapter.start for chapter in chapters] == [0, *(chapter.end + 1 for chapter in chapters[:-1])]
    assert chapters[-1].end == head
    assert len(chapters) > 1
    assert [id_ for chapter in chapters for id_ in ids(governance, chapter.logs)] == made


def test_proposals_before_the_start_block_of_their_governor_are_passed_over(governance: Governance):
    first, second = propose(governance, 1), propose(governance, 2)
    logs = governance.node.rpc.logs(0, governance.node.rpc.block().number, [CREATED_TOPIC])
    start = governance.proposals[second].created_block
    assert [p.key.proposal_id for p in watchlist(governance, start).read(logs)] == [second]
    assert first != second


def test_a_date_is_looked_up_on_the_chain(governance: Governance):
    node = governance.node
    block = node.mine(5)
    assert block_since(node.rpc, str(block.number)) == block.number
    from datetime import UTC, datetime

    moment = datetime.fromtimestamp(block.timestamp, UTC)
    found = block_since(node.rpc, moment.isoformat())
    assert node.rpc.block(found).timestamp >= block.timestamp
    assert found == 0 or node.rpc.block(found - 1).timestamp < block.timestamp
    assert block_since(node.rpc, "2200-01-01") == node.rpc.block().number + 1
    with pytest.raises(UsageError, match="expected a block number or a date, got 'yesterday'"):
        block_since(node.rpc, "yesterday")


# --- what it costs ---------------------------------------------------------------------------------------------------


def test_a_block_costs_two_requests_at_most_and_one_when_its_bloom_is_empty(governance: Governance):
    with Provider(governance.node.url) as provider:
        follower = Follower.of(stream(governance, reader=Rpc(provider.url)))
        propose(governance, 0)
        follower.advance()
        for number in range(4):
            provider.asked.clear()
            governance.node.mine(1)
            assert follower.advance().logs == ()
            assert [question["method"] for question in provider.asked] == ["eth_getBlockByNumber"]
            provider.asked.clear()
            made = propose(governance, 1 + number)
            assert ids(governance, follower.advance().logs) == [made]
            assert [question["method"] for question in provider.asked] == ["eth_getBlockByNumber", "eth_getLogs"]


def test_blooms_are_those_of_the_node(governance: Governance):
    made = propose(governance, 1)
    block = governance.proposals[made].created_block
    header = read_header(governance.node.rpc, block)
    assert header.bloom == bloom_of_logs(governance.node.rpc.logs(block, block, []))
    sieve = Sieve([CREATED_TOPIC], [governance.governor])
    assert sieve.may_hold(header.bloom)
    assert not Sieve([CREATED_TOPIC], [NOBODY]).may_hold(header.bloom)
    assert not Sieve([b"\x01" * 32], [governance.governor]).may_hold(header.bloom)
    assert not sieve.may_hold(0)


# --- nodes that fail, and nodes that lie -----------------------------------------------------------------------------


def test_an_error_is_raised_and_never_looks_like_nothing(governance: Governance):
    with Provider(governance.node.url) as provider:
        follower = Follower.of(stream(governance, reader=Rpc(provider.url)))
        made = propose(governance, 1)
        provider.rule = lambda q: error(q, -32000, "boom") if q["method"] == "eth_getLogs" else None
        with pytest.raises(RpcError, match="boom"):
            follower.poll()
        provider.rule = lambda _: None
        assert ids(governance, follower.advance().logs) == [made]


@pytest.mark.parametrize("blocks", [1, 3])
def test_a_second_endpoint_finds_what_the_first_one_hid(governance: Governance, blocks: int):
    with Provider(governance.node.url) as provider:
        follower = Follower.of(
            stream(governance, reader=Rpc(provider.url), second_reader=governance.node.rpc, finality=1)
        )
        made = propose(governance, 1)
        governance.node.mine(blocks)
        provider.rule = lambda q: result(q, []) if q["method"] == "eth_getLogs" else None
        while isinstance(step := follower.poll(), Advanced):
            assert step.logs == ()
        with pytest.raises(DiffersError, match="0 and 1 events"):
            follower.settle()
        provider.rule = lambda _: None
        settled = follower.settle()
        assert isinstance(settled, Settled)
        assert ids(governance, settled.logs) == [made]


def test_an_empty_range_of_the_only_endpoint_must_be_empty_by_its_headers(governance: Governance):
    """What a node behind a load balancer does: it has the blocks, and not yet their logs."""
    with Provider(governance.node.url) as provider:
        follower = Follower.of(stream(governance, reader=Rpc(provider.url)))
        made = [propose(governance, n) for n in range(3)]
        governance.node.mine(3)
        provider.rule = lambda q: (
            result(q, []) if q["method"] == "eth_getLogs" and "fromBlock" in q["params"][0] else None
        )
        assert ids(governance, follower.advance().logs) == made


def test_a_chain_without_blooms_is_asked_for_every_block(governance: Governance):
    def without_bloom(question):
        if question["method"] != "eth_getBlockByNumber":
            return None
        block = governance.node.request(question["method"], *question["params"])
        return result(question, {**block, "logsBloom": "0x" + "00" * 256})

    with Provider(governance.node.url, without_bloom) as provider:
        follower = Follower.of(stream(governance, reader=Rpc(provider.url)))
        for number in range(3):
            governance.node.mine(1)
            follower.advance()
            made = propose(governance, number)
            assert ids(governance, follower.advance().logs) == [made]


def test_a_chain_whose_blooms_lack_some_logs_is_asked_for_every_block(plain: Governance, sample_log: Log):
    """Some chains keep the logs of the system's own transactions out of their blooms."""
    chain = FakeReader()
    stranger = replace(sample_log, address=NOBODY)
    lacking = {"logsBloom": "0x" + bloom_of_logs([stranger]).to_bytes(256, "big").hex()}
    follower = Follower.of(Stream(chain, [CREATED_TOPIC], [plain.governor], finality=DEEP))
    chain.mine(stranger)
    follower.advance()
    sieve = Sieve([CREATED_TOPIC], [plain.governor])

    chain.methods["eth_getBlockByNumber"] = lambda block, _: {**(chain.block_in_json(block) or {}), **lacking}
    chain.mine(sample_log)
    hidden = follower.advance()
    assert (hidden.logs != ()) == sieve.may_hold(bloom_of_logs([stranger]))
    follower.stream._finality = 0
    settled = follower.settle()
    assert isinstance(settled, Settled)
    assert len(settled.logs) == 1, "the second look goes by no bloom"
    chain.mine(sample_log)
    assert len(follower.advance().logs) == 1, "and from then on blooms are not believed"


def test_two_endpoints_of_different_chains_are_told(governance: Governance):
    with Anvil() as other:
        other.mine(100)
        follower = Follower.of(stream(governance, second_reader=other.rpc, finality=1))
        governance.node.mine(3)
        follower.advance()
        with pytest.raises(DiffersError, match="disagree about block"):
            follower.settle()


def test_a_first_endpoint_that_forks_off_is_not_followed(governance: Governance):
    """A reorganisation that a second endpoint does not see is no reorganisation yet."""
    with Provider(governance.node.url) as provider:
        follower = Follower.of(stream(governance, reader=Rpc(provider.url), second_reader=governance.node.rpc))
        governance.node.mine(1)
        follower.advance()

        def forked(question):
            if question["method"] != "eth_getBlockByNumber":
                return None
            block = governance.node.request(question["method"], *question["params"])
            return result(question, {**block, "hash": "0x" + "11" * 32, "parentHash": "0x" + "22" * 32})

        provider.rule = forked
        governance.node.mine(1)
        with pytest.raises(DiffersError, match="only the second has"):
            follower.poll()
        provider.rule = lambda _: None
        follower.advance()


def test_a_chain_that_moves_while_it_is_read_is_read_again(governance: Governance):
    node = governance.node
    with Provider(node.url) as provider:
        follower = Follower.of(stream(governance, reader=Rpc(provider.url), second_reader=node.rpc))
        node.mine(1)
        made = propose(governance, 1)

        def reorganises(question):
            if question["method"] == "eth_getLogs":
                provider.rule = lambda _: None
                node.reorg(1)

        provider.rule = reorganises
        step = follower.poll()
        assert step == Waiting(f"block {governance.proposals[made].created_block} was reorganised while it was read")
        assert ids(governance, follower.advance().logs) == []


def test_an_event_that_cannot_be_read_stops_nothing(governance: Governance):
    made = propose(governance, 1)
    block = governance.proposals[made].created_block
    honest = governance.node.rpc.logs(block, block, [CREATED_TOPIC])[0]
    broken = replace(honest, data=honest.data[:-32])
    undecodable, proposal = watchlist(governance).read([broken, honest])
    assert isinstance(undecodable, Undecodable)
    assert undecodable.log == broken
    assert proposal == governance.proposals[made]


# --- any history -----------------------------------------------------------------------------------------------------


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_after_any_history_the_proposals_of_the_chain_are_known(data, sample_log: Log, plain: Governance):
    """Blocks with and without proposals, reorganisations, polls and second looks at any time."""
    chain = FakeReader()
    depth = data.draw(st.integers(0, 6))
    second = data.draw(st.sampled_from([None, chain]))
    follower = Follower.of(
        Stream(chain, [CREATED_TOPIC], [plain.governor], finality=depth, second_reader=second, blocks_per_poll=3)
    )
    acts = data.draw(st.lists(st.sampled_from(["mine", "propose", "reorg", "poll", "settle"]), max_size=40))
    for number, act in enumerate(acts):
        if act == "mine":
            chain.mine()
        elif act == "propose":
            chain.mine(replace(sample_log, transaction_hash=number.to_bytes(32, "big")))
        elif act == "reorg" and (deepest := chain.block().number - follower.position.final.number) > 0:
            chain.reorg(data.draw(st.integers(1, deepest)))
        elif act == "poll":
            follower.poll()
        elif act == "settle":
            follower.settle()

    while chain.block().number <= follower.position.head.number:
        chain.mine()
    for _ in range(depth):
        chain.mine()
    while not isinstance(follower.poll(), Waiting):
        pass
    follower.settle()
    on_chain = {(log.transaction_hash, log.block_number) for log in chain.logs(0, chain.block().number, [])}
    assert follower.known == on_chain
    settled = {place for place in on_chain if place[1] <= follower.position.final.number}
    assert follower.settled == settled
    assert follower.position.final.number >= chain.block().number - depth - 1


@pytest.fixture(scope="module")
def plain() -> Iterator[Governance]:
    with Anvil() as node:
        yield deploy_governance(node)


@pytest.fixture(scope="module")
def sample_log(plain: Governance) -> Log:
    made = plain.propose([NOBODY], [0], [b""], "# Sample")
    block = plain.proposals[made].created_block
    return plain.node.rpc.logs(block, block, [CREATED_TOPIC])[0]


@given(st.lists(st.integers(1, 1000), max_size=200))
def test_the_trail_of_a_position_stays_short_and_reaches_far_back(steps: list[int]):
    chain = FakeReader()
    block = chain.block(0)
    position = Position.at(block)
    for step in steps:
        block = block.model_copy(update={"number": block.number + step})
        position = position.moved_to(block)
    numbers = [b.number for b in (*position.trail, position.head)]
    assert numbers == sorted(set(numbers))
    assert len(numbers) <= 1 + block.number.bit_length()
    assert all(number > position.final.number for number in numbers[:-1])
