"""Following by nodes that fail, lie and move: and after any history."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pnyx_contracts.errors import DiffersError
from pnyx_contracts.governors.openzeppelin import CREATED_TOPIC
from pnyx_contracts.types import Log
from pnyx_tools.follow import (
    Advanced,
    Position,
    Settled,
    Stream,
    Undecodable,
    Waiting,
)
from pnyx_tools.follow.headers import Sieve, bloom_of_logs
from pnyx_tools.reader import RpcError
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import Governance, deploy_governance
from pnyx_tools.testing.fake_reader import FakeReader
from pnyx_tools.testing.provider import Provider, error, result

from .following import DEEP, NOBODY, Beside, Follower, ids, propose, stream, watchlist

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
            stream(governance, reader=Rpc(provider.url), council=Beside.of(governance.node.rpc), finality=1)
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
        follower = Follower.of(stream(governance, council=Beside.of(other.rpc), finality=1))
        governance.node.mine(3)
        follower.advance()
        with pytest.raises(DiffersError, match="disagree about block"):
            follower.settle()


def test_a_first_endpoint_that_forks_off_is_not_followed(governance: Governance):
    """A reorganisation that a second endpoint does not see is no reorganisation yet."""
    with Provider(governance.node.url) as provider:
        follower = Follower.of(stream(governance, reader=Rpc(provider.url), council=Beside.of(governance.node.rpc)))
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
        follower = Follower.of(stream(governance, reader=Rpc(provider.url), council=Beside.of(node.rpc)))
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


@settings(max_examples=80)
@given(data=st.data())
def test_after_any_history_the_proposals_of_the_chain_are_known(data, sample_log: Log, plain: Governance):
    """Blocks with and without proposals, reorganisations, polls and second looks at any time."""
    chain = FakeReader()
    depth = data.draw(st.integers(0, 6))
    council = data.draw(st.sampled_from([None, Beside.of(chain)]))
    follower = Follower.of(
        Stream(chain, [CREATED_TOPIC], [plain.governor], finality=depth, council=council, blocks_per_poll=3)
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
