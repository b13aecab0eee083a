"""Prices as feeds and pools tell them, exact: fractions, never floating point."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError as AbiError
from eth_utils.address import to_checksum_address

from pnyx_contracts.selectors import call_data
from pnyx_contracts.types import BlockRef, to_hex
from pnyx_tools.reader import BlockId, ChainReader, RevertedError

AVERAGE_SECONDS: Final = 1_800
"""Over which a price moves only by a trade that lasts."""
OLD_SECONDS: Final = 2 * 86_400
"""A feed that was told longer ago says nothing about now."""
_LARGEST_TICK: Final = 887_272
"""Of Uniswap's version 3."""
_PRECISION: Final = 1 << 256


class NoPriceError(Exception):
    """Why there is no price, in our own words."""


def told_by(reader: ChainReader, feed: str, block: BlockRef) -> Fraction:
    """What one whole token costs. Raises `NoPriceError`."""
    at = to_hex(block.hash)
    round_data = _asked(reader, feed, "latestRoundData()", ["uint80", "int256", "uint256", "uint256", "uint80"], at)
    (decimals,) = _asked(reader, feed, "decimals()", ["uint8"], at)
    _, answer, _, updated_at, _ = round_data
    if answer <= 0:
        raise NoPriceError(f"the feed {feed} tells zero, or less")
    if block.timestamp - updated_at > OLD_SECONDS:
        raise NoPriceError(f"the feed {feed} was told more than {OLD_SECONDS // 86_400} days ago")
    return Fraction(answer, 10**decimals)


def exchanged_in(reader: ChainReader, pool: str, asset: str, at: BlockId) -> tuple[str, Fraction]:
    """The pool's other token, and how many smallest units of it one smallest unit of `asset` costs: the average of half
    an hour where the pool remembers it, as Uniswap's version 3 does, else what it holds. Raises `NoPriceError`.
    """
    first, second = (_token(reader, pool, place, at) for place in (0, 1))
    if asset not in (first, second):
        raise NoPriceError(f"the pool {pool} does not exchange {asset}")
    of_first = _averaged(reader, pool, at) if _remembers(reader, pool, at) else _held(reader, pool, at)
    return (second, of_first) if asset == first else (first, 1 / of_first)


def ratio_at(tick: int) -> Fraction:
    """1.0001 to the power of `tick`, to more than sixty digits. Raises `NoPriceError` for a tick that no pool has."""
    if abs(tick) > _LARGEST_TICK:
        raise NoPriceError("the pool tells a tick that no pool has")
    ratio, base = _PRECISION, _PRECISION * 10_000 // 10_001
    for bit in range(abs(tick).bit_length()):
        if abs(tick) >> bit & 1:
            ratio = ratio * base // _PRECISION
        base = base * base // _PRECISION
    return Fraction(_PRECISION, ratio) if tick > 0 else Fraction(ratio, _PRECISION)


def _remembers(reader: ChainReader, pool: str, at: BlockId) -> bool:
    try:
        return bool(reader.call(pool, call_data("slot0()"), at))
    except RevertedError:
        return False


def _averaged(reader: ChainReader, pool: str, at: BlockId) -> Fraction:
    moments = [AVERAGE_SECONDS, 0]
    sums, _ = _asked(reader, pool, "observe(uint32[])", ["int56[]", "uint160[]"], at, moments)
    if len(sums) != len(moments):
        raise NoPriceError(f"the pool {pool} does not remember the last half hour")
    return ratio_at((sums[1] - sums[0]) // AVERAGE_SECONDS)


def _held(reader: ChainReader, pool: str, at: BlockId) -> Fraction:
    first, second, _ = _asked(reader, pool, "getReserves()", ["uint112", "uint112", "uint32"], at)
    if not first or not second:
        raise NoPriceError(f"the pool {pool} is empty")
    return Fraction(second, first)


def _token(reader: ChainReader, pool: str, place: int, at: BlockId) -> str:
    (token,) = _asked(reader, pool, f"token{place}()", ["address"], at)
    return str(to_checksum_address(token))


def _asked(
    reader: ChainReader, contract: str, signature: str, kinds: Sequence[str], at: BlockId, *arguments: object
) -> tuple[Any, ...]:
    try:
        return decode(kinds, reader.call(contract, call_data(signature, *arguments), at))
    except (RevertedError, AbiError):
        raise NoPriceError(f"{contract} does not answer {signature}") from None
