"""A stand-in for Safe's transaction service, on this machine: the requests that Pnyx makes, judged as the service does.

It recomputes each hash, recovers each signature, asks the chain for owners, and takes proposals of owners and of their
delegates alone. What it does not have: confirmations, decoding, notifications, the old interface (v1).
"""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from eth_keys.datatypes import Signature

from pnyx_contracts.safe import SafeTx, read_nonce, read_owners
from pnyx_contracts.types import to_hex
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.serving import Answer, Asked, HttpServer

_ONE: Final = re.compile(r"/api/v2/multisig-transactions/(0x[0-9a-f]{64})/")
_OF_SAFE: Final = re.compile(r"/api/v2/safes/(0x[0-9a-fA-F]{40})/multisig-transactions/")


class SafeService(HttpServer):
    """`status` other than 200 makes it refuse everything with that."""

    def __init__(self, node: Anvil, delegates: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.node = node
        self.delegates = set(delegates)
        self.status = 200
        self.transactions: dict[str, SafeTx] = {}
        """What was proposed, by hash."""
        self.posts = 0
        """How often somebody tried."""

    def answer(self, asked: Asked) -> Answer:
        if self.status != 200:
            return Answer(status=self.status)
        parts = urlsplit(asked.path)
        if asked.method == "GET":
            status, body = self.get(parts.path, parse_qs(parts.query))
        else:
            status, body = self.post(parts.path, asked.json)
        return Answer(status=status) if body is None else Answer.of(body, status)

    def waits(self, transaction: SafeTx) -> None:
        """Somebody else proposed this."""
        self.transactions[to_hex(transaction.hash)] = transaction

    def get(self, path: str, query: dict[str, list[str]]) -> tuple[int, Any]:
        if one := _ONE.fullmatch(path):
            found = self.transactions.get(one[1])
            return (404, {"detail": "No MultisigTransaction matches the given query."}) if found is None else (
                200, {"safeTxHash": one[1], "nonce": str(found.nonce)}
            )  # fmt: skip
        if of := _OF_SAFE.fullmatch(path):
            least = int(query.get("nonce__gte", ["0"])[0])
            done = self.node.rpc.read(read_nonce(of[1]))
            waiting = [t for t in self.transactions.values() if t.safe == of[1] and t.nonce >= max(least, done)]
            return 200, {"count": len(waiting), "results": [{"nonce": str(t.nonce)} for t in waiting]}
        return 404, None

    def post(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        self.posts += 1
        of = _OF_SAFE.fullmatch(path)
        if of is None:
            return 404, None
        made = SafeTx(
            chain_id=self.node.rpc.chain_id(), safe=of[1], to=body["to"], value_wei=int(body["value"]),
            data=body["data"], nonce=int(body["nonce"]),
        )  # fmt: skip
        if to_hex(made.hash) != body["contractTransactionHash"]:
            return 422, {"nonFieldErrors": ["Contract-transaction-hash does not match the provided one"]}
        if made.nonce < self.node.rpc.read(read_nonce(of[1])):
            return 422, {"nonFieldErrors": ["Tx with nonce already executed"]}
        signer = _signer(made.hash, bytes.fromhex(body["signature"][2:]))
        if signer != body["sender"] or signer not in {*self.node.rpc.read(read_owners(of[1])), *self.delegates}:
            return 422, {"nonFieldErrors": [f"Sender={body['sender']} is not an owner or delegate"]}
        self.transactions[to_hex(made.hash)] = made
        return 201, None


def _signer(digest: bytes, signature: bytes) -> str:
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    made = Signature(vrs=(signature[64] - 27, r, s))
    return str(made.recover_public_key_from_msg_hash(digest).to_checksum_address())
