"""The seam between one governance system and everything else.

An adapter is pure: it says which contract reads it needs (`Read`: where, what bytes, how to decode the answer) and what
to send (`TransactionCall`); somebody else does the I/O. So the daemon (web3), the signer and the verifier (a small
JSON-RPC reader) share one implementation, and a test needs no node.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from pnyx_contracts.types import ClockMode, Log, Proposal, ProposalState, Value, Vote, VoteCast

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Read(Generic[T_co]):
    """One ``eth_call``. `decode` takes the returned bytes; `DecodingError` when they are not what was expected."""

    to: str
    data: bytes
    decode: Callable[[bytes], T_co]


@dataclass(frozen=True, slots=True)
class TransactionCall:
    """What a transaction must carry; gas and fees are the sender's business."""

    to: str
    data: bytes
    value_wei: int = 0


@dataclass(frozen=True, slots=True)
class Probe:
    """What was learned about an address before anybody decided what it is.

    `code` is the runtime code; `answers` holds the result bytes per probed calldata, None where the call reverted.
    """

    address: str
    chain_id: int
    code: bytes
    answers: Mapping[bytes, bytes | None] = field(default_factory=dict)


class GovernorProfile(Value):
    """What an adapter found out about one governor. Enters the record, so that a member sees what we took it for."""

    kind: str
    """Adapter name, for example ``openzeppelin``."""
    address: str
    chain_id: int
    name: str
    version: str
    counting_mode: str
    clock_mode: ClockMode
    token: str | None
    timelock: str | None
    """The executor that holds the treasury; None when the governor executes itself."""
    can_vote: bool
    """False when the counting mode is not one that we can encode for certain."""
    cannot_vote_because: str = ""


class GovernorAdapter(Protocol):
    """One governance dialect. Registered in the entry-point group ``pnyx.governors``."""

    kind: str

    def probe_calls(self) -> Sequence[bytes]:
        """Calldata that tells this dialect from others; every revert or short answer means "no"."""
        ...

    def recognise(self, probe: Probe) -> GovernorProfile | None:
        """The profile when the probes say that this is our dialect, else None. Never decided by an event topic."""
        ...

    def created_topics(self) -> Sequence[bytes]:
        """topic0 of the events that open a proposal."""
        ...

    def vote_topics(self) -> Sequence[bytes]:
        """topic0 of the events that report a vote."""
        ...

    def voter_topics(self, voter: str) -> Sequence[bytes | Sequence[bytes] | None] | None:
        """Topics as ``eth_getLogs`` takes them, which match the votes of one account and no other's.

        None where the events do not index the voter: then all votes of a governor are read to find those of one.
        """
        ...

    def decode_created(self, profile: GovernorProfile, log: Log) -> Proposal: ...

    def decode_vote(self, profile: GovernorProfile, log: Log) -> VoteCast: ...

    def compute_id(self, proposal: Proposal) -> int | None:
        """The id recomputed from content, or None where the dialect counts instead of hashing."""
        ...

    def read_state(self, profile: GovernorProfile, proposal_id: int) -> Read[ProposalState]: ...

    def read_snapshot(self, profile: GovernorProfile, proposal_id: int) -> Read[int]: ...

    def read_deadline(self, profile: GovernorProfile, proposal_id: int) -> Read[int]: ...

    def read_has_voted(self, profile: GovernorProfile, proposal_id: int, voter: str) -> Read[bool]: ...

    def read_voting_power(self, profile: GovernorProfile, voter: str, timepoint: int) -> Read[int]: ...

    def read_quorum(self, profile: GovernorProfile, timepoint: int) -> Read[int]: ...

    def read_tally(self, profile: GovernorProfile, proposal_id: int) -> Read[tuple[int, int, int]]:
        """Votes so far: (against, for, abstain) in voting power units."""
        ...

    def support_of(self, profile: GovernorProfile, vote: Vote) -> int:
        """The number that stands for `vote` here. Raises `UnknownEncodingError` when the profile cannot vote."""
        ...

    def encode_vote(self, profile: GovernorProfile, proposal_id: int, vote: Vote, reason: str) -> TransactionCall: ...
