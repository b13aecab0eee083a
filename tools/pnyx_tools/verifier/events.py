"""A writer's events, from the words of a node.

Nearly all are entries, and a log may have millions. So an entry that is worded as every node words it is read at once;
whatever is not goes the long way, through `parse_log` and the decoders, which say what is wrong with it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from pnyx_contracts.decision_log import (
    ACTIVATED_TOPIC,
    ANNOUNCED_TOPIC,
    ENTRY_TOPIC,
    REGISTERED_TOPIC,
    decode_configuration_activated,
    decode_configuration_announced,
    decode_entry,
    decode_registered,
)
from pnyx_contracts.entry import Entry, EntryKind
from pnyx_contracts.errors import DecodingError
from pnyx_contracts.types import Log, to_hex
from pnyx_policies.verify.history import LogEvent
from pnyx_tools.reader import LogItem
from pnyx_tools.wire import parse_address, parse_index, parse_log

_DECODERS: Final[dict[bytes, Callable[[Log], LogEvent]]] = {
    REGISTERED_TOPIC: decode_registered,
    ENTRY_TOPIC: decode_entry,
    ANNOUNCED_TOPIC: decode_configuration_announced,
    ACTIVATED_TOPIC: decode_configuration_activated,
}
TOPICS: Final = tuple(_DECODERS)

_ENTRY: Final = to_hex(ENTRY_TOPIC)
_KINDS: Final = {to_hex(int(kind).to_bytes(32, "big")): kind for kind in EntryKind}
_WORD_CHARACTERS: Final = 66
_DATA_CHARACTERS: Final = 2 + 6 * 64
# Before the numbers in the first three words of the data: 5, 2 and 6 bytes long.
_ZEROS_OF_SEQ: Final = "0x" + 27 * "00"
_ZEROS_OF_EPOCH: Final = 30 * "00"
_ZEROS_OF_TIME: Final = 26 * "00"
_ZEROS_OF_WRITER: Final = "0x" + 12 * "00"
_WORDS: Final = struct.Struct(">32s24xQ24xQ24xQ32s32s32s32s32x")
"""Of an entry: subject, sequence number, epoch, time, prompt hash, record root, action, transaction hash. The hash of
the block ends it, and is only looked at.
"""


class Unreadable(Struct, frozen=True):
    """An event that our log cannot have emitted."""

    block_number: int
    log_index: int
    transaction_hash: bytes
    reason: str


def read_event(item: LogItem) -> LogEvent | Unreadable:
    """Raises ValueError for what is no log at all."""
    return _read_entry(item) or _read_slowly(item)


def _read_entry(item: LogItem) -> Entry | None:
    topics, data, transaction, block = item.topics, item.data, item.transaction_hash, item.block_hash
    if len(topics) != 4 or topics[0] != _ENTRY or len(data) != _DATA_CHARACTERS or item.removed:
        return None
    _, writer, about, kind_word = topics
    kind = _KINDS.get(kind_word)
    if (
        kind is None
        or not len(writer) == len(about) == len(transaction) == len(block) == _WORD_CHARACTERS
        or not about[:2] == transaction[:2] == block[:2] == "0x"
        or not (writer.startswith(_ZEROS_OF_WRITER) and data.startswith(_ZEROS_OF_SEQ))
        or not (data.startswith(_ZEROS_OF_EPOCH, 66) and data.startswith(_ZEROS_OF_TIME, 130))
    ):
        return None
    words = bytes.fromhex(about[2:] + data[2:] + transaction[2:] + block[2:])
    if len(words) != _WORDS.size:  # fromhex overlooks spaces
        return None
    subject, seq, epoch, time, prompt_hash, record_root, action, transaction_hash = _WORDS.unpack(words)
    return Entry(
        parse_address("0x" + writer[26:].lower()), subject, kind, seq, epoch, time, prompt_hash, record_root, action,
        parse_index(item.block_number), transaction_hash, parse_index(item.log_index),
    )  # fmt: skip


def _read_slowly(item: LogItem) -> LogEvent | Unreadable:
    log = parse_log(item)
    try:
        return _DECODERS[log.topics[0]](log)
    except DecodingError as error:
        return Unreadable(log.block_number, log.log_index, log.transaction_hash, error.message)
