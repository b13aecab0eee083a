"""Why something did not work, for people and for the record."""

from __future__ import annotations

import re
from functools import cache
from types import MappingProxyType

from pnyx_contracts.errors import DecodingError
from pnyx_contracts.selectors import Function, parse_function
from pnyx_contracts.strict_abi import to_text

MAX_REASON_CHARACTERS = 200

_PANICS = MappingProxyType(
    {
        0x01: "an assertion failed",
        0x11: "arithmetic overflow or underflow",
        0x12: "division by zero",
        0x21: "a number that is no member of an enum",
        0x22: "a storage byte array that is encoded wrongly",
        0x31: "pop of an empty array",
        0x32: "index out of bounds",
        0x41: "too much memory",
        0x51: "call of an uninitialised function",
    }
)
"""Solidity's panic codes."""

_CUSTOM_ERRORS = (
    "AccessControlUnauthorizedAccount(address account, bytes32 neededRole)",
    "AccessManagedUnauthorized(address caller)",
    "AddressEmptyCode(address target)",
    "AddressInsufficientBalance(address account)",
    "ERC1967InvalidImplementation(address implementation)",
    "ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed)",
    "ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)",
    "ERC20InvalidReceiver(address receiver)",
    "ERC20InvalidSpender(address spender)",
    "ERC721InsufficientApproval(address operator, uint256 tokenId)",
    "ERC721NonexistentToken(uint256 tokenId)",
    "ERC1155InsufficientBalance(address sender, uint256 balance, uint256 needed, uint256 tokenId)",
    "Empty()",
    "EnforcedPause()",
    "FailedCall()",
    "FailedInnerCall()",
    "GovernorOnlyExecutor(address account)",
    "GovernorOnlyProposer(address account)",
    "GovernorUnexpectedProposalState(uint256 proposalId, uint8 current, bytes32 expectedStates)",
    "InsufficientBalance(uint256 balance, uint256 needed)",
    "InvalidInitialization()",
    "OwnableInvalidOwner(address owner)",
    "OwnableUnauthorizedAccount(address account)",
    "ProxyDeniedAdminAccess()",
    "SafeERC20FailedOperation(address token)",
    "TimelockInsufficientDelay(uint256 delay, uint256 minDelay)",
    "TimelockUnauthorizedCaller(address caller)",
    "TimelockUnexpectedOperationState(bytes32 operationId, bytes32 expectedStates)",
    "UUPSUnauthorizedCallContext()",
    "UUPSUnsupportedProxiableUUID(bytes32 slot)",
)

_ENDPOINT = re.compile(r"^https?://\S+: ")

_ERROR = parse_function("Error(string reason)")
_PANIC = parse_function("Panic(uint256 code)")


def revert_reason(data: bytes) -> str:
    """Why a call reverted, in one line; empty when the revert gave no data.

    The reason is text by a contract's author: cut, cleaned of control characters, never more than a hint.
    """
    if not data:
        return ""
    try:
        if data[:4] == _ERROR.selector:
            values, _ = _ERROR.decode(data[4:])
            return _printable(values["reason"].decode("utf-8", errors="backslashreplace"))
        if data[:4] == _PANIC.selector:
            values, _ = _PANIC.decode(data[4:])
            return f"panic {values['code']:#x}: {_PANICS.get(values['code'], 'a code that Solidity does not define')}"
        error = _known_errors().get(data[:4])
        if error is not None:
            values, _ = error.decode(data[4:])
            given = ", ".join(f"{p.name}={to_text(p.kind, values[p.name])}" for p in error.parameters)
            return f"{error.name}({given})"
    except DecodingError:
        return f"revert data that does not decode: 0x{data[:36].hex()}"
    return f"an error that is not known here: 0x{data[:4].hex()} with {max(0, len(data) - 4)} bytes of arguments"


def without_endpoint(message: str) -> str:
    """A reader's message without the node's address, for the record: which node it was is nobody's business."""
    return _ENDPOINT.sub("", message)


@cache
def _known_errors() -> dict[bytes, Function]:
    return {function.selector: function for function in map(parse_function, _CUSTOM_ERRORS)}


def _printable(text: str) -> str:
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:MAX_REASON_CHARACTERS])
    return shown if len(text) <= MAX_REASON_CHARACTERS else shown + "..."
