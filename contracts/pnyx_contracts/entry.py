"""Entries of the decision log: the values. `decision_log` has the hashes, the encodings and the events."""

from __future__ import annotations

from enum import IntEnum

from msgspec import Struct
from pydantic import Field

from pnyx_contracts.types import Address, Bytes32, Hex, Value


class EntryKind(IntEnum):
    """What an entry says. Numbers are those of the contract."""

    VOTE = 1
    """A vote: this entry comes before it, or in the same transaction."""
    SKIP = 2
    """No vote was possible or sensible; the record says why."""
    HOLD = 3
    """People have to decide; no vote until they did."""
    DECISION = 4
    """A decision that is not voted on: observe mode."""
    VOID = 5
    """Takes an earlier entry back: the vote that it announced did not land and will not, or its proposal is gone."""
    MISSED = 6
    """The vote closed before a decision was recorded."""
    CORRECTION = 7
    """Corrects an earlier entry; nothing is ever deleted."""
    CONFIG_ANNOUNCED = 16
    CONFIG_ACTIVATED = 17
    SUCCEEDED = 18
    """The last entry of a writer: another one takes its place."""
    SUCCEEDS = 19
    """The first entry of a writer that takes another one's place; commits to the last head of that one."""
    SIGNER_ANNOUNCED = 32
    SIGNER_ACTIVATED = 33
    GOVERNOR_ANNOUNCED = 34
    GOVERNOR_ACTIVATED = 35
    PAUSED = 36
    UNPAUSED = 37

    @property
    def is_terminal(self) -> bool:
        """True when a proposal that has such an entry was answered for."""
        return self in {EntryKind.VOTE, EntryKind.SKIP, EntryKind.HOLD, EntryKind.DECISION, EntryKind.MISSED}


class Entry(Struct, frozen=True, gc=False):
    """One entry as the log emitted it. `time` in seconds; `seq` counts from 1 for each writer; words of 32 bytes.

    No `Value`, for the reason that `Log` is none: `decode_entry` has looked at every word.
    """

    writer: str
    subject: bytes
    kind: EntryKind
    seq: int
    epoch: int
    time: int
    prompt_hash: bytes
    record_root: bytes
    action: bytes
    block_number: int
    transaction_hash: bytes
    log_index: int


class Declaration(Value):
    """What a writer declares on chain: its configuration's hash, the governors it answers for, where its evidence lies.

    From a chain, `evidence_uri` is text that a stranger wrote: invalid UTF-8 is shown escaped.
    """

    config_hash: Bytes32
    governors: tuple[Address, ...]
    evidence_uri: str


class Registered(Value):
    """A writer joined the log. Its configuration is that of epoch 0; what it answers for begins at `start_block`."""

    writer: Address
    operator: Address
    notice_seconds: int
    start_block: int
    genesis: Bytes32
    declaration: Declaration
    subject: Bytes32
    """Hash of the declaration as it was emitted, which the genesis binds."""
    block_number: int
    transaction_hash: Bytes32
    log_index: int


class ConfigurationAnnounced(Value):
    """A declaration that may become active from `active_at` (seconds since the epoch) on, as number `epoch`."""

    writer: Address
    epoch: int
    active_at: int
    declaration: Declaration
    subject: Bytes32
    """Subject and record root of the entry that goes with it."""
    block_number: int
    transaction_hash: Bytes32
    log_index: int


class ConfigurationActivated(Value):
    """The announced configuration is in force, and `epoch` begins."""

    writer: Address
    epoch: int
    config_hash: Bytes32
    block_number: int
    transaction_hash: Bytes32
    log_index: int


class GateCreated(Value):
    """A factory made a gate."""

    gate: Address
    operator: Address
    guardian: Address
    signer: Address
    block_number: int
    transaction_hash: Bytes32
    log_index: int


class WriterState(Value):
    """``stateOf(writer)``: the running head (24 bytes) and the counters."""

    head: Hex = Field(min_length=24, max_length=24)
    seq: int
    epoch: int
    registered: bool
    closed: bool = False
    """Another writer succeeded it: it writes nothing any more."""


class RemarkVerdict(IntEnum):
    """What somebody says about an entry. Numbers are those of the contract."""

    CHECKED = 1
    """Verified, and it matches."""
    DIFFERS = 2
    """Verified, and it does not match."""
    WITHHELD = 3
    """A challenge: the evidence cannot be had."""
    ANSWER = 4
    """To other remarks, for example the writer's own."""


class Remark(Value):
    """A remark of anybody about an entry. It changes nothing; what it is worth depends on who wrote it.

    `uri` is text that a stranger wrote: invalid UTF-8 is shown escaped.
    """

    author: Address
    writer: Address
    seq: int
    verdict: RemarkVerdict
    hash: Bytes32
    """keccak-256 of the document at `uri`; zero when there is none."""
    uri: str
    block_number: int
    transaction_hash: Bytes32
    log_index: int
