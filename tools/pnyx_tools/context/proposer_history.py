"""What the proposer proposed before in this governor, what became of it, and who used the same words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import BlockRef, Proposal, ProposalState, to_hex
from pnyx_policies.context.proposer_history import (
    ALIKE_BPS,
    MAX_PROPOSALS,
    MAX_REPEATED,
    NEARBY_BLOCKS,
    EarlierProposal,
    LookAlike,
    ProposerHistory,
)
from pnyx_policies.facts import Grade
from pnyx_tools.context.alike import alike_bps
from pnyx_tools.context.history import SearchingTool, proposals_in, recent_past
from pnyx_tools.context.proposal_calls import does_nothing, functions
from pnyx_tools.pinned import ask_ahead, reads_of
from pnyx_tools.reader import ChainReader

T = TypeVar("T")


class ProposerHistoryTool(SearchingTool):
    """First-time proposers, bursts, and old texts with other calls show here."""

    name = ProposerHistory.TOOL
    version = ProposerHistory.VERSION
    grade = Grade.RE_READ
    description = "Earlier proposals of this proposer in this governor, and their states; proposals with the same text."

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,
        profile: GovernorProfile,
        proposal: Proposal,
        block: BlockRef,
    ) -> ProposerHistory:
        at = to_hex(block.hash)
        history = recent_past(reader, adapter, profile, block, self._oldest(proposal, block))
        found = proposals_in(history, adapter, profile)
        others = [p for p in found if p.key.proposal_id != proposal.key.proposal_id]
        own = [p for p in others if p.proposer == proposal.proposer]
        nearby = [p for p in own if abs(p.created_block - proposal.created_block) <= NEARBY_BLOCKS]
        alike = [(p, bps) for p in others if (bps := alike_bps(proposal.description, p.description)) >= ALIKE_BPS]
        repeated = [p for p in others if _repeats(proposal, p)]
        return ProposerHistory(
            proposer=proposal.proposer,
            from_block=history.from_block,
            to_block=block.number,
            proposals_in_governor=len(others),
            proposals_by_proposer=len(own),
            nearby_by_proposer=len(nearby),
            nearby_empty=sum(map(does_nothing, nearby)),
            latest=_with_states(reader, adapter, profile, proposal, _newest(own), at),
            alike=tuple(_look_alike(proposal, p, bps) for p, bps in _newest(alike)),
            repeated=_with_states(reader, adapter, profile, proposal, _newest(repeated)[:MAX_REPEATED], at),
        )


def _newest(found: Sequence[T]) -> Sequence[T]:
    return found[: -MAX_PROPOSALS - 1 : -1]


def _with_states(
    reader: ChainReader,
    adapter: GovernorAdapter,
    profile: GovernorProfile,
    proposal: Proposal,
    earlier: Sequence[Proposal],
    at: str,
) -> tuple[EarlierProposal, ...]:
    reads = [adapter.read_state(profile, p.key.proposal_id) for p in earlier]
    ask_ahead(reader, reads_of(reads, at))
    states = [reader.read(read, at) for read in reads]
    return tuple(_earlier(proposal, p, state) for p, state in zip(earlier, states, strict=True))


def _earlier(proposal: Proposal, earlier: Proposal, state: ProposalState) -> EarlierProposal:
    return EarlierProposal(
        proposal_id=earlier.key.proposal_id,
        created_block=earlier.created_block,
        calls=len(earlier.calls),
        state=state.name.lower(),
        same_calls=earlier.calls == proposal.calls,
    )


def _look_alike(proposal: Proposal, other: Proposal, bps: int) -> LookAlike:
    return LookAlike(
        proposal_id=other.key.proposal_id,
        proposer=other.proposer,
        created_block=other.created_block,
        alike_bps=bps,
        same_calls=other.calls == proposal.calls,
        same_functions=functions(other) == functions(proposal),
    )


def _repeats(proposal: Proposal, earlier: Proposal) -> bool:
    """True when all that one of them does the other does, too."""
    ours, theirs = (Counter(c for c in p.calls if c.value_wei or c.calldata) for p in (proposal, earlier))
    return bool(ours and theirs) and (ours <= theirs or theirs <= ours)
