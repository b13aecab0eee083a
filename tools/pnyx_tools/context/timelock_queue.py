"""What waits in the timelock: operations scheduled and neither executed nor cancelled.

Operations scheduled apart from one another can be executed in any order by anybody, when the executor role is open: a
queue may matter to a proposal that assumes an order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.errors import DecodingError
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile, Read
from pnyx_contracts.selectors import parse_function, selector_of
from pnyx_contracts.types import Address, BlockRef, Bytes32, Call, Log, Proposal, Uint, Value, to_hex
from pnyx_policies.facts import Grade
from pnyx_tools.context.history import search_back
from pnyx_tools.context.protocol import ToolSkipped
from pnyx_tools.effects import Event, event_arguments, topic_of
from pnyx_tools.reader import ChainReader

MAX_OPERATIONS = 20

_SCHEDULED = parse_function(
    "CallScheduled(bytes32 id, uint256 index, address target, uint256 value, bytes data, bytes32 predecessor, "
    "uint256 delay)"
)
_SCHEDULED_TOPIC = topic_of(_SCHEDULED)
_ENDED_TOPICS = (
    topic_of(parse_function("CallExecuted(bytes32 id, uint256 index, address target, uint256 value, bytes data)")),
    topic_of(parse_function("Cancelled(bytes32 id)")),
)


class QueuedCall(Value):
    """One call of an operation. `signature` is None when it is not known for certain."""

    target: Address
    value_wei: Uint
    signature: str | None


class Operation(Value):
    """One pending operation."""

    id: Bytes32
    scheduled_block: int
    ready_at: Uint
    """Seconds since the epoch."""
    has_predecessor: bool
    calls: tuple[QueuedCall, ...]
    same_calls: bool
    """True when it would execute exactly what this proposal would."""


class TimelockQueue(Value):
    """Looked at: `CallScheduled` events of the timelock in blocks `from_block` to `to_block`."""

    timelock: Address
    min_delay_seconds: Uint
    from_block: int
    to_block: int
    pending: int
    operations: tuple[Operation, ...] = Field(max_length=MAX_OPERATIONS)
    """The latest, newest first."""


class TimelockQueueTool:
    """Reads an OpenZeppelin TimelockController; skipped for other executors."""

    name = "timelock_queue"
    version = "1"
    grade = Grade.RE_READ
    description = "Operations that wait in the timelock, and its minimum delay."

    def __init__(self, lookback_blocks: int = 400_000) -> None:
        self._lookback_blocks = lookback_blocks

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,  # noqa: ARG002 - the protocol's
        profile: GovernorProfile,
        proposal: Proposal,
        block: BlockRef,
    ) -> TimelockQueue:
        if profile.timelock is None:
            raise ToolSkipped("the governor executes itself: there is no timelock")
        at = to_hex(block.hash)
        min_delay = reader.read(_read(profile.timelock, "getMinDelay()"), at)
        topics = [(_SCHEDULED_TOPIC, *_ENDED_TOPICS)]
        history = search_back(reader, block.number, self._lookback_blocks, topics, [profile.timelock])
        pending = _pending(history.logs)
        return TimelockQueue(
            timelock=profile.timelock,
            min_delay_seconds=min_delay,
            from_block=history.from_block,
            to_block=block.number,
            pending=len(pending),
            operations=tuple(
                _operation(reader, profile.timelock, pending[operation], proposal, at)
                for operation in list(reversed(pending))[:MAX_OPERATIONS]
            ),
        )


def _pending(logs: Sequence[Log]) -> dict[bytes, list[Log]]:
    """`CallScheduled` events by operation, oldest first. A cancelled operation can be scheduled again."""
    pending: dict[bytes, list[Log]] = {}
    for log in logs:
        operation = log.topics[1] if len(log.topics) > 1 else b""
        if log.topics[0] == _SCHEDULED_TOPIC:
            pending.setdefault(operation, []).append(log)
        else:
            pending.pop(operation, None)
    return pending


def _operation(reader: ChainReader, timelock: str, logs: Sequence[Log], proposal: Proposal, at: str) -> Operation:
    events = [_scheduled(log) for log in logs]
    calls = tuple(Call(target=e["target"], value_wei=e["value"], calldata=e["data"]) for e in events)
    operation: bytes = events[0]["id"]
    return Operation(
        id=operation,
        scheduled_block=logs[0].block_number,
        ready_at=reader.read(_read(timelock, "getTimestamp(bytes32)", operation), at),
        has_predecessor=any(events[0]["predecessor"]),
        calls=tuple(
            QueuedCall(target=d.target, value_wei=d.value_wei, signature=d.signature)
            for d in decode_calls(calls, proposal.key.chain_id)
        ),
        same_calls=calls == proposal.calls,
    )


def _scheduled(log: Log) -> dict[str, Any]:
    arguments = event_arguments(_SCHEDULED, Event(log.address, log.topics, log.data))
    if arguments is None:
        raise DecodingError(f"{log.address} logs CallScheduled in a way that we do not know, block {log.block_number}")
    return arguments


def _read(timelock: str, signature: str, argument: bytes = b"") -> Read[int]:
    def decode(answer: bytes) -> int:
        if len(answer) != 32:
            raise DecodingError(f"{timelock} does not answer {signature} like a TimelockController")
        return int.from_bytes(answer, "big")

    return Read(timelock, selector_of(signature) + argument, decode)
