"""What is simulated, and what came of it: the same for each way of doing it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from eth_utils.address import to_checksum_address

from pnyx_contracts.frames import compound_calldata
from pnyx_contracts.types import BlockRef, Call, to_hex
from pnyx_policies.facts import CallResult, ProbeAnswer, ProbeReading
from pnyx_tools.effects import Event
from pnyx_tools.progress import Tell, tell_nobody
from pnyx_tools.reader import ChainReader, RpcError
from pnyx_tools.reasons import revert_reason
from pnyx_tools.simulate.probing import Asked
from pnyx_tools.wire import parse_data, parse_word

T = TypeVar("T")

MAX_EVENTS: Final = 16_384
"""A contract can emit tens of thousands of events in one call."""

PROBE_GAS: Final = 3_000_000
"""So much may one probe use: a contract that wastes more must not starve the actions of the same block."""
MAX_ANSWER_BYTES: Final = 4_096

CANNOT_PAY: Final = "the executor's balance does not cover the value sent"
NO_FUNDS: Final = re.compile(r"insufficient (funds|balance)", re.IGNORECASE)

Transaction = dict[str, str]
AccountOverride = dict[str, Any]
"""As in ``stateOverrides``: ``stateDiff``, ``balance``, ``nonce``, ``code``."""
Overrides = Mapping[str, AccountOverride]
"""By checksummed address."""


@dataclass(frozen=True)
class Task:
    """Calls of one sender at one block, on top of a state that `overrides` change, between two readings of `probes`."""

    reader: ChainReader
    sender: str
    calls: tuple[Call, ...]
    block: BlockRef
    probes: tuple[Asked, ...] = ()
    overrides: Overrides = field(default_factory=dict)
    tell: Tell = tell_nobody
    code_at: tuple[str, ...] = ()
    """Where somebody looks for code before and after anyway."""

    def tell_place(self, place: int) -> None:
        self.tell(f"simulating action {place + 1} of {len(self.calls)}")

    def transaction(self, place: int) -> Transaction:
        call = self.calls[place]
        return {
            "from": self.sender,
            "to": call.target,
            "value": hex(call.value_wei),
            "input": to_hex(calldata_of(call)),
        }

    @property
    def transactions(self) -> list[Transaction]:
        return [self.transaction(place) for place in range(len(self.calls))]

    @property
    def probe_transactions(self) -> list[Transaction]:
        return [{"to": p.probe.contract, "input": to_hex(p.calldata), "gas": hex(PROBE_GAS)} for p in self.probes]

    def next_block(self, number: int = 1) -> dict[str, str]:
        """The context of the block `number` places after the pinned one."""
        return {"number": hex(self.block.number + number), "time": hex(self.block.timestamp + number)}

    def readings(self, before: Sequence[ProbeAnswer], after: Sequence[ProbeAnswer]) -> tuple[ProbeReading, ...]:
        pairs = zip(self.probes, before, after, strict=True)
        return tuple(probe.reading(one, two) for probe, one, two in pairs)


@dataclass(frozen=True, slots=True)
class Step:
    """One call, or one creation, inside a transaction, that was not undone."""

    kind: str
    """As the tracer says: CALL, CREATE2 ..."""
    sender: str
    receiver: str
    value_wei: int


@dataclass(frozen=True)
class Ran:
    """`events` are at most `MAX_EVENTS`; `is_flooded` says that there were more. `steps` has who traces."""

    results: tuple[CallResult, ...]
    events: tuple[Event, ...]
    is_flooded: bool
    readings: tuple[ProbeReading, ...]
    steps: tuple[Step, ...] = ()


def calldata_of(call: Call) -> bytes:
    return compound_calldata(call.signature, call.calldata)


def not_run(first: int, count: int) -> list[CallResult]:
    """Results from the call that cannot be paid on."""
    later = f"not run: action {first} before it cannot be paid"
    return [
        CallResult(path=str(i), succeeded=False, gas_used=0, error=CANNOT_PAY if i == first else later)
        for i in range(first, count)
    ]


def answered(data: bytes) -> ProbeAnswer:
    if len(data) > MAX_ANSWER_BYTES:
        return ProbeAnswer(error=f"answers with more than {MAX_ANSWER_BYTES} bytes")
    return ProbeAnswer(data=data) if data else ProbeAnswer(error="answers with nothing")


def reverted(data: bytes) -> ProbeAnswer:
    return ProbeAnswer(error=revert_reason(data) or "reverts without a reason")


# --- the node's answer, checked before anybody believes it -----------------------------------------------------------


def parsed(method: str, parse: Callable[[], T]) -> T:
    """Raises `RpcError` for an answer of another shape."""
    try:
        return parse()
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as malformed:
        raise RpcError(f"{method}: the answer is malformed ({malformed})", hint="use another node") from None


def event_of(log: Mapping[str, Any]) -> Event:
    return Event(
        address=str(to_checksum_address(log["address"])),
        topics=tuple(parse_word(topic) for topic in log["topics"]),
        data=parse_data(log["data"]),
    )
