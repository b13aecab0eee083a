"""Several endpoints of one chain as one reader: whoever fails, lags, limits or serves another chain is passed over.

One endpoint is asked as long as it is well, so that answers come from one view of the chain. When it fails, the next
one is asked the same at once; the one that failed rests, longer each time, at least for as long as it asked for. No
answer of another chain is believed (see `transport`). An endpoint that is behind what others have shown is asked last.

`others` are the endpoints beside the one that is asked now, for whoever wants to hear two; whoever finds that the one
that is asked is alone with what it says distrusts it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Self, TypeVar

from pnyx_contracts.errors import UsageError
from pnyx_contracts.governors import Read
from pnyx_contracts.types import BlockRef, Log
from pnyx_tools.reader import (
    BlockId,
    L,
    LogItem,
    MethodMissingError,
    Question,
    RevertedError,
    RpcError,
    Topics,
    WrongChainError,
)
from pnyx_tools.rpc import Rpc
from pnyx_tools.wire import parse_quantity

T = TypeVar("T")

LONGEST_REST_SECONDS: Final = 60.0
WRONG_CHAIN_REST_SECONDS: Final = 600.0
DISTRUSTED_SECONDS: Final = 600.0
LAG_BLOCKS: Final = 3
"""An endpoint further behind than this is asked last."""
STILL_SECONDS: Final = 30.0
"""When the head stands still for so long, the others are asked for theirs."""
LATENCY_SHARE: Final = 0.2
"""Weight of the newest answer in the mean."""

logger = logging.getLogger("pnyx.endpoints")


@dataclass(slots=True)
class Endpoint:
    """One of them, and how it has been."""

    rpc: Rpc
    failures: int = 0
    """In a row."""
    rests_until: float = 0.0
    latency_seconds: float = 0.0
    """Moving mean of its answers."""
    head: int = 0
    """The highest block that it called its latest."""
    moved_at: float = 0.0
    """When that changed."""

    @property
    def name(self) -> str:
        return self.rpc.display_url


@dataclass(frozen=True, slots=True)
class Health:
    """How one endpoint is: for metrics and `pnyx doctor`."""

    name: str
    rests: bool
    failures: int
    latency_seconds: float
    lag_blocks: int


@dataclass(slots=True)
class Circle:
    """The endpoints that pools share. `chain_id` None: that of the first one that answers."""

    endpoints: tuple[Endpoint, ...]
    chain_id: int | None
    clock: Callable[[], float]
    current: Endpoint
    looked_at: float = 0.0
    """When the others were asked for their heads, because the current one stood still."""
    outvoted: dict[str, str] = field(default_factory=dict)
    """Whom two others contradicted, and about what."""
    lock: threading.RLock = field(default_factory=threading.RLock)


class Pool:
    """A `ChainReader` over one or more URLs. Safe to share between threads."""

    def __init__(self, circle: Circle, only: Endpoint | None = None) -> None:
        """With `only`, no other one is asked."""
        self._circle = circle
        self._only = only

    @classmethod
    def of(
        cls,
        urls: Sequence[str],
        chain_id: int | None = None,
        timeout_seconds: float = 30,
        clock: Callable[[], float] = time.monotonic,
    ) -> Self:
        """Raises `UsageError` for URLs that are none, or the same twice."""
        if not urls or len(set(urls)) != len(urls):
            raise UsageError("expected one or more different RPC endpoints")
        # With another one at hand, waiting for the first is a waste of time.
        pauses = None if len(urls) == 1 else ()
        endpoints = tuple(Endpoint(Rpc(url, timeout_seconds, pauses=pauses, chain_id=chain_id)) for url in urls)
        return cls(Circle(endpoints, chain_id, clock, endpoints[0]))

    @property
    def council(self) -> Self | None:
        """See `follow.Council`; None where there is only one endpoint."""
        return self if len(self._circle.endpoints) > 1 else None

    def others(self) -> list[Pool]:
        """Those that are well now, beside the one that is asked, each alone."""
        circle = self._circle
        with circle.lock:
            now = circle.clock()
            awake = [e for e in circle.endpoints if e is not circle.current and e.rests_until <= now]
            return [Pool(circle, only=endpoint) for endpoint in self._sorted(awake)]

    def distrust(self, why: str) -> None:
        """The one that is asked now contradicts two others that agree: it is asked last for ten minutes."""
        circle = self._circle
        with circle.lock:
            circle.current.rests_until = circle.clock() + DISTRUSTED_SECONDS
            number = circle.endpoints.index(circle.current) + 1
            circle.outvoted[f"{number} ({circle.current.name})"] = why
        logger.warning("an endpoint is alone with what it says, and rests", extra={"endpoint": circle.current.name})

    def outvoted(self) -> dict[str, str]:
        """Who was distrusted since this was asked last, and why. By number and name."""
        circle = self._circle
        with circle.lock:
            outvoted, circle.outvoted = circle.outvoted, {}
        return outvoted

    @property
    def display_url(self) -> str:
        """Of the endpoint that is asked now. Scheme and host only."""
        return self._circle.current.name

    def health(self) -> list[Health]:
        circle, now = self._circle, self._circle.clock()
        best = max(endpoint.head for endpoint in circle.endpoints)
        return [
            Health(e.name, e.rests_until > now, e.failures, e.latency_seconds, best - e.head if e.head else 0)
            for e in circle.endpoints
        ]

    def close(self) -> None:
        for endpoint in self._circle.endpoints:
            endpoint.rpc.close()

    # --- asking ------------------------------------------------------------------------------------------------------

    def ask(self, work: Callable[[Rpc], T]) -> T:
        """What the first endpoint that can says. A revert is an answer; a method that one lacks, another may have.

        Raises the last error when none can.
        """
        missing: MethodMissingError | None = None
        failed: RpcError | None = None
        for endpoint in self._in_turn():
            try:
                return self._ask_one(endpoint, work)
            except MethodMissingError as error:
                missing = error
            except RpcError as error:
                failed = error
        failure = missing or failed
        assert failure is not None, "there is always one to ask"
        raise failure

    def _in_turn(self) -> list[Endpoint]:
        """Those that are well first, those that lag behind them; one that rests only when no other is left."""
        if self._only is not None:
            return [self._only]
        circle = self._circle
        with circle.lock:
            now = circle.clock()
            awake = [e for e in circle.endpoints if e.rests_until <= now]
            return self._sorted(awake or circle.endpoints)

    def _sorted(self, endpoints: Sequence[Endpoint]) -> list[Endpoint]:
        circle = self._circle
        best = max(endpoint.head for endpoint in circle.endpoints)
        return sorted(
            endpoints,
            key=lambda e: (best - e.head > LAG_BLOCKS, e is not circle.current, e.failures > 0, e.latency_seconds),
        )

    def _ask_one(self, endpoint: Endpoint, work: Callable[[Rpc], T]) -> T:
        begun = self._circle.clock()
        try:
            self._agree_on_chain(endpoint)
            answer = work(endpoint.rpc)
        except (RevertedError, MethodMissingError):
            raise
        except RpcError as error:
            if not error.is_about_the_question:
                self._let_rest(endpoint, error)
            raise
        self._note_well(endpoint, self._circle.clock() - begun)
        return answer

    def _agree_on_chain(self, endpoint: Endpoint) -> None:
        """Where nobody said which chain it is, the first answer does, for all of them."""
        if self._circle.chain_id is None:
            chain_id = endpoint.rpc.chain_id()
            with self._circle.lock:
                self._circle.chain_id = self._circle.chain_id or chain_id
                for each in self._circle.endpoints:
                    each.rpc.believe_only(self._circle.chain_id)

    def _let_rest(self, endpoint: Endpoint, error: RpcError) -> None:
        circle = self._circle
        with circle.lock:
            endpoint.failures += 1
            seconds = min(2.0 ** (endpoint.failures - 1), LONGEST_REST_SECONDS)
            if isinstance(error, WrongChainError):
                seconds = WRONG_CHAIN_REST_SECONDS
            endpoint.rests_until = circle.clock() + max(seconds, error.wait_seconds)
        if len(circle.endpoints) > 1:
            logger.warning(
                "an endpoint rests", extra={"endpoint": endpoint.name, "seconds": seconds, "error": error.message}
            )

    def _note_well(self, endpoint: Endpoint, seconds: float) -> None:
        circle = self._circle
        with circle.lock:
            if endpoint.failures:
                logger.info("an endpoint is well again", extra={"endpoint": endpoint.name})
            endpoint.failures, endpoint.rests_until = 0, 0.0
            mean = endpoint.latency_seconds or seconds
            endpoint.latency_seconds = mean + LATENCY_SHARE * (seconds - mean)
            if self._only is None and circle.current is not endpoint:
                logger.warning("another endpoint is asked", extra={"endpoint": endpoint.name})
                circle.current = endpoint

    def _note_head(self, rpc: Rpc, number: int) -> None:
        circle = self._circle
        with circle.lock:
            endpoint, now = next(e for e in circle.endpoints if e.rpc is rpc), circle.clock()
            if number > endpoint.head:
                endpoint.head, endpoint.moved_at = number, now
                return
            if endpoint is not circle.current or now - max(endpoint.moved_at, circle.looked_at) < STILL_SECONDS:
                return
            circle.looked_at = now
            others = [e for e in circle.endpoints if e is not endpoint and e.rests_until <= now]
        for other in others:
            with suppress(RpcError, MethodMissingError):
                other.head = max(other.head, self._ask_quietly(other))

    def _ask_quietly(self, endpoint: Endpoint) -> int:
        """Its latest block, whatever becomes of the one that is asked now."""
        try:
            return endpoint.rpc.block("latest").number
        except RpcError as error:
            self._let_rest(endpoint, error)
            raise

    # --- ChainReader -------------------------------------------------------------------------------------------------

    def chain_id(self) -> int:
        """Raises `WrongChainError` when none serves ours."""
        return self.ask(Rpc.chain_id)

    def block(self, block: BlockId = "latest") -> BlockRef:
        def work(rpc: Rpc) -> BlockRef:
            found = rpc.block(block)
            if block == "latest":
                self._note_head(rpc, found.number)
            return found

        return self.ask(work)

    def code(self, address: str, block: BlockId = "latest") -> bytes:
        return self.ask(lambda rpc: rpc.code(address, block))

    def balance(self, address: str, block: BlockId = "latest") -> int:
        return self.ask(lambda rpc: rpc.balance(address, block))

    def storage(self, address: str, slot: int, block: BlockId = "latest") -> bytes:
        return self.ask(lambda rpc: rpc.storage(address, slot, block))

    def call(self, to: str, data: bytes, block: BlockId = "latest", *, sender: str | None = None) -> bytes:
        return self.ask(lambda rpc: rpc.call(to, data, block, sender=sender))

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
        return self.ask(lambda rpc: rpc.logs(from_block, to_block, topics, addresses, most_requests))

    def read_logs(
        self,
        read: Callable[[LogItem], L],
        from_block: int,
        to_block: int,
        topics: Topics,
        addresses: Sequence[str] | None = None,
    ) -> list[L]:
        return self.ask(lambda rpc: rpc.read_logs(read, from_block, to_block, topics, addresses))

    def receipt(self, transaction_hash: bytes) -> dict[str, Any] | None:
        return self.ask(lambda rpc: rpc.receipt(transaction_hash))

    def transaction(self, transaction_hash: bytes) -> dict[str, Any] | None:
        return self.ask(lambda rpc: rpc.transaction(transaction_hash))

    def nonce(self, address: str, block: BlockId = "latest") -> int:
        return self.ask(lambda rpc: rpc.nonce(address, block))

    def request(self, method: str, params: Sequence[Any]) -> Any:  # noqa: ANN401 - JSON as the node gave it
        def work(rpc: Rpc) -> object:
            answer = rpc.request(method, params)
            if method == "eth_getBlockByNumber" and params[:1] == ["latest"] and isinstance(answer, dict):
                with suppress(ValueError, KeyError):
                    self._note_head(rpc, parse_quantity(answer["number"]))
            return answer

        return self.ask(work)

    def ask_together(self, questions: Sequence[Question]) -> list[Any | RevertedError | None]:
        """See `Rpc.ask_together`."""
        return self.ask(lambda rpc: rpc.ask_together(questions))
