"""How many other proposals the agent holds for people, by its own entries in the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from pnyx_contracts.decision_log import ENTRY_TOPIC, decode_entry, subject
from pnyx_contracts.entry import Entry, EntryKind
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import Address, BlockRef, Proposal, ProposalState
from pnyx_policies.context.held_proposals import MAX_PROPOSALS, HeldProposal, HeldProposals
from pnyx_policies.facts import Grade
from pnyx_tools.context.history import SearchingTool, recent_past, search_back
from pnyx_tools.context.others import Others, others
from pnyx_tools.reader import ChainReader, Topics

VOTABLE = frozenset({ProposalState.PENDING, ProposalState.ACTIVE})


@dataclass(frozen=True, slots=True)
class OwnLog:
    """Where the agent that reviews writes its entries, and as whom."""

    log: Address
    writer: Address


class HeldProposalsTool(SearchingTool):
    """Asks for entries only while other proposals can be voted on."""

    name = HeldProposals.TOOL
    version = HeldProposals.VERSION
    grade = Grade.RE_READ
    description = "Other proposals of the governor that wait for people, because this agent holds its vote on them."

    def __init__(self, not_before: int = 0, own_log: OwnLog | None = None) -> None:
        super().__init__(not_before)
        self._own_log = own_log

    def no_further_than(self, block: int) -> Self:
        return type(self)(block, self._own_log)

    def of(self, own_log: OwnLog | None) -> Self:
        """Tools come without an agent; whoever gathers facts says whose entries count."""
        return type(self)(self._not_before, own_log)

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,
        profile: GovernorProfile,
        proposal: Proposal,
        block: BlockRef,
    ) -> HeldProposals:
        oldest, own = self._oldest(proposal, block), self._own_log
        if own is None:
            return _told(proposal, block, None, oldest, [], 0)
        history = recent_past(reader, adapter, profile, block, oldest)
        around = others(reader, adapter, profile, proposal, block, history)
        last, seen_from = _last_entries(reader, own, around, block)
        held = [
            HeldProposal(proposal_id=p.key.proposal_id, proposer=p.proposer, held_block=entry.block_number)
            for p in around.that_are(VOTABLE)
            if p.created_block >= seen_from
            and (entry := last.get(subject(p.key))) is not None
            and entry.kind is EntryKind.HOLD
        ]
        return _told(proposal, block, own, max(history.from_block, seen_from), held, around.not_asked)


def _last_entries(reader: ChainReader, own: OwnLog, around: Others, block: BlockRef) -> tuple[dict[bytes, Entry], int]:
    """By subject; and the block from which on proposals were made whose entries were all shown, 0 for any."""
    votable = around.that_are(VOTABLE)
    if not votable:
        return {}, 0
    oldest = min(p.created_block for p in votable)
    topics: Topics = [ENTRY_TOPIC, bytes(12) + bytes.fromhex(own.writer[2:]), [subject(p.key) for p in votable]]
    entries = search_back(reader, block.number, oldest, topics, [own.log])
    last = {entry.subject: entry for entry in map(decode_entry, entries.logs)}
    return last, entries.from_block if entries.from_block > oldest else 0


def _told(
    proposal: Proposal,
    block: BlockRef,
    own: OwnLog | None,
    from_block: int,
    held: Sequence[HeldProposal],
    not_asked: int,
) -> HeldProposals:
    return HeldProposals(
        from_block=from_block,
        to_block=block.number,
        log=own and own.log,
        writer=own and own.writer,
        held=len(held),
        held_of_proposer=sum(one.proposer == proposal.proposer for one in held),
        not_asked=not_asked,
        newest=tuple(held[:MAX_PROPOSALS]),
    )
