"""Where contracts would lie that the reached ones create by CREATE: their addresses follow from who creates them, and
from how many it created before. By CREATE2 they follow from code that only a trace shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

import rlp
from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from pnyx_contracts.types import BlockRef, to_hex
from pnyx_tools.code import read_target
from pnyx_tools.opcodes import reachable_opcodes
from pnyx_tools.pinned import CodeOf, ask_ahead
from pnyx_tools.reader import ChainReader
from pnyx_tools.simulate.task import parsed
from pnyx_tools.wire import block_param, parse_quantity

MAX_MAKERS: Final = 8
"""Contracts that can create others, and are asked for how many they created."""
NEXT: Final = 4
"""Contracts of each."""

_COUNT: Final = "eth_getTransactionCount"


def next_contracts(reader: ChainReader, addresses: Sequence[str], block: BlockRef) -> tuple[str, ...]:
    """The addresses of the next contracts of those that can create any, at `block`."""
    makers = list(_makers(reader, addresses, to_hex(block.hash)))[:MAX_MAKERS]
    counted = _counted(reader, makers, block)
    return tuple(_created(maker, first + place) for maker, first in counted for place in range(NEXT))


def _makers(reader: ChainReader, addresses: Sequence[str], at: str) -> Iterator[str]:
    """A proxy creates by the code that it runs."""
    ask_ahead(reader, [CodeOf(address, at) for address in addresses])
    for address in addresses:
        opcodes = reachable_opcodes(reader.code(address, at))
        if "DELEGATECALL" in opcodes and "CREATE" not in opcodes:
            opcodes = read_target(reader, address, at).implementation_opcodes
        if "CREATE" in opcodes:
            yield address


def _counted(reader: ChainReader, makers: Sequence[str], block: BlockRef) -> Iterator[tuple[str, int]]:
    for maker in makers:
        answer = reader.request(_COUNT, [maker, block_param(to_hex(block.hash))])
        yield maker, parsed(_COUNT, partial(parse_quantity, answer))


def _created(maker: str, number: int) -> str:
    return str(to_checksum_address(keccak(rlp.encode([bytes.fromhex(maker[2:]), number]))[12:]))
