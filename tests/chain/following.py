"""Follows a governor, and keeps what it finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pnyx_contracts.governors.openzeppelin import CREATED_TOPIC
from pnyx_contracts.types import Log
from pnyx_tools.follow import (
    Advanced,
    Position,
    Rewound,
    Settled,
    Stream,
    Watched,
    Watchlist,
)
from pnyx_tools.follow.stream import IDLE_POLLS
from pnyx_tools.reader import ChainReader
from pnyx_tools.testing.deploy import Governance

NOBODY = "0x00000000000000000000000000000000DeaDBeef"
DEEP = 1_000
"""Confirmations: nothing in these tests is final by itself."""


def watchlist(governance: Governance, start_block: int = 0) -> Watchlist:
    return Watchlist({governance.governor: Watched(governance.adapter, governance.profile, start_block)})


def stream(governance: Governance, **options) -> Stream:
    reader: ChainReader = options.pop("reader", governance.node.rpc)
    return Stream(reader, [CREATED_TOPIC], [governance.governor], **{"finality": DEEP, **options})


def propose(governance: Governance, number: int) -> int:
    return governance.propose([NOBODY], [number], [b""], f"# Proposal {number}")


def ids(governance: Governance, logs: Sequence[Log]) -> list[int]:
    return [proposal.key.proposal_id for proposal in watchlist(governance).read(logs)]


@dataclass
class Beside:
    """The other endpoints, always well."""

    readers: Sequence[ChainReader]
    distrusted: int = 0

    @classmethod
    def of(cls, *readers: ChainReader) -> Beside:
        return cls(readers)

    def others(self) -> Sequence[ChainReader]:
        return self.readers

    def distrust(self, _why: str) -> None:
        self.distrusted += 1


@dataclass
class Follower:
    """Keeps what a stream hands out, as a caller would: position and logs together."""

    stream: Stream
    position: Position
    known: set[tuple[bytes, int]] = field(default_factory=set)
    settled: set[tuple[bytes, int]] = field(default_factory=set)

    @classmethod
    def of(cls, following: Stream) -> Follower:
        return cls(following, following.begin())

    def poll(self):
        step = self.stream.poll(self.position)
        if isinstance(step, Advanced):
            self.known |= {(log.transaction_hash, log.block_number) for log in step.logs}
            self.position = step.position
        elif isinstance(step, Rewound):
            self.known = {(transaction, block) for transaction, block in self.known if block <= step.above}
            self.position = step.position
        return step

    def settle(self):
        """With the head standing still."""
        for _ in range(IDLE_POLLS):
            self.stream.poll(self.position)
        step = self.stream.settle(self.position)
        if isinstance(step, Settled):
            self.settled |= {(log.transaction_hash, log.block_number) for log in step.logs}
            self.position = step.position
        return step

    def advance(self) -> Advanced:
        step = self.poll()
        assert isinstance(step, Advanced), step
        return step
