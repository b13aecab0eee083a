"""A small JSON-RPC reader over HTTP (no web3): all that `pnyx verify` and `pnyx signer` need of a chain.

Two rules hold everywhere. An error is never an empty answer: whatever the node could not or would not say is raised.
And nothing the node says is trusted to have the right shape: answers are checked before anybody sees them.
"""

from __future__ import annotations

import itertools
import logging
import re
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, NoReturn, TypeVar
from urllib.parse import parse_qsl, urlsplit

import httpx
from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.json import decode

from pnyx_contracts.errors import PnyxError, UsageError
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
    Topics,
)
from pnyx_tools.wire import (
    LogQuery,
    address_param,
    block_param,
    error_parts,
    is_block_hash,
    parse_block,
    parse_data,
    parse_log,
    parse_object,
    parse_quantity,
    parse_word,
)

T = TypeVar("T")
V = TypeVar("V")

BACKOFF_SECONDS: Final = (0.2, 0.6, 1.8)
"""Pauses before the retries of one request; their number is the number of retries."""
MAX_RETRY_AFTER_SECONDS: Final = 10.0
MAX_TIMEOUTS: Final = 4
"""So many time-outs on one search for logs are put down to the width of the range; one more, to the node."""
MAX_TOGETHER: Final = 100
"""Questions of one request; providers take between ten and a thousand."""
MAX_ANSWER_BYTES: Final = 256 * 2**20
"""An answer longer than this is refused: no node needs it, a hostile one might send it."""
MAX_LOGS_BYTES: Final = 3 * 2**20
"""Logs of more than one block are asked for in smaller ranges when an answer gets longer than this: they are held in
memory, and take much more there.
"""

_TOO_MUCH_STATUS: Final = frozenset({408, 413, 504, 524})
_REFUSED_STATUS: Final = frozenset({400, 413})
"""What else than an answer says that a batch is too large."""
_RETRY_STATUS: Final = frozenset({429, 500, 502, 503})

_RATE_LIMITED = re.compile(r"too many requests|rate.?limit|request rate|per second|throttl|capacity", re.IGNORECASE)
_METHOD_MISSING = re.compile(
    r"method.{0,60}(not (found|supported|available|allowed|enabled|whitelisted|implemented)|does not exist|unsupported)"
    r"|(unsupported|unknown|unrecognized) (rpc )?method",
    re.IGNORECASE | re.DOTALL,
)
_REVERTED = re.compile(
    r"\brevert|vm execution error|invalid ?\w{0,2}(opcode|jump)|opcodenotfound|bad ?(instruction|jump)"
    r"|stack ?(under|over)flow|out ?of ?gas|execution aborted",
    re.IGNORECASE,
)

_NOT_OF_THE_CODE = re.compile(
    r"insufficient (funds|balance)|(header|block|state) .{0,60}not (found|available)|missing trie node|prun(ed|ing)"
    r"|archive|historical state",
    re.IGNORECASE | re.DOTALL,
)
_UNANSWERABLE: Final = frozenset({-32700, -32600, -32602, -32001, -32002, -32005})
"""Malformed, refused or unavailable questions: error codes that say nothing about the code that was called."""

# httpx logs every URL at INFO, and the URL of an RPC provider is often the key itself.
logging.getLogger("httpx").setLevel(logging.WARNING)


class _TooMuchError(RpcError):
    """The node refuses the size of a question. `Rpc.logs` asks for less; everybody else sees an RpcError."""


class _TimedOutError(_TooMuchError):
    """The node takes too long over a question."""


class _BusyError(RpcError):
    """Worth another try after a pause."""


class _BatchRefusedError(RpcError):
    """The node takes no batches, or none of so many questions."""


class _CallFailedError(RpcError):
    """The node answers an ``eth_call`` with an error that we do not know. See `Rpc._call_again`."""


class Rpc:
    """Implements `pnyx_tools.reader.ChainReader` over one HTTP endpoint. Safe to share between threads."""

    def __init__(self, url: str, timeout_seconds: float = 30, *, pauses: Sequence[float] = BACKOFF_SECONDS) -> None:
        """`pauses` in seconds before the retries of one request."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise UsageError(
                f"the RPC endpoint must be an http:// or https:// URL, got one that starts with {url[:8]!r}",
                hint="websocket and IPC endpoints are not supported; most nodes offer HTTP too",
            )
        port = f":{parts.port}" if parts.port else ""
        self.display_url = f"{parts.scheme}://{parts.hostname}{port}"
        """Scheme and host only: the rest of an RPC URL is often a secret. The one form for messages and logs."""
        self._secrets = _secrets_of(url)
        self._url = url
        self._timeout_seconds = timeout_seconds
        self._pauses = tuple(pauses)
        # Certificates take longer to load than a local node to answer.
        self._client = httpx.Client(timeout=timeout_seconds, verify=parts.scheme == "https")
        self._ids = itertools.count(1)
        self._log_span = 2.0**62
        """How many blocks one `eth_getLogs` asks for; learned from what the node refuses."""
        self._together = MAX_TOGETHER
        """How many questions one request asks; learned from what the node refuses. Below two it takes no batches."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.display_url!r})"

    def close(self) -> None:
        self._client.close()

    # --- ChainReader -------------------------------------------------------------------------------------------------

    def chain_id(self) -> int:
        return self._checked("eth_chainId", [], parse_quantity)

    def block(self, block: BlockId = "latest") -> BlockRef:
        """Raises `RpcError` when the node does not have the block: pruned, lagging, or reorganised away."""
        by_hash = is_block_hash(block)
        method = "eth_getBlockByHash" if by_hash else "eth_getBlockByNumber"
        found = self._checked(method, [block if by_hash else block_param(block), False], parse_block)
        if found is None:
            raise RpcError(
                self._text(f"does not have block {block}"),
                hint="it may lag behind, or the block was reorganised away",
                is_about_the_question=True,
            )
        if (isinstance(block, int) and found.number != block) or (by_hash and to_hex(found.hash) != str(block).lower()):
            self._fail(f"answered with another block than {block}: number {found.number}, hash {to_hex(found.hash)}")
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

    def logs(self, from_block: int, to_block: int, topics: Topics, addresses: Sequence[str] | None = None) -> list[Log]:
        return self.read_logs(parse_log, from_block, to_block, topics, addresses)

    def read_logs(
        self,
        read: Callable[[LogItem], L],
        from_block: int,
        to_block: int,
        topics: Topics,
        addresses: Sequence[str] | None = None,
    ) -> list[L]:
        """A range that the node refuses, for whatever reason, is halved down to one block; then the error is raised.

        An empty sequence of addresses matches nothing (``None`` matches every address).
        """
        if addresses is not None and not addresses:
            return []
        query = LogQuery(topics, addresses)
        span_before = self._log_span
        timeouts = 0
        found: list[L] = []
        start = from_block
        while start <= to_block:
            end = min(start + int(self._log_span) - 1, to_block)
            try:
                found += self._logs_once(query, read, start, end)
            except _TooMuchError as refusal:
                timeouts += isinstance(refusal, _TimedOutError)
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
        try:
            result = self._request_patiently(method, params)
        except _CallFailedError as failure:
            result = self._call_again(params, failure)
        return self._parsed(method, result, decode)

    def _call_again(self, params: Sequence[Any], failure: _CallFailedError) -> Raw:
        """The answer to an ``eth_call`` that failed once. What fails again in the same words, at a block whose state
        the node has, is the fault of the code that was called: a revert. Clients have a hundred words for that, and
        nobody may choose code that looks like a broken node.
        """
        called, block = params[0].get("to") or ZERO_ADDRESS, params[1] if len(params) > 1 else "latest"
        try:
            self._request_patiently("eth_getBalance", [called, block])
        except (RpcError, MethodMissingError):
            raise failure from None
        try:
            return self._request_patiently("eth_call", params)
        except _CallFailedError as again:
            if again.message != failure.message:
                raise
            raise RevertedError(failure.message) from None

    # --- many questions in one request ---

    def ask_together(self, questions: Sequence[Question]) -> list[Any | RevertedError | None]:
        """What the node answers to each, in one JSON-RPC batch or a few. A batch that it refuses is halved.

        None is no answer: what went wrong with that question is for a request of its own to find out, which is patient,
        and raises. Raises `RpcError` when the node does not answer at all.
        """
        found: list[Any | RevertedError | None] = []
        while self._together > 1 and len(found) < len(questions):
            some = questions[len(found) : len(found) + self._together]
            try:
                found += self._batch(some)
            except _BatchRefusedError:
                self._together = len(some) // 2
            except RpcError:
                if not found:
                    raise
                break
        return found + [None] * (len(questions) - len(found))

    def _batch(self, questions: Sequence[Question]) -> list[Any | RevertedError | None]:
        ids = [next(self._ids) for _ in questions]
        asked = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}
            for number, (method, params) in zip(ids, questions, strict=True)
        ]
        answers = self._answers_to(asked)
        by_id = {answer["id"]: answer for answer in answers if type(answer.get("id")) is int}
        return [self._answer_in(by_id.get(number), method) for number, (method, _) in zip(ids, questions, strict=True)]

    def _answers_to(self, asked: Sequence[object]) -> list[dict[str, Any]]:
        """Some nodes refuse a batch with one error for all, in a list or not."""
        status, headers, body = self._post("batch", asked, MAX_ANSWER_BYTES)
        answers = _objects_in(body)
        if not answers and status not in _REFUSED_STATUS:
            self._raise_for_status("batch", status, headers)
        if len(answers) < len(asked) and not any("result" in answer for answer in answers):
            if any(_RATE_LIMITED.search(error_parts(answer.get("error"))[1]) for answer in answers):
                raise _BusyError(self._text("the provider limits requests"))
            raise _BatchRefusedError(self._text(f"does not take {len(asked)} questions in one request"))
        return answers

    def _answer_in(self, answer: dict[str, Any] | None, method: str) -> Any | RevertedError | None:  # noqa: ANN401 - as it came
        if answer is None or answer.get("error") is None:
            return None if answer is None else answer.get("result")
        try:
            self._raise_answered_error(method, answer["error"], 200, httpx.Headers())
        except RevertedError as reverted:
            return reverted
        except PnyxError:
            return None

    # --- one request -------------------------------------------------------------------------------------------------

    def _request_patiently(self, method: str, params: Sequence[Any]) -> Raw:
        return self._patiently(lambda: self._request_once(method, params, _ANY, MAX_ANSWER_BYTES))

    def _patiently(self, ask: Callable[[], T]) -> T:
        for pause in self._pauses:
            try:
                return ask()
            except _BusyError as busy:
                time.sleep(max(pause, busy.wait_seconds))
        return ask()

    def _request_once(self, method: str, params: Sequence[Any], shape: type[_Answer[V]], limit: int) -> V | Raw:
        """The result in the shape that is expected; as it came when it has another one."""
        request_id = next(self._ids)
        question = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": list(params)}
        status, headers, body = self._post(method, question, limit)
        answer: _Answer[V] | _Answer[Raw] | None = _answer_in(body, shape)
        if answer is None:
            answer = _answer_in(body, _ANY)
        if answer is None or (answer.error is UNSET and answer.result is UNSET):
            self._raise_for_status(method, status, headers)
            self._fail(f"{method}: answered with something that is not JSON-RPC", hint="is this an RPC endpoint?")
        if answer.error is not UNSET and answer.error is not None:
            self._raise_answered_error(method, answer.error, status, headers)
        self._raise_for_status(method, status, headers)
        if answer.id != request_id or isinstance(answer.id, bool):
            self._fail(f"{method}: answered another question (id {str(answer.id)[:40]}, asked {request_id})")
        if answer.result is UNSET:
            self._fail(f"{method}: answered with neither a result nor an error")
        return answer.result

    def _post(self, method: str, question: object, limit: int) -> tuple[int, httpx.Headers, bytearray]:
        deadline = time.monotonic() + self._timeout_seconds
        try:
            with self._client.stream("POST", self._url, json=question) as response:
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > limit:
                        raise _TooMuchError(self._text(f"{method}: the answer is longer than {limit} bytes"))
                    if time.monotonic() > deadline:
                        raise httpx.ReadTimeout("slow answer")
                return response.status_code, response.headers, body
        except httpx.TimeoutException:
            message = f"{method}: no answer within {self._timeout_seconds:g} seconds"
            raise _TimedOutError(self._text(message), hint="check the endpoint, or raise the time-out") from None
        except httpx.TransportError as error:
            message = self._text(f"{method}: cannot be reached ({type(error).__name__}: {error})")
            raise _BusyError(message, hint="check that the node runs and that the URL is right") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise RpcError(self._text(f"{method}: {type(error).__name__}: {error}")) from None

    def _raise_for_status(self, method: str, status: int, headers: httpx.Headers) -> None:
        if status in _TOO_MUCH_STATUS:
            raise _TooMuchError(self._text(f"{method}: HTTP status {status}"))
        if status in _RETRY_STATUS:
            raise _BusyError(
                self._text(f"{method}: HTTP status {status}, also after {len(self._pauses)} retries"),
                hint="the provider limits or fails; wait, or use another endpoint",
                wait_seconds=_retry_after(headers),
            )
        if not 200 <= status < 300:
            self._fail(f"{method}: HTTP status {status}", hint="check the URL and its key")

    def _raise_answered_error(self, method: str, error: object, status: int, headers: httpx.Headers) -> NoReturn:
        code, message, data = error_parts(error)
        text = self._text(f"{method}: {message} (code {code})")
        if method in {"eth_call", "eth_estimateGas"} and (code == 3 or _REVERTED.search(message)):
            raise RevertedError(text, data)
        if code in {-32601, -32004} or _METHOD_MISSING.search(message):
            raise MethodMissingError(text, hint="this step needs a node that offers the method")
        if status == 429 or code == 429 or _RATE_LIMITED.search(message):
            raise _BusyError(text, hint="the provider limits requests", wait_seconds=_retry_after(headers))
        if method == "eth_getLogs":
            # Providers word their limits in a hundred ways: less is tried, then this is raised.
            raise _TooMuchError(text, is_about_the_question=True)
        if method == "eth_call" and code not in _UNANSWERABLE and not _NOT_OF_THE_CODE.search(message):
            raise _CallFailedError(text, is_about_the_question=True)
        raise RpcError(text, is_about_the_question=True)

    def _logs_once(self, query: LogQuery, read: Callable[[LogItem], L], start: int, end: int) -> list[L]:
        limit = MAX_ANSWER_BYTES if start == end else MAX_LOGS_BYTES
        asked = [query.json(start, end)]
        answer = self._patiently(lambda: self._request_once("eth_getLogs", asked, _LOGS, limit))
        items = self._parsed("eth_getLogs", answer, _items_in) if isinstance(answer, Raw) else answer
        stray = query.stray_among(items)
        if stray is not None:
            self._fail(f"eth_getLogs: answered with a log that was not asked for, of {stray.address[:42]!r}")
        logs = self._parsed("eth_getLogs", items, lambda items: [read(item) for item in items])
        if any(one >= two for one, two in itertools.pairwise(map(_place_of, logs))):
            logs.sort(key=_place_of)
            for one, two in itertools.pairwise(map(_place_of, logs)):
                if one == two:
                    self._fail(f"eth_getLogs: gave log {one[1]} of block {one[0]} twice")
        if logs and not start <= logs[0].block_number <= logs[-1].block_number <= end:
            self._fail(f"eth_getLogs: answered with a log of another block than {start} to {end}")
        return logs

    def _checked(self, method: str, params: Sequence[Any], parse: Callable[[Any], T]) -> T:
        return self._parsed(method, self.request(method, params), parse)

    def _parsed(self, method: str, result: V, parse: Callable[[V], T]) -> T:
        try:
            return parse(result)
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise RpcError(
                self._text(f"{method}: the answer is malformed ({error})"), hint="use another node"
            ) from None

    def _fail(self, message: str, *, hint: str = "") -> NoReturn:
        raise RpcError(self._text(message), hint=hint)

    def _text(self, message: str) -> str:
        """The message with the endpoint's name, and with whatever part of the URL may be a secret taken out."""
        message = message[:500]
        for secret in self._secrets:
            message = message.replace(secret, "[hidden]")
        return f"{self.display_url}: {message}"


class _Answer(Struct, Generic[V]):
    """Of JSON-RPC."""

    id: Any = None
    result: V | UnsetType = UNSET
    error: Any = UNSET


_ANY: Final = _Answer[Raw]
"""The result is taken apart by whoever knows its shape."""
_LOGS: Final = _Answer[list[LogItem]]


def _answer_in(body: bytearray, shape: type[_Answer[V]]) -> _Answer[V] | None:
    try:
        return decode(body, type=shape)
    except (ValueError, RecursionError):
        return None


def _objects_in(body: bytearray) -> list[dict[str, Any]]:
    """Of an answer to a batch."""
    try:
        answers = decode(body)
    except (ValueError, RecursionError):
        return []
    return [answer for answer in (answers if isinstance(answers, list) else [answers]) if isinstance(answer, dict)]


def _items_in(result: Raw) -> list[LogItem]:
    return decode(result, type=list[LogItem])


def _place_of(log: Located) -> tuple[int, int]:
    return log.block_number, log.log_index


def _secrets_of(url: str) -> list[str]:
    """Parts of a URL that may be keys: user, password, path segments, query values; the longest first."""
    parts = urlsplit(url)
    pieces = [parts.username, parts.password, *parts.path.split("/"), *(value for _, value in parse_qsl(parts.query))]
    return sorted({piece for piece in pieces if piece and len(piece) >= 8}, key=len, reverse=True)


def _retry_after(headers: httpx.Headers) -> float:
    value = headers.get("retry-after", "")
    return min(float(value), MAX_RETRY_AFTER_SECONDS) if value.isascii() and value.isdigit() else 0.0
