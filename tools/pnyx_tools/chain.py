"""The daemon's view of a chain: reads as `Rpc` does, and sends through web3. The only import of web3."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from eth_hash.auto import keccak

from pnyx_contracts.errors import UsageError
from pnyx_contracts.governors import TransactionCall
from pnyx_contracts.types import to_hex
from pnyx_tools.endpoints import Circle, Pool
from pnyx_tools.reader import MethodMissingError, RpcError
from pnyx_tools.shallow import shallow
from pnyx_tools.wire import address_param, parse_quantity

if TYPE_CHECKING:
    from web3 import Web3

HISTORY_BLOCKS: Final = 20
"""Blocks whose tips are looked at: four minutes on Ethereum."""
TIP_PERCENTILES: Final = (25, 50, 75, 95)
"""Of the gas of a block, by what it tipped: a quarter of it tipped no more than the first."""
USUAL_TIP_WEI: Final = 10**9
"""Where the node says nothing about tips."""


@dataclass(frozen=True, slots=True)
class Fees:
    """What EIP-1559 asks of a transaction now. All in wei per gas."""

    base_fee: int
    """Of the latest block."""
    max_priority_fee: int
    max_fee: int
    """Twice the base fee plus the priority fee: enough even after five full blocks in a row."""


@dataclass(frozen=True, slots=True)
class FeeMarket:
    """What transactions of the last blocks paid. All in wei per gas."""

    base_fee: int
    """Of the latest block."""
    tips: tuple[int, ...]
    """For each of `TIP_PERCENTILES`, never falling: the median of the last blocks that were not empty."""


def tips_in(history: dict[str, Any], suggested: Callable[[], int]) -> tuple[int, ...]:
    """From the answer to `eth_feeHistory`; what the node suggests where blocks were empty, or took no tips.

    Raises ValueError, TypeError or KeyError for what is no such answer.
    """
    rewards = zip(history["gasUsedRatio"], history.get("reward") or (), strict=False)
    blocks = [[parse_quantity(tip) for tip in tips] for used, tips in rewards if used > 0]
    columns = zip(*blocks, strict=True) if blocks else [()] * len(TIP_PERCENTILES)
    medians = [statistics.median_low(column) if column else 0 for column in columns]
    if len(medians) != len(TIP_PERCENTILES):
        raise ValueError(f"tips for {len(TIP_PERCENTILES)} percentiles expected, found {len(medians)}")
    least = suggested() if not medians[0] else 0
    return tuple(max(least, *medians[: place + 1]) for place in range(len(medians)))


class Chain(Pool):
    """`ChainReader` and what a sender of transactions needs. Holds no key: it sends what others signed."""

    def __init__(self, circle: Circle) -> None:
        super().__init__(circle)
        self._web3 = _web3_over(self)

    def fees(self) -> Fees:
        """What usually lands within minutes. Raises as `fee_market`."""
        market = self.fee_market()
        priority = market.tips[TIP_PERCENTILES.index(50)]
        return Fees(market.base_fee, priority, 2 * market.base_fee + priority)

    def fee_market(self) -> FeeMarket:
        """Raises `UsageError` on a chain without EIP-1559."""
        block = self.request("eth_getBlockByNumber", ["latest", False])
        base_fee = block.get("baseFeePerGas") if isinstance(block, dict) else None
        if base_fee is None:
            raise UsageError(f"{self.display_url}: this chain has no base fee (EIP-1559), Pnyx cannot send on it")
        try:
            return FeeMarket(parse_quantity(base_fee), tips_in(self._fee_history(), self._suggested_tip))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise RpcError(f"{self.display_url}: eth_feeHistory: the answer is malformed ({error})") from None

    def _fee_history(self) -> dict[str, Any]:
        try:
            history = self.request("eth_feeHistory", [hex(HISTORY_BLOCKS), "latest", list(TIP_PERCENTILES)])
        except MethodMissingError:
            return {"gasUsedRatio": []}
        if not isinstance(history, dict):
            raise TypeError("no object")
        return history

    def _suggested_tip(self) -> int:
        try:
            return parse_quantity(self.request("eth_maxPriorityFeePerGas", []))
        except MethodMissingError:
            return USUAL_TIP_WEI

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
            answered = self.request("eth_sendRawTransaction", [to_hex(signed)])
        except (RpcError, MethodMissingError) as error:  # Besu's code for too little money is that of no such method
            if self.transaction(expected) is None:
                raise RpcError(error.message, hint=error.hint) from None
            return expected
        if answered != to_hex(expected):
            raise RpcError(f"{self.display_url}: took a transaction, but names another hash than the one it has")
        return expected


def _web3_over(rpc: Pool) -> Web3:
    """web3 on top of our transport: one place for retries, time-outs and for keeping URLs out of messages."""
    with shallow():
        from web3 import Web3
        from web3.providers import BaseProvider
        from web3.types import RPCEndpoint, RPCResponse

    chain_id = cache(lambda: hex(rpc.chain_id()))  # web3 asks all the time, and what another chain answers is refused

    class Through(BaseProvider):
        def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:  # noqa: ANN401 - web3's signature
            try:
                result = chain_id() if method == "eth_chainId" else rpc.request(method, params)
                return {"jsonrpc": "2.0", "id": 0, "result": result}
            except MethodMissingError as error:  # web3 knows other ways for some methods
                return {"jsonrpc": "2.0", "id": 0, "error": {"code": -32601, "message": error.message}}

    return Web3(Through())
