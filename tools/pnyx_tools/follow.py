"""Follows the proposals of one governor without a gap, through restarts, reorganisations and failing nodes.

One `poll`, in order:

1. Ask where the confirmed end of the chain is, and note its hash.
2. Read the logs from behind the cursor (and a few blocks before it, once more) to that end.
3. Look again: are the cursor's block and the end still the same blocks? Only then the logs were those of one chain.
4. Where a second endpoint is given, it must tell the same.
5. Hand out the proposals with the new cursor. Whoever keeps both, keeps them in one database transaction.

An empty answer is not proof that there was nothing (a node behind a load balancer may lag), hence the second look in 2
and the second endpoint in 4. Nothing is concluded from an error: it is raised, and the cursor stays where it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pnyx_contracts.errors import DecodingError, DiffersError
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import BlockRef, Log, Proposal, Value, to_hex
from pnyx_tools.reader import ChainReader

Finality = int | Literal["finalized", "safe"]
"""How old a block must be to count: a number of blocks on top of it, or what the chain itself calls final."""

RESCAN_BLOCKS: Final = 20
BLOCKS_PER_POLL: Final = 50_000


class Cursor(Value):
    """How far a governor was followed. JSON with pydantic's `model_dump_json`; the caller keeps it."""

    block: BlockRef
    """The last block that was processed."""
    trail: tuple[BlockRef, ...] = ()
    """Some blocks processed earlier, ever sparser: where to go back to when `block` is reorganised away."""

    def moved_to(self, block: BlockRef) -> Cursor:
        """The trail keeps one block for each power of two of distance: 64 at most, whatever the length of the chain."""
        sparse: dict[int, BlockRef] = {}
        for passed in (*self.trail, self.block):
            sparse.setdefault((block.number - passed.number).bit_length(), passed)
        return Cursor(block=block, trail=tuple(sparse.values()))


@dataclass(frozen=True, slots=True)
class Advanced:
    """All blocks to the new cursor were read. A proposal may be handed out twice: its key tells."""

    cursor: Cursor
    proposals: tuple[Proposal, ...]
    undecodable: tuple[tuple[Log, DecodingError], ...] = ()
    """Events that claim to open a proposal and cannot be read: worth an alert, no reason to stop."""


@dataclass(frozen=True, slots=True)
class Rewound:
    """The chain was reorganised: what was handed out from blocks above `above` may be gone. It is read again."""

    cursor: Cursor | None
    """None: nothing that was processed is still there, following starts over."""
    above: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing to read yet, and why. The cursor stays."""

    why: str


Step = Advanced | Rewound | Waiting


class Follower:
    """Reads one governor's creation events.

    `start_block` is where the first poll begins; history before it is never read. With `second_reader`, no step is
    taken unless both endpoints agree. `finality` of 0 follows the head itself: fine where blocks are final at once.
    """

    def __init__(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,
        profile: GovernorProfile,
        *,
        start_block: int,
        finality: Finality = "finalized",
        second_reader: ChainReader | None = None,
        rescan_blocks: int = RESCAN_BLOCKS,
        blocks_per_poll: int = BLOCKS_PER_POLL,
    ) -> None:
        self._reader = reader
        self._adapter = adapter
        self._profile = profile
        self._start_block = start_block
        self._finality = finality
        self._second_reader = second_reader
        self._rescan_blocks = rescan_blocks
        self._blocks_per_poll = blocks_per_poll

    def poll(self, cursor: Cursor | None) -> Step:
        """One step on from `cursor`, None at the first run. Raises `RpcError`; `DiffersError` between endpoints."""
        done = self._start_block - 1 if cursor is None else cursor.block.number
        confirmed = self._confirmed_number()
        if cursor is not None and confirmed == done:
            return self._still_there(cursor) or Waiting("no new confirmed block")
        if confirmed <= done:
            return Waiting(f"the node's confirmed end is block {confirmed}, processed is block {done}")

        end = self._reader.block(min(confirmed, done + self._blocks_per_poll))
        first = max(self._start_block, done + 1 - self._rescan_blocks)
        logs = self._logs(self._reader, first, end.number)
        if cursor is not None and (rewound := self._still_there(cursor)):
            return rewound
        if not _has(self._reader, end):
            return Waiting(f"block {end.number} was reorganised while it was read")
        if self._second_reader is not None:
            self._demand_agreement(self._second_reader, end, first, logs)
        return self._advanced(Cursor(block=end) if cursor is None else cursor.moved_to(end), logs)

    def _confirmed_number(self) -> int:
        if isinstance(self._finality, str):
            return self._reader.block(self._finality).number
        return self._reader.block("latest").number - self._finality

    def _logs(self, reader: ChainReader, first: int, last: int) -> list[Log]:
        return reader.logs(first, last, [list(self._adapter.created_topics())], [self._profile.address])

    def _still_there(self, cursor: Cursor) -> Rewound | None:
        """None while the cursor's block is on the chain; else back to the last block that is."""
        if _has(self._reader, cursor.block):
            return None
        for position in range(len(cursor.trail) - 1, -1, -1):
            block = cursor.trail[position]
            if _has(self._reader, block):
                return Rewound(Cursor(block=block, trail=cursor.trail[:position]), above=block.number)
        return Rewound(None, above=self._start_block - 1)

    def _demand_agreement(self, second: ChainReader, end: BlockRef, first: int, logs: Sequence[Log]) -> None:
        other = second.block(end.number)
        if other.hash != end.hash:
            raise DiffersError(
                f"two endpoints disagree about block {end.number}: {to_hex(end.hash)} and {to_hex(other.hash)}",
                hint="one of them may be on another fork or chain; following goes on when they agree",
            )
        others = self._logs(second, first, end.number)
        if set(others) != set(logs):
            raise DiffersError(
                f"two endpoints disagree about the proposals of {self._profile.address} in blocks {first} to "
                f"{end.number}: {len(logs)} and {len(others)} events",
                hint="one of them lags, is broken or lies; following goes on when they agree",
            )

    def _advanced(self, cursor: Cursor, logs: Sequence[Log]) -> Advanced:
        proposals: list[Proposal] = []
        undecodable: list[tuple[Log, DecodingError]] = []
        for log in logs:
            try:
                proposals.append(self._adapter.decode_created(self._profile, log))
            except DecodingError as error:
                undecodable.append((log, error))
        return Advanced(cursor, tuple(proposals), tuple(undecodable))


def _has(reader: ChainReader, block: BlockRef) -> bool:
    return reader.block(block.number).hash == block.hash
