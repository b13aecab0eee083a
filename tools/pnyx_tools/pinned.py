"""Reads of fixed blocks, each asked of the node once, and many of them in one request.

A check asks for hundreds of things per record, most of them one after another, though few depend on one another. So
whoever knows what will be asked next says so with `ask_ahead`; the reads themselves, their order and their errors stay
where they are, and find the answers here. With any other reader `ask_ahead` does nothing.

Kept is what a block says for ever: code, storage, calls, logs, and blocks themselves. Not kept: what fails (only a
revert is an answer), no logs at all, what is asked of "latest" and its like, and balances: who asks for one may want to
know whether the node is there. Who looks once at how many things stand now says that the latest block stands meanwhile.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeVar

from msgspec.json import decode, encode

from pnyx_contracts.governors import Read
from pnyx_contracts.types import BlockRef, Log, to_hex
from pnyx_tools.fork import Fork
from pnyx_tools.reader import AsksTogether, BlockId, ChainReader, L, LogItem, RevertedError, RpcError, Topics
from pnyx_tools.wire import address_param, block_param, is_block_hash, parse_data, parse_word

T = TypeVar("T")
K = TypeVar("K", bound="Key")

MOST_ANSWERS: Final = 512
MOST_BYTES: Final = 64 * 2**10
"""Of one answer that is kept. Both together bound what this takes of memory."""

MOST_SEARCHES: Final = 8
"""For logs, of which the answers are kept: several look at the same past of one proposal, one after another."""


@dataclass(frozen=True, slots=True)
class CallOf:
    """An ``eth_call``."""

    to: str
    data: bytes
    block: BlockId
    sender: str | None = None

    def asked(self) -> tuple[str, list[Any]]:
        call = {"to": address_param(self.to), "data": to_hex(self.data)}
        if self.sender is not None:
            call["from"] = address_param(self.sender)
        return "eth_call", [call, block_param(self.block)]

    parse = staticmethod(parse_data)


@dataclass(frozen=True, slots=True)
class CodeOf:
    """The code at an address."""

    address: str
    block: BlockId

    def asked(self) -> tuple[str, list[Any]]:
        return "eth_getCode", [address_param(self.address), block_param(self.block)]

    parse = staticmethod(parse_data)


@dataclass(frozen=True, slots=True)
class StorageOf:
    """The word in one slot."""

    address: str
    slot: int
    block: BlockId

    def asked(self) -> tuple[str, list[Any]]:
        return "eth_getStorageAt", [address_param(self.address), hex(self.slot), block_param(self.block)]

    parse = staticmethod(parse_word)


@dataclass(frozen=True, slots=True)
class RequestOf:
    """An ``eth_call`` that calls nobody: it runs code of its own. Not asked ahead."""

    params: bytes
    block: BlockId


@dataclass(frozen=True, slots=True)
class BlockAt:
    """Which block it is."""

    block: BlockId


Question = CallOf | CodeOf | StorageOf
Key = Question | RequestOf | BlockAt


def reads_of(reads: Iterable[Read[Any]], block: BlockId) -> list[CallOf]:
    """The questions behind reads."""
    return [CallOf(read.to, read.data, block) for read in reads]


def pinned(reader: ChainReader) -> PinnedReader:
    """The reader itself, where it is one."""
    return reader if isinstance(reader, PinnedReader) else PinnedReader(reader)


def afresh(reader: ChainReader) -> ChainReader:
    """For whoever wants to know whether an answer is still the same."""
    return reader.behind if isinstance(reader, PinnedReader) else reader


def fork_behind(reader: ChainReader) -> Fork | None:
    """Where to simulate what the endpoint cannot; None when there is no such place."""
    return reader.fork if isinstance(reader, PinnedReader) else None


def other_chain_behind(reader: ChainReader, chain_id: int) -> ChainReader | None:
    """Where to look at another chain; None when there is no such place."""
    return reader.others.get(chain_id) if isinstance(reader, PinnedReader) else None


def ask_ahead(reader: ChainReader, questions: Sequence[Question]) -> None:
    """What will be asked next, in any order."""
    if isinstance(reader, PinnedReader):
        reader.ask_ahead(questions)


class PinnedReader:
    """A `ChainReader` around another one, for as long as one check, or one look, takes. Threads may share it."""

    def __init__(
        self,
        reader: ChainReader,
        *,
        latest_stands: bool = False,
        most_answers: int = MOST_ANSWERS,
        fork: Fork | None = None,
        others: Mapping[int, ChainReader] = MappingProxyType({}),
    ) -> None:
        """`latest_stands`: what is asked of "latest" is kept too, so that no answer is newer than the first one's.
        `others`: where to look at other chains, by their ids.
        """
        self.behind = reader
        self.fork = fork
        self.others = others
        self._latest_stands = latest_stands
        self._most_answers = most_answers
        self._answers: OrderedDict[Key, Any] = OrderedDict()
        """What was asked for, or the `RevertedError` in its place."""
        self._logs: OrderedDict[tuple[int, int, bytes], list[Log]] = OrderedDict()
        self._chain_id: int | None = None
        self._asked: dict[Key, threading.Event] = {}
        """What is being asked right now: who wants to know the same waits for that answer."""
        self._lock = threading.Lock()
        """Held while answers are looked up and kept, not while they are waited for."""
        self._search = threading.Lock()
        """Held during a search for logs: who looks for the same at the same time finds what the first one found."""

    def ask_ahead(self, questions: Sequence[Question]) -> None:
        """In one request, where the node takes such requests. What it does not answer is asked alone later, and raised
        then.
        """
        if not isinstance(self.behind, AsksTogether) or not all(self._stands(q.block) for q in questions):
            return
        with self._asking(questions, fewest=2) as wanted:
            if wanted:
                self._ask_together(self.behind, wanted)

    def _ask_together(self, behind: AsksTogether, wanted: Sequence[Question]) -> None:
        try:
            answers = behind.ask_together([question.asked() for question in wanted])
        except RpcError:
            return
        for question, answer in zip(wanted, answers, strict=True):
            if isinstance(answer, RevertedError):
                self._keep(question, answer)
            elif answer is not None:
                try:
                    self._keep(question, question.parse(answer))
                except (ValueError, TypeError):
                    continue  # malformed: asked alone, and said so

    @contextmanager
    def _asking(self, keys: Iterable[K], fewest: int = 1) -> Iterator[list[K]]:
        """Those of `keys` that are neither known nor asked by another thread; none where these are too few."""
        with self._lock:
            wanted = [key for key in dict.fromkeys(keys) if key not in self._answers and key not in self._asked]
            wanted = wanted if len(wanted) >= fewest else []
            done = threading.Event()
            self._asked.update((key, done) for key in wanted)
        try:
            yield wanted
        finally:
            with self._lock:
                for key in wanted:
                    del self._asked[key]
            done.set()

    # --- kept --------------------------------------------------------------------------------------------------------

    def chain_id(self) -> int:
        if self._chain_id is None:
            self._chain_id = self.behind.chain_id()
        return self._chain_id

    def block(self, block: BlockId = "latest") -> BlockRef:
        found = self._once(BlockAt(block), lambda: self.behind.block(block))
        for name in (found.number, to_hex(found.hash)):
            self._keep(BlockAt(name), found)
        return found

    def code(self, address: str, block: BlockId = "latest") -> bytes:
        return self._once(CodeOf(address, block), lambda: self.behind.code(address, block))

    def storage(self, address: str, slot: int, block: BlockId = "latest") -> bytes:
        return self._once(StorageOf(address, slot, block), lambda: self.behind.storage(address, slot, block))

    def call(self, to: str, data: bytes, block: BlockId = "latest", *, sender: str | None = None) -> bytes:
        return self._once(CallOf(to, data, block, sender), lambda: self.behind.call(to, data, block, sender=sender))

    def read(self, read: Read[T], block: BlockId = "latest") -> T:
        return read.decode(self.call(read.to, read.data, block))

    def request(self, method: str, params: Sequence[Any]) -> Any:  # noqa: ANN401 - JSON as the node gave it
        block = params[1] if method == "eth_call" and len(params) > 1 else None
        if not isinstance(block, dict) or "blockHash" not in block:
            return self.behind.request(method, params)
        key = RequestOf(encode(params), block["blockHash"])
        return decode(self._once(key, lambda: encode(self.behind.request(method, params))))

    def _once(self, key: Key, ask: Callable[[], T]) -> T:
        if not self._stands(key.block):
            return ask()
        answer: T | RevertedError | None
        while (answer := self._known(key)) is None:
            with self._asking([key]) as mine:
                if mine:
                    answer = _answer(ask)
                    self._keep(key, answer)
                    break
        if isinstance(answer, RevertedError):
            raise RevertedError(answer.message, answer.data)
        return answer

    def _known(self, key: Key) -> Any:  # noqa: ANN401 - of any kind of question
        """Also what another thread is asking for."""
        with self._lock:
            asked = self._asked.get(key)
        if asked is not None:
            asked.wait()
        with self._lock:
            answer = self._answers.get(key)
            if answer is not None:
                self._answers.move_to_end(key)
            return answer

    def _keep(self, key: Key, answer: object) -> None:
        size = len(answer) if isinstance(answer, bytes) else len(getattr(answer, "data", b""))
        if size > MOST_BYTES:
            return
        with self._lock:
            self._answers[key] = answer
            if len(self._answers) > self._most_answers:
                self._answers.popitem(last=False)

    def _stands(self, block: BlockId) -> bool:
        return isinstance(block, int) or is_block_hash(block) or (self._latest_stands and block == "latest")

    # --- passed on ---------------------------------------------------------------------------------------------------

    def balance(self, address: str, block: BlockId = "latest") -> int:
        return self.behind.balance(address, block)

    def logs(
        self,
        from_block: int,
        to_block: int,
        topics: Topics,
        addresses: Sequence[str] | None = None,
        most_requests: int | None = None,
    ) -> list[Log]:
        key = (from_block, to_block, encode([topics, addresses]))
        with self._search:
            if key not in self._logs:
                found = self.behind.logs(from_block, to_block, topics, addresses, most_requests)
                if not found:
                    return []  # the next of the nodes behind the endpoint may know better
                self._logs[key] = found
                if len(self._logs) > MOST_SEARCHES:
                    self._logs.popitem(last=False)
            return list(self._logs[key])

    def read_logs(
        self,
        read: Callable[[LogItem], L],
        from_block: int,
        to_block: int,
        topics: Topics,
        addresses: Sequence[str] | None = None,
    ) -> list[L]:
        return self.behind.read_logs(read, from_block, to_block, topics, addresses)

    def receipt(self, transaction_hash: bytes) -> dict[str, Any] | None:
        return self.behind.receipt(transaction_hash)

    def transaction(self, transaction_hash: bytes) -> dict[str, Any] | None:
        return self.behind.transaction(transaction_hash)

    def nonce(self, address: str, block: BlockId = "latest") -> int:
        return self.behind.nonce(address, block)


def _answer(ask: Callable[[], T]) -> T | RevertedError:
    try:
        return ask()
    except RevertedError as error:
        return error
