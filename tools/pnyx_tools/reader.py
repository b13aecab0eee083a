"""The seam for reading a chain.

`rpc.Rpc` (no web3) is what verify and signer use; `chain.Chain` (web3 for sending) is what the daemon uses;
`testing.fake_reader.FakeReader` answers from memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar, runtime_checkable

from msgspec import Struct

from pnyx_contracts.errors import PnyxError, UnreachableError
from pnyx_contracts.governors import Read
from pnyx_contracts.types import BlockRef, Log

T = TypeVar("T")


class LogItem(Struct, frozen=True, gc=False, rename="camel"):
    """A log as JSON-RPC words it, in `eth_getLogs` and in receipts. `wire.parse_log` makes a `Log` of it."""

    address: str
    topics: tuple[str, ...]
    data: str
    block_number: str
    block_hash: str
    transaction_hash: str
    log_index: str
    removed: bool | None = None


class Located(Protocol):
    """Whatever was read from a log, and where it stands."""

    @property
    def block_number(self) -> int: ...

    @property
    def log_index(self) -> int: ...

    @property
    def transaction_hash(self) -> bytes: ...


L = TypeVar("L", bound=Located)

BlockId = int | str
"""A block number, ``0x``-hash of 32 bytes, or a tag: ``latest``, ``safe``, ``finalized``."""

Topics = Sequence[bytes | Sequence[bytes] | None]
"""As in ``eth_getLogs``: one place per topic; None matches all, a sequence matches any of its members."""


Question = tuple[str, Sequence[Any]]
"""A JSON-RPC method and its parameters."""


class RevertedError(PnyxError):
    """An ``eth_call`` reverted. `data` is the revert data, empty when the node gave none."""

    def __init__(self, message: str, data: bytes = b"") -> None:
        super().__init__(message)
        self.data = data


class MethodMissingError(PnyxError):
    """The node does not offer this JSON-RPC method (code -32601 or like). What needs it is skipped, with the reason."""


class RpcError(UnreachableError):
    """The node answered with an error that is neither a revert nor a missing method, or did not answer.

    `is_about_the_question`: it answered as a node does that is well, only not what was hoped for (it lacks a block, or
    the range is too wide). `wait_seconds`: for so long it wants not to be asked.
    """

    def __init__(
        self, message: str, *, hint: str = "", is_about_the_question: bool = False, wait_seconds: float = 0.0
    ) -> None:
        super().__init__(message, hint=hint)
        self.is_about_the_question = is_about_the_question
        self.wait_seconds = wait_seconds


class WrongChainError(RpcError):
    """The endpoint serves another chain than the one that it is asked for. A fault like any other: it may be a load
    balancer's, and over in a moment.
    """

    def __init__(self, endpoint: str, found: int, expected: int) -> None:
        super().__init__(
            f"{endpoint} serves chain {found}, expected is chain {expected}",
            hint="correct chain.rpc or chain.chain_id; an endpoint that was right before is asked again",
        )


class TooManyRequestsError(RpcError):
    """The node gives so little at once that a question would take more requests than it is worth."""

    def __init__(self, message: str) -> None:
        super().__init__(message, hint="use an endpoint that gives more blocks at once", is_about_the_question=True)


class ReorganisedError(RpcError):
    """A block that was there a moment ago is not on the chain any more: what was read at it is read at another one."""

    def __init__(self, message: str) -> None:
        super().__init__(message, hint="gather the facts again at a new block", is_about_the_question=True)


class ChainReader(Protocol):
    """Read-only view of one chain."""

    def chain_id(self) -> int: ...

    def block(self, block: BlockId = "latest") -> BlockRef: ...

    def code(self, address: str, block: BlockId = "latest") -> bytes: ...

    def balance(self, address: str, block: BlockId = "latest") -> int:
        """In wei."""
        ...

    def storage(self, address: str, slot: int, block: BlockId = "latest") -> bytes:
        """32 bytes."""
        ...

    def call(self, to: str, data: bytes, block: BlockId = "latest", *, sender: str | None = None) -> bytes:
        """``eth_call``. Raises `RevertedError`."""
        ...

    def read(self, read: Read[T], block: BlockId = "latest") -> T:
        """`call`, then the read's own decoding."""
        ...

    def logs(
        self,
        from_block: int,
        to_block: int,
        topics: Topics,
        addresses: Sequence[str] | None = None,
        most_requests: int | None = None,
    ) -> list[Log]:
        """Inclusive range, in chain order. Refused ranges are halved; an error is never an empty answer.

        Raises `TooManyRequestsError` when the node refuses so often that it would take more than `most_requests`.
        """
        ...

    def read_logs(
        self,
        read: Callable[[LogItem], L],
        from_block: int,
        to_block: int,
        topics: Topics,
        addresses: Sequence[str] | None = None,
    ) -> list[L]:
        """As `logs`, but each in the form that `read` gives it: for those who read a hundred thousand. `read` raises
        ValueError for what is no log at all.
        """
        ...

    def receipt(self, transaction_hash: bytes) -> dict[str, Any] | None:
        """The raw JSON receipt, None while the transaction is not mined."""
        ...

    def transaction(self, transaction_hash: bytes) -> dict[str, Any] | None: ...

    def nonce(self, address: str, block: BlockId = "latest") -> int: ...

    def request(self, method: str, params: Sequence[Any]) -> Any:  # noqa: ANN401 - JSON as the node gave it
        """Any other method, for example ``eth_simulateV1``. `MethodMissingError`, `RevertedError`, `RpcError`."""
        ...


@runtime_checkable
class AsksTogether(Protocol):
    """A reader that puts many questions into one request."""

    def ask_together(self, questions: Sequence[Question]) -> list[Any | RevertedError | None]:
        """The answers, as the node gave them, in the order of `questions`. None is no answer: what went wrong with that
        question is for a request of its own to find out. Raises `RpcError` when there is no answer at all.
        """
        ...
