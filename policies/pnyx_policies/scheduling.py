"""Operations that calls schedule in an OpenZeppelin timelock."""

from __future__ import annotations

from collections.abc import Iterable

from pnyx_contracts.decoded import DecodedCall

_SCHEDULING = {"schedule", "scheduleBatch"}
_NO_PREDECESSOR = "0x" + "00" * 32


def scheduled_apart(calls: Iterable[DecodedCall]) -> dict[str, list[DecodedCall]]:
    """By timelock, where there are several that do not wait for one another: the calls that schedule them."""
    by_timelock: dict[str, list[DecodedCall]] = {}
    for call in calls:
        if call.name in _SCHEDULING and call.argument("predecessor") == _NO_PREDECESSOR and not call.other_chain:
            by_timelock.setdefault(call.target, []).append(call)
    return {timelock: scheduling for timelock, scheduling in by_timelock.items() if len(scheduling) > 1}
