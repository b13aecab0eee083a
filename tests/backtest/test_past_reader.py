"""A reader that knows nothing later than one block; and the block in which a vote opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from pnyx_contracts.types import BlockRef, to_hex
from pnyx_tools.clock import clock_at
from pnyx_tools.opening import opening_block
from pnyx_tools.past import PastReader
from pnyx_tools.reader import MethodMissingError, RpcError
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import Clock, Governance, deploy_governance
from pnyx_tools.testing.fake_reader import FakeReader
from pnyx_tools.testing.rollup import Rollup

NUMBER = "0x4360005260206000f3"
"""Code that returns the block number that it sees."""


@pytest.fixture(scope="module")
def node() -> Iterator[Anvil]:
    with Anvil() as running:
        running.mine(20)
        yield running


@pytest.fixture(scope="module")
def then(node: Anvil) -> BlockRef:
    """A block after which there are others, in which somebody was paid."""
    receiver = node.accounts[5]
    node.send(receiver, value_wei=5)
    last = node.rpc.block()
    node.send(receiver, value_wei=7)
    node.mine(10)
    return last


Ask = Callable[[PastReader, BlockRef, BlockRef, str], object]


def called(block: object) -> list[object]:
    """Parameters of an ``eth_call`` to nobody."""
    return [{"data": NUMBER}, block]


LATER: dict[str, Ask] = {
    "a number": lambda r, _, later, __: r.block(later.number),
    "a hash": lambda r, _, later, __: r.block(to_hex(later.hash)),
    "a balance": lambda r, _, later, who: r.balance(who, later.number),
    "a balance by hash": lambda r, _, later, who: r.balance(who, to_hex(later.hash)),
    "code": lambda r, _, later, who: r.code(who, later.number),
    "a slot": lambda r, _, later, who: r.storage(who, 0, later.number),
    "a nonce": lambda r, _, later, who: r.nonce(who, later.number),
    "a call": lambda r, _, later, who: r.call(who, b"", later.number),
    "logs": lambda r, then, later, _: r.logs(then.number, later.number, []),
    "a request": lambda r, _, later, __: r.request("eth_call", called(hex(later.number))),
    "a request by hash": lambda r, _, later, __: r.request("eth_call", called({"blockHash": to_hex(later.hash)})),
    "a number in an object": lambda r, _, later, __: r.request("eth_call", called({"blockNumber": hex(later.number)})),
    "receipts": lambda r, _, later, __: r.request("eth_getBlockReceipts", [hex(later.number)]),
    "together": lambda r, _, later, who: r.ask_together([("eth_getCode", [who, hex(later.number)])]),
}


@pytest.mark.parametrize("what", LATER)
def test_what_is_later_is_not_there(node: Anvil, then: BlockRef, what: str) -> None:
    later, ask = node.rpc.block(then.number + 1), LATER[what]
    with pytest.raises(RpcError, match=f"later than block {then.number}"):
        ask(PastReader(node.rpc, then), then, later, node.accounts[5])
    ask(PastReader(node.rpc, later), then, later, node.accounts[5])


@pytest.mark.parametrize("tag", ["latest", "safe", "finalized", "pending"])
def test_the_latest_block_is_that_one(node: Anvil, then: BlockRef, tag: str) -> None:
    past, receiver = PastReader(node.rpc, then), node.accounts[5]
    assert past.block(tag) == past.block() == then
    assert past.balance(receiver, tag) == node.rpc.balance(receiver, then.number) == node.rpc.balance(receiver) - 7
    for parameters in ([{"data": NUMBER}, tag], [{"data": NUMBER}]):
        assert int(past.request("eth_call", parameters), 16) == then.number


def test_a_transaction_that_is_mined_later_is_not_known_yet(node: Anvil, then: BlockRef) -> None:
    block = node.request("eth_getBlockByNumber", hex(then.number + 1), False)
    later = bytes.fromhex(block["transactions"][0][2:])
    past = PastReader(node.rpc, then)
    assert past.receipt(later) is None
    assert past.transaction(later) is None
    trace = ("debug_traceTransaction", [to_hex(later), {"tracer": "callTracer"}])
    with pytest.raises(RpcError, match=f"later than block {then.number}"):
        past.request(*trace)
    after = PastReader(node.rpc, node.rpc.block(then.number + 1))
    assert after.receipt(later) is not None
    assert after.transaction(later) is not None
    assert after.request(*trace) == node.rpc.request(*trace)


@pytest.mark.parametrize("method", ["eth_blockNumber", "eth_getLogs", "eth_gasPrice", "trace_block"])
def test_a_question_that_names_no_block_is_not_asked(node: Anvil, then: BlockRef, method: str) -> None:
    with pytest.raises(MethodMissingError, match=f"{method} is not asked about the past"):
        PastReader(node.rpc, then).request(method, [])


def test_what_is_earlier_is_as_it_is(node: Anvil, then: BlockRef) -> None:
    past, before = PastReader(node.rpc, then), node.rpc.block(then.number - 5)
    assert past.block(before.number) == past.block(to_hex(before.hash)) == before
    assert past.balance(node.accounts[5], to_hex(before.hash)) == node.rpc.balance(node.accounts[5], before.number)
    assert past.chain_id() == 31337


def test_a_reader_that_takes_one_question_at_a_time() -> None:
    reader = FakeReader()
    assert PastReader(reader, reader.block()).ask_together([("eth_getCode", ["0x" + "11" * 20, "latest"])]) == [None]


# The block in which a vote opened.


@pytest.mark.parametrize("clock", ["block", "timestamp"])
def test_the_first_block_in_which_votes_count(node: Anvil, clock: Clock) -> None:
    dao = deploy_governance(node, 5, clock, voting_delay=7)
    proposal = dao.proposals[dao.propose([node.accounts[5]], [0], [b""], "x")]
    created, start = proposal.created_block, proposal.vote_start
    assert opening_block(node.rpc, dao.profile, start, created, node.rpc.block().number) is None, "not yet"
    node.mine(30, 3)
    opened = opening_block(node.rpc, dao.profile, start, created, node.rpc.block().number)
    assert opened is not None
    before = node.rpc.block(opened.number - 1)
    assert clock_at(node.rpc, dao.profile, before) <= start < clock_at(node.rpc, dao.profile, opened)
    assert node.rpc.read(dao.adapter.read_state(dao.profile, proposal.key.proposal_id), before.number).name == "PENDING"
    assert node.rpc.read(dao.adapter.read_state(dao.profile, proposal.key.proposal_id), opened.number).name == "ACTIVE"


@pytest.mark.parametrize("ahead", [300_000_000, -10])
@pytest.mark.parametrize("version", ["4.3", "5"])
def test_where_contracts_see_other_numbers_than_headers_have(node: Anvil, version: str, ahead: int) -> None:
    """As on Arbitrum; a governor without a clock of its own as well."""
    old = version == "4.3"
    dao: Governance = deploy_governance(
        node, 4 if old else 5, contract="Governor43Block" if old else None, voting_delay=6
    )
    proposal = dao.proposals[dao.propose([node.accounts[5]], [0], [b""], "x")]
    node.mine(20)
    here = opening_block(node.rpc, dao.profile, proposal.vote_start, proposal.created_block, node.rpc.block().number)
    assert here is not None
    with Rollup(node, ahead) as rollup:
        there = Rpc(rollup.url)
        created, head = proposal.created_block + ahead, there.block().number
        opened = opening_block(there, dao.profile, proposal.vote_start, created, head)
    assert opened is not None
    assert (opened.hash, opened.number) == (here.hash, here.number + ahead)
    assert here.number == proposal.vote_start + 1
