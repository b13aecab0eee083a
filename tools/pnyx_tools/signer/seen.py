"""What the signer saw of the chain, for whoever judges by it."""

from __future__ import annotations

from dataclasses import dataclass

from pnyx_contracts.entry import Entry
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import Proposal, ProposalState
from pnyx_policies.facts import Facts


@dataclass(frozen=True, slots=True)
class Seen:
    """What the signer read itself, all at one block."""

    adapter: GovernorAdapter
    profile: GovernorProfile
    proposal: Proposal | None
    """None when the governor announced nothing in the block and transaction that the bundle names."""
    pinned_block_hash: bytes
    """Hash of the block with the number of the bundle's pinned block."""
    state: ProposalState | None
    """None when the governor does not know the proposal."""
    has_voted: bool
    next_seq: int
    is_closed: bool
    """Another writer succeeded this one: the log takes nothing more from it."""
    account_log: str | None
    """The log that the key's account votes through by EIP-7702, when it does; only asked for such a writer."""
    owns_safe: bool
    """The key is an owner of the Safe that votes: what it signs there is a vote."""
    is_declaration_of_start: bool
    """No other configuration came into force since the signer started. Anybody can activate what was announced."""
    nonce: int
    """Of the key: transactions that were mined."""
    entries: tuple[Entry, ...]
    """The writer's entries about this proposal, in chain order."""
    final_block: int
    """Up to here the chain stays as it is. Only asked where the proposal is not there, else 0."""
    facts: Facts | None
    """Gathered where `needs_facts`."""
