"""What was proposed before, by this proposer and in these words."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from pnyx_contracts.types import Address, Uint, Value
from pnyx_policies.context.reading import Search

MAX_PROPOSALS = 20
MAX_REPEATED = 5
NEARBY_BLOCKS = 7_200
"""What came within so many blocks of one another came together: a day, at a block in twelve seconds."""
ALIKE_BPS = 8_000
"""Texts that share so much of their words, in basis points, are copies of one another."""


class EarlierProposal(Value):
    """One proposal, and what became of it."""

    proposal_id: Uint
    created_block: int
    calls: int
    state: str
    """Name of the state at the pinned block."""
    same_calls: bool
    """True when it would execute exactly what this proposal would."""


class LookAlike(Value):
    """A proposal by anybody whose text is nearly this proposal's."""

    proposal_id: Uint
    proposer: Address
    created_block: int
    alike_bps: int = Field(ge=ALIKE_BPS, le=10_000)
    """Shared triples of words, in basis points of all triples of both texts."""
    same_calls: bool
    same_functions: bool
    """True when the calls are to the same functions in the same order, with other arguments at most."""


class ProposerHistory(Search):
    """Looked at: `ProposalCreated` events of this governor in blocks `from_block` to `to_block`."""

    TOOL: ClassVar = "proposer_history"
    VERSION: ClassVar = "4"

    proposer: Address
    proposals_in_governor: int
    """By anybody, this one not counted."""
    proposals_by_proposer: int
    """This one not counted."""
    nearby_by_proposer: int
    """Of those, within `NEARBY_BLOCKS` of this one."""
    nearby_empty: int
    """Of those, without any call, or with nothing but calls that do nothing (no value, no calldata)."""
    latest: tuple[EarlierProposal, ...] = Field(max_length=MAX_PROPOSALS)
    """The proposer's own, newest first."""
    alike: tuple[LookAlike, ...] = Field(max_length=MAX_PROPOSALS)
    """Newest first."""
    repeated: tuple[EarlierProposal, ...] = Field(max_length=MAX_REPEATED)
    """By anybody, newest first: proposals of which every call that does something is made by this one too, or that make
    every such call of this one.
    """
