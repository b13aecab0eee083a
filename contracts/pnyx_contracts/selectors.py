"""The functions that we can name, from ``data/selectors.txt``. A selector that is not there stays unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from eth_abi.abi import encode
from eth_hash.auto import keccak

from pnyx_contracts.strict_abi import Parameter, Tuple, parse_parameters


@dataclass(frozen=True, slots=True)
class Function:
    """A Solidity function as callers see it."""

    name: str
    parameters: tuple[Parameter, ...]

    @property
    def signature(self) -> str:
        """Canonical, without argument names: ``transfer(address,uint256)``."""
        return self.name + self.arguments.canonical

    @property
    def arguments(self) -> Tuple:
        return Tuple(self.parameters)

    @property
    def selector(self) -> bytes:
        return selector_of(self.signature)

    def decode(self, data: bytes) -> tuple[dict[str, Any], int]:
        """Arguments by name from the bytes after the selector, and how many of these bytes they take.

        Raises `DecodingError` unless the bytes are the one canonical encoding.
        """
        values, end = self.arguments.decode(data, 0)
        return {p.name: v for p, v in zip(self.parameters, values, strict=True)}, end


def selector_of(signature: str) -> bytes:
    """First four bytes of the keccak-256 of a canonical signature."""
    return bytes(keccak(signature.encode())[:4])


def call_data(signature: str, *arguments: object) -> bytes:
    """Calldata for a canonical signature: ``call_data("transfer(address,uint256)", to, 5)``."""
    return selector_of(signature) + encode(_kinds(signature), arguments)


@lru_cache(maxsize=1_024)
def _kinds(signature: str) -> tuple[str, ...]:
    return tuple(parameter.kind.canonical for parameter in parse_function(signature).parameters)


def parse_function(text: str) -> Function:
    """``transfer(address to, uint256 amount)``. Raises `DecodingError`."""
    name, bracket, rest = text.partition("(")
    return Function(name.strip(), parse_parameters(bracket + rest))


@cache
def known_functions() -> Mapping[bytes, tuple[Function, ...]]:
    """All functions of the table by selector; more than one where selectors collide."""
    table: dict[bytes, tuple[Function, ...]] = {}
    text = files("pnyx_contracts").joinpath("data/selectors.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            selector, _, signature = line.partition(" ")
            key = bytes.fromhex(selector)
            table[key] = (*table.get(key, ()), parse_function(signature))
    return MappingProxyType(table)
