"""Several endpoints of one chain as one `ChainReader`: so many of them must say the same before it is believed.

Every read is of one block, and each answer counts for those who give it too. Silence is no answer, nor is a method that
a node does not have; two that contradict each other are told with their names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from pnyx_contracts.errors import PnyxError, UnreachableError, UsageError
from pnyx_contracts.governors import Read
from pnyx_contracts.types import BlockRef, Log
from pnyx_tools.endpoints import Pool
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
from pnyx_tools.rpc import Rpc
from pnyx_tools.wire import is_block_hash

T = TypeVar("T")


class DisagreementError(UnreachableError):
    """Endpoints that contradict each other. Nothing is concluded from either. No `RpcError`: a step that cannot run is
    skipped, and a lie must not decide which ones are.
    """


def reader_of(urls: Sequence[str], chain_id: int, needed: int) -> Pool | Quorum:
    """The endpoints as one reader: whoever is well answers, or `needed` of them must say the same."""
    return Pool.of(urls, chain_id) if needed == 1 else Quorum([Rpc(url, chain_id=chain_id) for url in urls], needed)


@dataclass(frozen=True, slots=True)
class _Said(Generic[T]):
    """What one endpoint answered; a revert is an answer too."""

    reader: ChainReader
    answer: T | RevertedError
    essence: object
    """What must be equal for two answers to be the same."""


class Quorum:
    """Implements `pnyx_tools.reader.ChainReader`. Safe to share between threads, as its readers are."""

    def __init__(self, readers: Sequence[ChainReader], needed: int) -> None:
        """Raises `UsageError` when there are fewer readers than are needed."""
        if not 1 < needed <= len(readers):
            raise UsageError(f"{needed} of {len(readers)} endpoints cannot agree", hint="name more, or need fewer")
        self._readers = tuple(readers)
        self._needed = needed
        self._outvoted: dict[str, str] = {}

    def outvoted(self) -> dict[str, str]:
        """Who contradicted those that were enough, since this was asked last, and about what. By number and name."""
        outvoted, self._outvoted = self._outvoted, {}
        return outvoted

    def chain_id(self) -> int:
        return self._agreed("the chain id", lambda reader: reader.chain_id())

    def block(self, block: BlockId = "latest") -> BlockRef:
        """A tag is the highest block that enough endpoints have reached."""
        at = self._fixed(block)
        return self._agreed(f"block {at}", lambda reader: reader.block(at))

    def code(self, address: str, block: BlockId = "latest") -> bytes:
        at = self._fixed(block)
        return self._agreed(f"the code of {address}", lambda reader: reader.code(address, at))

    def balance(self, address: str, block: BlockId = "latest") -> int:
        at = self._fixed(block)
        return self._agreed(f"the balance of {address}", lambda reader: reader.balance(address, at))

    def storage(self, address: str, slot: int, block: BlockId = "latest") -> bytes:
        at = self._fixed(block)
        return self._agreed(f"the storage of {address}", lambda reader: reader.storage(address, slot, at))

    def call(self, to: str, data: bytes, block: BlockId = "latest", *, sender: str | None = None) -> bytes:
        at = self._fixed(block)
        return self._agreed(f"a call of {to}", lambda reader: reader.call(to, data, at, sender=sender))

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
        return self._agreed(
            f"the logs of blocks {from_block} to {to_block}",
            lambda reader: reader.logs(from_block, to_block, topics, addresses, most_requests),
        )

    def read_logs(
        self,
        read: Callable[[LogItem], L],
        from_block: int,
        to_block: int,
        topics: Topics,
        addresses: Sequence[str] | None = None,
    ) -> list[L]:
        what = f"the logs of blocks {from_block} to {to_block}"
        return self._agreed(what, lambda reader: reader.read_logs(read, from_block, to_block, topics, addresses))

    def receipt(self, transaction_hash: bytes) -> dict[str, Any] | None:
        what = f"the receipt of 0x{transaction_hash.hex()}"
        return self._agreed(what, lambda reader: reader.receipt(transaction_hash), _of_transaction)

    def transaction(self, transaction_hash: bytes) -> dict[str, Any] | None:
        what = f"transaction 0x{transaction_hash.hex()}"
        return self._agreed(what, lambda reader: reader.transaction(transaction_hash), _of_transaction)

    def nonce(self, address: str, block: BlockId = "latest") -> int:
        at = self._fixed(block)
        return self._agreed(f"the nonce of {address}", lambda reader: reader.nonce(address, at))

    def request(self, method: str, params: Sequence[Any]) -> Any:  # noqa: ANN401 - JSON as the node gave it
        essence = _ESSENCES.get(method, _as_said)
        return self._agreed(method, lambda reader: reader.request(method, params), essence)

    def ask_together(self, questions: Sequence[Question]) -> list[Any | RevertedError | None]:
        """What the first readers that are enough say alike; whatever they do not is no answer."""
        first = self._readers[: self._needed]
        said = [reader.ask_together(questions) for reader in first if isinstance(reader, AsksTogether)]
        if len(said) < self._needed:
            return [None] * len(questions)
        return [_alike(answers) for answers in zip(*said, strict=True)]

    # --- asking ------------------------------------------------------------------------------------------------------

    def _fixed(self, block: BlockId) -> BlockId:
        """A tag means another block on every node, and in every moment."""
        if isinstance(block, int) or is_block_hash(block):
            return block
        reached: list[int] = []
        failures: list[PnyxError] = []
        for reader in self._readers:
            try:
                reached.append(reader.block(block).number)
            except UnreachableError as error:
                failures.append(error)
        if len(reached) < self._needed:
            raise self._too_few(f"block {block}", failures)
        return sorted(reached, reverse=True)[self._needed - 1]

    def _agreed(
        self, what: str, ask: Callable[[ChainReader], T], essence: Callable[[T], object] = lambda answer: answer
    ) -> T:
        said: list[_Said[T]] = []
        failures: list[PnyxError] = []
        for reader in self._readers:
            try:
                said.append(_asked(reader, ask, essence))
            except (UnreachableError, MethodMissingError) as error:
                failures.append(error)
                continue
            same = [other for other in said if other.essence == said[-1].essence]
            if len(same) >= self._needed:
                self._note_outvoted(what, [each for each in said if each.essence not in (None, same[0].essence)])
                return _result(same[0])
        if len(said) >= self._needed:
            raise _contradiction(what, said)
        raise self._too_few(what, failures)

    def _note_outvoted(self, what: str, alone: Sequence[_Said[Any]]) -> None:
        """Whoever has nothing yet (no receipt, no transaction) contradicts nobody."""
        self._outvoted |= {f"{self._readers.index(one.reader) + 1} ({_name(one.reader)})": what for one in alone}

    def _too_few(self, what: str, failures: Sequence[PnyxError]) -> PnyxError:
        """A method that is missing is a step that cannot run; whatever else went wrong may be over in a moment."""
        told = "; ".join(failure.message for failure in failures)
        message = f"{self._needed} of {len(self._readers)} endpoints must answer for {what}: {told}"
        if all(isinstance(failure, MethodMissingError) for failure in failures):
            return MethodMissingError(message, hint="this step needs nodes that offer the method")
        return RpcError(message, hint="check the endpoints")


def _asked(reader: ChainReader, ask: Callable[[ChainReader], T], essence: Callable[[T], object]) -> _Said[T]:
    try:
        answer = ask(reader)
    except RevertedError as reverted:
        return _Said(reader, reverted, (RevertedError, reverted.data))
    return _Said(reader, answer, essence(answer))


def _result(said: _Said[T]) -> T:
    if isinstance(said.answer, RevertedError):
        raise said.answer
    return said.answer


def _alike(answers: Sequence[Any | RevertedError | None]) -> Any | RevertedError | None:  # noqa: ANN401 - JSON as the node gave it
    first, *others = (answer.data if isinstance(answer, RevertedError) else _as_said(answer) for answer in answers)
    return answers[0] if all(other == first for other in others) else None


SHOWN_CHARACTERS: Final = 120


def _contradiction(what: str, said: Sequence[_Said[Any]]) -> DisagreementError:
    told = "; ".join(f"{_name(one.reader)} says {str(one.answer)[:SHOWN_CHARACTERS]}" for one in said)
    return DisagreementError(f"endpoints contradict each other about {what}: {told}", hint="one of them lies, or lags")


def _name(reader: ChainReader) -> str:
    return str(getattr(reader, "display_url", type(reader).__name__))


# --- what two nodes must say in the same way -------------------------------------------------------------------------


def _as_said(answer: object) -> object:
    return answer.lower() if isinstance(answer, str) else answer


def _of_transaction(found: dict[str, Any] | None) -> object:
    """Nodes add fields of their own to receipts and transactions."""
    return None if found is None else tuple(_as_said(found.get(name)) for name in _TRANSACTION)


_TRANSACTION: Final = (
    "blockHash", "hash", "transactionHash", "status", "from", "to", "nonce", "value", "contractAddress",
)  # fmt: skip


def _of_receipts(answer: object) -> object:
    if not isinstance(answer, list):
        return answer
    return [(_of_transaction(r), _as_said(r.get("gasUsed")), _who_told(r)) for r in answer if isinstance(r, dict)]


def _who_told(receipt: dict[str, Any]) -> list[object]:
    return [_as_said(log.get("address")) for log in receipt.get("logs") or ()]


def _of_simulation(answer: object) -> object:
    """Success and effects of each call. How an error is worded, and what else is told, differs from node to node."""
    if not isinstance(answer, list):
        return answer
    return [[_effects(call) for call in block.get("calls", ())] for block in answer if isinstance(block, dict)]


def _effects(call: dict[str, Any]) -> object:
    logs = call.get("logs") or ()
    events = [_effects_of_log(log) for log in logs]
    returned = _as_said(call.get("returnData")) if call.get("status") == "0x1" else ""
    return call.get("status"), returned, events


def _effects_of_log(log: dict[str, Any]) -> object:
    return _as_said(log.get("address")), *map(_as_said, log.get("topics", ())), log.get("data")


def _of_trace(answer: object) -> object:
    """Of ``callTracer`` what happened, of ``prestateTracer`` what changed: gas is each node's affair."""
    if not isinstance(answer, dict):
        return answer
    try:
        return _changes_of_state(answer) if "post" in answer else _frame(answer)
    except RecursionError:
        raise RpcError("the trace is too deep to be compared") from None


def _frame(frame: dict[str, Any]) -> object:
    logs, calls = frame.get("logs") or (), frame.get("calls") or ()
    happened = [_as_said(frame.get(name)) for name in ("type", "from", "to", "value", "input")]
    events = [(_effects_of_log(log), _as_said(log.get("position"))) for log in logs]
    failed = "error" in frame
    return happened, failed, "" if failed else _as_said(frame.get("output")), events, [_frame(call) for call in calls]


def _changes_of_state(diff: dict[str, Any]) -> object:
    touched = {
        address.lower(): sorted(account.get("storage") or ()) for address, account in (diff.get("pre") or {}).items()
    }
    return touched, _as_said(diff["post"])


def _of_access_list(answer: object) -> object:
    """Who is reached and what is read there; the order, and gas, are each node's affair."""
    reached = answer.get("accessList") if isinstance(answer, dict) else None
    if not isinstance(reached, list):
        return answer
    return sorted((item["address"].lower(), sorted(item["storageKeys"])) for item in reached)


_ESSENCES = {
    "eth_createAccessList": _of_access_list,
    "eth_simulateV1": _of_simulation,
    "debug_traceCall": _of_trace,
    "debug_traceTransaction": _of_trace,
    "eth_getBlockReceipts": _of_receipts,
}
