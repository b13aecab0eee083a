"""When a vote ends, on the clock that people have. Asked anew each time: late quorum and early ends move it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from pnyx_agents.reviewer import Governed
from pnyx_contracts.governors import Read
from pnyx_contracts.types import Address, ClockMode, ProposalKey, to_hex
from pnyx_policies.entitlement import OPEN_STATES
from pnyx_tools.clock import clock_at, read_clock, seconds_per_tick
from pnyx_tools.pinned import MOST_ANSWERS, PinnedReader, ask_ahead, reads_of
from pnyx_tools.reader import ChainReader

LATEST_DATE = 253_402_300_799
"""The end of the year 9999: a governor may say anything."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """`timepoint` is the governor's own, in its unit; `at` is an estimate where it counts blocks."""

    timepoint: int
    at: float
    """Seconds since the epoch."""
    in_blocks: bool
    seconds_per_tick: float = 1.0
    """Of the governor's clock; an estimate where it counts blocks."""

    @property
    def words(self) -> str:
        day = f"{datetime.fromtimestamp(self.at, UTC):%Y-%m-%d %H:%M} UTC"
        return f"block {self.timepoint}, about {day}" if self.in_blocks else day


DeadlineOf = Callable[[ProposalKey, int], Deadline | None]
"""Of a proposal that was created in the block with that number."""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Reads them from the governors that are followed."""

    reader: ChainReader
    governors: Mapping[Address, Governed]
    now: Callable[[], float] = time.time

    def together(self, keys: Sequence[ProposalKey]) -> DeadlineOf:
        """For a look at many: at one block, in few requests. Raises `RpcError` when there is no block."""
        reads = list[Read[Any]]()
        for key in keys:
            if (governed := self.governors.get(key.governor)) is not None:
                adapter, profile, number = governed.adapter, governed.profile, key.proposal_id
                reads += (
                    adapter.read_state(profile, number),
                    adapter.read_deadline(profile, number),
                    read_clock(profile),
                )
        look = PinnedReader(self.reader, latest_stands=True, most_answers=len(reads) + MOST_ANSWERS)
        ask_ahead(look, reads_of(reads, to_hex(look.block().hash)))
        return replace(self, reader=look).of

    def of(self, key: ProposalKey, created_block: int) -> Deadline | None:
        """None when the vote is over, or its governor is not followed. Raises what reading raises."""
        governed = self.governors.get(key.governor)
        if governed is None:
            return None
        block, adapter, profile = self.reader.block(), governed.adapter, governed.profile
        at, number = to_hex(block.hash), key.proposal_id
        if self.reader.read(adapter.read_state(profile, number), at) not in OPEN_STATES:
            return None
        timepoint = self.reader.read(adapter.read_deadline(profile, number), at)
        in_blocks = profile.clock_mode is ClockMode.BLOCK
        left = timepoint - clock_at(self.reader, profile, block)
        pace = seconds_per_tick(self.reader, profile, block, created_block)
        return Deadline(timepoint, min(self.now() + left * pace, LATEST_DATE), in_blocks, pace)
