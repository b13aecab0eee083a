"""Who could decide this vote: power over time, who gained some just before, how few voters carry the votes so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pnyx_contracts.governors import GovernorAdapter, GovernorProfile, Read
from pnyx_contracts.selectors import parse_function
from pnyx_contracts.types import ZERO_ADDRESS, BlockRef, ClockMode, Proposal, Vote, VoteCast, to_hex
from pnyx_policies.context.voting_power import (
    BASIS_POINTS,
    MAX_VOTERS,
    RECENT_BLOCKS,
    RECENT_SECONDS,
    Gain,
    LateVotes,
    Turnout,
    Voter,
    VotingPower,
)
from pnyx_policies.facts import Grade
from pnyx_tools.clock import clock_at, earlier_clock
from pnyx_tools.context.asking import ask_all, number_of
from pnyx_tools.context.history import History, SearchingTool, proposals_in, recent_past, search_back, votes_in
from pnyx_tools.effects import Event, event_arguments, topic_of
from pnyx_tools.reader import ChainReader

AHEAD_TICKS = 10**7
"""So far ahead no governor knows the power of anybody, unless it gives everybody the power of now."""
ASKED_AHEAD = 4
LATE_PART = 10
"""The last tenth of the time to vote is late."""

_POWER_CHANGED = parse_function("DelegateVotesChanged(address delegate, uint256 previous, uint256 current)")


class VotingPowerTool(SearchingTool):
    """Power that was bought for the snapshot, and votes that hang on one account, show here."""

    name = VotingPower.TOOL
    version = VotingPower.VERSION
    grade = Grade.RE_READ
    description = (
        "The proposer's voting power before creation, at creation, at the snapshot and now; who gained power then; the "
        "largest voters so far; turnout of earlier votes."
    )

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,
        profile: GovernorProfile,
        proposal: Proposal,
        block: BlockRef,
    ) -> VotingPower:
        at = to_hex(block.hash)
        when = _moments(reader, adapter, profile, proposal, block)
        past = recent_past(reader, adapter, profile, block, self._oldest(proposal, block))
        votes = list(votes_in(past, adapter, profile))
        voters = _voters([vote for vote in votes if vote.key == proposal.key])
        cast = sum(voter.weight for voter in voters)
        moments = [when.before, when.created - 1, when.snapshot, when.now - 1]
        powers = [adapter.read_voting_power(profile, proposal.proposer, max(moment, 0)) for moment in moments]
        supply = number_of(profile.token or ZERO_ADDRESS, "getPastTotalSupply(uint256)", max(when.before, 0))
        ahead = _ahead(adapter, profile, proposal, voters, when.now)
        before, created, snapshot, now, supply_before, *of_later = ask_all(reader, [*powers, supply, *ahead], at)
        gains = _gains(reader, profile, when, past.from_block)
        return VotingPower(
            from_block=past.from_block,
            to_block=block.number,
            proposer=proposal.proposer,
            proposer_before=before,
            supply_before=supply_before,
            proposer_at_creation=created,
            proposer_at_snapshot=snapshot if when.snapshot < when.now else None,
            proposer_now=now,
            power_ahead_of_time=max((power for power in of_later if power is not None), default=None),
            voters=len(voters),
            weight_cast=cast,
            largest_share_bps=voters[0].weight * BASIS_POINTS // cast if cast else 0,
            largest=tuple(voters[:MAX_VOTERS]),
            late=_late_votes(when, [vote for vote in votes if vote.key == proposal.key]),
            gains_from_block=gains.from_block,
            gains_to_block=when.last_block_that_counts,
            gains=_largest_gains(gains),
            earlier=_turnouts(adapter, profile, proposal, past, votes, when.now),
        )


@dataclass(frozen=True, slots=True)
class _Moments:
    """In ticks of the governor's clock, unless they are blocks."""

    created_block: int
    before: int
    created: int
    snapshot: int
    deadline: int
    now: int
    counts_blocks: bool
    """Whether the clock counts the chain's own blocks."""
    head: int

    @property
    def last_block_that_counts(self) -> int:
        """For power at the snapshot, as far as block numbers tell: else the block of the proposal."""
        return min(self.head, self.snapshot) if self.counts_blocks else self.created_block


def _moments(
    reader: ChainReader, adapter: GovernorAdapter, profile: GovernorProfile, proposal: Proposal, block: BlockRef
) -> _Moments:
    at, proposal_id = to_hex(block.hash), proposal.key.proposal_id
    now = clock_at(reader, profile, block)
    in_seconds = profile.clock_mode is ClockMode.TIMESTAMP
    created = earlier_clock(reader, profile, reader.block(proposal.created_block), block)
    return _Moments(
        created_block=proposal.created_block,
        before=created - (RECENT_SECONDS if in_seconds else RECENT_BLOCKS),
        created=created,
        snapshot=reader.read(adapter.read_snapshot(profile, proposal_id), at),
        deadline=reader.read(adapter.read_deadline(profile, proposal_id), at),
        now=now,
        counts_blocks=not in_seconds and now == block.number,
        head=block.number,
    )


def _ahead(
    adapter: GovernorAdapter, profile: GovernorProfile, proposal: Proposal, voters: Sequence[Voter], now: int
) -> list[Read[int]]:
    accounts = dict.fromkeys([proposal.proposer, *(voter.voter for voter in voters)])
    return [adapter.read_voting_power(profile, a, now + AHEAD_TICKS) for a in list(accounts)[:ASKED_AHEAD]]


def _voters(votes: Sequence[VoteCast]) -> list[Voter]:
    """All who voted, the heaviest first."""
    by_account: dict[str, list[VoteCast]] = {}
    for vote in votes:
        by_account.setdefault(vote.voter, []).append(vote)
    voters = [
        Voter(
            voter=account,
            weight=sum(vote.weight for vote in cast),
            votes=tuple(vote.vote.value if vote.vote else "other" for vote in cast),
        )
        for account, cast in by_account.items()
    ]
    return sorted(voters, key=lambda voter: (-voter.weight, voter.voter))


def _late_votes(when: _Moments, votes: Sequence[VoteCast]) -> LateVotes | None:
    since = when.deadline - max((when.deadline - when.snapshot) // LATE_PART, 1) + 1
    if not when.counts_blocks or when.head < since:
        return None

    def weight(vote: Vote, counts: Callable[[int], bool]) -> int:
        return sum(v.weight for v in votes if v.vote is vote and counts(v.block_number))

    return LateVotes(
        since_block=since,
        early_for=weight(Vote.FOR, lambda block: block < since),
        early_against=weight(Vote.AGAINST, lambda block: block < since),
        late_for=weight(Vote.FOR, lambda block: block >= since),
        late_against=weight(Vote.AGAINST, lambda block: block >= since),
    )


def _gains(reader: ChainReader, profile: GovernorProfile, when: _Moments, oldest: int) -> History:
    last = when.last_block_that_counts
    if profile.token is None:
        return History((), last + 1)
    oldest = max(oldest, when.created_block - RECENT_BLOCKS)
    return search_back(reader, last, oldest, [topic_of(_POWER_CHANGED)], [profile.token])


def _largest_gains(history: History) -> tuple[Gain, ...]:
    """Between the first and the last event of each delegate."""
    first: dict[str, int] = {}
    latest: dict[str, int] = {}
    for log in history.logs:
        told = event_arguments(_POWER_CHANGED, Event(log.address, log.topics, log.data))
        if told is not None:
            first.setdefault(told["delegate"], told["previous"])
            latest[told["delegate"]] = told["current"]
    gains = [Gain(delegate=d, gained=latest[d] - first[d], power=latest[d]) for d in first if latest[d] > first[d]]
    return tuple(sorted(gains, key=lambda gain: (-gain.gained, gain.delegate))[:MAX_VOTERS])


def _turnouts(
    adapter: GovernorAdapter,
    profile: GovernorProfile,
    proposal: Proposal,
    past: History,
    votes: Iterable[VoteCast],
    now: int,
) -> tuple[Turnout, ...]:
    """Of votes that are over: whoever waits until the end has not stayed away."""
    by_proposal: dict[int, list[VoteCast]] = {}
    for vote in votes:
        by_proposal.setdefault(vote.key.proposal_id, []).append(vote)
    before = [
        p for p in proposals_in(past, adapter, profile) if p.created_block < proposal.created_block and p.vote_end < now
    ]
    return tuple(
        Turnout(
            proposal_id=earlier.key.proposal_id,
            voters=len({vote.voter for vote in by_proposal.get(earlier.key.proposal_id, ())}),
            weight_cast=sum(vote.weight for vote in by_proposal.get(earlier.key.proposal_id, ())),
        )
        for earlier in before[: -MAX_VOTERS - 1 : -1]
    )
