"""Addresses that a call hands over: among its arguments, or in calldata that nobody here can decode."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from eth_utils.address import to_checksum_address

from pnyx_contracts.decoded import DecodedCall
from pnyx_policies import text

_WORD_BYTES: Final = 32
_LEAST: Final = 2**128
"""From here on a word of undecoded calldata is no number: below, amounts; the addresses among them are few."""
_NUMBERS: Final = frozenset({2**160 - 1})
_PLACES: Final = (0, 4, 8)
"""In a word: of data, of a call, of a call in bytes of a call."""
_HEX: Final = re.compile(r"0x((?:[0-9a-f]{2}){32,})")
_SPECIAL: Final = 0xFFFF
"""Precompiled contracts, and the zero address."""


def handed_over(call: DecodedCall) -> Iterator[str]:
    """Addresses among the arguments, each once; of a call that carries others, who gets the gas refunded."""
    read = _refunded if call.inner else _decoded if call.signature else _undecoded
    found = read(call)
    yield from dict.fromkeys(address for address in found if int(address, 16) > _SPECIAL)


def _refunded(call: DecodedCall) -> Iterator[str]:
    """A Safe pays gas at the price that the transaction says, to whom it says."""
    if call.argument("gasPrice") not in {None, "0"}:
        yield from sorted(text.addresses(call.argument("refundReceiver") or ""))


def _decoded(call: DecodedCall) -> Iterator[str]:
    for argument in call.arguments:
        if "address" in argument.type:
            yield from sorted(text.addresses(argument.value))
        if "bytes" in argument.type:
            for digits in _HEX.findall(argument.value):
                yield from _words(bytes.fromhex(digits))


def _undecoded(call: DecodedCall) -> Iterator[str]:
    return _words(call.calldata)


def _words(data: bytes) -> Iterator[str]:
    """At the places of words, and of words behind a selector: a call may stand inside."""
    for start in range(len(data) - _WORD_BYTES + 1):
        if start % _WORD_BYTES not in _PLACES:
            continue
        word = int.from_bytes(data[start : start + _WORD_BYTES], "big")
        if _LEAST <= word < 2**160 and word not in _NUMBERS:
            yield str(to_checksum_address(word.to_bytes(20, "big")))
