"""What a DAO wants to be as well after a proposal's execution as before it: declared, read in the simulation, checked.

A text can match its calls and the proposal still break the protocol: a price that can no longer be read, a claim that
jumps. Which reads matter only the DAO knows, so it names them.
"""

from __future__ import annotations

from enum import Enum
from typing import Self

from pydantic import Field, model_validator

from pnyx_contracts.types import Address, Hex, Value

MAX_PROBES = 32
DERIVED = "derived: "
"""Begins the names of probes that follow from the calls (`markets`); no declared one may be called so."""
WORD_BYTES = 32


class Expectation(Enum):
    """What must hold of a probe's call after the execution."""

    ANSWERS = "answers"
    """It does not revert."""
    UNCHANGED = "unchanged"
    """It answers with the same bytes as before."""
    NEAR = "near"
    """One word of its answer moved by no more than `Probe.most_move`."""


class Probe(Value):
    """One read of the chain, made before and after the simulated actions."""

    name: str = Field(min_length=1, max_length=80)
    contract: Address
    calldata: Hex
    expect: Expectation = Expectation.ANSWERS
    most_move: int | None = Field(default=None, ge=0)
    """In basis points of the value before, for NEAR."""
    word: int = Field(default=0, ge=0, lt=128)
    """Which 32 bytes of the answer are the number that may move, for NEAR. Read as a number without a sign."""

    @model_validator(mode="after")
    def _require_limit(self) -> Self:
        if (self.expect is Expectation.NEAR) != (self.most_move is not None):
            raise ValueError("most_move goes with expect 'near', and only with it")
        return self

    def number(self, data: bytes) -> int | None:
        """The word that may move, None when the answer is too short for it."""
        word = data[self.word * WORD_BYTES : (self.word + 1) * WORD_BYTES]
        return int.from_bytes(word, "big") if len(word) == WORD_BYTES else None
