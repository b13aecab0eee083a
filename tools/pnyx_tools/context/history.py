"""Logs of the recent past, as far back as a bounded search gets."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from pnyx_contracts.types import Log
from pnyx_tools.reader import ChainReader, Topics

FIRST_SPAN_BLOCKS = 2_000
SEARCH_SECONDS = 20.0
"""Providers answer wide searches at very different speed; a context tool must not hold up a vote."""


@dataclass(frozen=True, slots=True)
class History:
    """What was found from `from_block` on. A stranger who searches the same range finds the same."""

    logs: tuple[Log, ...]
    from_block: int


def search_back(
    reader: ChainReader, newest: int, lookback_blocks: int, topics: Topics, addresses: Sequence[str]
) -> History:
    """Logs of the `lookback_blocks` up to `newest`, in chain order; of fewer blocks when the time is up.

    An empty answer is asked for twice: of the nodes behind one endpoint, some have a block and not yet its logs.
    """
    oldest = max(0, newest - lookback_blocks + 1)
    deadline = time.monotonic() + SEARCH_SECONDS
    found: list[Log] = []
    start, span = newest + 1, FIRST_SPAN_BLOCKS
    while start > oldest and time.monotonic() < deadline:
        end, start = start - 1, max(oldest, start - span)
        found[:0] = reader.logs(start, end, topics, addresses) or reader.logs(start, end, topics, addresses)
        span *= 2
    return History(tuple(found), start)
