"""Which functions of a contract are initialisers, and how they are called to see whether they are open.

Code has selectors, no names. Those of well-known initialisers are known; of others the name is a guess from the table
of published functions. The guess only says what is worth trying: whether the call goes through is no guess.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from pnyx_contracts.guesses import signatures_of
from pnyx_contracts.selectors import call_data, known_functions, parse_function, selector_of
from pnyx_contracts.strict_abi import Array, Kind, Tuple, Word
from pnyx_tools.opcodes import reachable_opcodes, selectors_in

STRANGER: Final = str(to_checksum_address(keccak(b"nobody in particular")[12:]))
"""Who tries: the same for everybody, so that all see the same."""

WELL_KNOWN: Final = (
    "initialize()",
    "initialize(address)",
    "initialize(address,address)",
    "initialize(address,address,address)",
    "initialize(address,uint256)",
    "initialize(address,bytes)",
    "initialize(bytes)",
    "initialize(string,string)",
    "initialize(address,address,uint256,uint256,uint256)",  # GovernorBravoDelegate
    "initialize(address,uint256,uint256,uint256,uint16,address)",  # Audius' governance, incident I-8
    "initialize(uint256,address[],address[],address)",  # TimelockControllerUpgradeable
    "init()",
    "init(address)",
    "setUp(bytes)",  # Zodiac's modules
)
_LIKELY_NAME: Final = re.compile(r"_*(re)?(init|initiali[sz]e|setup|setUp)(V?\d[\d_]*)?|__\w+_init(_unchained)?")
"""`initializeV2`, not `initializeReserve`: that one is for a new member of a list, as often as there is one."""
_UNKNOWN: Final = "noFunctionIsCalledThis()"

UNKNOWN: Final = call_data(_UNKNOWN)
"""Calldata that no function takes."""


def of_proxy(code: bytes) -> tuple[str, ...]:
    """Those worth trying where this code lies. What runs other code by delegatecall may have any well-known one."""
    if "DELEGATECALL" in reachable_opcodes(code):
        return _once(*WELL_KNOWN, *_likely(code))
    return of_code(code)


def of_code(code: bytes) -> tuple[str, ...]:
    """Those that the code itself has."""
    return _once(*(signature for signature in WELL_KNOWN if selector_of(signature) in code), *_likely(code))


def plain_call(signature: str) -> bytes:
    """With the stranger's address, the number 1, true, and nothing else in its arguments."""
    return call_data(signature, *(_plain(parameter.kind) for parameter in parse_function(signature).parameters))


def cut_short(signature: str) -> bytes | None:
    """Calldata that ends within the first argument: who takes this takes anything. None for a function that has none,
    and for well-known ones: old compilers do not look at the length.
    """
    takes_any = signature in WELL_KNOWN or not parse_function(signature).parameters
    return None if takes_any else selector_of(signature) + b"\x01"


def _likely(code: bytes) -> Sequence[str]:
    found = (signature for selector in sorted(selectors_in(code)) for signature in _named(selector))
    return [signature for signature in found if _LIKELY_NAME.fullmatch(signature.partition("(")[0])]


def _named(selector: bytes) -> Sequence[str]:
    return [*(function.signature for function in known_functions().get(selector, ())), *signatures_of(selector)]


def _once(*signatures: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(signatures))


def _plain(kind: Kind) -> Any:  # noqa: ANN401 - an ABI value
    if isinstance(kind, Tuple):
        return tuple(_plain(field.kind) for field in kind.fields)
    if isinstance(kind, Array):
        return [_plain(kind.item)] * (kind.length or 0)
    if isinstance(kind, Word):
        return {"address": STRANGER, "bool": True, "bytes": bytes(kind.size)}.get(kind.base, 1)
    return "" if kind.canonical == "string" else b""
