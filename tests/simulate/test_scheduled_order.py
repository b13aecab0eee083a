"""Operations that a proposal schedules apart from one another, in order and reversed, on a real node."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pnyx_policies.checks import CheckView, ExecutionOrder
from pnyx_policies.context import ScheduledOrder
from pnyx_policies.finding import Severity
from pnyx_tools.context import ScheduledOrderTool
from pnyx_tools.gather import gather_facts
from pnyx_tools.testing.deploy import Governance, deploy, encode_call

SCHEDULE = "schedule(address,uint256,bytes,bytes32,bytes32,uint256)"
Step = tuple[str, int, bytes]


@pytest.fixture
def timelock(dao: Governance) -> str:
    """Another one, whose operations only the DAO's timelock executes."""
    made = deploy(dao.node, "Timelock5", 0, [dao.timelock], [dao.timelock], dao.node.accounts[0])
    dao.node.set_balance(made, 100)
    return made


def scheduling(dao: Governance, timelock: str, *steps: Step) -> int:
    calls = [
        encode_call(SCHEDULE, target, value, data, bytes(32), place.to_bytes(32, "big"), 0)
        for place, (target, value, data) in enumerate(steps)
    ]
    return dao.propose([timelock] * len(calls), [0] * len(calls), calls, "# Steps")


def look(dao: Governance, proposal: int) -> ScheduledOrder:
    node = dao.node.rpc
    return ScheduledOrderTool().run(node, dao.adapter, dao.profile, dao.proposals[proposal], node.block())


def test_steps_that_need_one_another(dao: Governance, timelock: str) -> None:
    """First the tokens come, then they are paid on."""
    owner, payee = dao.node.accounts[0], dao.node.accounts[5]
    dao.node.send(dao.token, encode_call("approve(address,uint256)", timelock, 50))
    fetch = dao.token, 0, encode_call("transferFrom(address,address,uint256)", owner, timelock, 50)
    pay = dao.token, 0, encode_call("transfer(address,uint256)", payee, 50)
    proposal = scheduling(dao, timelock, fetch, pay)
    (tried,) = look(dao, proposal).tried
    assert (tried.timelock, tried.operations, tried.reverts_in_order) == (timelock, 2, 0)
    assert (tried.reverts_reversed, tried.differs) == (("1.0",), False)
    facts = gather_facts(dao.node.rpc, dao.adapter, dao.profile, dao.proposals[proposal])
    (finding,) = ExecutionOrder().run(CheckView(facts))
    assert finding.severity is Severity.HIGH
    assert "1 call would revert" in finding.detail


def test_steps_of_which_the_last_one_wins(dao: Governance, timelock: str) -> None:
    """Nothing reverts, and who has the role in the end depends on the order."""
    role = b"\x07" * 32
    give, take = (
        (timelock, 0, encode_call(signature, role, dao.node.accounts[5]))
        for signature in ("grantRole(bytes32,address)", "revokeRole(bytes32,address)")
    )
    (tried,) = look(dao, scheduling(dao, timelock, give, take)).tried
    assert (tried.reverts_reversed, tried.differs) == ((), True)


def test_payments_that_need_nothing_of_one_another(dao: Governance, timelock: str) -> None:
    (tried,) = look(dao, scheduling(dao, timelock, *((dao.node.accounts[place], place, b"") for place in (5, 6)))).tried
    assert (tried.operations, tried.reverts_in_order, tried.reverts_reversed, tried.differs) == (2, 0, (), False)


def test_steps_that_do_not_go_through_as_things_are(dao: Governance, timelock: str) -> None:
    steps: Sequence[Step] = [(timelock, 0, bytes.fromhex("12345678")), (dao.node.accounts[5], 1, b"")]
    (tried,) = look(dao, scheduling(dao, timelock, *steps)).tried
    assert (tried.reverts_in_order, tried.reverts_reversed, tried.differs) == (1, (), False)


def test_one_operation_has_no_order(dao: Governance, timelock: str) -> None:
    assert look(dao, scheduling(dao, timelock, (dao.node.accounts[5], 1, b""))).tried == ()
