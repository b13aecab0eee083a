"""What the proposer proposed before in this governor, and what became of it."""

from __future__ import annotations

from pydantic import Field

from pnyx_contracts.errors import DecodingError
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import Address, BlockRef, Log, Proposal, Uint, Value, to_hex
from pnyx_policies.facts import Grade
from pnyx_tools.context.history import search_back
from pnyx_tools.reader import ChainReader

MAX_PROPOSALS = 20


class EarlierProposal(Value):
    """One proposal by the same account."""

    proposal_id: Uint
    created_block: int
    calls: int
    state: str
    """Name of the state at the pinned block."""
    same_calls: bool
    """True when it would execute exactly what this proposal would."""


class ProposerHistory(Value):
    """Looked at: `ProposalCreated` events of this governor in blocks `from_block` to `to_block`."""

    proposer: Address
    proposer_has_code: bool
    from_block: int
    to_block: int
    proposals_in_governor: int
    """By anybody, this one not counted."""
    proposals_by_proposer: int
    """This one not counted."""
    latest: tuple[EarlierProposal, ...] = Field(max_length=MAX_PROPOSALS)
    """The proposer's own, newest first."""


class ProposerHistoryTool:
    """First-time proposers, contracts that propose, and the same actions under another text show here."""

    name = "proposer_history"
    version = "1"
    grade = Grade.RE_READ
    description = "Earlier proposals of this proposer in this governor, and their states."

    def __init__(self, lookback_blocks: int = 400_000) -> None:
        self._lookback_blocks = lookback_blocks

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,
        profile: GovernorProfile,
        proposal: Proposal,
        block: BlockRef,
    ) -> ProposerHistory:
        topics = [tuple(adapter.created_topics())]
        history = search_back(reader, block.number, self._lookback_blocks, topics, [profile.address])
        decoded = (_decoded(adapter, profile, log) for log in history.logs)
        others = [p for p in decoded if p is not None and p.key.proposal_id != proposal.key.proposal_id]
        own = [p for p in others if p.proposer == proposal.proposer]
        newest = own[: -MAX_PROPOSALS - 1 : -1]
        return ProposerHistory(
            proposer=proposal.proposer,
            proposer_has_code=bool(reader.code(proposal.proposer, to_hex(block.hash))),
            from_block=history.from_block,
            to_block=block.number,
            proposals_in_governor=len(others),
            proposals_by_proposer=len(own),
            latest=tuple(_earlier(reader, adapter, profile, proposal, p, block) for p in newest),
        )


def _decoded(adapter: GovernorAdapter, profile: GovernorProfile, log: Log) -> Proposal | None:
    try:
        return adapter.decode_created(profile, log)
    except DecodingError:
        return None


def _earlier(
    reader: ChainReader,
    adapter: GovernorAdapter,
    profile: GovernorProfile,
    proposal: Proposal,
    earlier: Proposal,
    block: BlockRef,
) -> EarlierProposal:
    state = reader.read(adapter.read_state(profile, earlier.key.proposal_id), to_hex(block.hash))
    return EarlierProposal(
        proposal_id=earlier.key.proposal_id,
        created_block=earlier.created_block,
        calls=len(earlier.calls),
        state=state.name.lower(),
        same_calls=earlier.calls == proposal.calls,
    )
