"""Who else proposed for the first time at about the same time, and whether one hand paid for several of them.

Many accounts that were made for the occasion look like many people. What they cannot hide is that they are new, and,
while the node knows old states, who sent each its first coin.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import BlockRef, Proposal
from pnyx_policies.context.proposer_history import ALIKE_BPS, NEARBY_BLOCKS
from pnyx_policies.context.proposers_nearby import (
    MAX_COINS,
    MAX_PROPOSERS,
    NearbyCoins,
    NearbyProposer,
    ProposersNearby,
    SameGiver,
)
from pnyx_policies.facts import Grade
from pnyx_tools.context.alike import alike_bps
from pnyx_tools.context.first_coin import first_coin
from pnyx_tools.context.history import SearchingTool, proposals_in, recent_past
from pnyx_tools.context.proposal_calls import does_nothing, functions
from pnyx_tools.reader import ChainReader
from pnyx_tools.wire import parse_address, parse_quantity


class ProposersNearbyTool(SearchingTool):
    """Bursts of several accounts show here; those of one account are the proposer's history."""

    name = ProposersNearby.TOOL
    version = ProposersNearby.VERSION
    grade = Grade.RE_READ
    description = "Other accounts that proposed within a day of this proposal, and whether they are new."

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,
        profile: GovernorProfile,
        proposal: Proposal,
        block: BlockRef,
    ) -> ProposersNearby:
        history = recent_past(reader, adapter, profile, block, self._oldest(proposal, block))
        around = _Around.of(proposal, list(proposals_in(history, adapter, profile)))
        shown = [_proposer(reader, proposals) for proposals in around.first_time[:MAX_PROPOSERS]]
        new = {proposer.account for proposer in shown if proposer.is_new}
        kinds = Counter(tuple(functions(p)) for proposals in around.first_time for p in proposals if p.proposer in new)
        kind, times = kinds.most_common(1)[0] if kinds else ((), 0)
        return ProposersNearby(
            from_block=history.from_block,
            to_block=block.number,
            known=around.known,
            first_time=tuple(shown),
            left_out=len(around.first_time) - len(shown),
            alike=times,
            is_of_them=times > 0 and tuple(functions(proposal)) == kind,
            alike_texts=_alike_texts([ps[0] for ps in around.first_time if ps[0].proposer in new]),
        )


class NearbyCoinsTool(SearchingTool):
    """Needs old states, as `first_coin` does, and is asked as rarely."""

    name = NearbyCoins.TOOL
    version = NearbyCoins.VERSION
    grade = Grade.RE_READ
    description = "Whether other new accounts that propose nearby got their first coin from the same sender."

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,
        profile: GovernorProfile,
        proposal: Proposal,
        block: BlockRef,
    ) -> NearbyCoins:
        nearby = ProposersNearbyTool(self._not_before).run(reader, adapter, profile, proposal, block)
        own = first_coin(reader, profile.address, proposal.proposer, proposal.created_block) if nearby.new else None
        asked = [one.account for one in nearby.new][:MAX_COINS] if own and own.sender else []
        coins = [first_coin(reader, profile.address, account, proposal.created_block) for account in asked]
        return NearbyCoins(
            from_block=nearby.from_block,
            to_block=nearby.to_block,
            same=tuple(
                SameGiver(account=coin.account, sender=coin.sender)
                for coin in coins
                if own and coin.sender and coin.sender == own.sender
            ),
            asked=len(asked),
        )


@dataclass(frozen=True, slots=True)
class _Around:
    """Proposals of others within `NEARBY_BLOCKS`."""

    known: int
    """Accounts that had proposed before, too."""
    first_time: list[list[Proposal]]
    """By account that had not, in chain order."""

    @classmethod
    def of(cls, proposal: Proposal, every: Sequence[Proposal]) -> _Around:
        first = proposal.created_block - NEARBY_BLOCKS
        before = {p.proposer for p in every if p.created_block < first}
        nearby: dict[str, list[Proposal]] = {}
        for other in every:
            distance = abs(other.created_block - proposal.created_block)
            if other.proposer != proposal.proposer and distance <= NEARBY_BLOCKS:
                nearby.setdefault(other.proposer, []).append(other)
        new = [proposals for account, proposals in nearby.items() if account not in before]
        return cls(known=len(nearby) - len(new), first_time=new)


def _alike_texts(first: Sequence[Proposal]) -> int:
    """How many of these are alike to another one."""
    pairs = ((one, other) for one, other in combinations(first, 2))
    alike = [pair for pair in pairs if alike_bps(pair[0].description, pair[1].description) >= ALIKE_BPS]
    return len({proposal.key for pair in alike for proposal in pair})


def _proposer(reader: ChainReader, proposals: Sequence[Proposal]) -> NearbyProposer:
    account, transaction = proposals[0].proposer, reader.transaction(proposals[0].created_transaction)
    is_own = transaction is not None and parse_address(transaction["from"]) == account
    return NearbyProposer(
        account=account,
        proposals=len(proposals),
        empty=sum(map(does_nothing, proposals)),
        sent_before=parse_quantity(transaction["nonce"]) if transaction is not None and is_own else None,
    )
