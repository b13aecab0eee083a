"""Following a chain: no proposal is missed, whatever the chain and the nodes do meanwhile."""

from __future__ import annotations

import pytest

from pnyx_contracts.errors import UsageError
from pnyx_contracts.governors.openzeppelin import CREATED_TOPIC
from pnyx_tools.follow import (
    Advanced,
    DeepReorganisationError,
    Position,
    Rewound,
    Settled,
    Waiting,
    block_since,
    read_history,
)
from pnyx_tools.follow.headers import Sieve, bloom_of_logs, read_header
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.deploy import Governance
from pnyx_tools.testing.provider import Provider

from .following import NOBODY, Follower, ids, propose, stream, watchlist

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
