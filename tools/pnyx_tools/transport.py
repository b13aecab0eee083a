"""JSON-RPC over HTTP: one question or several to one endpoint, asked patiently, and what went wrong by kind.

Where the chain is known that the endpoint should serve, every question travels with the one for the chain: no answer of
another chain is ever believed, however short an endpoint (a load balancer, a name that leads elsewhere) was on it.
"""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Sequence
from email.message import Message
from typing import Any, Final, Generic, NoReturn, TypeVar
from urllib.parse import urlsplit

from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.json import decode, encode

from pnyx_contracts.errors import PnyxError, UsageError
from pnyx_tools.posting import PROBLEMS, Poster, TooLongError
from pnyx_tools.reader import MethodMissingError, Question, RevertedError, RpcError, WrongChainError
from pnyx_tools.secret_parts import secret_parts
from pnyx_tools.wire import error_parts, parse_quantity

T = TypeVar("T")
V = TypeVar("V")

BACKOFF_SECONDS: Final = (0.2, 0.6, 1.8)
"""Pauses before the retries of one request; their number is the number of retries."""
MAX_RETRY_AFTER_SECONDS: Final = 10.0
MAX_TOGETHER: Final = 100
"""Questions of one request; providers take between ten and a thousand."""
LEAST_SECRET_CHARACTERS: Final = 8
MAX_TEXT_CHARACTERS: Final = 500
MAX_ANSWER_BYTES: Final = 256 * 2**20
"""An answer longer than this is refused: no node needs it, a hostile one might send it."""

_CHAIN_ID: Final = "eth_chainId"
_REFUSED_STATUS: Final = frozenset({400, 404, 405, 413, 415})
"""What else than an answer says that batches are not taken, or not such large ones."""
_TOO_MUCH_STATUS: Final = frozenset({408, 413, 504, 524})
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


class TooMuchError(RpcError):
    """The node refuses the size of a question. `Rpc.logs` asks for less; everybody else sees an RpcError."""


class TimedOutError(TooMuchError):
    """The node takes too long over a question."""


class CallFailedError(RpcError):
    """The node answers an ``eth_call`` with an error that we do not know. See `Rpc._call_again`."""


class _BusyError(RpcError):
    """Worth another try after a pause."""


class _GarbledError(_BusyError):
    """No answer to the question: half of one, another one's, one of another shape. The next one may be whole."""


class _BatchRefusedError(RpcError):
    """The node takes no batches, or none of so many questions."""


class Transport:
    """One endpoint. Safe to share between threads."""

    def __init__(self, url: str, timeout_seconds: float, pauses: Sequence[float] | None, chain_id: int | None) -> None:
        """Raises `UsageError` for a URL that is none."""
        parts = urlsplit(url)
        try:
            port = f":{parts.port}" if parts.port else ""
        except ValueError:
            raise UsageError("the port of the RPC endpoint is no number from 0 to 65535") from None
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise UsageError(
                f"the RPC endpoint must be an http:// or https:// URL, got one that starts with {url[:8]!r}",
                hint="websocket and IPC endpoints are not supported; most nodes offer HTTP too",
            )
        self.display_url = f"{parts.scheme}://{parts.hostname}{port}"
        """Scheme and host only: the rest of an RPC URL is often a secret. The one form for messages and logs."""
        self.chain_id = chain_id
        """Answers count only together with this one; None: whatever chain it serves."""
        self._secrets = secret_parts(url, LEAST_SECRET_CHARACTERS)
        self._timeout_seconds = timeout_seconds
        self._pauses = tuple(BACKOFF_SECONDS if pauses is None else pauses)
        self._poster = Poster(url, timeout_seconds)
        self._ids = itertools.count(1)
        self._together = MAX_TOGETHER
        """How many questions one request asks; learned from what the node refuses. Below two it takes no batches."""

    def close(self) -> None:
        self._poster.close()

    # --- one question ------------------------------------------------------------------------------------------------

    def ask(
        self,
        method: str,
        params: Sequence[Any],
        parse: Callable[[Any], T],
        limit: int | None = None,
        *,
        shape: type[Answer[Any]] | None = None,
    ) -> T:
        """The answer, as `parse` reads it; `limit` in bytes. `parse` gets the result in the `shape` that is expected,
        or as it came (`Raw`), and raises ValueError, TypeError or KeyError for what is none.

        What fails on the way, or comes garbled, is asked again. A transaction is not: whoever sends it has to find out
        first what became of it.
        """

        def once() -> T:
            alone = self.chain_id is None or method == _CHAIN_ID
            asked = self._ask_alone if alone else self._ask_our_chain
            return self.parsed(method, asked(method, params, shape or _ANY, limit or MAX_ANSWER_BYTES), parse)

        for pause in () if method.startswith("eth_send") else self._pauses:
            try:
                return once()
            except _BusyError as busy:
                time.sleep(max(pause, busy.wait_seconds))
        return once()

    def _ask_our_chain(self, method: str, params: Sequence[Any], shape: type[Answer[V]], limit: int) -> V | Raw:
        if self._together > 1:
            try:
                return self._ask_with_chain(method, params, shape, limit)
            except _BatchRefusedError:
                self._together = 1
        try:
            return self._ask_alone(method, params, shape, limit)
        finally:  # an error of another chain is no answer either
            self.require_chain(self.ask(_CHAIN_ID, [], decode_quantity))

    def _ask_with_chain(self, method: str, params: Sequence[Any], shape: type[Answer[V]], limit: int) -> V | Raw:
        question, chain = self._question(method, params), self._question(_CHAIN_ID, [])
        status, headers, body = self._post(method, [question, chain], limit)
        shaped = _decoded(body, tuple[shape, Answer[Raw]])  # type: ignore[valid-type]  # as most nodes answer
        answers: list[Answer[Any]] = [*shaped] if shaped else self._answers_in(body, 2, status, headers)
        by_id = self._require_our_chain(answers, chain["id"], status, headers)
        answer = by_id.get(question["id"])
        if answer is None:
            self._garbled(f"{method}: answered another question")
        result: V | Raw = self._result(method, answer, status, headers)
        return result

    def _ask_alone(self, method: str, params: Sequence[Any], shape: type[Answer[V]], limit: int) -> V | Raw:
        question = self._question(method, params)
        status, headers, body = self._post(method, question, limit)
        answer: Answer[V] | Answer[Raw] | None = _decoded(body, shape) or _decoded(body, _ANY)
        if answer is None or (answer.error is UNSET and answer.result is UNSET):
            self._raise_for_status(method, status, headers)
            self._garbled(f"{method}: answered with something that is not JSON-RPC", hint="is this an RPC endpoint?")
        result: V | Raw = self._result(method, answer, status, headers)
        if answer.id != question["id"] or isinstance(answer.id, bool):
            self._garbled(f"{method}: answered another question (id {str(answer.id)[:40]}, asked {question['id']})")
        return result

    def _result(self, method: str, answer: Answer[Any], status: int, headers: Message) -> Any:  # noqa: ANN401 - as it came
        if answer.error is not UNSET and answer.error is not None:
            self._raise_answered_error(method, answer.error, status, headers)
        self._raise_for_status(method, status, headers)
        if answer.result is UNSET:
            self._garbled(f"{method}: answered with neither a result nor an error")
        return answer.result

    def _question(self, method: str, params: Sequence[Any]) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": list(params)}

    def require_chain(self, found: int) -> None:
        """Raises `WrongChainError`."""
        if self.chain_id is not None and found != self.chain_id:
            raise WrongChainError(self.display_url, found, self.chain_id)

    # --- several questions in one request ----------------------------------------------------------------------------

    def ask_together(self, questions: Sequence[Question]) -> list[Any | RevertedError | None]:
        """What the node answers to each, in one JSON-RPC batch or a few. A batch that it refuses is halved.

        None is no answer: what went wrong with that question is for a request of its own to find out, which is patient,
        and raises. Raises `RpcError` when the node does not answer at all, and `WrongChainError`.
        """
        found: list[Any | RevertedError | None] = []
        chain = 0 if self.chain_id is None else 1
        while self._together - chain > 1 and len(found) < len(questions):
            some = questions[len(found) : len(found) + self._together - chain]
            try:
                found += self._batch(some)
            except _BatchRefusedError:
                self._together = (len(some) + chain) // 2
            except WrongChainError:
                raise
            except RpcError:
                if not found:
                    raise
                break
        return found + [None] * (len(questions) - len(found))

    def _batch(self, questions: Sequence[Question]) -> list[Any | RevertedError | None]:
        asked = [self._question(method, params) for method, params in questions]
        chain = [] if self.chain_id is None else [self._question(_CHAIN_ID, [])]
        status, headers, body = self._post("batch", [*asked, *chain], MAX_ANSWER_BYTES)
        answers = self._answers_in(body, len(asked) + len(chain), status, headers)
        by_id = self._require_our_chain(answers, chain[0]["id"] if chain else None, status, headers)
        return [self._answer_in(by_id.get(question["id"]), question["method"]) for question in asked]

    def _answers_in(self, body: bytes | bytearray, asked: int, status: int, headers: Message) -> list[Answer[Raw]]:
        """Some nodes refuse a batch with one error for all, in a list or not. Raises `_BatchRefusedError`."""
        items = _decoded(body, list[Raw]) or [body]
        answers = [answer for item in items if (answer := _decoded(item, _ANY)) is not None]
        if not answers and status not in _REFUSED_STATUS:
            self._raise_for_status("batch", status, headers)
            if body:
                self._garbled("answered a batch with something that is not JSON-RPC", hint="is this an RPC endpoint?")
        if len(answers) < asked and all(answer.result is UNSET for answer in answers):
            if any(_RATE_LIMITED.search(error_parts(answer.error)[1]) for answer in answers):
                raise _BusyError(self.text("the provider limits requests"), wait_seconds=_retry_after(headers))
            raise _BatchRefusedError(self.text(f"does not take {asked} questions in one request"))
        return answers

    def _require_our_chain(
        self, answers: Sequence[Answer[Any]], number: int | None, status: int, headers: Message
    ) -> dict[int, Answer[Any]]:
        """The answers by the numbers of their questions; `number` is that of the one for the chain."""
        by_id = {answer.id: answer for answer in answers if type(answer.id) is int}
        if number is None:
            return by_id
        answer = by_id.get(number)
        if answer is None:
            self._garbled("answered without the chain that it was asked for")
        result = self._result(_CHAIN_ID, answer, status, headers)
        self.require_chain(self.parsed(_CHAIN_ID, result, decode_quantity))
        return by_id

    def _answer_in(self, answer: Answer[Any] | None, method: str) -> Any | RevertedError | None:  # noqa: ANN401 - as it came
        if answer is None:
            return None
        try:
            return decode(self._result(method, answer, 200, Message()))
        except RevertedError as reverted:
            return reverted
        except (PnyxError, ValueError, RecursionError):
            return None

    # --- HTTP --------------------------------------------------------------------------------------------------------

    def _post(self, method: str, question: object, limit: int) -> tuple[int, Message, bytes | bytearray]:
        try:
            posted = self._poster.post(encode(question), limit)
        except TooLongError:
            raise TooMuchError(self.text(f"{method}: the answer is longer than {limit} bytes")) from None
        except TimeoutError:
            message = f"{method}: no answer within {self._timeout_seconds:g} seconds"
            raise TimedOutError(self.text(message), hint="check the endpoint, or raise the time-out") from None
        except PROBLEMS as problem:
            message = self.text(f"{method}: cannot be reached ({type(problem).__name__}: {problem})")
            raise _BusyError(message, hint="check that the node runs and that the URL is right") from None
        return posted.status, posted.headers, posted.body

    # --- what went wrong ---------------------------------------------------------------------------------------------

    def parsed(self, method: str, result: Any, parse: Callable[[Any], T]) -> T:  # noqa: ANN401 - JSON, read or not
        """Raises `RpcError` for an answer of another shape than `parse` reads."""
        try:
            return parse(result)
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            self._garbled(f"{method}: the answer is malformed ({error})", hint="use another node")

    def fail(self, message: str, *, hint: str = "") -> NoReturn:
        raise RpcError(self.text(message), hint=hint)

    def _garbled(self, message: str, *, hint: str = "") -> NoReturn:
        raise _GarbledError(self.text(message), hint=hint) from None

    def text(self, message: str) -> str:
        """The message with the endpoint's name, and with whatever part of the URL may be a secret taken out."""
        for secret in self._secrets:
            message = message.replace(secret, "[hidden]")
        return f"{self.display_url}: {message[:MAX_TEXT_CHARACTERS]}"

    def _raise_for_status(self, method: str, status: int, headers: Message) -> None:
        if status in _TOO_MUCH_STATUS:
            raise TooMuchError(self.text(f"{method}: HTTP status {status}"))
        if status in _RETRY_STATUS:
            raise _BusyError(
                self.text(f"{method}: HTTP status {status}, also after {len(self._pauses)} retries"),
                hint="the provider limits or fails; wait, or use another endpoint",
                wait_seconds=_retry_after(headers),
            )
        if not 200 <= status < 300:
            self.fail(f"{method}: HTTP status {status}", hint="check the URL and its key")

    def _raise_answered_error(self, method: str, error: object, status: int, headers: Message) -> NoReturn:
        code, message, data = error_parts(error)
        text = self.text(f"{method}: {message} (code {code})")
        if method in {"eth_call", "eth_estimateGas"} and (code == 3 or _REVERTED.search(message)):
            raise RevertedError(text, data)
        if code in {-32601, -32004} or _METHOD_MISSING.search(message):
            raise MethodMissingError(text, hint="this step needs a node that offers the method")
        if status == 429 or code == 429 or _RATE_LIMITED.search(message):
            raise _BusyError(text, hint="the provider limits requests", wait_seconds=_retry_after(headers))
        if method == "eth_getLogs":
            # Providers word their limits in a hundred ways: less is tried, then this is raised.
            raise TooMuchError(text, is_about_the_question=True)
        if method == "eth_call" and code not in _UNANSWERABLE and not _NOT_OF_THE_CODE.search(message):
            raise CallFailedError(text, is_about_the_question=True)
        raise RpcError(text, is_about_the_question=True)


class Answer(Struct, Generic[V]):
    """Of JSON-RPC, with a result of a shape that is expected."""

    id: Any = None
    result: V | UnsetType = UNSET
    error: Any = UNSET


_ANY: Final = Answer[Raw]
"""The result is taken apart by whoever knows its shape."""


def decode_quantity(result: Raw) -> int:
    """Raises ValueError."""
    return parse_quantity(decode(result))


def _decoded(body: bytes | bytearray | Raw, shape: Any) -> Any:  # noqa: ANN401 - of that shape
    """None for what has another one."""
    try:
        return decode(body, type=shape)
    except (ValueError, RecursionError):
        return None


def _retry_after(headers: Message) -> float:
    value = headers.get("retry-after", "")
    return min(float(value), MAX_RETRY_AFTER_SECONDS) if value.isascii() and value.isdigit() else 0.0
