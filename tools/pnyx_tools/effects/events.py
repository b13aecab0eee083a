"""Events as simulations and receipts give them, read by their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from eth_hash.auto import keccak

from pnyx_contracts.errors import DecodingError
from pnyx_contracts.selectors import Function, parse_function

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Event:
    """An event without a place in a block: simulations have none."""

    address: str
    """Checksummed."""
    topics: tuple[bytes, ...]
    data: bytes


def by_topic(table: Sequence[tuple[str, T]]) -> dict[bytes, tuple[Function, T]]:
    functions = ((parse_function(text), what) for text, what in table)
    return {topic_of(function): (function, what) for function, what in functions}


def topic_of(function: Function) -> bytes:
    """topic0 of an event that is written like a function."""
    return bytes(keccak(function.signature.encode()))


def event_arguments(function: Function, event: Event, topics: Sequence[str] = ()) -> dict[str, Any] | None:
    """Arguments by name, None when the event is not what its name says.

    How many are indexed may differ between versions of one contract (Safe 1.3 and 1.4, for example). The indexed ones
    come first, unless `topics` names them.
    """
    in_order = tuple(sorted(function.parameters, key=lambda parameter: parameter.name not in topics))
    indexed = len(event.topics) - 1
    parts = (
        (in_order[:indexed], b"".join(event.topics[1:])),
        (in_order[indexed:], event.data),
    )
    found: dict[str, Any] = {}
    for parameters, data in parts:
        try:
            values, end = Function(function.name, parameters).decode(data)
        except DecodingError:
            return None
        if end != len(data):
            return None
        found |= values
    return found
