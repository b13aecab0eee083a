"""Operations that wait in OpenZeppelin's timelock, as its own events tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pnyx_contracts.errors import DecodingError
from pnyx_contracts.types import Call, Log
from pnyx_tools.context.history import ENDED_TOPICS, SCHEDULED, SCHEDULED_TOPIC, History
from pnyx_tools.effects import Event, event_arguments


@dataclass(frozen=True, slots=True)
class Waiting:
    """Scheduled, and neither executed nor cancelled."""

    id: bytes
    block: int
    """In which it was scheduled."""
    predecessor: bytes | None
    """Which operation has to be executed first."""
    calls: tuple[Call, ...]


def waiting_in(history: History, timelock: str) -> list[Waiting]:
    """In the order in which they were scheduled. Raises `DecodingError` where an event is not what its name says."""
    logs: dict[bytes, list[Log]] = {}  # a cancelled operation can be scheduled again
    for log in history.of(timelock, (SCHEDULED_TOPIC, *ENDED_TOPICS)):
        operation = log.topics[1] if len(log.topics) > 1 else b""
        if log.topics[0] == SCHEDULED_TOPIC:
            logs.setdefault(operation, []).append(log)
        else:
            logs.pop(operation, None)
    return [_waiting(of_one) for of_one in logs.values()]


def _waiting(logs: Sequence[Log]) -> Waiting:
    events = [_scheduled(log) for log in logs]
    predecessor = events[0]["predecessor"]
    return Waiting(
        id=events[0]["id"],
        block=logs[0].block_number,
        predecessor=predecessor if any(predecessor) else None,
        calls=tuple(Call(target=e["target"], value_wei=e["value"], calldata=e["data"]) for e in events),
    )


def _scheduled(log: Log) -> dict[str, Any]:
    arguments = event_arguments(SCHEDULED, Event(log.address, log.topics, log.data))
    if arguments is None:
        raise DecodingError(f"{log.address} logs CallScheduled in a way that we do not know, block {log.block_number}")
    return arguments
