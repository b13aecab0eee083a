"""Follows one chain without a gap, for any number of governors, through restarts, reorganisations and failing nodes.

`poll` looks at the head, `settle` looks again at what no reorganisation takes away any more:

- A block that follows the last one is judged by its header: where the bloom names no governor, it holds nothing; else
  its logs are asked for by its hash, so that nothing can come in between. Two requests at most, for any number of
  governors.
- A gap, after a pause or a reorganisation, is read in ranges. The last block that was looked at must still be there
  afterwards, and so must the end of the range: only then the logs were those of one chain.
- An empty answer is not proof that there was nothing: a node behind a load balancer may lag. With one endpoint, each
  block of a range must say by its bloom that it is empty; with several, `settle` asks another one for all of it again,
  and nothing is final unless two show the same.
- Nothing is concluded from an error: it is raised, and the position stays where it was.

A position is only ever moved by the caller, who keeps it in one database transaction with what was found.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pnyx_contracts.errors import DiffersError, PnyxError
from pnyx_contracts.types import BlockRef, Log, to_hex
from pnyx_tools.follow.council import Council, require_agreement
from pnyx_tools.follow.headers import Header, Sieve, bloom_of_logs, logs_in_block, read_header, read_headers
from pnyx_tools.follow.position import Position
from pnyx_tools.reader import ChainReader, RpcError

Finality = int | Literal["finalized", "safe"]
"""How old a block must be to count as final: a number of blocks on top of it, or what the chain itself calls so."""

BLOCKS_PER_POLL: Final = 50_000
SETTLED_TOGETHER: Final = 16
"""The second look waits for so many blocks, so that it costs little."""
IDLE_POLLS: Final = 5
"""After so many polls without a new block the head stands still: nothing more to wait for."""
VETTED_BLOCKS: Final = 2_048
"""With one endpoint: a gap up to this many blocks is read header by header. A longer one rests on its word."""

logger = logging.getLogger("pnyx.follow")


@dataclass(frozen=True, slots=True)
class Advanced:
    """All blocks up to the new position were looked at. A log may be handed out twice."""

    position: Position
    logs: tuple[Log, ...] = ()
    more: bool = False
    """The chain goes on behind the new position."""


@dataclass(frozen=True, slots=True)
class Rewound:
    """The chain was reorganised: what was handed out from blocks above `above` may be gone. It is read again."""

    position: Position
    above: int


@dataclass(frozen=True, slots=True)
class Settled:
    """What stands in blocks up to `position.final` stays; these are its logs since the last time."""

    position: Position
    logs: tuple[Log, ...] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing to do yet, and why. The position stays."""

    why: str


Step = Advanced | Rewound | Waiting


class DeepReorganisationError(PnyxError):
    """A block that counted as final is gone. Whatever rests on it was wrong: people have to look."""

    def __init__(self, position: Position) -> None:
        """Whose final block is gone."""
        final = position.final
        super().__init__(
            f"block {final.number} ({to_hex(final.hash)}) counted as final, and the chain does not have it any more",
            hint="compare the endpoint with others; is [chain] confirmations too small for this chain?",
        )
        self.position = position


class Stream:
    """One chain, as one endpoint shows it and another one of its `council` confirms; None: there is no other.
    `addresses` emit the events that `topics` name.
    """

    def __init__(
        self,
        reader: ChainReader,
        topics: Sequence[bytes],
        addresses: Sequence[str],
        *,
        finality: Finality = "finalized",
        council: Council | None = None,
        blocks_per_poll: int = BLOCKS_PER_POLL,
    ) -> None:
        self._reader = reader
        self._council = council
        self._topics = tuple(topics)
        self._addresses = tuple(addresses)
        self._sieve = Sieve(topics, addresses)
        self._finality = finality
        self._blocks_per_poll = blocks_per_poll
        self._settled_at = BlockRef(number=0, hash=bytes(32), timestamp=0)
        """The head at the last second look."""
        self._idle_polls = 0
        """Polls in a row that saw no new block."""
        self._keeps_blooms = False
        """Some chains leave all blooms empty: the first one that is not shows that this one does not."""

    def begin(self) -> Position:
        """Where a first run begins: at the last final block. What is older is history."""
        return Position.at(self._reader.block(self._final_number(self._reader.block("latest").number)))

    # --- the head ----------------------------------------------------------------------------------------------------

    def poll(self, position: Position) -> Step:
        """One step on. Raises `RpcError`, `DiffersError` between endpoints, `DeepReorganisationError`."""
        head = read_header(self._reader, "latest")
        last = position.head
        if head.number < last.number:
            return Waiting(f"the node's last block is {head.number}, looked at is block {last.number}")
        if head.hash == last.hash:
            self._idle_polls += 1
            return Waiting("no new block")
        self._idle_polls = 0
        if head.parent_hash == last.hash:
            return Advanced(position.moved_to(head.ref), tuple(self._logs_of(head)))
        return self._cross(position, head)

    def _logs_of(self, header: Header) -> list[Log]:
        self._keeps_blooms |= bool(header.bloom)
        if self._keeps_blooms and not self._sieve.may_hold(header.bloom):
            return []
        logs = logs_in_block(self._reader, header.hash, self._topics, self._addresses)
        self._distrust_blooms(header, logs)
        return logs

    def _distrust_blooms(self, header: Header, logs: Sequence[Log]) -> None:
        """Logs of a block are in its bloom, or this chain keeps some out of it: then no bloom is believed."""
        if bloom_of_logs(logs) & ~header.bloom and self._keeps_blooms:
            logger.warning("a block's bloom lacks its logs: blooms are not believed", extra={"block": header.number})
            self._keeps_blooms = False
            self._sieve = _EverythingMayBe()

    def _cross(self, position: Position, head: Header) -> Step:
        """A gap, or a chain that took another way."""
        last = position.head
        if (rewound := self._rewound(position)) is not None:
            return rewound
        end = head
        if head.number - last.number > self._blocks_per_poll:
            end = read_header(self._reader, last.number + self._blocks_per_poll)
        logs = self._range(self._reader, last.number + 1, end.number)
        if self._council is None:
            logs = self._vetted(position, end, logs)
        if (rewound := self._rewound(position)) is not None:
            return rewound
        if not _has(self._reader, end.ref):
            return Waiting(f"block {end.number} was reorganised while it was read")
        return Advanced(position.moved_to(end.ref), tuple(logs), more=end.number < head.number)

    def _vetted(self, position: Position, end: Header, logs: Sequence[Log]) -> list[Log]:
        """With one endpoint: every block of the range is one of a chain, and is empty by its own header, or asked for
        alone.
        """
        first = position.head.number + 1
        if end.number - first >= VETTED_BLOCKS:
            logger.warning(
                "a long gap rests on the word of one endpoint; chain.rpc takes several",
                extra={"first": first, "last": end.number},
            )
            return list(logs)
        shown = _by_block(logs)
        found: list[Log] = []
        before = position.head.hash
        for header in read_headers(self._reader, range(first, end.number + 1)):
            if header.parent_hash != before:
                raise RpcError(f"block {header.number} does not follow the one before it", hint="it is read again")
            before = header.hash
            self._keeps_blooms |= bool(header.bloom)
            found += shown.get(header.number) or self._logs_of(header)
        return found

    def _rewound(self, position: Position) -> Rewound | None:
        """None while the head of `position` is on the chain; else back to the last block that is."""
        if _has(self._reader, position.head):
            return None
        if self._council is not None:
            require_agreement(
                self._council,
                own=False,
                ask=lambda other: _has(other, position.head),
                difference=lambda _: DiffersError(
                    f"two endpoints disagree about block {position.head.number}: only the second has "
                    f"{to_hex(position.head.hash)}",
                    hint="one of them may be on another fork; following goes on when they agree",
                ),
            )
        for place in range(len(position.trail) - 1, -2, -1):
            back = position.back_to(place)
            if _has(self._reader, back.head):
                return Rewound(back, above=back.head.number)
        raise DeepReorganisationError(position)

    # --- what stays --------------------------------------------------------------------------------------------------

    def settle(self, position: Position) -> Settled | Waiting:
        """The second look, at the blocks that became final since: once for some blocks together, or when the head
        stands still. Raises as `poll` does.
        """
        head = position.head
        if position.final == head or head.hash == self._settled_at.hash:
            return Waiting("all of it is settled")
        if head.number - self._settled_at.number < SETTLED_TOGETHER and self._idle_polls < IDLE_POLLS:
            return Waiting("more blocks will come")
        settled = self._settled(position)
        self._settled_at = head
        return settled

    def _settled(self, position: Position) -> Settled | Waiting:
        number = min(self._final_number(position.head.number), position.head.number)
        if number <= position.final.number:
            return Waiting("no block became final")
        end = self._reader.block(number)
        if self._rewound(position) is not None:
            return Waiting("the chain was reorganised")
        first = position.final.number + 1
        logs = self._range(self._reader, first, number)
        if self._council is not None:
            self._demand_agreement(self._council, first, end, logs)
        if not _has(self._reader, end) or self._rewound(position) is not None:
            return Waiting(f"block {end.number} was reorganised while it was read")
        if self._keeps_blooms:
            for number, some in _by_block(logs).items():
                self._distrust_blooms(read_header(self._reader, number), some)
        return Settled(position.settled_to(end), tuple(logs))

    def _demand_agreement(self, council: Council, first: int, end: BlockRef, logs: Sequence[Log]) -> None:
        def ask(other: ChainReader) -> tuple[bytes, frozenset[Log]]:
            block_hash = other.block(end.number).hash
            shown = self._range(other, first, end.number) if block_hash == end.hash else ()
            return block_hash, frozenset(shown)

        def difference(theirs: tuple[bytes, frozenset[Log]]) -> DiffersError:
            block_hash, others = theirs
            if block_hash != end.hash:
                return DiffersError(
                    f"two endpoints disagree about block {end.number}: {to_hex(end.hash)} and {to_hex(block_hash)}",
                    hint="one of them may be on another fork or chain; following goes on when they agree",
                )
            return DiffersError(
                f"two endpoints disagree about the proposals in blocks {first} to {end.number}: {len(logs)} and "
                f"{len(others)} events",
                hint="one of them lags, is broken or lies; following goes on when they agree",
            )

        require_agreement(council, (end.hash, frozenset(logs)), ask, difference)

    def _final_number(self, head: int) -> int:
        if isinstance(self._finality, str):
            return self._reader.block(self._finality).number
        return max(0, head - self._finality)

    def _range(self, reader: ChainReader, first: int, last: int) -> list[Log]:
        return reader.logs(first, last, [list(self._topics)], self._addresses)


class _EverythingMayBe(Sieve):
    """Where blooms are not believed."""

    def __init__(self) -> None:
        super().__init__((), ())

    def may_hold(self, bloom: int) -> bool:  # noqa: ARG002 - not believed
        return True


def _by_block(logs: Sequence[Log]) -> dict[int, list[Log]]:
    found: dict[int, list[Log]] = {}
    for log in logs:
        found.setdefault(log.block_number, []).append(log)
    return found


def _has(reader: ChainReader, block: BlockRef) -> bool:
    """A node that does not reach so far does not have it."""
    try:
        return reader.block(block.number).hash == block.hash
    except RpcError:
        if reader.block("latest").number < block.number:
            return False
        raise
