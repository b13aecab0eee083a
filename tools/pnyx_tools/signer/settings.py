"""What a signer is told by its operator, and by nobody else."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Final

from pydantic import Field, SecretStr

from pnyx_contracts.types import Address, Uint, Value
from pnyx_policies.configuration import Configuration
from pnyx_tools.signer.tls import TlsFiles, TlsPlace

ENTRIES_PART_OF_DAILY_WEI: Final = 2
"""Entries that cast no vote may spend one part in so many of the daily cap: whoever spams proposals that are skipped
cannot take the money for the votes that matter."""


class WriterKind(Enum):
    """How entries and votes get on chain."""

    GATE = "gate"
    """Through a `VoteGate`: entry and vote in one transaction, enforced by the chain."""
    ATOMIC = "atomic"
    """The key's account runs `AtomicAccount` (EIP-7702): entry and vote in one transaction, as long as the key wants.
    Members see ATOMIC."""
    PLAIN_KEY = "plain-key"
    """The key writes and votes itself: entry, its receipt, then the vote. Members see DECLARED."""

    @property
    def votes_at_once(self) -> bool:
        """True when a vote and its entry are one transaction."""
        return self is not WriterKind.PLAIN_KEY


class Limits(Value):
    """The most that may be spent. A transaction counts with its whole gas limit at its maximum fee, and with what some
    chains take beside the gas (`data_fee`).
    """

    max_gas: int = Field(default=1_000_000, gt=0)
    """Gas limit of one transaction."""
    max_fee_per_gas: Uint
    """Wei per gas."""
    max_spend_wei: Uint
    """Everything that is signed for one vote: its entry, the vote, and what was signed anew for it. And each entry
    without a vote.
    """
    daily_wei: Uint
    """In any 24 hours, over everything that is signed. A replacement counts once: only one of the two can be mined."""

    @property
    def daily_entries_wei(self) -> int:
        """The part of `daily_wei` that entries without a vote may take."""
        return self.daily_wei // ENTRIES_PART_OF_DAILY_WEI


class TlsListening(Value):
    """A port for daemons on other machines."""

    place: TlsPlace
    files: TlsFiles
    peers: tuple[str, ...] = Field(min_length=1)
    """Common names or SHA-256 fingerprints of the certificates that are answered."""


class OtherChain(Value):
    """Where the signer simulates what messages to another chain do."""

    chain_id: int = Field(gt=0)
    rpc_urls: tuple[SecretStr, ...] = Field(min_length=1)


class SignerSettings(Value):
    """Everything that the signer judges by. None of it comes from the daemon."""

    rpc_urls: tuple[SecretStr, ...] = Field(min_length=1)
    """The signer's own endpoints: better others than the daemon's. Often hold a key, therefore never shown."""
    rpc_quorum: int = Field(default=1, ge=1)
    """So many of them must say the same."""
    fork: SecretStr | None = None
    """A node that forks the chain, where the signer simulates what its endpoints cannot."""
    others: tuple[OtherChain, ...] = ()
    chain_id: int = Field(gt=0)
    log: Address
    start_block: int = Field(default=0, ge=0)
    """Block of the writer's registration: where reading the log begins."""
    writer: Address
    writer_kind: WriterKind
    configuration: Configuration
    """The declared configuration in force: the mode, governors, analysts, prompt templates, checks, context tools,
    known addresses and approvers that count here."""
    ruleset: str = Field(min_length=1)
    """The ruleset's TOML text, verbatim; must have the declared hash."""
    treasury_assets: tuple[Address, ...] = ()
    suspension: Address | None = None
    """A contract whose ``paused()`` stops votes, beside a gate's own pause."""
    limits: Limits
    socket: Path
    """Unix socket; made with mode 0600 in a folder with mode 0700."""
    users: tuple[int, ...] = ()
    """Users that are answered there beside our own; then socket and folder are open to our group (0660, 0750)."""
    listen: TlsListening | None = None
    """In place of the socket."""
    require_locked_memory: bool = False
    """Without it, memory that cannot be locked is a line in the log."""
    memory: Path
    """Database of what was signed and spent. Part of the backup: without it a signed, unsent vote is forgotten."""

    @property
    def voter(self) -> str:
        """The account that holds the voting power: the writer, or a Safe."""
        return self.configuration.safe or self.writer
