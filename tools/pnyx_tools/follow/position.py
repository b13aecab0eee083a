"""How far a chain was followed. Pure."""

from __future__ import annotations

from itertools import pairwise

from pydantic import model_validator

from pnyx_contracts.types import BlockRef, Value


class Position(Value):
    """Kept by the caller, as JSON, together with what was found up to here."""

    head: BlockRef
    """The last block that was looked at."""
    final: BlockRef
    """The last block that was looked at twice, and that no reorganisation takes away any more."""
    trail: tuple[BlockRef, ...] = ()
    """Some of the blocks between both, ever sparser: where to go back to when `head` is reorganised away."""

    @model_validator(mode="after")
    def _require_order(self) -> Position:
        numbers = [block.number for block in (self.final, *self.trail, self.head)]
        if any(after < before for before, after in pairwise(numbers)):
            raise ValueError("expected blocks in the order final, trail, head")
        return self

    @classmethod
    def at(cls, block: BlockRef) -> Position:
        """Everything up to this block is settled."""
        return cls(head=block, final=block)

    def moved_to(self, head: BlockRef) -> Position:
        """The trail keeps one block for each power of two of distance: 64 at most, whatever the distance."""
        sparse: dict[int, BlockRef] = {}
        for passed in (*self.trail, self.head):
            if passed.number > self.final.number:
                sparse.setdefault((head.number - passed.number).bit_length(), passed)
        return Position(head=head, final=self.final, trail=tuple(sparse.values()))

    def settled_to(self, final: BlockRef) -> Position:
        return Position(
            head=self.head, final=final, trail=tuple(block for block in self.trail if block.number > final.number)
        )

    def back_to(self, place: int) -> Position:
        """At the block number `place` of the trail; -1 is the final block."""
        if place < 0:
            return Position.at(self.final)
        return Position(head=self.trail[place], final=self.final, trail=self.trail[:place])
