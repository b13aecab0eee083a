"""Our compiled contracts, as they ship: ABI, bytecode, and where the compiler left room for immutables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from pydantic import Field

from pnyx_contracts.types import Hex, Value

ContractName = Literal["AtomicAccount", "DecisionLog", "VoteGate", "VoteGateFactory"]


class Position(Value):
    """Bytes of the runtime code that hold an immutable."""

    start: int = Field(ge=0)
    length: int = Field(gt=0)


class Artifact(Value):
    """One compiled contract. `contracts/build.py` writes them."""

    contract: str
    abi: tuple[dict[str, Any], ...]
    bytecode: Hex
    """Creation code, without constructor arguments."""
    deployed_bytecode: Hex = Field(validation_alias="deployedBytecode")
    """Runtime code, zero where immutables go."""
    immutables: dict[str, tuple[Position, ...]]
    solc: str
    settings: dict[str, Any]
    source_hash: str
    """SHA-256 over the Solidity sources, see `contracts/build.py`."""

    def immutables_of(self, runtime: bytes) -> dict[str, bytes] | None:
        """The immutables of deployed code by name; None when `runtime` is not this contract.

        This contract is: the same code outside the immutables, and each immutable the same wherever it stands.
        """
        if _masked(runtime, self._positions()) != self.deployed_bytecode:
            return None
        found = {
            name: {runtime[p.start : p.start + p.length] for p in places} for name, places in self.immutables.items()
        }
        if any(len(values) != 1 for values in found.values()):
            return None
        return {name: values.pop() for name, values in found.items()}

    def _positions(self) -> Iterator[Position]:
        for places in self.immutables.values():
            yield from places


@cache
def artifact(name: ContractName) -> Artifact:
    """A contract of ours by its name."""
    text = files("pnyx_contracts").joinpath(f"abi/{name}.json").read_text(encoding="utf-8")
    return Artifact.model_validate(json.loads(text))


def standard_input(name: ContractName) -> str:
    """The compiler's standard JSON input, from which anybody makes the same code."""
    return files("pnyx_contracts").joinpath(f"abi/standard/{name}.json").read_text(encoding="utf-8").strip()


def _masked(code: bytes, positions: Iterator[Position]) -> bytes:
    masked = bytearray(code)
    for position in positions:
        masked[position.start : position.start + position.length] = bytes(position.length)
    return bytes(masked)
