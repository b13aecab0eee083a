"""The shapes of JSON-RPC: parameters as a node wants them, answers checked before anybody believes them.

Every ``parse_*`` raises ValueError, TypeError or KeyError when a node's answer has another shape.
"""

from __future__ import annotations

import re
from binascii import unhexlify
from collections.abc import Hashable, Sequence
from functools import lru_cache
from typing import Any, Final

from msgspec import convert
from pydantic import TypeAdapter

from pnyx_contracts.errors import UsageError
from pnyx_contracts.types import Address, BlockRef, Log, to_hex
from pnyx_tools.reader import BlockId, LogItem, Topics

_TAGS: Final = frozenset({"latest", "safe", "finalized", "earliest", "pending"})

_WORD_CHARACTERS: Final = 66
_INDEX_CHARACTERS: Final = 17
_MAX_TOPICS: Final = 4
_HASH = re.compile(r"0x[0-9a-fA-F]{64}")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_ADDRESS_VALUE: Final = TypeAdapter[str](Address)


class LogQuery:
    """What is asked of `eth_getLogs`, and whether a log that came back is an answer to it."""

    def __init__(self, topics: Topics, addresses: Sequence[str] | None) -> None:
        places = [None if t is None else [t] if isinstance(t, bytes) else t for t in topics]
        self._topics = [None if words is None else [to_hex(word) for word in words] for words in places]
        self._addresses = None if addresses is None else [address_param(a).lower() for a in addresses]

    def json(self, start: int, end: int) -> dict[str, Any]:
        query: dict[str, Any] = {"fromBlock": hex(start), "toBlock": hex(end), "topics": self._topics}
        if self._addresses is not None:
            query["address"] = self._addresses
        return query

    def stray_among(self, items: Sequence[LogItem]) -> LogItem | None:
        """One that was not asked for. A hundred thousand are looked at together much faster than one by one."""
        return None if self._match(items) else next(item for item in items if not self._match([item]))

    def _match(self, items: Sequence[LogItem]) -> bool:
        if self._addresses is not None and not _all_among({item.address for item in items}, self._addresses):
            return False
        if any(size < len(self._topics) for size in {len(item.topics) for item in items}):
            return False
        return all(
            words is None or _all_among({item.topics[place] for item in items}, words)
            for place, words in enumerate(self._topics)
        )


def _all_among(seen: set[str], wanted: Sequence[str]) -> bool:
    return {text.lower() for text in seen}.issubset(wanted)


# --- what goes out ---------------------------------------------------------------------------------------------------


def address_param(address: str) -> str:
    if not isinstance(address, str) or not _ADDRESS.fullmatch(address):
        raise UsageError(f"expected a 20-byte address in 0x hex, got {str(address)[:60]!r}")
    return address


def is_block_hash(block: BlockId) -> bool:
    return isinstance(block, str) and _HASH.fullmatch(block) is not None


def block_param(block: BlockId) -> str | dict[str, str]:
    if isinstance(block, int) and not isinstance(block, bool) and block >= 0:
        return hex(block)
    if isinstance(block, str) and is_block_hash(block):
        return {"blockHash": block}  # EIP-1898
    if isinstance(block, str) and block in _TAGS:
        return block
    raise UsageError(
        f"expected a block number, a 32-byte block hash or one of {sorted(_TAGS)}, got {str(block)[:80]!r}"
    )


# --- what comes back -------------------------------------------------------------------------------------------------


def _shown(value: object) -> str:
    return repr(value)[:60]


def parse_quantity(value: object) -> int:
    if not isinstance(value, str) or not 3 <= len(value) <= 66 or not value.startswith("0x"):
        raise ValueError(f"expected a hex quantity, got {_shown(value)}")
    if not (value.isascii() and value[2:].isalnum()):  # int() takes underscores, spaces and other scripts' digits too
        raise ValueError(f"expected a hex quantity, got {_shown(value)}")
    return int(value, 16)


def parse_index(value: str) -> int:
    """A number of a block, or within one: no chain has 2**60 of them."""
    if value.startswith("0x") and 3 <= len(value) <= _INDEX_CHARACTERS and value.isalnum() and value.isascii():
        return int(value, 16)
    raise ValueError(f"expected the number of something on a chain, got {_shown(value)}")


def parse_data(value: object) -> bytes:
    if not isinstance(value, str) or not value.startswith("0x"):
        raise ValueError(f"expected 0x hex bytes, got {_shown(value)}")
    try:
        return unhexlify(value[2:])
    except ValueError:
        raise ValueError(f"expected 0x hex bytes, got {_shown(value)}") from None


def parse_word(value: object) -> bytes:
    """Written out, because a check reads millions of words."""
    if isinstance(value, str) and len(value) == _WORD_CHARACTERS and value.startswith("0x"):
        try:
            return unhexlify(value[2:])
        except ValueError:
            pass
    raise ValueError(f"expected 0x hex of 32 bytes, got {_shown(value)}")


@lru_cache(maxsize=1_024)
def parse_address(value: Hashable) -> str:
    return _ADDRESS_VALUE.validate_python(value)


def parse_object(value: object) -> dict[str, Any] | None:
    if value is not None and not isinstance(value, dict):
        raise TypeError(f"expected an object or null, got {_shown(value)}")
    return value


def parse_block(value: object) -> BlockRef | None:
    block = parse_object(value)
    if block is None:
        return None
    return BlockRef(
        number=parse_quantity(block["number"]),
        hash=parse_word(block["hash"]),
        timestamp=parse_quantity(block["timestamp"]),
    )


def parse_items(value: object) -> list[LogItem]:
    return convert(value, list[LogItem])


def parse_logs(value: object) -> list[Log]:
    """Those of a receipt."""
    return [parse_log(item) for item in parse_items(value)]


def item_of(log: Log) -> LogItem:
    """How a node words it."""
    return LogItem(
        address=log.address.lower(),
        topics=tuple([to_hex(topic) for topic in log.topics]),
        data=to_hex(log.data),
        block_number=hex(log.block_number),
        block_hash=to_hex(log.block_hash),
        transaction_hash=to_hex(log.transaction_hash),
        log_index=hex(log.log_index),
    )


def parse_log(item: LogItem) -> Log:
    if item.removed:
        raise ValueError("a log that a reorganisation removed")
    if len(item.topics) > _MAX_TOPICS:
        raise ValueError(f"expected at most {_MAX_TOPICS} topics, got {len(item.topics)}")
    return Log(
        parse_address(item.address),
        tuple([parse_word(topic) for topic in item.topics]),
        parse_data(item.data),
        parse_index(item.block_number),
        parse_word(item.block_hash),
        parse_word(item.transaction_hash),
        parse_index(item.log_index),
    )


def error_parts(error: object) -> tuple[int, str, bytes]:
    """(code, message, revert data) of a JSON-RPC error, however strangely it is built."""
    if not isinstance(error, dict):
        return 0, str(error)[:300], b""
    code = error.get("code")
    return (
        code if isinstance(code, int) else 0,
        str(error.get("message", ""))[:300] or "an error without a message",
        _revert_data(error.get("data")),
    )


def _revert_data(data: object) -> bytes:
    """Nodes put it as ``"0x..."``, as ``"Reverted 0x..."`` or one level deeper."""
    if isinstance(data, dict):
        data = data.get("data")
    if not isinstance(data, str):
        return b""
    found = re.search(r"0x(?:[0-9a-fA-F]{2})*$", data)
    return bytes.fromhex(found.group()[2:]) if found else b""
