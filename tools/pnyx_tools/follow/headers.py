"""Headers of blocks: which block follows which, and what their bloom filters say about logs.

A header's bloom names, with false alarms but without omissions, every address and topic of the block's logs (Yellow
Paper, 4.3.1). So a block whose bloom lacks a governor's address or the topic of its event holds no such event, and need
not be asked for it. Chains that do not keep blooms are told by one that is empty where logs are: see `Stream`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

from eth_hash.auto import keccak
from msgspec import Struct

from pnyx_contracts.types import BlockRef, Log, to_hex
from pnyx_tools.reader import AsksTogether, BlockId, ChainReader, Question, RpcError
from pnyx_tools.wire import (
    LogQuery,
    block_param,
    is_block_hash,
    parse_data,
    parse_items,
    parse_log,
    parse_object,
    parse_quantity,
    parse_word,
)

BLOOM_BYTES: Final = 256
_BLOOM_BITS: Final = 8 * BLOOM_BYTES


class Header(Struct, frozen=True):
    """One block, and the one before it. ``timestamp`` in seconds since the epoch."""

    number: int
    hash: bytes
    parent_hash: bytes
    timestamp: int
    bloom: int

    @property
    def ref(self) -> BlockRef:
        return BlockRef(number=self.number, hash=self.hash, timestamp=self.timestamp)


def read_header(reader: ChainReader, block: BlockId) -> Header:
    """Raises `RpcError` when the node does not have the block, or answers with something else."""
    method, params = _question(block)
    return _header(block, reader.request(method, params))


def read_headers(reader: ChainReader, numbers: Sequence[int]) -> Iterator[Header]:
    """In the order of `numbers`; in a few requests where the node takes batches."""
    answers: Sequence[Any] = [None] * len(numbers)
    if isinstance(reader, AsksTogether) and len(numbers) > 1:
        with suppress(RpcError):
            answers = reader.ask_together([_question(number) for number in numbers])
    for number, answer in zip(numbers, answers, strict=True):
        yield read_header(reader, number) if answer is None else _header(number, answer)


def logs_in_block(
    reader: ChainReader, block_hash: bytes, topics: Sequence[bytes], addresses: Sequence[str]
) -> list[Log]:
    """Of exactly this block: no reorganisation can come in between. Raises `RpcError` when the node lacks it."""
    query = LogQuery([topics], addresses)
    question = {**query.json(0, 0), "blockHash": to_hex(block_hash)}
    del question["fromBlock"], question["toBlock"]
    try:
        items = parse_items(reader.request("eth_getLogs", [question]))
        logs = [parse_log(item) for item in items]
    except (ValueError, TypeError) as error:
        raise RpcError(f"eth_getLogs: answered with malformed logs ({error})", hint="use another node") from None
    if query.stray_among(items) is not None or any(log.block_hash != block_hash for log in logs):
        raise RpcError("eth_getLogs: answered with logs that were not asked for", hint="use another node")
    return logs


def _question(block: BlockId) -> Question:
    if is_block_hash(block):
        return "eth_getBlockByHash", [block, False]
    return "eth_getBlockByNumber", [block_param(block), False]


def _header(block: BlockId, answer: Any) -> Header:  # noqa: ANN401 - JSON as the node gave it
    try:
        found = parse_object(answer)
        if found is None:
            raise RpcError(
                f"the node does not have block {block}",
                hint="it may lag behind, or the block was reorganised away",
                is_about_the_question=True,
            )
        header = Header(
            number=parse_quantity(found["number"]),
            hash=parse_word(found["hash"]),
            parent_hash=parse_word(found["parentHash"]),
            timestamp=parse_quantity(found["timestamp"]),
            bloom=_parse_bloom(found["logsBloom"]),
        )
    except (ValueError, TypeError, KeyError) as error:
        raise RpcError(f"block {block} is malformed ({error})", hint="use another node") from None
    asked_for = to_hex(header.hash) == str(block).lower() if is_block_hash(block) else header.number == block
    if not asked_for and (isinstance(block, int) or is_block_hash(block)):
        raise RpcError(f"the node answered with block {header.number} when asked for block {block}")
    return header


def _parse_bloom(value: object) -> int:
    bloom = parse_data(value)
    if len(bloom) != BLOOM_BYTES:
        raise ValueError(f"expected a bloom of {BLOOM_BYTES} bytes, got {len(bloom)}")
    return int.from_bytes(bloom, "big")


# --- blooms ----------------------------------------------------------------------------------------------------------


def bloom_of(entries: Iterable[bytes]) -> int:
    """The filter that holds these addresses (20 bytes) and topics (32 bytes)."""
    bloom = 0
    for entry in entries:
        digest = keccak(entry)
        for place in (0, 2, 4):
            bloom |= 1 << (int.from_bytes(digest[place : place + 2], "big") % _BLOOM_BITS)
    return bloom


def bloom_of_logs(logs: Iterable[Log]) -> int:
    return bloom_of(part for log in logs for part in (bytes.fromhex(log.address[2:]), *log.topics))


class Sieve:
    """Tells by a block's bloom whether it may hold one of the events of one of the addresses."""

    def __init__(self, topics: Sequence[bytes], addresses: Sequence[str]) -> None:
        self._topics = [bloom_of([topic]) for topic in topics]
        self._addresses = [bloom_of([bytes.fromhex(address[2:])]) for address in addresses]

    def may_hold(self, bloom: int) -> bool:
        return _any_within(self._topics, bloom) and _any_within(self._addresses, bloom)


def _any_within(parts: Sequence[int], bloom: int) -> bool:
    return any(part & bloom == part for part in parts)
