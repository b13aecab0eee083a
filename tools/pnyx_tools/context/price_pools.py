"""Which contracts a price is read from, and which of them are pools, whose state of this moment one trade can move.

An access list says which slots of which contracts a call reads. A pool's own answers about now read some of its slots;
a price that reads no others knows only this moment. One that reads more of the pool looks at what it remembers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from eth_utils.address import to_checksum_address

from pnyx_contracts.errors import DecodingError
from pnyx_contracts.governors import Read
from pnyx_contracts.selectors import selector_of
from pnyx_contracts.types import to_hex
from pnyx_policies.context.price_sources import PricePool
from pnyx_policies.facts import Holding
from pnyx_tools.context.asking import ask_all, number_of
from pnyx_tools.context.protocol import ToolSkipped
from pnyx_tools.holdings import questions_of, token_holding
from pnyx_tools.pinned import CallOf, ask_ahead
from pnyx_tools.reader import BlockId, ChainReader, RevertedError
from pnyx_tools.wire import block_param, parse_word

METHOD: Final = "eth_createAccessList"

_TOKENS: Final = ("token0()", "token1()")
_PRICES_OF_NOW: Final = ("getReserves()", "slot0()", "globalState()")
"""Of Uniswap's versions 2 and 3, of Algebra's pools, and of all that descend from them."""
_OF_NOW: Final = (*_PRICES_OF_NOW, *_TOKENS, "liquidity()", "fee()", "factory()", "tickSpacing()")
_COIN: Final = "coins(uint256)"
_VIRTUAL_PRICE: Final = "get_virtual_price()"
"""Of Curve's pools. No trade moves their virtual price, and it reads the same slots as their price of now."""

Touched = Mapping[str, frozenset[bytes]]
"""Contracts that a call reaches, with the slots that it reads or writes in them."""


def touched_by(reader: ChainReader, to: str, data: bytes, at: BlockId) -> Touched:
    """Always with `to` itself. Raises `MethodMissingError` where the node does not tell, `ToolSkipped` where what it
    tells is not known.

    Some nodes leave out whom a transaction calls, for it would pay nothing to list that one. So it is a contract that
    would be created, and asks while it is.
    """
    try:
        answer = reader.request(METHOD, [{"data": to_hex(_asking(to, data))}, block_param(at)])
        found = {_address(item): _slots(item) for item in answer["accessList"]}
    except (KeyError, TypeError, ValueError) as error:
        raise ToolSkipped(f"{METHOD}: the answer is no access list ({type(error).__name__})") from None
    return {to: frozenset()} | found


def _asking(to: str, data: bytes) -> bytes:
    """Code that calls `to`, and leaves no contract behind."""
    size = b"\x61" + len(data).to_bytes(2, "big")
    copy = size + bytes.fromhex("602e600039")  # of what follows this code, which is 46 bytes long
    ask = bytes.fromhex("60006000") + size + bytes.fromhex(f"600073{to[2:]}5afa")
    return copy + ask + bytes.fromhex("5060006000f3") + data


def _address(item: Mapping[str, Any]) -> str:
    return str(to_checksum_address(item["address"]))


def _slots(item: Mapping[str, Any]) -> frozenset[bytes]:
    return frozenset(parse_word(slot) for slot in item["storageKeys"])


def pools_in(reader: ChainReader, touched: Touched, at: BlockId) -> Iterator[PricePool]:
    """Those of which some state is read, by address."""
    read = sorted(contract for contract, slots in touched.items() if slots)
    ask_ahead(reader, [CallOf(c, selector_of(s), at) for c in read for s in (*_TOKENS, *_PRICES_OF_NOW)])
    for contract in read:
        if any(_answers(reader, contract, signature, at) for signature in _PRICES_OF_NOW):
            tokens = _tokens(reader, [number_of(contract, signature) for signature in _TOKENS], at)
            reads_past = not touched[contract] <= _slots_of_now(reader, contract, at)
        elif _answers(reader, contract, _VIRTUAL_PRICE, at):
            tokens, reads_past = _tokens(reader, [number_of(contract, _COIN, i) for i in (0, 1)], at), None
        else:
            continue
        if tokens:
            holds = tuple(_held(reader, contract, tokens, at))
            yield PricePool(pool=contract, reads_past=reads_past, holds=holds)


def _tokens(reader: ChainReader, reads: Sequence[Read[int]], at: BlockId) -> tuple[str, ...]:
    """All of them, or none: it is no pool."""
    words: Sequence[int | None] = ask_all(reader, reads, at)
    found = tuple(str(to_checksum_address(w.to_bytes(20, "big"))) for w in words if w is not None and w < 2**160)
    return found if len(found) == len(reads) else ()


def _answers(reader: ChainReader, contract: str, signature: str, at: BlockId) -> bool:
    try:
        return bool(reader.call(contract, selector_of(signature), at))
    except RevertedError:
        return False


def _slots_of_now(reader: ChainReader, pool: str, at: BlockId) -> frozenset[bytes]:
    answered = [selector_of(signature) for signature in _OF_NOW if _answers(reader, pool, signature, at)]
    return frozenset().union(*(touched_by(reader, pool, data, at)[pool] for data in answered))


def _held(reader: ChainReader, pool: str, tokens: Sequence[str], at: BlockId) -> Iterator[Holding]:
    ask_ahead(reader, questions_of([pool], tokens, at))
    for token in tokens:
        try:
            yield token_holding(reader, pool, token, at)
        except DecodingError:
            continue
