"""A log with thousands of entries, quickly."""

from __future__ import annotations

from eth_hash.auto import keccak

from pnyx_contracts.decision_log import encode_record
from pnyx_contracts.entry import EntryKind
from pnyx_tools.testing.anvil import Anvil

GAS = hex(100_000)
IN_A_BLOCK = 20


def write_many(node: Anvil, log: str, key: str, first_seq: int, count: int) -> None:
    """Skips of made-up proposals, some a block: their evidence is not there, so a check has all of them to look for."""
    node.request("evm_setAutomine", False)
    for seq in range(first_seq, first_seq + count):
        words = [keccak(f"{name} {seq}".encode()) for name in ("subject", "prompt", "root")]
        data = encode_record(seq, EntryKind.SKIP, words[0], words[1], words[2], bytes(32))
        node.request("eth_sendTransaction", {"from": key, "to": log, "data": "0x" + data.hex(), "gas": GAS})
        if seq % IN_A_BLOCK == 0:
            node.request("evm_mine")
    node.request("evm_mine")
    node.request("evm_setAutomine", True)
