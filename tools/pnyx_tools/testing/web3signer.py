"""A small server that speaks Web3Signer's JSON-RPC interface (``web3signer eth1``) as far as Pnyx uses it.

It is no Web3Signer: that is a Java program. It signs honestly, unless a test says what to sign instead.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

from pnyx_tools.shallow import shallow

with shallow():
    from eth_account import Account

from pnyx_tools.testing.serving import Answer, Asked, HttpServer

_QUANTITIES = {
    "nonce": "nonce", "gas": "gas", "maxFeePerGas": "maxFeePerGas", "maxPriorityFeePerGas": "maxPriorityFeePerGas",
    "value": "value",
}  # fmt: skip


class FakeWeb3Signer(HttpServer):
    """`instead` changes a transaction before it is signed."""

    def __init__(
        self,
        secret: bytes,
        chain_id: int,
        *,
        instead: Callable[[dict[str, Any]], dict[str, Any]] = lambda transaction: transaction,
        context: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(context)
        self._account = Account.from_key(secret)
        self._chain_id = chain_id
        self._instead = instead
        self.answers: dict[str, Any] = {}
        """By method: what to answer whatever was asked."""

    def answer(self, asked: Asked) -> Answer:
        question = asked.json
        return Answer.of({"jsonrpc": "2.0", "id": question["id"], **self._reply(question)})

    def _reply(self, question: dict[str, Any]) -> dict[str, Any]:
        method = question["method"]
        if method in self.answers:
            return {"result": self.answers[method]}
        if method == "eth_accounts":
            return {"result": [self._account.address.lower()]}
        if method == "eth_signTransaction":
            return self._sign(question["params"][0])
        return {"error": {"code": -32601, "message": "Method not found"}}

    def _sign(self, asked: dict[str, str]) -> dict[str, Any]:
        if asked["from"].lower() != self._account.address.lower():
            return {"error": {"code": -32000, "message": "From address does not match any available account"}}
        transaction: dict[str, Any] = {name: int(asked[key], 16) for name, key in _QUANTITIES.items()}
        transaction |= {"type": 2, "chainId": self._chain_id, "to": asked["to"], "data": asked["data"]}
        signed = self._account.sign_transaction(self._instead(transaction))
        return {"result": f"0x{bytes(signed.raw_transaction).hex()}"}
