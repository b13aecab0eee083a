"""Who could decide a vote, and since when."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from pnyx_contracts.types import Address, Uint, Value
from pnyx_policies.context.reading import Search

MAX_VOTERS = 10
RECENT_BLOCKS = 7_200
RECENT_SECONDS = 86_400
"""Power that came so shortly before the proposal came for it: a day, at a block in twelve seconds."""
BASIS_POINTS = 10_000


class Voter(Value):
    """One account's votes on this proposal, in units of voting power."""

    voter: Address
    weight: Uint
    votes: tuple[str, ...]
    """What it voted; "other" for a vote that is neither for, against nor abstain."""


class Gain(Value):
    """Power that one delegate gained, in blocks `gains_from_block` to `gains_to_block`."""

    delegate: Address
    gained: Uint
    power: Uint
    """Afterwards."""


class LateVotes(Value):
    """Votes for and against, before and since the last tenth of the time to vote."""

    since_block: int
    early_for: Uint
    early_against: Uint
    late_for: Uint
    late_against: Uint

    @property
    def turned(self) -> bool:
        """Whether the late votes turned the majority around."""
        early = self.early_for > self.early_against
        return early is not (self.early_for + self.late_for > self.early_against + self.late_against)


class Turnout(Value):
    """Votes on an earlier proposal, as far as they were seen."""

    proposal_id: Uint
    voters: int
    weight_cast: Uint


class VotingPower(Search):
    """Looked at: proposals and votes in blocks `from_block` to `to_block`.

    Powers are in units of voting power; None where the governor cannot tell (yet).
    """

    TOOL: ClassVar = "voting_power"
    VERSION: ClassVar = "3"

    proposer: Address
    proposer_before: Uint | None
    """`RECENT_BLOCKS` or `RECENT_SECONDS` before the proposal, as the governor's clock counts."""
    supply_before: Uint | None
    """Of voting power, then. None or 0: the DAO is younger, and tells nothing by it."""
    proposer_at_creation: Uint | None
    """Just before the block of the proposal."""
    proposer_at_snapshot: Uint | None
    """None while the snapshot is not in the past."""
    proposer_now: Uint | None
    """Just before the pinned block."""
    power_ahead_of_time: Uint | None
    """The most that the governor gives the proposer, or one of the three largest voters, for a moment that has not
    come. None when it refuses to tell, as it does where the power of a past moment counts.
    """
    voters: int
    weight_cast: Uint
    largest_share_bps: int
    """Weight of the largest voter in basis points of all weight cast; 0 without votes."""
    largest: tuple[Voter, ...] = Field(max_length=MAX_VOTERS)
    late: LateVotes | None
    """None before the last tenth of the time to vote, and where the clock does not count the chain's own blocks."""
    gains_from_block: int
    gains_to_block: int
    gains: tuple[Gain, ...] = Field(max_length=MAX_VOTERS)
    """The largest, of `DelegateVotesChanged` events of the token."""
    earlier: tuple[Turnout, ...] = Field(max_length=MAX_VOTERS)
    """Of the latest proposals before this one whose vote is over, newest first; only those whose every vote was looked
    at.
    """
