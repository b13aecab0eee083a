"""The built-in context tools on a real node."""

from __future__ import annotations

import json

import pytest
from eth_hash.auto import keccak

from pnyx_contracts.types import Vote
from pnyx_policies.context import READINGS
from pnyx_policies.facts import Grade
from pnyx_tools.context import (
    ProposerHistoryTool,
    TimelockQueueTool,
    ToolSkipped,
    TreasuryBalancesTool,
    VotingPowerTool,
    builtin_tools,
    history,
    run_tool,
)
from pnyx_tools.reader import RpcError
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.deploy import TOKEN, Governance, encode_call
from pnyx_tools.testing.provider import Provider, Question, Reply, error, result


def run(tool, dao: Governance, proposal: int):
    return tool.run(dao.node.rpc, dao.adapter, dao.profile, dao.proposals[proposal], dao.node.rpc.block())


def propose(dao: Governance, text: str, amount: int = 1, sender: str | None = None) -> int:
    return dao.propose([dao.node.accounts[5]], [amount], [b""], text, sender)


def test_tools_have_what_the_protocol_asks_for() -> None:
    names = [tool.name for tool in builtin_tools()]
    assert names == [reading.TOOL for reading in READINGS]
    for tool in builtin_tools():
        assert tool.version
        assert tool.description.endswith(".")
        assert isinstance(tool.grade, Grade)


def test_proposer_history(dao: Governance) -> None:
    stranger = dao.node.accounts[2]
    first = propose(dao, "first")
    dao.cancel(first)
    propose(dao, "by somebody else", sender=stranger)
    again = propose(dao, "other text, same calls")
    result = run(ProposerHistoryTool(), dao, again)
    assert (result.proposals_in_governor, result.proposals_by_proposer) == (2, 1)
    (earlier,) = result.latest
    assert (earlier.proposal_id, earlier.state, earlier.same_calls, earlier.calls) == (first, "canceled", True, 1)
    assert (result.from_block, result.to_block) == (0, dao.node.rpc.block().number)
    assert run(ProposerHistoryTool(), dao, propose(dao, "x", 2)).latest[0].same_calls is False


def test_the_same_actions_are_found_in_other_words_of_other_people_and_with_padding(dao: Governance) -> None:
    payee, stranger = dao.node.accounts[5], dao.node.accounts[2]
    propose(dao, "something else", 7)
    first = propose(dao, "first", sender=stranger)
    padded = dao.propose([payee, payee], [1, 0], [b"", b""], "padded by a call that does nothing")
    more = dao.propose([payee, payee], [1, 7], [b"", b""], "with one more")
    dao.cancel(more)
    again = run(ProposerHistoryTool(), dao, propose(dao, "again")).repeated
    assert [p.proposal_id for p in again] == [more, padded, first]
    assert again[0].state == "canceled"
    empty = [dao.propose([payee], [0], [b""], text) for text in ("a signal", "another signal")]
    assert run(ProposerHistoryTool(), dao, empty[1]).repeated == ()


def test_proposer_history_is_bounded(dao: Governance, monkeypatch: pytest.MonkeyPatch) -> None:
    old = propose(dao, "old")
    dao.node.mine(10)
    new = propose(dao, "new")
    first = dao.proposals[new].created_block - 4
    result = run(ProposerHistoryTool().no_further_than(first), dao, new)
    assert (result.proposals_by_proposer, result.from_block) == (0, first)
    monkeypatch.setattr("pnyx_tools.context.proposer_history.MAX_PROPOSALS", 1)
    third = propose(dao, "third")
    result = run(ProposerHistoryTool(), dao, third)
    assert [p.proposal_id for p in result.latest] == [new]
    assert result.proposals_by_proposer == 2
    assert old != new


def test_a_search_ends_where_a_node_gives_too_little_at_once(dao: Governance, monkeypatch: pytest.MonkeyPatch) -> None:
    """It costs a bounded number of requests, and two searches of like nodes end at the same block."""
    monkeypatch.setattr(history, "FIRST_SPAN_BLOCKS", 20)
    made = propose(dao, "old")
    head = dao.node.mine(120).number
    topics = [dao.adapter.created_topics()]
    assert history.search_back(dao.node.rpc, head, 0, topics, [dao.governor]).from_block == 0

    def narrow(question: Question) -> Reply | None:
        if question["method"] != "eth_getLogs":
            return None
        first, last = (int(question["params"][0][name], 16) for name in ("fromBlock", "toBlock"))
        return error(question, -32600, "up to a 5 block range is allowed") if last - first >= 5 else None

    with Provider(dao.node.url, narrow) as provider:
        found = [history.search_back(Rpc(provider.url), head, 0, topics, [dao.governor]) for _ in range(2)]
        asked = sum(q["method"] == "eth_getLogs" for q in provider.asked)
    assert found == [history.History((), head - 19)] * 2
    assert dao.proposals[made].created_block < head - 19
    assert asked <= 2 * 3 * history.MOST_REQUESTS


def test_a_search_that_finds_no_node_is_no_short_search(dao: Governance) -> None:
    def gone(question: Question) -> Reply | None:
        return (502, b"") if question["method"] == "eth_getLogs" else None

    head, topics = dao.node.rpc.block().number, [dao.adapter.created_topics()]
    with Provider(dao.node.url, gone) as provider, pytest.raises(RpcError):
        history.search_back(Rpc(provider.url, pauses=()), head, 0, topics, [dao.governor])


def test_a_search_in_spans_finds_everything_in_order(dao: Governance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "FIRST_SPAN_BLOCKS", 1)
    for amount in range(1, 8):
        propose(dao, "many", amount)
        dao.node.mine(amount)
    head = dao.node.rpc.block().number
    topics = [dao.adapter.created_topics()]
    found = history.search_back(dao.node.rpc, head, 0, topics, [dao.governor])
    assert list(found.logs) == dao.node.rpc.logs(0, head, topics, [dao.governor])
    assert len(found.logs) == 7


def test_one_empty_answer_hides_nothing(dao: Governance) -> None:
    made, lies = propose(dao, "Pay for translations."), [True]
    topics = [tuple(dao.adapter.created_topics())]

    def forgets_once(question: Question) -> Reply | None:
        return result(question, []) if question["method"] == "eth_getLogs" and lies and lies.pop() else None

    with Provider(dao.node.url, forgets_once) as provider:
        head = dao.node.rpc.block().number
        found = history.search_back(Rpc(provider.url), head, 0, topics, [dao.governor])
    assert not lies
    assert made in [dao.adapter.decode_created(dao.profile, log).key.proposal_id for log in found.logs]


@pytest.mark.parametrize("kind", ["dao", "clocked"])
def test_voting_power(kind: str, request: pytest.FixtureRequest) -> None:
    dao: Governance = request.getfixturevalue(kind)
    first, second, third = dao.node.accounts[:3]
    dao.node.increase_time(10)
    proposal = propose(dao, "vote")
    pending = run(VotingPowerTool(), dao, proposal)
    assert (pending.proposer_at_creation, pending.proposer_at_snapshot) == (600_000 * TOKEN, None)
    dao.advance_to_active(proposal)
    dao.node.send(dao.token, encode_call("delegate(address)", first), sender=first)  # 50,000 more, after the snapshot
    dao.node.increase_time(10)
    dao.vote(proposal, Vote.AGAINST, third)
    dao.vote(proposal, Vote.FOR, second)
    other = propose(dao, "another")
    dao.advance_to_active(other)
    dao.vote(other, Vote.FOR, first)
    result = run(VotingPowerTool(), dao, proposal)
    assert result.proposer == first
    assert (result.proposer_at_creation, result.proposer_at_snapshot) == (600_000 * TOKEN, 600_000 * TOKEN)
    assert result.proposer_now == 650_000 * TOKEN
    assert (result.voters, result.weight_cast) == (2, 350_000 * TOKEN)
    assert result.largest_share_bps == 300_000 * 10_000 // 350_000
    assert [(v.voter, v.votes) for v in result.largest] == [(second, ("for",)), (third, ("against",))]


def test_treasury_balances_cover_the_safes_in_the_calls(dao: Governance) -> None:
    safe = dao.node.accounts[8]  # any address will do: only balances are read
    dao.node.send(dao.token, encode_call("transfer(address,uint256)", safe, 9))
    inner = encode_call("transfer(address,uint256)", dao.node.accounts[5], 1)
    data = encode_call("execTransactionFromModule(address,uint256,bytes,uint8)", dao.token, 0, inner, 0)
    result = run(TreasuryBalancesTool(), dao, dao.propose([safe], [0], [data], "through a Safe"))
    assert [(a.account, a.role) for a in result.accounts] == [
        (dao.timelock, "executor"),
        (dao.governor, "governor"),
        (safe, "caller"),
    ]
    assert [(h.asset, h.balance) for h in result.accounts[2].holdings][1] == (dao.token, 9)
    assert result.left_out == 0


def test_timelock_queue(dao: Governance) -> None:
    def scheduled(amount: int) -> int:
        proposal = propose(dao, f"pay {amount}", amount)
        dao.advance_to_active(proposal)
        dao.vote(proposal, Vote.FOR, dao.node.accounts[0])
        dao.advance_to_closed(proposal)
        dao.queue(proposal)
        return proposal

    executed, cancelled, waiting = scheduled(1), scheduled(2), scheduled(3)
    dao.execute(executed)
    operation = dao.node.rpc.logs(
        0, 10**6, [keccak(b"CallScheduled(bytes32,uint256,address,uint256,bytes,bytes32,uint256)")]
    )[1]
    dao.node.impersonate(dao.governor)
    dao.node.set_balance(dao.governor, TOKEN)
    dao.node.send(dao.timelock, encode_call("cancel(bytes32)", operation.topics[1]), sender=dao.governor)
    assert cancelled != waiting

    same_again = propose(dao, "pay 3 once more", 3)
    result = run(TimelockQueueTool(), dao, same_again)
    assert (result.timelock, result.min_delay_seconds, result.pending) == (dao.timelock, 0, 1)
    (left,) = result.operations
    assert [(c.target, c.value_wei, c.signature) for c in left.calls] == [(dao.node.accounts[5], 3, None)]
    assert left.same_calls
    assert 0 < left.ready_at <= dao.node.rpc.block().timestamp
    assert not left.has_predecessor


def test_timelock_queue_is_skipped_without_a_timelock(dao: Governance) -> None:
    proposal = dao.proposals[propose(dao, "x")]
    alone = dao.profile.model_copy(update={"timelock": None})
    with pytest.raises(ToolSkipped, match="no timelock"):
        TimelockQueueTool().run(dao.node.rpc, dao.adapter, alone, proposal, dao.node.rpc.block())


def test_results_enter_the_record_as_plain_json(dao: Governance) -> None:
    proposal = dao.proposals[propose(dao, "x")]
    block = dao.node.rpc.block()
    for tool in builtin_tools():
        result = run_tool(tool, dao.node.rpc, dao.adapter, dao.profile, proposal, block)
        assert (result.tool, result.version, result.grade) == (tool.name, tool.version, tool.grade)
        assert json.loads(json.dumps(result.result)) == result.result
