"""Calldata of well-known contracts, and what our decoder makes of it."""

from __future__ import annotations

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.decoded import DecodedCall
from pnyx_contracts.selectors import call_data
from pnyx_contracts.types import ZERO_ADDRESS, Call

TOKEN = "0x00000000000000000000000000000000000000A1"
SAFE = "0x00000000000000000000000000000000000000b2"
LIBRARY = "0x00000000000000000000000000000000000000C3"
PERSON = "0x00000000000000000000000000000000000000D4"
TIMELOCK = "0x00000000000000000000000000000000000000E5"
PROXY = "0x00000000000000000000000000000000000000f6"

TRANSFER = "transfer(address,uint256)"
EXEC = "execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)"
SCHEDULE = "schedule(address,uint256,bytes,bytes32,bytes32,uint256)"
DIAMOND_CUT = "diamondCut((address,uint8,bytes4[])[],address,bytes)"


def decode(data: bytes, target: str = TOKEN, value_wei: int = 0, signature: str = "") -> DecodedCall:
    (decoded,) = decode_calls((Call(target=target, value_wei=value_wei, calldata=data, signature=signature),), 1)
    return decoded


def transfer(amount: int = 7) -> bytes:
    return call_data(TRANSFER, PERSON, amount)


def exec_transaction(to: str, data: bytes, operation: int = 0, safe_tx_gas: int = 0) -> bytes:
    return call_data(EXEC, to, 0, data, operation, safe_tx_gas, 0, 0, ZERO_ADDRESS, ZERO_ADDRESS, b"\x01" * 65)


def packed(*transactions: tuple[int, str, int, bytes]) -> bytes:
    return b"".join(
        bytes([operation]) + bytes.fromhex(to[2:]) + value.to_bytes(32, "big") + len(data).to_bytes(32, "big") + data
        for operation, to, value, data in transactions
    )
