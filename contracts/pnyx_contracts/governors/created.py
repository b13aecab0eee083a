"""`ProposalCreated` of OpenZeppelin governors, read fast: an old governor has thousands, and each holds a long text.

Its fields: id, proposer, targets, values, signatures (empty), calldatas, first and last timepoint of the vote,
description. An encoding laid out as Solidity lays it out is read here; of whatever is not, nothing is said:
`strict_abi` reads it, and says what is wrong with it. Both give the same for what both read.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from eth_utils.address import to_checksum_address
from msgspec import Struct

WORD: Final = 32
_HEAD: Final = 9 * WORD
_TARGETS, _VALUES, _SIGNATURES, _CALLDATAS, _DESCRIPTION = 2, 3, 4, 5, 8
"""Places of the offsets in the head."""


class Created(Struct, frozen=True, gc=False):
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
        return _Reader(data).read()
    except _OtherwiseError:
        return None


class _Reader:
    """Goes through the tails in order: each must begin where the one before it ended."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = _HEAD

    def read(self) -> Created:
        data = self._data
        if len(data) < _HEAD:
            raise _OtherwiseError
        proposer = _address(data[WORD : 2 * WORD])
        self._begin(_TARGETS)
        targets = [_address(word) for word in self._words()]
        self._begin(_VALUES)
        values = [int.from_bytes(word, "big") for word in self._words()]
        self._begin(_SIGNATURES)
        signatures = self._blobs()
        self._begin(_CALLDATAS)
        calldatas = self._blobs()
        self._begin(_DESCRIPTION)
        description = self._blob()
        if not len(targets) == len(values) == len(signatures) == len(calldatas) or any(signatures):
            raise _OtherwiseError
        if self._at != len(data):
            raise _OtherwiseError
        return Created(
            int.from_bytes(data[:WORD], "big"), proposer, targets, values, calldatas,
            int.from_bytes(data[6 * WORD : 7 * WORD], "big"), int.from_bytes(data[7 * WORD : 8 * WORD], "big"),
            description,
        )  # fmt: skip

    def _begin(self, place: int) -> None:
        if int.from_bytes(self._data[place * WORD : place * WORD + WORD], "big") != self._at:
            raise _OtherwiseError

    def _number(self) -> int:
        start = self._at
        self._at = start + WORD
        if self._at > len(self._data):
            raise _OtherwiseError
        return int.from_bytes(self._data[start : self._at], "big")

    def _words(self) -> list[bytes]:
        start, end = self._array(self._number())
        self._at = end
        return [self._data[place : place + WORD] for place in range(start, end, WORD)]

    def _array(self, length: int) -> tuple[int, int]:
        """Where the words of an array begin and end."""
        end = self._at + length * WORD
        if end > len(self._data):
            raise _OtherwiseError
        return self._at, end

    def _blobs(self) -> list[bytes]:
        base, self._at = self._array(self._number())
        found: list[bytes] = []
        for place in range(base, self._at, WORD):
            if int.from_bytes(self._data[place : place + WORD], "big") != self._at - base:
                raise _OtherwiseError
            found.append(self._blob())
        return found

    def _blob(self) -> bytes:
        length = self._number()
        start = self._at
        self._at = start + length + -length % WORD
        if self._at > len(self._data) or any(self._data[start + length : self._at]):
            raise _OtherwiseError
        return self._data[start : start + length]


@lru_cache(maxsize=4_096)
def _address(word: bytes) -> str:
    """A checksum takes a hash, and the same few addresses come again and again."""
    if any(word[:12]):
        raise _OtherwiseError
    return str(to_checksum_address(word[12:]))
