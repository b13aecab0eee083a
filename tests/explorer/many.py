"""A log with thousands of entries, quickly."""

from __future__ import annotations

from typing import Any

import httpx
from eth_hash.auto import keccak

from pnyx_contracts.decision_log import encode_record
from pnyx_contracts.entry import EntryKind
from pnyx_tools.testing.anvil import Anvil

GAS = hex(100_000)
IN_A_BLOCK = 50
"""A block has room for three hundred of them; a log grows more slowly."""


def write_many(node: Anvil, log: str, key: str, first_seq: int, count: int) -> None:
    """Skips of made-up proposals: their evidence is not there, so a check has all of them to look for."""
    nonce = node.rpc.nonce(key)
    seqs = range(first_seq, first_seq + count)
    records = [
        {"from": key, "to": log, "data": record(seq), "gas": GAS, "nonce": hex(nonce + seq - first_seq)} for seq in seqs
    ]
    node.request("evm_setAutomine", False)
    with httpx.Client(base_url=node.url, timeout=60) as client:
        for start in range(0, count, IN_A_BLOCK):
            send_all(client, records[start : start + IN_A_BLOCK])
            node.request("evm_mine")
    node.request("evm_setAutomine", True)


def record(seq: int) -> str:
    words = [keccak(f"{name} {seq}".encode()) for name in ("subject", "prompt", "root")]
    return "0x" + encode_record(seq, EntryKind.SKIP, words[0], words[1], words[2], bytes(32)).hex()


def send_all(client: httpx.Client, transactions: list[dict[str, Any]]) -> None:
    """In one request."""
    questions = [
        {"jsonrpc": "2.0", "id": number, "method": "eth_sendTransaction", "params": [transaction]}
        for number, transaction in enumerate(transactions)
    ]
    refused = [answer["error"] for answer in client.post("", json=questions).json() if "error" in answer]
    assert refused == []
