"""What the transactions of one old block did, as far as receipts and traces tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from pnyx_contracts.types import to_hex
from pnyx_tools.reader import ChainReader
from pnyx_tools.simulate.task import Step, parsed
from pnyx_tools.simulate.traced import steps
from pnyx_tools.wire import parse_address, parse_data, parse_quantity, parse_word

MOST_TRACES: Final = 8
"""Of one block, in search of one event."""

_RECEIPTS: Final = "eth_getBlockReceipts"
_TRACE: Final = "debug_traceTransaction"
_CALLS: Final = {"tracer": "callTracer"}


@dataclass(frozen=True, slots=True)
class Receipt:
    """Of one transaction."""

    transaction: bytes
    sender: str
    called: str | None
    created: str | None
    """None also where it failed."""
    gas_used: int
    told: frozenset[str]
    """Who told of something."""
    events: bytes
    """Topics and data of all events, one after another."""

    def mentions(self, account: str) -> bool:
        return bytes.fromhex(account[2:]) in self.events


def receipts_of(reader: ChainReader, block: int) -> list[Receipt]:
    """In the order of the block. Raises as the reader does, `RpcError` for an answer of another shape."""
    answer = reader.request(_RECEIPTS, [hex(block)])
    return parsed(_RECEIPTS, lambda: [_receipt(one) for one in answer])


def steps_of(reader: ChainReader, transaction: bytes) -> list[Step]:
    """In the order in which they happened. Raises `MethodMissingError` where the node does not trace."""
    frame = reader.request(_TRACE, [to_hex(transaction), _CALLS])
    return parsed(_TRACE, partial(steps, frame))


def _receipt(found: Mapping[str, Any]) -> Receipt:
    created, called = found.get("contractAddress"), found.get("to")
    return Receipt(
        transaction=parse_word(found["transactionHash"]),
        sender=parse_address(found["from"]),
        called=parse_address(called) if called else None,
        created=parse_address(created) if created and found.get("status") != "0x0" else None,
        gas_used=parse_quantity(found["gasUsed"]),
        told=frozenset(parse_address(log["address"]) for log in found["logs"]),
        events=b"".join(parse_data(part) for log in found["logs"] for part in (*log["topics"], log["data"])),
    )
