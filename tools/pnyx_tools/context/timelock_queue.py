"""What waits in the timelock: operations scheduled and neither executed nor cancelled.

Operations scheduled apart from one another can be executed in any order by anybody, when the executor role is open: a
queue may matter to a proposal that assumes an order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.errors import DecodingError
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import BlockRef, Call, Log, Proposal, to_hex
from pnyx_policies.context.timelock_queue import MAX_OPERATIONS, Operation, QueuedCall, TimelockQueue
from pnyx_policies.facts import Grade
from pnyx_tools.context.asking import number_of
from pnyx_tools.context.history import (
    ENDED_TOPICS,
    SCHEDULED,
    SCHEDULED_TOPIC,
    SearchingTool,
    recent_past,
)
from pnyx_tools.context.protocol import ToolSkipped
from pnyx_tools.effects import Event, event_arguments
from pnyx_tools.pinned import ask_ahead, reads_of
from pnyx_tools.reader import ChainReader


class TimelockQueueTool(SearchingTool):
    """Reads an OpenZeppelin TimelockController; skipped for other executors."""

    name = TimelockQueue.TOOL
    version = TimelockQueue.VERSION
    grade = Grade.RE_READ
    description = "Operations that wait in the timelock, and its minimum delay."

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,
        profile: GovernorProfile,
        proposal: Proposal,
        block: BlockRef,
    ) -> TimelockQueue:
        if profile.timelock is None:
            raise ToolSkipped("the governor executes itself: there is no timelock")
        at = to_hex(block.hash)
        min_delay = reader.read(number_of(profile.timelock, "getMinDelay()"), at)
        history = recent_past(reader, adapter, profile, block, self._oldest(proposal, block))
        pending = _pending(history.of(profile.timelock, (SCHEDULED_TOPIC, *ENDED_TOPICS)))
        latest = list(reversed(pending))[:MAX_OPERATIONS]
        times = [number_of(profile.timelock, "getTimestamp(bytes32)", operation) for operation in latest]
        ask_ahead(reader, reads_of(times, at))
        return TimelockQueue(
            timelock=profile.timelock,
            min_delay_seconds=min_delay,
            from_block=history.from_block,
            to_block=block.number,
            pending=len(pending),
            operations=tuple(
                _operation(pending[operation], proposal, reader.read(time, at))
                for operation, time in zip(latest, times, strict=True)
            ),
        )


def _pending(logs: Iterable[Log]) -> dict[bytes, list[Log]]:
    """`CallScheduled` events by operation, oldest first. A cancelled operation can be scheduled again."""
    pending: dict[bytes, list[Log]] = {}
    for log in logs:
        operation = log.topics[1] if len(log.topics) > 1 else b""
        if log.topics[0] == SCHEDULED_TOPIC:
            pending.setdefault(operation, []).append(log)
        else:
            pending.pop(operation, None)
    return pending


def _operation(logs: Sequence[Log], proposal: Proposal, ready_at: int) -> Operation:
    events = [_scheduled(log) for log in logs]
    calls = tuple(Call(target=e["target"], value_wei=e["value"], calldata=e["data"]) for e in events)
    return Operation(
        id=events[0]["id"],
        scheduled_block=logs[0].block_number,
        ready_at=ready_at,
        has_predecessor=any(events[0]["predecessor"]),
        calls=tuple(
            QueuedCall(target=d.target, value_wei=d.value_wei, signature=d.signature)
            for d in decode_calls(calls, proposal.key.chain_id)
        ),
        same_calls=calls == proposal.calls,
    )


def _scheduled(log: Log) -> dict[str, Any]:
    arguments = event_arguments(SCHEDULED, Event(log.address, log.topics, log.data))
    if arguments is None:
        raise DecodingError(f"{log.address} logs CallScheduled in a way that we do not know, block {log.block_number}")
    return arguments
