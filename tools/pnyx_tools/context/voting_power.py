"""Who could decide this vote: the proposer's power over time, and how few voters carry the votes so far."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from pnyx_contracts.errors import DecodingError
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import Address, BlockRef, Log, Proposal, Uint, Value, VoteCast, to_hex
from pnyx_policies.facts import Grade
from pnyx_tools.clock import clock_at, earlier_clock
from pnyx_tools.context.history import search_back
from pnyx_tools.reader import ChainReader, RevertedError

MAX_VOTERS = 10
BASIS_POINTS = 10_000


class Voter(Value):
    """One account's votes on this proposal, in units of voting power."""

    voter: Address
    weight: Uint
    votes: tuple[str, ...]
    """What it voted; "other" for a vote that is neither for, against nor abstain."""


class VotingPower(Value):
    """Powers are in units of voting power; None where the governor cannot tell (yet)."""

    proposer: Address
    proposer_at_creation: Uint | None
    """Just before the block of the proposal."""
    proposer_at_snapshot: Uint | None
    """None while the snapshot is not in the past."""
    proposer_now: Uint | None
    """Just before the pinned block."""
    votes_from_block: int
    """Votes in this block and later are counted; later than the proposal when the search took too long."""
    voters: int
    weight_cast: Uint
    largest_share_bps: int
    """Weight of the largest voter in basis points of all weight cast; 0 without votes."""
    largest: tuple[Voter, ...] = Field(max_length=MAX_VOTERS)


class VotingPowerTool:
    """Power that was bought for the snapshot, and votes that hang on one account, show here."""

    name = "voting_power"
    version = "1"
    grade = Grade.RE_READ
    description = "The proposer's voting power at creation, at the snapshot and now; the largest voters so far."

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,
        profile: GovernorProfile,
        proposal: Proposal,
        block: BlockRef,
    ) -> VotingPower:
        now = clock_at(reader, profile, block)

        def power(timepoint: int) -> int | None:
            if timepoint < 0 or timepoint >= now:
                return None
            try:
                return reader.read(adapter.read_voting_power(profile, proposal.proposer, timepoint), to_hex(block.hash))
            except RevertedError:
                return None

        created = reader.block(proposal.created_block)
        snapshot = reader.read(adapter.read_snapshot(profile, proposal.key.proposal_id), to_hex(block.hash))
        topics = [tuple(adapter.vote_topics())]
        since_creation = block.number - proposal.created_block + 1
        votes = search_back(reader, block.number, since_creation, topics, [profile.address])
        voters = _voters(adapter, profile, proposal, votes.logs)
        cast = sum(voter.weight for voter in voters)
        return VotingPower(
            proposer=proposal.proposer,
            proposer_at_creation=power(earlier_clock(reader, profile, created, block) - 1),
            proposer_at_snapshot=power(snapshot),
            proposer_now=power(now - 1),
            votes_from_block=votes.from_block,
            voters=len(voters),
            weight_cast=cast,
            largest_share_bps=voters[0].weight * BASIS_POINTS // cast if cast else 0,
            largest=tuple(voters[:MAX_VOTERS]),
        )


def _voters(adapter: GovernorAdapter, profile: GovernorProfile, proposal: Proposal, logs: Sequence[Log]) -> list[Voter]:
    """All who voted on this proposal, the heaviest first; `logs` hold the votes on others too."""
    votes: dict[str, list[VoteCast]] = {}
    for log in logs:
        try:
            vote = adapter.decode_vote(profile, log)
        except DecodingError:
            continue
        if vote.key == proposal.key:
            votes.setdefault(vote.voter, []).append(vote)
    voters = [
        Voter(
            voter=account,
            weight=sum(vote.weight for vote in cast),
            votes=tuple(vote.vote.value if vote.vote else "other" for vote in cast),
        )
        for account, cast in votes.items()
    ]
    return sorted(voters, key=lambda voter: (-voter.weight, voter.voter))
