"""The time by which a governor opens and closes its votes.

Contracts need not see the block number that the endpoint gives its blocks: on Arbitrum they see that of Ethereum. So
the time is asked for on chain, and the number in a block's header counts only where it was seen to be the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pnyx_contracts.errors import DecodingError
from pnyx_contracts.governors import GovernorProfile, Read
from pnyx_contracts.selectors import selector_of
from pnyx_contracts.types import ZERO_ADDRESS, BlockRef, ClockMode, to_hex
from pnyx_tools.reader import ChainReader, MethodMissingError, RevertedError, RpcError
from pnyx_tools.wire import block_param, parse_data

PACE_BLOCKS: Final = 100
"""So many blocks tell how fast they come; nodes keep the state of so many."""
FAST_SECONDS: Final = 1.0
"""A vote that is taken to close too early is paid more than it has to be, within the caps; one too late is lost."""

_RETURN_NUMBER: Final = "0x4360005260206000f3"
"""NUMBER, PUSH1 0, MSTORE, PUSH1 32, PUSH1 0, RETURN: as code of a call to nobody it answers with `block.number`."""


def read_clock(profile: GovernorProfile) -> Read[int]:
    """ERC-6372 ``clock()``. Governors older than that revert."""
    return Read(profile.address, selector_of("clock()"), _uint)


def clock_at(reader: ChainReader, profile: GovernorProfile, block: BlockRef) -> int:
    """`read_clock` at a block; governors without one go by the number that contracts see.

    Raises as `number_in_contracts`.
    """
    try:
        return reader.read(read_clock(profile), to_hex(block.hash))
    except (RevertedError, DecodingError):
        in_seconds = profile.clock_mode is ClockMode.TIMESTAMP
        return block.timestamp if in_seconds else number_in_contracts(reader, block)


def number_in_contracts(reader: ChainReader, block: BlockRef) -> int:
    """`block.number` as contracts see it.

    Raises `RpcError` when the node keeps no state there, `MethodMissingError` when it does not answer such a call.
    """
    at = to_hex(block.hash)
    try:
        return _uint(parse_data(reader.request("eth_call", [{"data": _RETURN_NUMBER}, block_param(at)])))
    except (RevertedError, RpcError, DecodingError, ValueError) as error:
        reader.balance(ZERO_ADDRESS, at)  # raises when it is not the question but the node, or the age of the block
        raise MethodMissingError(
            f"the node does not say which block number contracts see ({error})",
            hint="use another endpoint: one that answers an eth_call without 'to'",
        ) from None


def earlier_clock(reader: ChainReader, profile: GovernorProfile, earlier: BlockRef, block: BlockRef) -> int:
    """`clock_at` a block before `block`, without asking for old state where headers tell the time."""
    in_seconds = profile.clock_mode is ClockMode.TIMESTAMP
    header = _timestamp if in_seconds else _number
    return _earlier(lambda at: clock_at(reader, profile, at), header, earlier, block)


def seconds_per_tick(reader: ChainReader, profile: GovernorProfile, block: BlockRef, since: int = 0) -> float:
    """How long the governor's clock takes for one step: 1 where it counts seconds, else as in the blocks before
    `block`, none older than number `since`.

    An estimate stops no vote: where there is none, blocks are taken to come fast.
    """
    if profile.clock_mode is ClockMode.TIMESTAMP:
        return 1.0
    try:
        earlier = reader.block(max(since, block.number - PACE_BLOCKS))
        passed = clock_at(reader, profile, block) - earlier_clock(reader, profile, earlier, block)
    except (RpcError, MethodMissingError, RevertedError, DecodingError):
        return FAST_SECONDS
    return (block.timestamp - earlier.timestamp) / passed if passed > 0 else FAST_SECONDS


def earlier_number_in_contracts(reader: ChainReader, earlier: BlockRef, block: BlockRef) -> int:
    """`number_in_contracts` at a block before `block`, without asking for old state where headers tell."""
    return _earlier(lambda at: number_in_contracts(reader, at), _number, earlier, block)


def _earlier(
    ask: Callable[[BlockRef], int], header: Callable[[BlockRef], int], earlier: BlockRef, block: BlockRef
) -> int:
    return header(earlier) if ask(block) == header(block) else ask(earlier)


def _number(block: BlockRef) -> int:
    return block.number


def _timestamp(block: BlockRef) -> int:
    return block.timestamp


def _uint(answer: bytes) -> int:
    if len(answer) != 32:
        raise DecodingError(f"expected one word, got {len(answer)} bytes")
    return int.from_bytes(answer, "big")
