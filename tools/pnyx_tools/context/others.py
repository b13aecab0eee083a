"""Other proposals of the governor, and how they stand at the pinned block."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import BlockRef, Proposal, ProposalState, to_hex
from pnyx_tools.context.history import History, proposals_in
from pnyx_tools.pinned import ask_ahead, reads_of
from pnyx_tools.reader import ChainReader

MAX_ASKED: Final = 64
"""Proposals whose state is asked for."""


@dataclass(frozen=True, slots=True)
class Others:
    """The newest first."""

    states: tuple[tuple[Proposal, ProposalState], ...]
    not_asked: int
    """Older ones, of which nothing more is known."""

    def that_are(self, states: AbstractSet[ProposalState]) -> list[Proposal]:
        return [proposal for proposal, state in self.states if state in states]


def others(
    reader: ChainReader,
    adapter: GovernorAdapter,
    profile: GovernorProfile,
    proposal: Proposal,
    block: BlockRef,
    history: History,
) -> Others:
    """Those of `history`, without `proposal`."""
    at = to_hex(block.hash)
    found = [p for p in proposals_in(history, adapter, profile) if p.key != proposal.key]
    asked = found[: -MAX_ASKED - 1 : -1]
    reads = [adapter.read_state(profile, p.key.proposal_id) for p in asked]
    ask_ahead(reader, reads_of(reads, at))
    states = [reader.read(read, at) for read in reads]
    return Others(tuple(zip(asked, states, strict=True)), len(found) - len(asked))
