"""Other proposals that this agent holds for people, as its own log says."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from pnyx_contracts.types import Address, Uint, Value
from pnyx_policies.context.reading import Search

MAX_PROPOSALS = 20


class HeldProposal(Value):
    """A proposal that can still be voted on, and about which the agent's last entry is a HOLD."""

    proposal_id: Uint
    proposer: Address
    held_block: int
    """Of the entry."""


class HeldProposals(Search):
    """Looked at: proposals of this governor that were made in blocks `from_block` to `to_block` and are pending or
    active, and the agent's entries about them until `to_block`. This proposal is not counted.
    """

    TOOL: ClassVar = "held_proposals"
    VERSION: ClassVar = "1"

    log: Address | None
    """None where the review is for no log: then nothing is held."""
    writer: Address | None
    held: int
    held_of_proposer: int
    """Of those, by the account that made this proposal."""
    not_asked: int
    """Older proposals of the governor, of which nobody asked whether they can be voted on."""
    newest: tuple[HeldProposal, ...] = Field(max_length=MAX_PROPOSALS)
    """The newest proposals first."""
