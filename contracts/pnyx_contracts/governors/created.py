"""`ProposalCreated` of OpenZeppelin governors, read fast: an old governor has thousands, and each holds a long text.

Its fields: id, proposer, targets, values, signatures (empty), calldatas, first and last timepoint of the vote,
description. An encoding laid out as Solidity lays it out is read here; of whatever is not, nothing is said:
`strict_abi` reads it, and says what is wrong with it. Both give the same for what both read.
"""

from __future__ import annotations

from functools import lru_cache
from struct import Struct
from typing import Final

import msgspec
from eth_utils.address import to_checksum_address

WORD: Final = 32
_HEAD: Final = Struct("32s" * 9)
_uint: Final = int.from_bytes


class Created(msgspec.Struct, frozen=True, gc=False):
    """The event's fields. `description` is raw bytes; `vote_start` and `vote_end` are timepoints of the governor."""

    proposal_id: int
    proposer: str
    targets: list[str]
    values: list[int]
    calldatas: list[bytes]
    vote_start: int
    vote_end: int
    description: bytes


class _OtherwiseError(Exception):
    """Not laid out as expected."""


def read_created(data: bytes) -> Created | None:
    """None when it is not laid out as Solidity lays it out."""
    try:
        return _read(data)
    except _OtherwiseError:
        return None


def _read(data: bytes) -> Created:
    """Goes through the tails in order: each must begin where the one before it ended. Functions that hand on where they
    are, because thousands of events are read while nothing else can run.
    """
    if len(data) < _HEAD.size:
        raise _OtherwiseError
    number, proposer, targets, values, signatures, calldatas, start, end, description = _HEAD.unpack_from(data)
    count, at = data[_HEAD.size : _HEAD.size + WORD], _HEAD.size
    accounts, at = _words(data, at, targets, count)
    amounts, at = _words(data, at, values, count)
    signed, at = _blobs(data, at, signatures, count)
    called, at = _blobs(data, at, calldatas, count)
    text, at = _blob(data, at, description)
    if at != len(data) or any(signed):
        raise _OtherwiseError
    return Created(
        _uint(number), _address(proposer), [_address(word) for word in accounts], [_uint(word) for word in amounts],
        called, _uint(start), _uint(end), text,
    )  # fmt: skip


def _words(data: bytes, at: int, offset: bytes, count: bytes) -> tuple[list[bytes], int]:
    """An array of words, and where it ends."""
    first, end = _array(data, at, offset, count)
    return [data[place : place + WORD] for place in range(first, end, WORD)], end


def _blobs(data: bytes, at: int, offset: bytes, count: bytes) -> tuple[list[bytes], int]:
    """An array of byte strings, and where it ends."""
    first, at = _array(data, at, offset, count)
    found: list[bytes] = []
    for place in range(first, at, WORD):
        blob, at = _blob(data, at, data[place : place + WORD], first)
        found.append(blob)
    return found, at


def _array(data: bytes, at: int, offset: bytes, count: bytes) -> tuple[int, int]:
    """Where the words of an array begin and end. All arrays of a proposal have the same length."""
    first = at + WORD
    end = first + WORD * _uint(count)
    if _uint(offset) != at or data[at:first] != count or end > len(data):
        raise _OtherwiseError
    return first, end


def _blob(data: bytes, at: int, offset: bytes, base: int = 0) -> tuple[bytes, int]:
    """A byte string, and where its padding ends."""
    first = at + WORD
    end = first + _uint(data[at:first])
    after = end + (first - end) % WORD
    if _uint(offset) != at - base or after > len(data) or any(data[end:after]):
        raise _OtherwiseError
    return data[first:end], after


@lru_cache(maxsize=4_096)
def _address(word: bytes) -> str:
    """A checksum takes a hash, and the same few addresses come again and again."""
    if any(word[:12]):
        raise _OtherwiseError
    return str(to_checksum_address(word[12:]))
