"""Interfaces from a folder of the operator's: what contracts there answer to.

Three layouts, side by side if need be:

- ``ADDRESS.json``: an ABI, or an artifact with a member ``abi``;
- ``CHAINID/ADDRESS.json``: the same, for a folder that several chains share;
- ``contracts/full_match/CHAINID/ADDRESS/metadata.json``, and ``partial_match``: as Sourcify's repository has them.

Files of other chains are passed over; files of other names are an error, because a misspelt address declares nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from eth_utils.address import is_hex_address

from pnyx_contracts.errors import DecodingError, UsageError
from pnyx_contracts.interfaces import Functions, Interfaces, functions_of
from pnyx_policies.literals import checksummed

MAX_FUNCTIONS = 4_096
"""Of all contracts together: they are part of the declared configuration, which every member reads."""
MAX_FILE_BYTES = 16 * 2**20

_MATCHES = ("full_match", "partial_match")


def read_interfaces(folder: Path, chain_id: int) -> Interfaces:
    """The functions of the contracts of one chain. Raises `UsageError` that names the file."""
    if not folder.is_dir():
        raise UsageError(f"decoding.abis: there is no folder {folder}", hint="docs/decoding.md says what it holds")
    found: Interfaces = {}
    for address, file in _files(folder, chain_id):
        if address in found:
            raise UsageError(f"{file}: another file here is of the same contract {address}", hint="keep one")
        if functions := _functions(file):
            found[address] = functions
    count = sum(map(len, found.values()))
    if count > MAX_FUNCTIONS:
        raise UsageError(
            f"the interfaces in {folder} have {count} functions, at most {MAX_FUNCTIONS} can be declared",
            hint="keep the contracts that proposals call",
        )
    return dict(sorted(found.items()))


def interface_files(folder: Path, chain_id: int) -> set[Path]:
    """What `read_interfaces` reads."""
    return {file for _, file in _files(folder, chain_id)}


def _files(folder: Path, chain_id: int) -> Iterator[tuple[str, Path]]:
    places = [folder, folder / str(chain_id)]
    for file in sorted(file for place in places if place.is_dir() for file in place.glob("*.json")):
        yield _address(file.stem, f"{file}: the file's name", "0x and 40 hex digits, then .json"), file
    for match in _MATCHES:
        for file in sorted((folder / "contracts" / match / str(chain_id)).glob("*/metadata.json")):
            yield _address(file.parent.name, f"{file}: the folder's name", "0x and 40 hex digits"), file


def _address(name: str, what: str, hint: str) -> str:
    """A mistyped one would declare nothing, or something about another contract."""
    if not is_hex_address(name) or not name.startswith("0x"):
        raise UsageError(f"{what} is no address", hint=hint)
    address = checksummed(name)
    if address is None:
        raise UsageError(f"{what} has a wrong checksum, so it is mistyped", hint="all lower case has none")
    return address


def _functions(file: Path) -> Functions:
    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            raise UsageError(f"{file} is larger than {MAX_FILE_BYTES} bytes")
        return functions_of(_abi(json.loads(file.read_bytes())))
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None
    except DecodingError as error:
        raise UsageError(f"{file} holds no ABI: {error.message}") from None
    except (ValueError, RecursionError):
        raise UsageError(f"{file} is no JSON") from None


def _abi(content: object) -> list[object]:
    """The list itself, an artifact's ``abi``, or the compiler's metadata, which has it in ``output``."""
    if isinstance(content, dict):
        output = content.get("output")
        content = content.get("abi") or (output.get("abi") if isinstance(output, dict) else None)
    if not isinstance(content, list):
        raise DecodingError("expected a list of functions, or an object with the member abi")
    return content
