"""A small JSON-RPC reader over HTTP (no web3): all that `pnyx verify` and `pnyx signer` need of a chain.

Two rules hold everywhere. An error is never an empty answer: whatever the node could not or would not say is raised.
And nothing the node says is trusted to have the right shape: answers are checked before anybody sees them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from msgspec import Raw
from msgspec.json import decode

from pnyx_contracts.governors import Read
from pnyx_contracts.types import ZERO_ADDRESS, BlockRef, Log, to_hex
from pnyx_tools.reader import (
    BlockId,
    L,
    Located,
    LogItem,
    MethodMissingError,
    Question,
    RevertedError,
    RpcError,
    TooManyRequestsError,
    Topics,
)
from pnyx_tools.transport import Answer, CallFailedError, TimedOutError, TooMuchError, Transport
from pnyx_tools.wire import (
    LogQuery,
    address_param,
    block_param,
    is_block_hash,
    parse_block,
    parse_data,
    parse_log,
    parse_object,
    parse_quantity,
    parse_word,
)

T = TypeVar("T")

MAX_TIMEOUTS: Final = 4
"""So many time-outs on one search for logs are put down to the width of the range; one more, to the node."""
MAX_LOGS_BYTES: Final = 3 * 2**20
"""Logs of more than one block are asked for in smaller ranges when an answer gets longer than this: they are held in
memory, and take much more there.
"""


class Rpc:
    """Implements `pnyx_tools.reader.ChainReader` over one HTTP endpoint. Safe to share between threads."""

    def __init__(
        self,
        url: str,
        timeout_seconds: float = 30,
        *,
        pauses: Sequence[float] | None = None,
        chain_id: int | None = None,
    ) -> None:
        """`pauses` in seconds before the retries of one request, None: the usual ones. With `chain_id`, whatever
        another chain answers raises `WrongChainError`.
        """
        self._transport = Transport(url, timeout_seconds, pauses, chain_id)
        self._log_span = 2.0**62
        """How many blocks one `eth_getLogs` asks for; learned from what the node refuses."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.display_url!r})"

    @property
    def display_url(self) -> str:
        """Scheme and host only: the rest of an RPC URL is often a secret. The one form for messages and logs."""
        return self._transport.display_url

    def believe_only(self, chain_id: int) -> None:
        """From now on what another chain answers raises `WrongChainError`."""
        self._transport.chain_id = chain_id

    def close(self) -> None:
        self._transport.close()

    # --- ChainReader -------------------------------------------------------------------------------------------------

    def chain_id(self) -> int:
        found = self._checked("eth_chainId", [], parse_quantity)
        self._transport.require_chain(found)
        return found

    def block(self, block: BlockId = "latest") -> BlockRef:
        """Raises `RpcError` when the node does not have the block: pruned, lagging, or reorganised away."""
        by_hash = is_block_hash(block)
        method = "eth_getBlockByHash" if by_hash else "eth_getBlockByNumber"
        found = self._checked(method, [block if by_hash else block_param(block), False], parse_block)
        if found is None:
            raise RpcError(
                self._transport.text(f"does not have block {block}"),
                hint="it may lag behind, or the block was reorganised away",
                is_about_the_question=True,
            )
        if (isinstance(block, int) and found.number != block) or (by_hash and to_hex(found.hash) != str(block).lower()):
            self._transport.fail(
                f"answered with another block than {block}: number {found.number}, hash {to_hex(found.hash)}"
            )
        return found

    def code(self, address: str, block: BlockId = "latest") -> bytes:
        return self._checked("eth_getCode", [address_param(address), block_param(block)], parse_data)

    def balance(self, address: str, block: BlockId = "latest") -> int:
        return self._checked("eth_getBalance", [address_param(address), block_param(block)], parse_quantity)

    def storage(self, address: str, slot: int, block: BlockId = "latest") -> bytes:
        params = [address_param(address), hex(slot), block_param(block)]
        return self._checked("eth_getStorageAt", params, parse_word)

    def call(self, to: str, data: bytes, block: BlockId = "latest", *, sender: str | None = None) -> bytes:
        transaction = {"to": address_param(to), "data": to_hex(data)}
        if sender is not None:
            transaction["from"] = address_param(sender)
        return self._checked("eth_call", [transaction, block_param(block)], parse_data)

    def read(self, read: Read[T], block: BlockId = "latest") -> T:
        return read.decode(self.call(read.to, read.data, block))

    def nonce(self, address: str, block: BlockId = "latest") -> int:
        return self._checked("eth_getTransactionCount", [address_param(address), block_param(block)], parse_quantity)

    def receipt(self, transaction_hash: bytes) -> dict[str, Any] | None:
        return self._checked("eth_getTransactionReceipt", [to_hex(transaction_hash)], parse_object)

    def transaction(self, transaction_hash: bytes) -> dict[str, Any] | None:
        return self._checked("eth_getTransactionByHash", [to_hex(transaction_hash)], parse_object)

    def logs(
        self,
        from_block: int,
        to_block: int,
        topics: Topics,
        addresses: Sequence[str] | None = None,
        most_requests: int | None = None,
    ) -> list[Log]:
        return self._read_logs(parse_log, from_block, to_block, topics, addresses, most_requests)

    def read_logs(
        self,
        read: Callable[[LogItem], L],
        from_block: int,
        to_block: int,
        topics: Topics,
        addresses: Sequence[str] | None = None,
    ) -> list[L]:
        return self._read_logs(read, from_block, to_block, topics, addresses, None)

    def _read_logs(
        self,
        read: Callable[[LogItem], L],
        from_block: int,
        to_block: int,
        topics: Topics,
        addresses: Sequence[str] | None,
        most_requests: int | None,
    ) -> list[L]:
        """A range that the node refuses, for whatever reason, is halved down to one block; then the error is raised.

        An empty sequence of addresses matches nothing (``None`` matches every address).
        """
        if addresses is not None and not addresses:
            return []
        query = LogQuery(topics, addresses)
        if most_requests is not None:  # what was learned in a bad hour is no answer: the node is asked
            self._log_span = max(self._log_span, 2 * (to_block - from_block + 1) / most_requests)
        span_before = self._log_span
        timeouts = requests = 0
        found: list[L] = []
        start = from_block
        while start <= to_block:
            if requests == most_requests:
                raise TooManyRequestsError(f"the logs of {to_block - from_block + 1} blocks take too many requests")
            requests += 1
            end = min(start + int(self._log_span) - 1, to_block)
            try:
                found += self._logs_once(query, read, start, end)
            except TooMuchError as refusal:
                timeouts += isinstance(refusal, TimedOutError)
                if start == end or timeouts > MAX_TIMEOUTS:
                    self._log_span = span_before  # the range was not the reason
                    raise
                self._log_span = max(1.0, (end - start + 1) / 2)
            else:
                start = end + 1
                # Slow growth: against a fixed limit it costs about one refused request in seven.
                self._log_span = min(self._log_span * 1.125, 2.0**62)
        return found

    def request(self, method: str, params: Sequence[Any]) -> Any:  # noqa: ANN401 - JSON as the node gave it
        return self._ask(method, params, decode)

    def ask_together(self, questions: Sequence[Question]) -> list[Any | RevertedError | None]:
        """See `Transport.ask_together`."""
        return self._transport.ask_together(questions)

    # --- one request -------------------------------------------------------------------------------------------------

    def _checked(self, method: str, params: Sequence[Any], parse: Callable[[Any], T]) -> T:
        return self._ask(method, params, lambda result: parse(decode(result)))

    def _ask(self, method: str, params: Sequence[Any], parse: Callable[[Raw], T]) -> T:
        try:
            return self._transport.ask(method, params, parse)
        except CallFailedError as failure:
            return self._call_again(params, parse, failure)

    def _call_again(self, params: Sequence[Any], parse: Callable[[Raw], T], failure: CallFailedError) -> T:
        """The answer to an ``eth_call`` that failed once. What fails again in the same words, at a block whose state
        the node has, is the fault of the code that was called: a revert. Clients have a hundred words for that, and
        nobody may choose code that looks like a broken node.
        """
        called, block = params[0].get("to") or ZERO_ADDRESS, params[1] if len(params) > 1 else "latest"
        try:
            self._transport.ask("eth_getBalance", [called, block], decode)
        except (RpcError, MethodMissingError):
            raise failure from None
        try:
            return self._transport.ask("eth_call", params, parse)
        except CallFailedError as again:
            if again.message != failure.message:
                raise
            raise RevertedError(failure.message) from None

    def _logs_once(self, query: LogQuery, read: Callable[[LogItem], L], start: int, end: int) -> list[L]:
        limit = None if start == end else MAX_LOGS_BYTES
        items = self._transport.ask("eth_getLogs", [query.json(start, end)], _items_in, limit, shape=_LOGS)
        stray = query.stray_among(items)
        if stray is not None:
            self._transport.fail(f"eth_getLogs: answered with a log that was not asked for, of {stray.address[:42]!r}")
        logs = self._transport.parsed("eth_getLogs", items, lambda items: [read(item) for item in items])
        if any(one >= two for one, two in itertools.pairwise(map(_place_of, logs))):
            logs.sort(key=_place_of)
            for one, two in itertools.pairwise(map(_place_of, logs)):
                if one == two:
                    self._transport.fail(f"eth_getLogs: gave log {one[1]} of block {one[0]} twice")
        if logs and not start <= logs[0].block_number <= logs[-1].block_number <= end:
            self._transport.fail(f"eth_getLogs: answered with a log of another block than {start} to {end}")
        return logs


_LOGS: Final = Answer[list[LogItem]]


def _items_in(result: Raw | list[LogItem]) -> list[LogItem]:
    return decode(result, type=list[LogItem]) if isinstance(result, Raw) else result


def _place_of(log: Located) -> tuple[int, int]:
    return log.block_number, log.log_index
