"""Each action alone, by ``eth_call``: whether it would go through right now. It shows no effects, and no order."""

from __future__ import annotations

from typing import Final

from pnyx_policies.facts import CallResult
from pnyx_tools.reader import MethodMissingError, RevertedError, RpcError
from pnyx_tools.reasons import revert_reason, without_endpoint
from pnyx_tools.simulate.task import CANNOT_PAY, NO_FUNDS, Task

METHOD: Final = "eth_call"

MAX_TRIED_ALONE: Final = 32
"""Actions that are tried by a call of their own, each of which may keep the node busy for seconds."""


def try_each_alone(task: Task) -> tuple[CallResult, ...]:
    """Gas is unknown: 0."""
    return tuple(_alone(task, place) for place in range(len(task.calls)))


def call_alone(task: Task, place: int) -> None:
    """Raises `RevertedError`, `MethodMissingError` or `RpcError`."""
    task.reader.request(METHOD, [task.transaction(place), hex(task.block.number)])


def _alone(task: Task, place: int) -> CallResult:
    error = "" if place < MAX_TRIED_ALONE else f"not tried: only the first {MAX_TRIED_ALONE} actions are"
    task.tell_place(place)
    try:
        if not error:
            call_alone(task, place)
    except RevertedError as reverted:
        error = revert_reason(reverted.data) or "reverts alone, without a reason"
    except (MethodMissingError, RpcError) as refused:
        error = CANNOT_PAY if NO_FUNDS.search(refused.message) else without_endpoint(refused.message)
    return CallResult(path=str(place), succeeded=not error, gas_used=0, error=error)
