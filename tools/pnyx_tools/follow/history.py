"""What governors did before they were followed, read once, in pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pnyx_contracts.errors import DiffersError
from pnyx_contracts.types import Log
from pnyx_tools.follow.council import Council, other_of, require_agreement
from pnyx_tools.pieces import Pace, Piece, in_pieces
from pnyx_tools.reader import ChainReader
from pnyx_tools.wire import parse_log

FIRST_BLOCKS: Final = 8
AIM_PROPOSALS: Final = 400
"""A proposal's event takes several kilobytes: the text is in it."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """The logs from block `start` up to and with block `end`."""

    start: int
    end: int
    logs: Sequence[Log]


def read_history(
    reader: ChainReader,
    topics: Sequence[bytes],
    addresses: Sequence[str],
    first: int,
    last: int,
    *,
    council: Council | None = None,
) -> Iterator[Chapter]:
    """The blocks must be final. Raises `RpcError`; `DiffersError` where no other endpoint shows the same logs.

    With one endpoint, its word is all there is: so much older than the head, nobody reads each block's header.
    """
    readers = [reader] if council is None else [reader, other_of(council)]
    pace = Pace(FIRST_BLOCKS, AIM_PROPOSALS)
    for piece in in_pieces([_asked(each, topics, addresses) for each in readers], first, last, pace):
        logs = piece.answers[0]
        if council is not None and any(set(other) != set(logs) for other in piece.answers[1:]):
            _demand_agreement(council, piece, topics, addresses)
        yield Chapter(piece.start, piece.end, logs)


def _demand_agreement(council: Council, piece: Piece[Log], topics: Sequence[bytes], addresses: Sequence[str]) -> None:
    own = frozenset(piece.answers[0])

    def difference(theirs: frozenset[Log]) -> DiffersError:
        return DiffersError(
            f"two endpoints disagree about the proposals in blocks {piece.start} to {piece.end}: {len(own)} and "
            f"{len(theirs)} events",
            hint="one of them lags, is broken or lies; reading goes on when they agree",
        )

    require_agreement(
        council, own, lambda other: frozenset(_asked(other, topics, addresses)(piece.start, piece.end)), difference
    )


def _asked(
    reader: ChainReader, topics: Sequence[bytes], addresses: Sequence[str]
) -> Callable[[int, int], Sequence[Log]]:
    return lambda start, end: reader.read_logs(parse_log, start, end, [list(topics)], addresses)
