"""A gate is ours only by its code: equal outside the immutables, and each immutable the same wherever it stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pnyx_contracts.artifacts import Artifact, artifact

GATE = artifact("VoteGate")


def deployed(values: dict[str, bytes], gate: Artifact = GATE) -> bytes:
    """Runtime code with its immutables filled in."""
    code = bytearray(gate.deployed_bytecode)
    for name, positions in gate.immutables.items():
        for position in positions:
            code[position.start : position.start + position.length] = values[name]
    return bytes(code)


VALUES = {name: bytes([number]) * 32 for number, name in enumerate(sorted(GATE.immutables), start=1)}


def test_the_immutables_are_read_from_deployed_code() -> None:
    assert set(VALUES) == {"delaySeconds", "factory", "guardian", "log", "operator"}
    assert GATE.immutables_of(deployed(VALUES)) == VALUES


@given(st.integers(0, len(GATE.deployed_bytecode) - 1), st.integers(1, 255))
def test_no_changed_byte_passes_unseen(at: int, change: int) -> None:
    code = bytearray(deployed(VALUES))
    code[at] ^= change
    assert GATE.immutables_of(bytes(code)) != VALUES


def test_an_immutable_that_contradicts_itself_is_not_our_gate() -> None:
    code = bytearray(deployed(VALUES))
    last = GATE.immutables["log"][-1]
    code[last.start : last.start + last.length] = b"\xee" * 32
    assert len(GATE.immutables["log"]) > 1
    assert GATE.immutables_of(bytes(code)) is None


@pytest.mark.parametrize("code", [b"", GATE.deployed_bytecode[:-1], GATE.deployed_bytecode + b"\x00"])
def test_code_of_another_length_is_not_our_gate(code: bytes) -> None:
    assert GATE.immutables_of(code) is None


def test_contracts_without_immutables_are_compared_whole() -> None:
    log = artifact("DecisionLog")
    assert log.immutables_of(log.deployed_bytecode) == {}
    assert log.immutables_of(GATE.deployed_bytecode) is None
