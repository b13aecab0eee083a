"""Fetching what a contract answers to, for the operator to look at and to declare."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pnyx_agents.settings.whole import Settings
from pnyx_contracts.errors import DecodingError, RefusedError, UsageError
from pnyx_contracts.interfaces import functions_of
from pnyx_tools.explorers import ask_etherscan, ask_sourcify


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that was written. `source` is whose word it is."""

    file: Path
    source: str
    functions: tuple[str, ...]


def fetch_abi(settings: Settings, address: str, called: str) -> Fetched:
    """Ask the configured explorers, one after another, for the ABI of `address`, and write it for calls to `called`.

    Raises `UsageError` when nothing is configured or the file is there, `RefusedError` when no explorer has it,
    `UnreachableError` when one does not answer.
    """
    decoding = settings.decoding
    if decoding.abis is None or (decoding.sourcify is None and decoding.etherscan is None):
        raise UsageError(
            "decoding: pnyx abi needs a folder (abis) and an explorer (sourcify, etherscan)",
            hint='for example sourcify = "https://sourcify.dev/server"; docs/decoding.md',
        )
    file = settings.path(decoding.abis) / f"{called}.json"
    if file.exists():
        raise UsageError(f"{file} is there already", hint="delete it first to fetch it again")
    for source, abi in _asked(settings, address):
        if abi is not None:
            return _written(file, source, abi)
    raise RefusedError(f"no configured explorer has an ABI of {address} on chain {settings.chain.chain_id}")


def _asked(settings: Settings, address: str) -> Iterator[tuple[str, list[Any] | None]]:
    decoding, chain_id = settings.decoding, settings.chain.chain_id
    if decoding.sourcify is not None:
        yield "Sourcify", ask_sourcify(decoding.sourcify, chain_id, address)
    if decoding.etherscan is not None:
        yield "Etherscan", ask_etherscan(decoding.etherscan, decoding.etherscan_key, chain_id, address)


def _written(file: Path, source: str, abi: list[Any]) -> Fetched:
    try:
        functions = functions_of(abi)
    except DecodingError as error:
        raise DecodingError(f"what {source} calls an ABI is none: {error.message}") from None
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(abi, indent=1) + "\n", encoding="utf-8")
    return Fetched(file, source, tuple(functions.values()))
