"""The block in which the vote on a past proposal opened."""

from __future__ import annotations

from collections.abc import Callable

from pnyx_contracts.governors import GovernorProfile
from pnyx_contracts.types import BlockRef, ClockMode
from pnyx_tools.clock import clock_at
from pnyx_tools.reader import ChainReader


def opening_block(
    reader: ChainReader, profile: GovernorProfile, vote_start: int, created: int, upto: int
) -> BlockRef | None:
    """The first block whose time, by the governor's clock, is later than `vote_start`: votes count from there on.

    Among the blocks `created` to `upto`; None when there is none. Headers tell where to look, and the governor's clock
    whether that is it: contracts need not see the number or the time that a header has.

    Raises as `clock_at`: old blocks need a node that keeps their state.
    """

    def is_open(block: BlockRef) -> bool:
        return clock_at(reader, profile, block) > vote_start

    guess = _by_headers(reader, profile, vote_start, created, upto)
    if (
        guess is not None
        and is_open(guess)
        and (guess.number == created or not is_open(reader.block(guess.number - 1)))
    ):
        return guess
    return _first(reader, created, upto, is_open)


def _by_headers(
    reader: ChainReader, profile: GovernorProfile, vote_start: int, created: int, upto: int
) -> BlockRef | None:
    if profile.clock_mode is ClockMode.TIMESTAMP:
        return _first(reader, created, upto, lambda block: block.timestamp > vote_start)
    number = max(created, vote_start + 1)
    return reader.block(number) if number <= upto else None


def _first(reader: ChainReader, low: int, high: int, fits: Callable[[BlockRef], bool]) -> BlockRef | None:
    """The first block that fits, by halving: those after one that fits do so too."""
    found = None
    while low <= high:
        middle = reader.block((low + high) // 2)
        if fits(middle):
            found, high = middle, middle.number - 1
        else:
            low = middle.number + 1
    return found
