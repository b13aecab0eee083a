"""Calls of a Safe, and of its library that makes several of one."""

from __future__ import annotations

from pnyx_contracts.types import ZERO_ADDRESS, Call
from pnyx_tools.testing.facts import address_of, call_of

SAFE = address_of("safe")
MULTISEND = "0x40A2aCCbd92BCA938b02010E17A5b8929b49130D"


def safe_call(target: str, data: bytes, operation: int, gas_price: int = 0, refunded: str = ZERO_ADDRESS) -> Call:
    """`operation` is 1 for a delegatecall; `gas_price` in wei, paid to `refunded`."""
    signature = "execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)"
    return call_of(SAFE, signature, target, 0, data, operation, 0, 0, gas_price, ZERO_ADDRESS, refunded, b"")


def batch(*targets: str) -> bytes:
    packed = b"".join(bytes([0]) + bytes.fromhex(t[2:]) + bytes(32) + bytes(32) for t in targets)
    return call_of(MULTISEND, "multiSend(bytes)", packed).calldata
