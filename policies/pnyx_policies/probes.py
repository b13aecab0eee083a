"""What a DAO wants to be as well after a proposal's execution as before it: declared, read in the simulation, checked.

A text can match its calls and the proposal still break the protocol: a price that can no longer be read, a claim that
jumps. Which reads matter only the DAO knows, so it names them.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, Self

from pydantic import Field, model_validator

from pnyx_contracts.types import Address, Hex, Value

MAX_PROBES: Final = 32
MAX_MEMBERS: Final = 64
"""Of one list, each of which is asked for."""
DERIVED: Final = "derived: "
"""Begins the names of probes that follow from the calls (`markets`); no declared one may be called so."""
WORD_BYTES: Final = 32
SELECTOR_BYTES: Final = 4


class Expectation(Enum):
    """What must hold of a probe's call after the execution."""

    ANSWERS = "answers"
    """It does not revert."""
    UNCHANGED = "unchanged"
    """It answers with the same bytes as before."""
    NEAR = "near"
    """One word of its answer moved by no more than `Probe.most_move`."""


class Each(Value):
    """A list that a contract gives: the probe is asked once for each of its members, as they are before the actions."""

    contract: Address
    calldata: Hex
    argument: int = Field(ge=0, lt=32)
    """Which argument of the probe's call is the member."""


class Probe(Value):
    """One read of the chain, made before and after the simulated actions; with `each`, one for each of a list."""

    name: str = Field(min_length=1, max_length=80)
    contract: Address
    calldata: Hex
    expect: Expectation = Expectation.ANSWERS
    most_move: int | None = Field(default=None, ge=0)
    """In basis points of the value before, for NEAR."""
    word: int = Field(default=0, ge=0, lt=128)
    """Which 32 bytes of the answer are the number that may move, for NEAR. Read as a number without a sign."""
    each: Each | None = None

    @model_validator(mode="after")
    def _require_limit(self) -> Self:
        if (self.expect is Expectation.NEAR) != (self.most_move is not None):
            raise ValueError("most_move goes with expect 'near', and only with it")
        return self

    @model_validator(mode="after")
    def _require_place(self) -> Self:
        if self.each is not None and len(self.calldata) < _place(self.each.argument) + WORD_BYTES:
            raise ValueError(f"the call has no argument {self.each.argument} for the members of the list")
        return self

    def calldata_for(self, member: bytes | None) -> bytes:
        """The call for one member of the list (one word); the call itself where there is no list."""
        if self.each is None or member is None:
            return self.calldata
        place = _place(self.each.argument)
        return self.calldata[:place] + member + self.calldata[place + WORD_BYTES :]

    def number(self, data: bytes) -> int | None:
        """The word that may move, None when the answer is too short for it."""
        word = data[self.word * WORD_BYTES : (self.word + 1) * WORD_BYTES]
        return int.from_bytes(word, "big") if len(word) == WORD_BYTES else None


def _place(argument: int) -> int:
    return SELECTOR_BYTES + argument * WORD_BYTES


def members(data: bytes) -> tuple[bytes, ...] | None:
    """The words of a list of one-word values (addresses, numbers) in the ABI's encoding; None when it is none."""
    count = len(data) // WORD_BYTES - 2
    heads = (WORD_BYTES.to_bytes(WORD_BYTES, "big"), max(count, 0).to_bytes(WORD_BYTES, "big"))
    if len(data) % WORD_BYTES or data[: 2 * WORD_BYTES] != b"".join(heads):
        return None
    return tuple(data[i : i + WORD_BYTES] for i in range(2 * WORD_BYTES, len(data), WORD_BYTES))
