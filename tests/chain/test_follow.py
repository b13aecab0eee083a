"""Following a governor: no proposal is missed, whatever the chain and the nodes do meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pnyx_contracts.errors import DecodingError, DiffersError
from pnyx_contracts.governors.openzeppelin import CREATED_TOPIC
from pnyx_contracts.types import Log
from pnyx_tools.follow import Advanced, Cursor, Follower, Rewound, Step, Waiting
from pnyx_tools.reader import RpcError
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import Governance, deploy_governance
from pnyx_tools.testing.fake_reader import FakeReader
from pnyx_tools.testing.provider import Provider, error, result

NOBODY = "0x00000000000000000000000000000000DeaDBeef"


@pytest.fixture
def governance() -> Iterator[Governance]:
    with Anvil() as node:
        yield deploy_governance(node)


def follower(governance: Governance, **options) -> Follower:
    options = {"start_block": 0, "finality": 0} | options
    reader = options.pop("reader", governance.node.rpc)
    return Follower(reader, governance.adapter, governance.profile, **options)


def propose(governance: Governance, number: int) -> int:
    return governance.propose([NOBODY], [number], [b""], f"# Proposal {number}")


def ids(step: Step) -> list[int]:
    assert isinstance(step, Advanced), step
    return [proposal.key.proposal_id for proposal in step.proposals]


def advance(following: Follower, cursor: Cursor | None) -> Advanced:
    step = following.poll(cursor)
    assert isinstance(step, Advanced), step
    return step


# --- a real governor -------------------------------------------------------------------------------------------------


def test_proposals_are_handed_out_as_they_come(governance: Governance):
    following = follower(governance, rescan_blocks=0)
    first = propose(governance, 1)
    step = advance(following, None)
    assert ids(step) == [first]
    assert step.proposals[0] == governance.proposals[first]
    assert isinstance(following.poll(step.cursor), Waiting)

    second, third = propose(governance, 2), propose(governance, 3)
    later = advance(following, step.cursor)
    assert ids(later) == [second, third]
    assert later.cursor.block == governance.node.rpc.block()


def test_a_restart_goes_on_from_the_cursor_that_was_kept(governance: Governance):
    propose(governance, 1)
    kept = advance(follower(governance), None).cursor.model_dump_json()
    second = propose(governance, 2)
    following = follower(governance, rescan_blocks=0)
    assert ids(following.poll(Cursor.model_validate_json(kept))) == [second]


def test_history_before_the_start_is_not_replayed(governance: Governance):
    propose(governance, 1)
    start = governance.node.mine(5).number
    following = follower(governance, start_block=start + 1)
    assert isinstance(following.poll(None), Waiting)
    second = propose(governance, 2)
    assert ids(following.poll(None)) == [second]


def test_recent_blocks_are_read_again(governance: Governance):
    following = follower(governance, rescan_blocks=3)
    first = propose(governance, 1)
    step = advance(following, None)
    governance.node.mine(1)
    again = advance(following, step.cursor)
    assert ids(again) == [first]
    governance.node.mine(5)
    later = advance(following, again.cursor)
    governance.node.mine(1)
    assert ids(following.poll(later.cursor)) == []


def test_long_ranges_are_read_in_parts_that_are_kept(governance: Governance):
    made = [propose(governance, n) for n in range(3)]
    following = follower(governance, blocks_per_poll=4, rescan_blocks=2)
    cursor, found, steps = None, [], 0
    while isinstance(step := following.poll(cursor), Advanced):
        found += ids(step)
        cursor, steps = step.cursor, steps + 1
    assert list(dict.fromkeys(found)) == made
    assert steps == governance.node.rpc.block().number // 4 + 1


def test_only_confirmed_blocks_count(governance: Governance):
    following = follower(governance, finality=3)
    first = propose(governance, 1)
    assert ids(following.poll(None)) == []
    governance.node.mine(3)
    assert ids(following.poll(None)) == [first]


def test_what_the_chain_calls_finalized_counts(governance: Governance):
    following = follower(governance, finality="finalized")
    first = propose(governance, 1)
    finalized = governance.node.rpc.block("finalized").number
    assert finalized < governance.proposals[first].created_block
    governance.node.mine(200)
    assert ids(following.poll(None)) == [first]


def test_a_reorganisation_rewinds_and_the_new_chain_is_read(governance: Governance):
    following = follower(governance, rescan_blocks=0)
    kept = propose(governance, 1)
    before = advance(following, None).cursor
    snapshot = governance.node.snapshot()
    gone = propose(governance, 2)
    step = advance(following, before)
    assert ids(step) == [gone]

    governance.node.revert(snapshot)
    assert isinstance(following.poll(step.cursor), Waiting), "the node is behind"
    governance.node.mine(2)
    replacement = propose(governance, 3)
    rewound = following.poll(step.cursor)
    assert rewound == Rewound(before, above=before.block.number)
    assert ids(following.poll(rewound.cursor)) == [replacement]
    assert kept not in {gone, replacement}


def test_a_reorganisation_deep_below_the_cursor(governance: Governance):
    node, following, cursor = governance.node, follower(governance, rescan_blocks=0), None
    for _ in range(6):
        node.mine(3)
        cursor = advance(following, cursor).cursor
    node.reorg(8)
    node.mine(1)
    rewound = following.poll(cursor)
    assert isinstance(rewound, Rewound)
    assert rewound.cursor is not None
    assert rewound.above <= node.rpc.block().number - 8
    assert node.rpc.block(rewound.above) == rewound.cursor.block
    advance(following, rewound.cursor)


def test_a_reorganisation_of_the_head_is_seen_before_the_next_block(governance: Governance):
    following = follower(governance)
    cursor = advance(following, None).cursor
    governance.node.mine(1)
    cursor = advance(following, cursor).cursor
    governance.node.reorg(1)
    assert following.poll(cursor) == Rewound(Cursor(block=cursor.trail[-1]), above=cursor.block.number - 1)


def test_a_chain_with_nothing_in_common_is_read_from_the_start(governance: Governance):
    following = follower(governance, rescan_blocks=0)
    made = propose(governance, 1)
    cursor = advance(following, None).cursor
    stranger = cursor.model_copy(update={"block": cursor.block.model_copy(update={"hash": b"\x11" * 32})})
    governance.node.mine(1)
    rewound = following.poll(stranger)
    assert rewound == Rewound(None, above=-1)
    assert ids(following.poll(rewound.cursor)) == [made]


# --- nodes that fail -------------------------------------------------------------------------------------------------


def test_an_error_is_raised_and_never_looks_like_nothing(governance: Governance):
    with Provider(governance.node.url) as provider:
        provider.rule = lambda q: error(q, -32000, "boom") if q["method"] == "eth_getLogs" else None
        with pytest.raises(RpcError, match="boom"):
            follower(governance, reader=Rpc(provider.url)).poll(None)


def test_two_endpoints_must_agree(governance: Governance):
    made = propose(governance, 1)
    with Provider(governance.node.url) as provider:
        following = follower(governance, second_reader=Rpc(provider.url))
        provider.rule = lambda q: result(q, []) if q["method"] == "eth_getLogs" else None
        with pytest.raises(DiffersError, match="1 and 0 events"):
            following.poll(None)
        provider.rule = lambda _: None
        assert ids(following.poll(None)) == [made]

    with Anvil() as other:
        other.mine(100)
        with pytest.raises(DiffersError, match="disagree about block"):
            follower(governance, second_reader=other.rpc).poll(None)


def test_a_chain_that_moves_while_it_is_read_is_read_again(governance: Governance):
    node = governance.node
    made = propose(governance, 1)
    with Provider(node.url) as provider:

        def reorganises(question) -> None:
            if question["method"] == "eth_getLogs":
                provider.rule = lambda _: None
                node.reorg(1)

        provider.rule = reorganises
        following = follower(governance, reader=Rpc(provider.url))
        step = following.poll(None)
        assert step == Waiting(f"block {governance.proposals[made].created_block} was reorganised while it was read")
        assert ids(following.poll(None)) == []


def test_an_event_that_cannot_be_read_stops_nothing(governance: Governance):
    made = propose(governance, 1)
    proposal = governance.proposals[made]
    receipt = governance.node.rpc.receipt(proposal.created_transaction)
    assert receipt is not None
    reader = FakeReader()
    honest = governance.node.rpc.logs(proposal.created_block, proposal.created_block, [CREATED_TOPIC])[0]
    broken = replace(honest, data=honest.data[:-32])
    reader.mine(broken, honest)
    step = advance(follower(governance, reader=reader), None)
    assert [p.description for p in step.proposals] == [proposal.description]
    [(log, why)] = step.undecodable
    assert isinstance(log, Log)
    assert isinstance(why, DecodingError)


# --- any history -----------------------------------------------------------------------------------------------------


class Watcher:
    """Keeps what a follower hands out, as a caller would: cursor and proposals together."""

    def __init__(self, following: Follower) -> None:
        self.following = following
        self.cursor: Cursor | None = None
        self.known: set[tuple[bytes, int]] = set()

    def poll(self) -> Step:
        step = self.following.poll(self.cursor)
        if isinstance(step, Advanced):
            self.known |= {(p.created_transaction, p.created_block) for p in step.proposals}
            self.cursor = step.cursor
        elif isinstance(step, Rewound):
            self.known = {(transaction, block) for transaction, block in self.known if block <= step.above}
            self.cursor = step.cursor
        return step


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_after_any_history_the_proposals_of_the_chain_are_known(data, sample_log: Log, plain: Governance):
    """Blocks with and without proposals, reorganisations of any depth, polls at any time."""
    chain = FakeReader()
    watcher = Watcher(follower(plain, reader=chain, rescan_blocks=data.draw(st.integers(0, 3)), blocks_per_poll=3))
    acts = data.draw(st.lists(st.sampled_from(["mine", "propose", "reorg", "poll"]), max_size=40))
    for number, act in enumerate(acts):
        if act == "mine":
            chain.mine()
        elif act == "propose":
            chain.mine(replace(sample_log, transaction_hash=number.to_bytes(32, "big")))
        elif act == "reorg" and (height := chain.block().number):
            chain.reorg(data.draw(st.integers(1, height)))
        elif act == "poll":
            watcher.poll()

    while chain.block().number <= (watcher.cursor.block.number if watcher.cursor else 0):
        chain.mine()
    while not isinstance(watcher.poll(), Waiting):
        pass
    on_chain = chain.logs(0, chain.block().number, [])
    assert watcher.known == {(log.transaction_hash, log.block_number) for log in on_chain}


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
def test_the_trail_of_a_cursor_stays_short_and_reaches_far_back(steps: list[int]):
    chain = FakeReader()
    block = chain.block(0)
    cursor = Cursor(block=block)
    for step in steps:
        block = block.model_copy(update={"number": block.number + step})
        cursor = cursor.moved_to(block)
    numbers = [b.number for b in (*cursor.trail, cursor.block)]
    assert numbers == sorted(set(numbers))
    assert len(numbers) <= 1 + block.number.bit_length()
    assert numbers[0] == 0
