"""`ProposalCreated` of OpenZeppelin governors, read fast: an old governor has thousands, and each holds a long text.

Its fields: id, proposer, targets, values, signatures (empty), calldatas, first and last timepoint of the vote,
description. An encoding laid out as Solidity lays it out is read here; of whatever is not, nothing is said:
`strict_abi` reads it, and says what is wrong with it. Both give the same for what both read.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Final

import msgspec
from eth_utils.address import to_checksum_address

WORD: Final = 32
MOST_CALLS: Final = 100
"""Of a proposal with more, nothing is said: a layout is kept for each number of calls."""
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
    """None when it is not laid out as Solidity lays it out, or very long."""
    try:
        return _read(data)
    except _OtherwiseError:
        return None


class _Layout:
    """Of an event with so many calls: where everything stands up to the first call's data does not depend on what it
    says, and much of it is always the same.
    """

    def __init__(self, calls: int) -> None:
        word = f"{WORD}s"
        signatures_to_calldatas = WORD * (1 + 2 * calls + 1)
        self.begin = struct.Struct(
            f"{word}{word}{4 * WORD}s{word}{word}{word}"  # id, proposer, offsets of arrays, start, end, of description
            f"{word}{word * calls}"  # targets
            f"{word}{word * calls}"  # values
            f"{signatures_to_calldatas}s{word * calls}"  # all signatures; how many calldatas there are, their offsets
        )
        targets = 9 * WORD
        values = targets + WORD * (1 + calls)
        signatures = values + WORD * (1 + calls)
        calldatas = signatures + signatures_to_calldatas - WORD
        self.offsets = b"".join(map(_word, (targets, values, signatures, calldatas)))
        self.count = _word(calls)
        offsets_of_signatures = b"".join(_word(WORD * (calls + n)) for n in range(calls))
        self.signatures = self.count + offsets_of_signatures + bytes(WORD * calls) + self.count
        self.first_calldata = calldatas + WORD


_layout: Final = lru_cache(maxsize=MOST_CALLS + 1)(_Layout)


def _read(data: bytes) -> Created:
    calls = _uint(data[9 * WORD : 10 * WORD])
    if calls > MOST_CALLS:
        raise _OtherwiseError
    layout = _layout(calls)
    if layout.begin.size > len(data):
        raise _OtherwiseError
    number, proposer, offsets, start, end, description, count, *words = layout.begin.unpack_from(data)
    targets, values, calldatas = words[:calls], words[calls + 1 : 2 * calls + 1], words[2 * calls + 2 :]
    if (offsets, count, words[calls], words[2 * calls + 1]) != (
        layout.offsets, layout.count, layout.count, layout.signatures,
    ):  # fmt: skip
        raise _OtherwiseError
    at, called = layout.begin.size, []
    for offset in calldatas:
        calldata, at = _blob(data, at, offset, layout.first_calldata)
        called.append(calldata)
    text, at = _blob(data, at, description)
    if at != len(data):
        raise _OtherwiseError
    return Created(
        _uint(number), _address(proposer), [_address(word) for word in targets], [_uint(word) for word in values],
        called, _uint(start), _uint(end), text,
    )  # fmt: skip


def _blob(data: bytes, at: int, offset: bytes, base: int = 0) -> tuple[bytes, int]:
    """A byte string, and where its padding ends, which is where the next one must begin."""
    first = at + WORD
    end = first + _uint(data[at:first])
    after = end + (first - end) % WORD
    if _uint(offset) != at - base or after > len(data) or any(data[end:after]):
        raise _OtherwiseError
    return data[first:end], after


def _word(number: int) -> bytes:
    return number.to_bytes(WORD)


@lru_cache(maxsize=4_096)
def _address(word: bytes) -> str:
    """A checksum takes a hash, and the same few addresses come again and again."""
    if any(word[:12]):
        raise _OtherwiseError
    return str(to_checksum_address(word[12:]))
