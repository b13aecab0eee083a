"""The chain, seen from the steward: who writes there for it, and what is there then."""

from __future__ import annotations

from typing import Protocol

from pnyx_contracts.types import Proposal, ProposalKey, Value
from pnyx_policies.bundle import Bundle
from pnyx_policies.entitlement import Entitlement
from pnyx_tools.sender import GivenUpError


class StrandedVoteError(GivenUpError):
    """A vote is signed, and the account that it was signed for has lost its delegation (EIP-7702). There is no other
    vote: it waits until the account runs our code again, and people are told, because only they can see to that.
    """

    def __init__(self, message: str, account: str, runs: str) -> None:
        super().__init__(message)
        self.account = account
        self.runs = runs


class Landed(Value):
    """What is on chain now: 0x hashes, empty where there was no such transaction."""

    entry_transaction: str = ""
    vote_transaction: str = ""
    block: int = 0
    """Number of the last block that holds one of them."""
    is_void: bool = False
    """The entry is there, its vote could not land, and a VOID entry says so."""
    by_another: str = ""
    """Which entry it is, when another program with our key and log made it. Then it stands in the place of ours."""


class Scribe(Protocol):
    """Writes entries and votes on chain, through the signer, and reads back what landed."""

    def write(self, bundle: Bundle, what: Entitlement) -> Landed:
        """Safe to run again: what landed is found, what a reorganisation took away is written again.

        Raises `RefusedError` when it cannot be written as it is and a new look is needed, `StrandedVoteError` while the
        account cannot carry out what was signed for it.
        """
        ...

    def is_final(self, block_number: int) -> bool: ...

    def stranded(self, proposal: Proposal) -> list[bytes]:
        """Record roots of the entries about a proposal that no VOID entry takes back yet."""
        ...

    def take_back(self, bundle: Bundle) -> Landed:
        """The VOID entry for what was written about a proposal that is gone. Safe to run again, raises as `write`."""
        ...

    def was_signed(self, key: ProposalKey, record_root: bytes) -> bool:
        """Whether a vote was signed for this record: then the proposal gets no other vote."""
        ...
