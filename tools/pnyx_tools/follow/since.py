"""Since when: a block number, or a date that is looked up on the chain."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from pnyx_contracts.errors import UsageError
from pnyx_tools.follow.position import Position
from pnyx_tools.reader import ChainReader


def block_since(reader: ChainReader, text: str) -> int:
    """``19000000``, ``2026-11-01`` or ``2026-11-01T12:00:00+01:00`` (without a zone: UTC). Raises `UsageError`."""
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"expected a block number or a date, got {text[:40]!r}", hint="for example 19000000 or 2026-11-01"
        ) from None
    return first_block_at(reader, int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()))


ANEW_BLOCKS: Final = 10_000
"""So far below a final block that is gone, following begins anew."""


def below(reader: ChainReader, position: Position) -> Position | None:
    """Where to follow from when the final block of `position` is not on the chain any more; None when it is."""
    final, head = position.final, reader.block("latest").number
    if head >= final.number and reader.block(final.number).hash == final.hash:
        return None
    return Position.at(reader.block(max(0, min(head, final.number) - ANEW_BLOCKS)))


def first_block_at(reader: ChainReader, timestamp: int) -> int:
    """The first block that is not older; one after the last, when all are. In seconds since the epoch."""
    low, high = 0, reader.block("latest").number + 1
    while low < high:
        middle = (low + high) // 2
        if reader.block(middle).timestamp < timestamp:
            low = middle + 1
        else:
            high = middle
    return low
