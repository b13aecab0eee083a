"""Other proposals and operations that may be executed before this one, and what it does after them."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from pnyx_contracts.types import Bytes32, Uint, Value
from pnyx_policies.context.reading import Search
from pnyx_policies.facts import Change, Movement

MAX_PROPOSALS = 8
MAX_OPERATIONS = 8
MAX_EFFECTS = 20


class LiveProposal(Value):
    """A proposal that is neither executed nor lost."""

    proposal_id: Uint
    state: str
    """pending, active, succeeded or queued."""
    created_block: int
    calls: int
    reverts: bool
    """True when it does not go through, at its place in the order: then it was left out of what was run."""


class WaitingOperation(Value):
    """An operation of the timelock that belongs to no live proposal: somebody else scheduled it."""

    id: Bytes32
    scheduled_block: int
    calls: int
    reverts: bool
    """As of a proposal."""


class Effects(Value):
    """At most `MAX_EFFECTS` of each."""

    movements: tuple[Movement, ...] = Field(default=(), max_length=MAX_EFFECTS)
    changes: tuple[Change, ...] = Field(default=(), max_length=MAX_EFFECTS)
    left_out: int = 0


class Afterwards(Value):
    """This proposal's actions, simulated once alone and once after those of others; events alone tell the effects.

    Why an action reverts is not told: the words differ from node to node.
    """

    after: tuple[Uint, ...]
    """Whose actions were run before, in that order: the vote that ends first comes first."""
    after_operations: tuple[Bytes32, ...] = ()
    """What was run before these: operations of the timelock, in the order in which they were scheduled."""
    reverts_alone: tuple[str, ...]
    """Paths of the actions that revert without the others."""
    reverts: tuple[str, ...]
    """Paths of those that revert after them."""
    appears: Effects
    """What it does only after them. Nothing when it reverts then: executed are all actions or none."""
    vanishes: Effects
    """What it does only without them."""

    @property
    def differs(self) -> bool:
        """Whether money or power moves otherwise."""
        return self.appears != Effects() or self.vanishes != Effects()


class LiveProposals(Search):
    """Looked at: proposals of this governor that were made, and operations that were scheduled in its timelock, in
    blocks `from_block` to `to_block`. An older one may still be queued, or wait.
    """

    TOOL: ClassVar = "live_proposals"
    VERSION: ClassVar = "2"

    live: int
    """This one not counted."""
    not_asked: int
    """Proposals beyond the newest, of which nobody asked whether they are live."""
    proposals: tuple[LiveProposal, ...] = Field(max_length=MAX_PROPOSALS)
    """The newest live ones first."""
    waiting: int = 0
    """Operations that can be executed, and belong to no live proposal. What has to wait for another operation, which
    neither was executed nor can be, is none."""
    operations: tuple[WaitingOperation, ...] = Field(default=(), max_length=MAX_OPERATIONS)
    """The newest of them first."""
    afterwards: Afterwards | None
    """None where there is nothing to run: this one has no calls, or no other one that goes through has any."""
