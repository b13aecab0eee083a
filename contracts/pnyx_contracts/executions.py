"""Executions as ERC-7579 packs them: a mode in 32 bytes says how the bytes beside it are calls.

The mode: call type (1 byte), execution type (1), unused (4), selector (4), payload (22). Accounts give a selector
meanings of their own, so only that of zeros is read.
"""

from __future__ import annotations

from eth_utils.address import to_checksum_address

from pnyx_contracts.errors import DecodingError
from pnyx_contracts.frames import Content, Frame
from pnyx_contracts.strict_abi import Tuple, parse_parameters
from pnyx_contracts.types import ZERO_ADDRESS

_SINGLE, _BATCH, _DELEGATECALL = 0x00, 0x01, 0xFF
_DEFAULT, _TRY = 0x00, 0x01
_CALLS = Tuple(parse_parameters("((address target, uint256 value, bytes callData)[] calls)"))


def execution(account: Frame, mode: bytes, data: bytes) -> Content:
    """The calls that `account` makes. Raises `DecodingError` for what is none of ERC-7579."""
    if any(mode[2:]):
        raise DecodingError(f"its mode 0x{mode.hex()} has more than a call type and an execution type")
    if mode[1] not in {_DEFAULT, _TRY}:
        raise DecodingError(f"execution type {mode[1]} does not exist, which reverts")
    frames = _frames(account, mode[0], data)
    if any(frame.target == ZERO_ADDRESS for frame in frames):
        raise DecodingError("it calls the zero address, for which some accounts take themselves")
    return Content(frames, "calls inside may fail without reverting the others" if mode[1] == _TRY else "")


def _frames(account: Frame, call_type: int, data: bytes) -> tuple[Frame, ...]:
    if call_type == _SINGLE and len(data) >= 52:
        return (account.call(_address(data), int.from_bytes(data[20:52], "big"), data[52:]),)
    if call_type == _DELEGATECALL and len(data) >= 20:
        return (account.delegatecall_to(_address(data), data[20:], account.acts_as),)
    if call_type == _BATCH:
        (calls,), end = _CALLS.decode(data, 0)
        if end != len(data):
            raise DecodingError("bytes follow the calls that it holds")
        return tuple(account.call(*call) for call in calls)
    if call_type in {_SINGLE, _DELEGATECALL}:
        raise DecodingError(f"its {len(data)} bytes are too few for a call")
    raise DecodingError(f"call type {call_type} is none that we know")


def _address(data: bytes) -> str:
    return to_checksum_address(data[:20])
