"""By which rules this governor governs."""

from __future__ import annotations

from typing import ClassVar

from pnyx_contracts.types import ZERO_ADDRESS, Address, Uint, Value
from pnyx_policies.context.reading import Reading


class Role(Value):
    """A role of a timelock that an account has, of those that were asked for."""

    timelock: Address
    role: str
    """proposer, executor, canceller or admin."""
    holder: Address
    """The zero address stands for everybody."""


class GroundRules(Reading):
    """What the governor, its token and its timelock answer at the pinned block. None where they do not.

    Delay and period are in ticks of the governor's clock: blocks or seconds.
    """

    TOOL: ClassVar = "ground_rules"
    VERSION: ClassVar = "1"

    voting_delay: Uint | None
    voting_period: Uint | None
    milliseconds_per_tick: Uint
    """1000 where the clock counts seconds, else by the pace of the last blocks."""
    proposal_threshold: Uint | None
    quorum: Uint | None
    """At the snapshot, or right before the pinned block while that is not in the past."""
    supply: Uint | None
    """Of voting power, then."""
    flash_loan: Uint | None
    """So much of itself the token lends for the length of one transaction (ERC-3156)."""
    timelock_delay_seconds: Uint | None
    roles: tuple[Role, ...]
    """Asked for: everybody, the proposer, the governor, the timelock itself; of the governor's timelock, and of others
    in which the calls schedule something.
    """

    def is_open(self, timelock: str) -> bool:
        """Whether anybody may execute what waits there."""
        return Role(timelock=timelock, role="executor", holder=ZERO_ADDRESS) in self.roles
