"""A small server that speaks Web3Signer's JSON-RPC interface (``web3signer eth1``) as far as Pnyx uses it.

It is no Web3Signer: that is a Java program. It signs honestly, unless a test says what to sign instead.
"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from eth_account import Account

_QUANTITIES = {
    "nonce": "nonce", "gas": "gas", "maxFeePerGas": "maxFeePerGas", "maxPriorityFeePerGas": "maxPriorityFeePerGas",
    "value": "value",
}  # fmt: skip


class FakeWeb3Signer:
    """Serves at `url` while it is entered. `instead` changes a transaction before it is signed."""

    def __init__(
        self,
        secret: bytes,
        chain_id: int,
        *,
        instead: Callable[[dict[str, Any]], dict[str, Any]] = lambda transaction: transaction,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._account = Account.from_key(secret)
        self._chain_id = chain_id
        self._instead = instead
        self.answers: dict[str, Any] = {}
        """By method: what to answer whatever was asked."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        scheme = "https" if context is not None else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}"

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
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

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                question = json.loads(self.rfile.read(int(self.headers["content-length"])))
                body = json.dumps({"jsonrpc": "2.0", "id": question["id"], **fake.answer(question)}).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - name of the base class
                pass

        return Handler

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
