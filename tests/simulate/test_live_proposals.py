"""Proposals that may be executed before this one, on a real node."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pnyx_contracts.types import Vote
from pnyx_policies.checks import AmongOthers, CheckView
from pnyx_policies.context import Afterwards, Effects, LiveProposals
from pnyx_policies.finding import Severity
from pnyx_tools.context import LiveProposalsTool, ToolSkipped, live_proposals, others, run_tool
from pnyx_tools.gather import gather_facts
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.deploy import Governance, encode_call
from pnyx_tools.testing.provider import Provider


def look(dao: Governance, proposal: int) -> LiveProposals:
    node = dao.node.rpc
    return LiveProposalsTool().run(node, dao.adapter, dao.profile, dao.proposals[proposal], node.block())


def after(dao: Governance, proposal: int) -> Afterwards:
    found = look(dao, proposal).afterwards
    assert found is not None
    return found


def pay(dao: Governance, amount: int, text: str) -> int:
    return dao.propose([dao.node.accounts[5]], [amount], [b""], text)


def call(dao: Governance, target: str, data: bytes, text: str = "call") -> int:
    return dao.propose([target], [0], [data], text)


def judged(dao: Governance, proposal: int) -> list[tuple[Severity, str]]:
    facts = gather_facts(dao.node.rpc, dao.adapter, dao.profile, dao.proposals[proposal])
    return [(finding.severity, finding.title) for finding in AmongOthers().run(CheckView(facts))]


def pass_vote(dao: Governance, proposal: int) -> None:
    dao.advance_to_active(proposal)
    dao.vote(proposal, Vote.FOR, dao.node.accounts[0])
    dao.advance_to_closed(proposal)


def test_alone_there_is_nothing_to_run(dao: Governance) -> None:
    gone = pay(dao, 1, "taken back")
    dao.cancel(gone)
    found = look(dao, pay(dao, 1, "one"))
    assert (found.live, found.proposals, found.afterwards) == (0, (), None)


def test_two_that_spend_the_same_money(dao: Governance) -> None:
    all_but_one = dao.node.rpc.balance(dao.timelock) - 1
    first, second = pay(dao, all_but_one, "first"), pay(dao, 2, "second")
    assert judged(dao, second) == [(Severity.HIGH, f"It reverts after proposal {first}")]
    assert after(dao, second) == Afterwards(
        after=(first,), reverts_alone=(), reverts=("0",), appears=Effects(), vanishes=Effects()
    )


def test_a_role_that_another_one_gives_up(dao: Governance, store: str) -> None:
    """As long as the other one is queued: once it is executed, the plain simulation tells."""
    admin, person = bytes(32), dao.node.accounts[7]
    give_up = call(dao, store, encode_call("renounceRole(bytes32,address)", admin, dao.timelock))
    grant = call(dao, store, encode_call("grantRole(bytes32,address)", admin, person))
    assert after(dao, grant).reverts == ("0",)
    pass_vote(dao, give_up)
    dao.queue(give_up)
    assert look(dao, grant).proposals[0].state == "queued"
    dao.execute(give_up)
    assert look(dao, grant).live == 0


def test_a_role_that_another_one_grants(dao: Governance) -> None:
    """Only after the first may the timelock schedule; the second schedules."""
    role = dao.node.rpc.call(dao.timelock, encode_call("PROPOSER_ROLE()"))
    grant = call(dao, dao.timelock, encode_call("grantRole(bytes32,address)", role, dao.timelock), "grant")
    signature = "schedule(address,uint256,bytes,bytes32,bytes32,uint256)"
    data = encode_call(signature, dao.node.accounts[5], 1, b"", bytes(32), bytes(32), 0)
    schedule = call(dao, dao.timelock, data, "schedule")
    assert after(dao, schedule).reverts_alone == ("0",)
    assert judged(dao, schedule) == [(Severity.MEDIUM, f"It goes through only after proposal {grant}")]


def test_money_that_moves_only_then(dao: Governance) -> None:
    """The first brings the tokens that the second pays out."""
    owner, receiver = dao.node.accounts[0], dao.node.accounts[5]
    dao.node.send(dao.token, encode_call("approve(address,uint256)", dao.timelock, 50))
    fetch = encode_call("transferFrom(address,address,uint256)", owner, dao.timelock, 50)
    first = call(dao, dao.token, fetch, "fetch")
    second = call(dao, dao.token, encode_call("transfer(address,uint256)", receiver, 50), "pay")
    assert judged(dao, second) == [(Severity.HIGH, f"It goes through only after proposal {first}")]
    (moved,) = after(dao, second).appears.movements
    assert (moved.sender, moved.recipient, moved.amount) == (dao.timelock, receiver, 50)
    assert after(dao, second).vanishes == Effects()


def test_what_another_one_has_done_already(dao: Governance, store: str) -> None:
    grant = encode_call("grantRole(bytes32,address)", bytes(32), dao.node.accounts[7])
    first, second = call(dao, store, grant, "first"), call(dao, store, grant, "second")
    assert judged(dao, second) == [(Severity.MEDIUM, f"It does less after proposal {first}")]
    found = after(dao, second)
    assert ([change.kind for change in found.vanishes.changes], found.appears) == (["role-granted"], Effects())


def test_independent_ones_are_quiet(dao: Governance, store: str) -> None:
    pay(dao, 1, "first")
    call(dao, store, encode_call("setParameter(uint256)", 7), "parameter")
    last = pay(dao, 1, "same as the first")
    assert judged(dao, last) == []
    found = look(dao, last)
    assert (found.live, len(found.proposals), [p.state for p in found.proposals]) == (2, 2, ["pending", "active"])
    assert found.afterwards is not None
    assert not found.afterwards.differs


def scheduled(dao: Governance, amount: int, *, predecessor: bytes = bytes(32), salt: int = 0) -> bytes:
    """An operation of somebody else who may schedule, which pays; its id."""
    payee, rest = dao.node.accounts[6], (predecessor, salt.to_bytes(32, "big"))
    dao.node.impersonate(dao.governor)
    dao.node.set_balance(dao.governor, 10**18)
    signature = "schedule(address,uint256,bytes,bytes32,bytes32,uint256)"
    dao.node.send(dao.timelock, encode_call(signature, payee, amount, b"", *rest, 0), sender=dao.governor)
    hashed = encode_call("hashOperation(address,uint256,bytes,bytes32,bytes32)", payee, amount, b"", *rest)
    return dao.node.rpc.call(dao.timelock, hashed)


def test_an_operation_of_somebody_else_that_waits(dao: Governance) -> None:
    balance = dao.node.rpc.balance(dao.timelock)
    mine = pay(dao, 2, "mine")
    operation = scheduled(dao, balance - 1)
    found = look(dao, mine)
    assert (found.live, found.waiting) == (0, 1)
    assert [(o.id, o.calls, o.reverts) for o in found.operations] == [(operation, 1, False)]
    assert after(dao, mine).after_operations == (operation,)
    assert judged(dao, mine) == [(Severity.HIGH, "It reverts after 1 operation of others that waits")]
    dao.node.send(dao.timelock, encode_call("cancel(bytes32)", operation), sender=dao.governor)
    assert look(dao, mine).waiting == 0


def test_an_operation_that_changes_nothing_is_quiet(dao: Governance) -> None:
    mine = pay(dao, 2, "mine")
    scheduled(dao, 1)
    assert look(dao, mine).waiting == 1
    assert judged(dao, mine) == []


def test_operations_come_before_proposals_and_each_is_run_once(dao: Governance) -> None:
    """What a queued proposal scheduled is that proposal's, and this one's own is none of others."""
    queued, mine = pay(dao, 3, "queued"), pay(dao, 2, "mine")
    for proposal in (queued, mine):
        dao.advance_to_active(proposal)
        dao.vote(proposal, Vote.FOR, dao.node.accounts[0])
    for proposal in (queued, mine):
        dao.advance_to_closed(proposal)
        dao.queue(proposal)
    first, second = scheduled(dao, 7), scheduled(dao, 8)
    found = look(dao, mine)
    assert [p.state for p in found.proposals] == ["queued"]
    assert [o.id for o in found.operations] == [second, first]
    then = after(dao, mine)
    assert (then.after_operations, then.after) == ((first, second), (queued,))


def test_an_operation_that_has_to_wait_for_another(dao: Governance) -> None:
    mine = pay(dao, 2, "mine")
    first = scheduled(dao, 5)
    second = scheduled(dao, 6, predecessor=first)
    scheduled(dao, 7, predecessor=b"\x07" * 32)
    assert after(dao, mine).after_operations == (first, second), "nobody scheduled what the third waits for"
    execute = "execute(address,uint256,bytes,bytes32,bytes32)"
    dao.node.increase_time(1)
    dao.node.send(dao.timelock, encode_call(execute, dao.node.accounts[6], 5, b"", bytes(32), bytes(32)))
    assert after(dao, mine).after_operations == (second,)


def test_an_operation_that_fails_changes_nothing(dao: Governance) -> None:
    mine, too_much = pay(dao, 2, "mine"), dao.node.rpc.balance(dao.timelock) + 1
    scheduled(dao, too_much)
    found = look(dao, mine)
    assert ([o.reverts for o in found.operations], found.afterwards) == ([True], None)


def test_one_that_fails_changes_nothing(dao: Governance) -> None:
    """Its first action alone would take the money; executed are all or none."""
    everything = dao.node.rpc.balance(dao.timelock)
    broken = dao.propose([dao.node.accounts[5], dao.timelock], [everything, 0], [b"", b"\x12\x34\x56\x78"], "broken")
    good, mine = pay(dao, 1, "good"), pay(dao, 2, "mine")
    found = look(dao, mine)
    assert {p.proposal_id: p.reverts for p in found.proposals} == {broken: True, good: False}
    assert after(dao, mine).after == (good,)
    assert judged(dao, mine) == []


def test_they_are_run_in_the_order_in_which_their_votes_end(dao: Governance) -> None:
    first = pay(dao, 1, "first")
    dao.node.mine(3)
    second = pay(dao, 2, "second")
    dao.node.mine(3)
    mine = pay(dao, 3, "mine")
    assert after(dao, mine).after == (first, second)
    assert after(dao, first).after == (second, mine)


def test_it_is_bounded(dao: Governance, monkeypatch: pytest.MonkeyPatch) -> None:
    proposals = [pay(dao, 1, f"number {n}") for n in range(5)]
    monkeypatch.setattr(live_proposals, "MAX_PROPOSALS", 2)
    monkeypatch.setattr(others, "MAX_ASKED", 3)
    found = look(dao, proposals[-1])
    assert (found.live, found.not_asked, len(found.proposals)) == (3, 1, 2)
    assert [p.proposal_id for p in found.proposals] == [proposals[3], proposals[2]]
    assert [title for _, title in judged(dao, proposals[-1])] == [
        "Other proposals that were not run before this one: 1 live, 1 perhaps live"
    ]
    monkeypatch.setattr(live_proposals, "MAX_ACTIONS", 2)
    with pytest.raises(ToolSkipped, match="has 3 actions, at most 2 are run"):
        look(dao, proposals[-1])


def test_a_block_that_is_too_full_proves_nothing(dao: Governance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_proposals, "MOST_GAS", 1_000)
    everything = dao.node.rpc.balance(dao.timelock)
    pay(dao, everything, "first")
    with pytest.raises(ToolSkipped, match="too much to be run in one block"):
        look(dao, pay(dao, 1, "second"))


def test_a_node_that_cannot_simulate_says_so(dao: Governance, half: Callable[..., Provider]) -> None:
    alone = pay(dao, 1, "alone")
    with half("eth_simulateV1", "debug_traceCall") as node:
        found = run_tool(
            LiveProposalsTool(), Rpc(node.url), dao.adapter, dao.profile, dao.proposals[alone], dao.node.rpc.block()
        )
        assert found.result["live"] == 0
        pay(dao, 1, "another")
        found = run_tool(
            LiveProposalsTool(), Rpc(node.url), dao.adapter, dao.profile, dao.proposals[alone], dao.node.rpc.block()
        )
    assert found.step == "tool:live_proposals"
    assert "does not exist" in found.why
