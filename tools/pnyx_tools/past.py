"""A chain as it was at one block: whatever is later is not there, and who asks for it is told so.

For those who ask what was known at a time. "Latest" is that block. Only questions that name their block, or a
transaction, are passed on: of any other one nothing says of which time it would tell.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NoReturn, TypeVar

from pnyx_contracts.governors import Read
from pnyx_contracts.types import BlockRef, Log, to_hex
from pnyx_tools.reader import (
    AsksTogether,
    BlockId,
    ChainReader,
    L,
    LogItem,
    MethodMissingError,
    Question,
    RevertedError,
    RpcError,
    Topics,
)
from pnyx_tools.wire import block_param, is_block_hash, parse_quantity, parse_word

T = TypeVar("T")

_PLACE_OF_BLOCK: Final = {
    "eth_call": 1,
    "eth_getBalance": 1,
    "eth_getCode": 1,
    "eth_getStorageAt": 2,
    "eth_simulateV1": 1,
    "debug_traceCall": 1,
    "eth_getBlockReceipts": 0,
}
"""Where the block stands among the parameters of a method."""
_OF_A_TRANSACTION: Final = "debug_traceTransaction"


class PastReader:
    """Implements `pnyx_tools.reader.ChainReader` on another one, up to and with block `last`.

    What is asked about a later block raises `RpcError`.
    """

    def __init__(self, reader: ChainReader, last: BlockRef) -> None:
        self._reader = reader
        self._last = last
        self._known = {to_hex(last.hash)}
        """Hashes of blocks that are not later."""

    def chain_id(self) -> int:
        return self._reader.chain_id()

    def block(self, block: BlockId = "latest") -> BlockRef:
        if isinstance(block, int):
            return self._reader.block(self._then(block))
        if not is_block_hash(block):
            return self._last
        found = self._reader.block(block)
        self._then(found.number)
        return found

    def code(self, address: str, block: BlockId = "latest") -> bytes:
        return self._reader.code(address, self._then(block))

    def balance(self, address: str, block: BlockId = "latest") -> int:
        return self._reader.balance(address, self._then(block))

    def storage(self, address: str, slot: int, block: BlockId = "latest") -> bytes:
        return self._reader.storage(address, slot, self._then(block))

    def nonce(self, address: str, block: BlockId = "latest") -> int:
        return self._reader.nonce(address, self._then(block))

    def call(self, to: str, data: bytes, block: BlockId = "latest", *, sender: str | None = None) -> bytes:
        return self._reader.call(to, data, self._then(block), sender=sender)

    def read(self, read: Read[T], block: BlockId = "latest") -> T:
        return read.decode(self.call(read.to, read.data, block))

    def logs(
        self,
        from_block: int,
        to_block: int,
        topics: Topics,
        addresses: Sequence[str] | None = None,
        most_requests: int | None = None,
    ) -> list[Log]:
        self._then(to_block)
        return self._reader.logs(from_block, to_block, topics, addresses, most_requests)

    def read_logs(
        self,
        read: Callable[[LogItem], L],
        from_block: int,
        to_block: int,
        topics: Topics,
        addresses: Sequence[str] | None = None,
    ) -> list[L]:
        self._then(to_block)
        return self._reader.read_logs(read, from_block, to_block, topics, addresses)

    def receipt(self, transaction_hash: bytes) -> dict[str, Any] | None:
        return self._if_mined(self._reader.receipt(transaction_hash))

    def transaction(self, transaction_hash: bytes) -> dict[str, Any] | None:
        return self._if_mined(self._reader.transaction(transaction_hash))

    def request(self, method: str, params: Sequence[Any]) -> Any:  # noqa: ANN401 - JSON as the node gave it
        return self._reader.request(method, self._params_then(method, params))

    def ask_together(self, questions: Sequence[Question]) -> list[Any | RevertedError | None]:
        asked = [(method, self._params_then(method, params)) for method, params in questions]
        return self._reader.ask_together(asked) if isinstance(self._reader, AsksTogether) else [None] * len(asked)

    # --- not later ---------------------------------------------------------------------------------------------------

    def _then(self, block: BlockId) -> BlockId:
        """The block that is meant, when it is not later."""
        if isinstance(block, int):
            if block > self._last.number:
                self._refuse(f"block {block}")
            return block
        if not is_block_hash(block):
            return to_hex(self._last.hash)
        if block.lower() not in self._known:
            if self._reader.block(block).number > self._last.number:
                self._refuse(f"block {block}")
            self._known.add(block.lower())
        return block

    def _params_then(self, method: str, params: Sequence[Any]) -> list[Any]:
        if method == _OF_A_TRANSACTION:
            if self.receipt(parse_word(params[0])) is None:
                self._refuse(f"transaction {params[0]}")
            return list(params)
        place = _PLACE_OF_BLOCK.get(method)
        if place is None:
            raise MethodMissingError(f"{method} is not asked about the past: it does not say of which block")
        given = params[place] if place < len(params) else "latest"
        return [*params[:place], block_param(self._then(_block_of(given))), *params[place + 1 :]]

    def _if_mined(self, found: dict[str, Any] | None) -> dict[str, Any] | None:
        number = found.get("blockNumber") if found is not None else None
        return found if number is not None and parse_quantity(number) <= self._last.number else None

    def _refuse(self, what: str) -> NoReturn:
        raise RpcError(
            f"{what} is later than block {self._last.number}, at which this look at the past ends",
            is_about_the_question=True,
        )


def _block_of(given: Any) -> BlockId:  # noqa: ANN401 - a JSON-RPC parameter
    """EIP-1898 included."""
    named = given.get("blockHash") or given.get("blockNumber") if isinstance(given, dict) else given
    if isinstance(named, str) and named.startswith("0x") and not is_block_hash(named):
        return parse_quantity(named)
    return named if isinstance(named, str) else "latest"
