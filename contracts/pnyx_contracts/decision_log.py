"""The decision log on chain: its hashes, calldata, events and reads, as `contracts/src/IDecisionLog.sol` has them.

Pure: somebody else sends the calldata and fetches the logs. Strings in events are whatever a stranger wrote, so they
are decoded leniently; everything else that is not as the contract emits it raises `DecodingError`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, TypeVar

from eth_abi import exceptions as abi_errors
from eth_abi.abi import decode, encode
from eth_utils.address import to_checksum_address
from pydantic import ValidationError

from pnyx_contracts.entry import (
    ConfigurationActivated,
    ConfigurationAnnounced,
    Declaration,
    Entry,
    EntryKind,
    GateCreated,
    Registered,
    Remark,
    RemarkVerdict,
    WriterState,
)
from pnyx_contracts.errors import DecodingError
from pnyx_contracts.governors import Read
from pnyx_contracts.keccak import keccak
from pnyx_contracts.selectors import call_data
from pnyx_contracts.types import Log, ProposalKey, Value, to_hex

T = TypeVar("T")
E = TypeVar("E", bound=Value)

HEAD_BYTES: Final = 24

_WORDS_OF_FOLD: Final = struct.Struct(">8x24xQ24xQ24xQ24xQ").pack
"""What follows the 24 bytes of a head in `fold`: the end of its word, and four small numbers, one a word."""

_GENESIS_TAG = keccak(b"pnyx.DecisionLog.genesis.v1")

_DECLARATION = "(bytes32,address[],string)"
# The same bytes on the wire; read as bytes, because strings on chain need not be UTF-8.
_DECLARATION_WORDS = ["bytes32", "address[]", "bytes"]

REGISTERED_TOPIC: Final = keccak(b"Registered(address,address,uint32,uint64,bytes32,bytes32,address[],string)")
ENTRY_TOPIC: Final = keccak(b"Entry(address,bytes32,uint8,uint40,uint16,uint48,bytes32,bytes32,bytes32)")
ANNOUNCED_TOPIC: Final = keccak(b"ConfigurationAnnounced(address,uint16,uint48,bytes32,address[],string)")
ACTIVATED_TOPIC: Final = keccak(b"ConfigurationActivated(address,uint16,bytes32)")
REMARKED_TOPIC: Final = keccak(b"Remarked(address,address,uint40,uint8,bytes32,string)")
GATE_CREATED_TOPIC: Final = keccak(b"GateCreated(address,address,address,address)")

_KINDS: Final = {int(kind).to_bytes(32, "big"): kind for kind in EntryKind}
_ENTRY_BYTES: Final = 192
"""Length of the data of an `Entry` event: six words."""
_ENTRY_WORDS: Final = struct.Struct(">24xQ24xQ24xQ32s32s32s").unpack
"""The ends of three words that hold small numbers, and three words whole."""
_ZEROS_12: Final = bytes(12)

ADMINISTRATION: Final = keccak(b"pnyx.VoteGate.administration.v1")
"""Prompt hash of a gate's administrative entries: no model was asked."""

SUCCESSION: Final = keccak(b"pnyx.DecisionLog.succession.v1")
"""Prompt hash of the two entries of a succession: no model was asked."""

_REGISTERED_FLAG: Final = 1
_CLOSED_FLAG: Final = 2


# What is hashed.


def subject(key: ProposalKey) -> bytes:
    """What an entry about a proposal is about."""
    words = (_word(key.chain_id), _ZEROS_12, bytes.fromhex(key.governor[2:]), _word(key.proposal_id))
    return keccak(b"".join(words))


def vote_action(support: int) -> bytes:
    """The action of a VOTE entry; `support` is the governor's own number (uint8)."""
    if not 0 <= support < 1 << 8:
        raise ValueError(f"expected a number from 0 to 255, got {support}")
    return _word(support)


def declaration_subject(declaration: Declaration) -> bytes:
    """Subject and record root of the entries that announce and activate a configuration.

    The first configuration has no entry; the genesis binds its subject.
    """
    return keccak(encode([_DECLARATION], [_words_of(declaration)]))


def administration_subject(account: str, flag: bool) -> bytes:
    """Subject and record root of a gate's administrative entry, see `contracts/src/IVoteGate.sol`."""
    return keccak(encode(["address", "bool"], [account, flag]))


def succession_subject(old_writer: str, new_writer: str) -> bytes:
    """Subject of both entries of a succession; record root of the one that closes the old chain."""
    return keccak(encode(["address", "address"], [old_writer, new_writer]))


def succession_action(other_writer: str) -> bytes:
    """Action of both entries of a succession: each names the other writer."""
    return encode(["address"], [other_writer])


def succession_root(last_head: bytes) -> bytes:
    """Record root of a successor's first entry: the old chain's head after its last entry."""
    return last_head.ljust(32, b"\0")


def genesis(chain_id: int, log: str, writer: str, operator: str, notice_seconds: int, declared: bytes) -> bytes:
    """32 bytes that bind chain, contract, writer and what it registered with; every head descends from them.

    `declared` is the `declaration_subject` of the first configuration.
    """
    types = ["bytes32", "uint256", "address", "address", "address", "uint32", "bytes32"]
    return keccak(encode(types, [_GENESIS_TAG, chain_id, log, writer, operator, notice_seconds, declared]))


def initial_head(genesis_hash: bytes) -> bytes:
    """The head (24 bytes) of a writer without entries."""
    return genesis_hash[:HEAD_BYTES]


def fold(head: bytes, entry: Entry) -> bytes:
    """The head after `entry`: binds the head before it and every word of the event."""
    words = (
        head,
        _WORDS_OF_FOLD(entry.seq, entry.epoch, entry.kind, entry.time),
        entry.subject,
        entry.prompt_hash,
        entry.record_root,
        entry.action,
    )
    return keccak(b"".join(words))[:HEAD_BYTES]


# What is sent: calldata.


def encode_register(operator: str, notice_seconds: int, declaration: Declaration) -> bytes:
    """The sender becomes a writer, once and for all."""
    return call_data(f"register(address,uint32,{_DECLARATION})", operator, notice_seconds, _words_of(declaration))


def encode_record(
    expected_seq: int, kind: EntryKind, subject: bytes, prompt_hash: bytes, record_root: bytes, action: bytes
) -> bytes:
    """An entry of the sender. `expected_seq` is the number it will get, so that a retry reverts."""
    words = [expected_seq, kind, subject, prompt_hash, record_root, action]
    return call_data("record(uint40,uint8,bytes32,bytes32,bytes32,bytes32)", *words)


def encode_announce(writer: str, expected_seq: int, declaration: Declaration) -> bytes:
    """For the writer's operator."""
    return call_data(f"announce(address,uint40,{_DECLARATION})", writer, expected_seq, _words_of(declaration))


def encode_activate(writer: str, expected_seq: int) -> bytes:
    """For anybody, once the notice is over."""
    return call_data("activate(address,uint40)", writer, expected_seq)


def encode_succeed(old_writer: str, expected_seq: int, new_writer: str) -> bytes:
    """For the operator of both: closes the chain of `old_writer` and begins that of `new_writer` with its last head."""
    return call_data("succeed(address,uint40,address)", old_writer, expected_seq, new_writer)


def encode_remark(writer: str, seq: int, verdict: RemarkVerdict, document_hash: bytes, uri: str) -> bytes:
    """For anybody, about an entry. `document_hash` is keccak-256 of what lies at `uri`; zero when there is nothing."""
    return call_data("remark(address,uint40,uint8,bytes32,string)", writer, seq, verdict, document_hash, uri)


def encode_gate_vote(
    expected_seq: int, key: ProposalKey, support: int, prompt_hash: bytes, record_root: bytes, reason: str
) -> bytes:
    """For a gate, or for an account that runs `AtomicAccount`: entry and vote in one transaction."""
    words = [expected_seq, key.governor, key.proposal_id, support, prompt_hash, record_root, reason]
    return call_data("vote(uint40,address,uint256,uint8,bytes32,bytes32,string)", *words)


def encode_gate_note(
    expected_seq: int, kind: EntryKind, subject: bytes, prompt_hash: bytes, record_root: bytes, action: bytes
) -> bytes:
    """For a gate: an entry that is no vote."""
    words = [expected_seq, kind, subject, prompt_hash, record_root, action]
    return call_data("note(uint40,uint8,bytes32,bytes32,bytes32,bytes32)", *words)


def encode_create_gate(
    operator: str, guardian: str, signer: str, delay_seconds: int, notice_seconds: int, declaration: Declaration
) -> bytes:
    """For the factory: makes a gate, which registers itself."""
    words = [operator, guardian, signer, delay_seconds, notice_seconds, _words_of(declaration)]
    return call_data(f"create(address,address,address,uint32,uint32,{_DECLARATION})", *words)


# What the chain says.


def decode_registered(log: Log) -> Registered:
    writer, operator = _indexed(log, REGISTERED_TOPIC, "address", "address")
    types = ["uint32", "uint64", "bytes32", *_DECLARATION_WORDS]
    notice_seconds, start_block, genesis_hash, *declared = _decode(types, log.data, "Registered")
    return _event(
        Registered, log, writer=writer, operator=operator, notice_seconds=notice_seconds, start_block=start_block,
        genesis=genesis_hash, declaration=_declaration(declared), subject=_subject_of(declared),
    )  # fmt: skip


def decode_entry(log: Log) -> Entry:
    """By hand, because a log has many of them: what the contract cannot have emitted is refused all the same."""
    topics, data = log.topics, log.data
    if len(topics) != 4 or topics[0] != ENTRY_TOPIC:
        raise _another_event(log)
    _, writer, about, kind_word = topics
    kind = _KINDS.get(kind_word)
    if kind is None or len(data) != _ENTRY_BYTES or not data[:24] == data[32:56] == data[64:88] == writer[:12] * 2:
        raise _no_entry(log)
    seq, epoch, time, prompt_hash, record_root, action = _ENTRY_WORDS(data)
    if seq >= 1 << 40 or epoch >= 1 << 16 or time >= 1 << 48 or writer[:12] != _ZEROS_12:
        raise _no_entry(log)
    return Entry(
        _address_in(writer), about, kind, seq, epoch, time, prompt_hash, record_root, action,
        log.block_number, log.transaction_hash, log.log_index,
    )  # fmt: skip


def decode_configuration_announced(log: Log) -> ConfigurationAnnounced:
    (writer,) = _indexed(log, ANNOUNCED_TOPIC, "address")
    types = ["uint16", "uint48", *_DECLARATION_WORDS]
    epoch, active_at, *declared = _decode(types, log.data, "ConfigurationAnnounced")
    return _event(
        ConfigurationAnnounced, log, writer=writer, epoch=epoch, active_at=active_at,
        declaration=_declaration(declared), subject=_subject_of(declared),
    )  # fmt: skip


def decode_configuration_activated(log: Log) -> ConfigurationActivated:
    (writer,) = _indexed(log, ACTIVATED_TOPIC, "address")
    epoch, config_hash = _decode(["uint16", "bytes32"], log.data, "ConfigurationActivated")
    return _event(ConfigurationActivated, log, writer=writer, epoch=epoch, config_hash=config_hash)


def decode_remark(log: Log) -> Remark:
    author, writer, seq = _indexed(log, REMARKED_TOPIC, "address", "address", "uint40")
    verdict, document_hash, uri = _decode(["uint8", "bytes32", "bytes"], log.data, "Remarked")
    return _event(
        Remark, log, author=author, writer=writer, seq=seq, verdict=verdict, hash=document_hash, uri=_text(uri)
    )


def decode_gate_created(log: Log) -> GateCreated:
    gate, operator, guardian = _indexed(log, GATE_CREATED_TOPIC, "address", "address", "address")
    (signer,) = _decode(["address"], log.data, "GateCreated")
    return _event(GateCreated, log, gate=gate, operator=operator, guardian=guardian, signer=signer)


def read_state(log_address: str, writer: str) -> Read[WriterState]:
    """Head, counters, whether `writer` registered, and whether another one succeeded it."""

    def state(words: Sequence[Any]) -> WriterState:
        head, seq, epoch, flags = words
        registered, closed = bool(flags & _REGISTERED_FLAG), bool(flags & _CLOSED_FLAG)
        return WriterState(head=head, seq=seq, epoch=epoch, registered=registered, closed=closed)

    return _read(log_address, "stateOf(address)", [writer], ["bytes24", "uint40", "uint16", "uint8"], state)


def read_operator(log_address: str, writer: str) -> Read[tuple[str, int]]:
    """Operator and notice in seconds; the zero address and 0 for an unknown writer."""

    def operator(words: Sequence[Any]) -> tuple[str, int]:
        return to_checksum_address(words[0]), words[1]

    return _read(log_address, "operatorOf(address)", [writer], ["address", "uint32"], operator)


def read_is_gate(factory: str, gate: str) -> Read[bool]:
    """Whether `factory` made `gate`."""
    return _read(factory, "isGate(address)", [gate], ["bool"], _only_bool)


def read_factory_log(factory: str) -> Read[str]:
    """The log that all gates of `factory` write to."""
    return _read(factory, "log()", [], ["address"], _only_address)


def read_gate_account(gate: str, getter: str) -> Read[str]:
    """One of a gate's accounts: ``log``, ``factory``, ``operator``, ``guardian`` or ``signer``."""
    return _read(gate, f"{getter}()", [], ["address"], _only_address)


def read_votes_paused(gate: str) -> Read[bool]:
    """Whether the guardian has paused the gate's votes."""
    return _read(gate, "votesPaused()", [], ["bool"], _only_bool)


def read_paused(contract: str) -> Read[bool]:
    """``paused()``, as OpenZeppelin's Pausable has it."""
    return _read(contract, "paused()", [], ["bool"], _only_bool)


def read_governor_allowed(gate: str, governor: str) -> Read[bool]:
    """Whether the gate votes in `governor`."""
    return _read(gate, "governorAllowed(address)", [governor], ["bool"], _only_bool)


def _read(
    to: str, signature: str, arguments: Sequence[Any], types: Sequence[str], convert: Callable[[Sequence[Any]], T]
) -> Read[T]:
    return Read(to, call_data(signature, *arguments), lambda data: convert(_decode(types, data, signature)))


def _only_bool(words: Sequence[Any]) -> bool:
    return bool(words[0])


def _only_address(words: Sequence[Any]) -> str:
    return to_checksum_address(words[0])


def _decode(types: Sequence[str], data: bytes, what: str) -> tuple[Any, ...]:
    try:
        return decode(types, data)
    except (abi_errors.DecodingError, OverflowError, ValueError) as error:
        raise DecodingError(f"{what}: {len(data)} bytes that are not ({','.join(types)}): {error}") from error


def _indexed(log: Log, topic: bytes, *types: str) -> tuple[Any, ...]:
    """The indexed words of an event, after its topic."""
    if len(log.topics) != len(types) + 1 or log.topics[0] != topic:
        raise _another_event(log)
    return _decode(types, b"".join(log.topics[1:]), "indexed words")


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def _another_event(log: Log) -> DecodingError:
    topics = ", ".join(to_hex(t) for t in log.topics)
    return DecodingError(f"{_place(log)}: another event, topics {topics}")


def _no_entry(log: Log) -> DecodingError:
    words = ", ".join(to_hex(t) for t in log.topics)
    return DecodingError(f"{_place(log)}: no Entry that the contract emits: topics {words}, data {to_hex(log.data)}")


def _place(log: Log) -> str:
    return f"log {log.log_index} of {to_hex(log.transaction_hash)}"


@lru_cache(maxsize=1_024)
def _address_in(word: bytes) -> str:
    """The address in an indexed word; its checksum takes a hash, and a log names the same writers again and again."""
    return to_checksum_address(word[12:])


def _event(event: type[E], log: Log, **words: Any) -> E:  # noqa: ANN401 - ABI words; the model validates them
    place = {"block_number": log.block_number, "transaction_hash": log.transaction_hash, "log_index": log.log_index}
    try:
        return event.model_validate(words | place)
    except ValidationError as error:
        raise DecodingError(f"{_place(log)}: no {event.__name__} that the contract emits: {error}") from error


def _words_of(declaration: Declaration) -> tuple[Any, ...]:
    return (declaration.config_hash, list(declaration.governors), declaration.evidence_uri)


def _subject_of(words: Sequence[Any]) -> bytes:
    """From the raw bytes: an escaped string does not encode back to what was hashed."""
    return keccak(encode([f"({','.join(_DECLARATION_WORDS)})"], [tuple(words)]))


def _declaration(words: Sequence[Any]) -> Declaration:
    config_hash, governors, evidence_uri = words
    return Declaration(config_hash=config_hash, governors=governors, evidence_uri=_text(evidence_uri))


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", errors="backslashreplace")
