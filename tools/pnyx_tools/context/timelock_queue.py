"""What waits in the timelock: operations scheduled and neither executed nor cancelled.

Operations scheduled apart from one another can be executed in any order by anybody, when the executor role is open: a
queue may matter to a proposal that assumes an order.
"""

from __future__ import annotations

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import BlockRef, Proposal, to_hex
from pnyx_policies.context.timelock_queue import MAX_OPERATIONS, Operation, QueuedCall, TimelockQueue
from pnyx_policies.facts import Grade
from pnyx_tools.context.asking import number_of
from pnyx_tools.context.history import SearchingTool, recent_past
from pnyx_tools.context.protocol import ToolSkipped
from pnyx_tools.context.waiting import Waiting, waiting_in
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
        pending = waiting_in(history, profile.timelock)
        latest = pending[: -MAX_OPERATIONS - 1 : -1]
        times = [number_of(profile.timelock, "getTimestamp(bytes32)", operation.id) for operation in latest]
        ask_ahead(reader, reads_of(times, at))
        return TimelockQueue(
            timelock=profile.timelock,
            min_delay_seconds=min_delay,
            from_block=history.from_block,
            to_block=block.number,
            pending=len(pending),
            operations=tuple(
                _operation(operation, proposal, reader.read(time, at))
                for operation, time in zip(latest, times, strict=True)
            ),
        )


def _operation(waiting: Waiting, proposal: Proposal, ready_at: int) -> Operation:
    return Operation(
        id=waiting.id,
        scheduled_block=waiting.block,
        ready_at=ready_at,
        has_predecessor=waiting.predecessor is not None,
        calls=tuple(
            QueuedCall(target=d.target, value_wei=d.value_wei, signature=d.signature)
            for d in decode_calls(waiting.calls, proposal.key.chain_id)
        ),
        same_calls=waiting.calls == proposal.calls,
    )
