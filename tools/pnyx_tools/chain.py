"""The daemon's view of a chain: reads as `Rpc` does, and sends through web3. The only import of web3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eth_hash.auto import keccak

from pnyx_contracts.errors import UsageError
from pnyx_contracts.governors import TransactionCall
from pnyx_tools.endpoints import Circle, Pool
from pnyx_tools.reader import MethodMissingError, RpcError
from pnyx_tools.wire import address_param

if TYPE_CHECKING:
    from web3 import Web3


@dataclass(frozen=True, slots=True)
class Fees:
    """What EIP-1559 asks of a transaction now. All in wei per gas."""

    base_fee: int
    """Of the latest block."""
    max_priority_fee: int
    max_fee: int
    """Twice the base fee plus the priority fee: enough even after five full blocks in a row."""


class Chain(Pool):
    """`ChainReader` and what a sender of transactions needs. Holds no key: it sends what others signed."""

    def __init__(self, circle: Circle) -> None:
        super().__init__(circle)
        self._web3 = _web3_over(self)

    def fees(self) -> Fees:
        """Raises `UsageError` on a chain without EIP-1559."""
        base_fee = self._web3.eth.get_block("latest").get("baseFeePerGas")
        if base_fee is None:
            raise UsageError(f"{self.display_url}: this chain has no base fee (EIP-1559), Pnyx cannot send on it")
        priority = int(self._web3.eth.max_priority_fee)
        return Fees(int(base_fee), priority, 2 * int(base_fee) + priority)

    def estimate_gas(self, sender: str, call: TransactionCall) -> int:
        """Gas units. Raises `RevertedError` when the transaction would fail."""
        return int(
            self._web3.eth.estimate_gas(
                {
                    "from": self._web3.to_checksum_address(address_param(sender)),
                    "to": self._web3.to_checksum_address(address_param(call.to)),
                    "data": call.data,
                    "value": self._web3.to_wei(call.value_wei, "wei"),
                }
            )
        )

    def pending_nonce(self, address: str) -> int:
        """The nonce after all transactions that the node knows, mined or not."""
        return int(self._web3.eth.get_transaction_count(self._web3.to_checksum_address(address), "pending"))

    def send_raw(self, signed: bytes) -> bytes:
        """Sends a signed transaction and returns its hash. Sending the same bytes again is harmless.

        Raises `RpcError` when the node neither takes it nor knows it already.
        """
        expected = keccak(signed)
        try:
            answered = bytes(self._web3.eth.send_raw_transaction(signed))
        except RpcError:
            if self.transaction(expected) is None:
                raise
            return expected
        if answered != expected:
            raise RpcError(f"{self.display_url}: took a transaction, but names another hash than the one it has")
        return expected


def _web3_over(rpc: Pool) -> Web3:
    """web3 on top of our transport: one place for retries, time-outs and for keeping URLs out of messages."""
    from web3 import Web3
    from web3.providers import BaseProvider
    from web3.types import RPCEndpoint, RPCResponse

    class Through(BaseProvider):
        def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:  # noqa: ANN401 - web3's signature
            try:
                return {"jsonrpc": "2.0", "id": 0, "result": rpc.request(method, params)}
            except MethodMissingError as error:  # web3 knows other ways for some methods
                return {"jsonrpc": "2.0", "id": 0, "error": {"code": -32601, "message": error.message}}

    return Web3(Through())
