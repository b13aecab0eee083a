"""execution-order: operations that somebody may execute in an order of his choice."""

from __future__ import annotations

from typing import Any

import pytest
from tests.policies.settled import (
    ALICE,
    HIGH,
    LOW,
    MALLORY,
    MEDIUM,
    NOBODY,
    OTHER_TIMELOCK,
    USDC,
    changed,
    found,
    plain,
    worst,
)

from pnyx_policies.checks import ExecutionOrder
from pnyx_policies.context import GroundRules, Operation, OrderTried, QueuedCall, Role, ScheduledOrder, TimelockQueue
from pnyx_policies.finding import Severity
from pnyx_tools.testing.facts import PROPOSER, TIMELOCK, call_of


def scheduled(predecessor: int = 0, timelock: str = OTHER_TIMELOCK) -> Any:
    signature = "schedule(address,uint256,bytes,bytes32,bytes32,uint256)"
    return call_of(timelock, signature, USDC, 0, b"", predecessor.to_bytes(32), bytes(32), 60)


OPEN = Role(timelock=OTHER_TIMELOCK, role="executor", holder=NOBODY)


@pytest.mark.parametrize(
    ("calls", "roles", "severity"),
    [
        ([scheduled(), scheduled()], [OPEN], HIGH),
        ([scheduled(), scheduled()], [], MEDIUM),
        ([scheduled(), scheduled()], [Role(timelock=TIMELOCK, role="executor", holder=NOBODY)], MEDIUM),
        ([scheduled(), scheduled()], [Role(timelock=OTHER_TIMELOCK, role="executor", holder=PROPOSER)], MEDIUM),
        ([scheduled(), scheduled(7)], [OPEN], None),
        ([scheduled(), scheduled(timelock=MALLORY)], [OPEN], None),
        ([scheduled()], [OPEN], None),
    ],
)
def test_operations_that_do_not_wait_for_one_another(
    calls: list[Any], roles: list[Role], severity: Severity | None
) -> None:
    assert worst(ExecutionOrder(), changed(plain(*calls), GroundRules, roles=tuple(roles))) is severity


@pytest.mark.parametrize(
    ("tried", "severity", "says"),
    [
        ({}, MEDIUM, "leave some out."),
        ({"reverts_reversed": ("1.0",)}, HIGH, "In the reverse order, 1 call would revert."),
        ({"differs": True}, HIGH, "In the reverse order, other money or power would move."),
        ({"reverts_in_order": 1}, MEDIUM, "leave some out."),
    ],
)
def test_an_order_that_matters(tried: dict[str, Any], severity: Severity, says: str) -> None:
    order = OrderTried(**({"timelock": OTHER_TIMELOCK, "operations": 2, "reverts_in_order": 0} | tried))
    facts = changed(plain(scheduled(), scheduled()), ScheduledOrder, tried=(order,))
    (finding,) = found(ExecutionOrder(), facts)
    assert finding.severity is severity
    assert finding.detail.endswith(says)


@pytest.mark.parametrize(
    ("target", "same_calls", "is_open", "severity"),
    [(USDC, False, True, LOW), (USDC, False, False, None), (USDC, True, True, None), (ALICE, False, True, None)],
)
def test_operations_that_wait_for_the_same_contract(
    target: str, same_calls: bool, is_open: bool, severity: Severity | None
) -> None:
    operation = Operation(
        id=bytes(32), scheduled_block=950, ready_at=1, has_predecessor=False, same_calls=same_calls,
        calls=(QueuedCall(target=target, value_wei=0, signature=None),),
    )  # fmt: skip
    facts = changed(plain(), TimelockQueue, pending=1, operations=(operation,))
    roles = (Role(timelock=TIMELOCK, role="executor", holder=NOBODY),) if is_open else ()
    assert worst(ExecutionOrder(), changed(facts, GroundRules, roles=roles)) is severity
