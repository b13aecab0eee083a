"""A chain in memory that answers like a node: `ChainReader` for tests of adapters, checks and context tools.

It is honest: what it was not told, it does not know. An unknown block or method is an error, an unknown call reverts,
and an account without code answers a call with nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address
from msgspec import to_builtins
from msgspec.structs import replace

from pnyx_contracts.errors import UsageError
from pnyx_contracts.governors import Read
from pnyx_contracts.types import BlockRef, Bytes32, Log, to_hex
from pnyx_tools.follow.headers import BLOOM_BYTES, bloom_of_logs
from pnyx_tools.reader import BlockId, L, LogItem, MethodMissingError, RevertedError, RpcError, Topics
from pnyx_tools.wire import LogQuery, is_block_hash, item_of, parse_log

T = TypeVar("T")

Answer = bytes | RevertedError | Callable[[bytes], bytes]
"""What a call returns: these bytes, a revert, or whatever a function makes of the calldata."""


@dataclass
class FakeAccount:
    """State of one account; the same at every block."""

    code: bytes = b""
    balance_wei: int = 0
    nonce: int = 0
    storage: dict[int, bytes] = field(default_factory=dict)
    calls: dict[bytes, Answer] = field(default_factory=dict)
    """Answers by whole calldata; a key of four bytes answers every call of that function."""


class FakeReader:
    """Implements `pnyx_tools.reader.ChainReader`. Begins with block 0; `mine` adds blocks, `reorg` replaces some."""

    def __init__(self, chain_id: int = 31337, *, confirmations: int = 0) -> None:
        self._chain_id = chain_id
        self._confirmations = confirmations
        self._accounts: dict[str, FakeAccount] = {}
        self._blocks: list[BlockRef] = []
        self._logs: dict[Bytes32, list[Log]] = {}
        self._forks = 0
        self.receipts: dict[bytes, dict[str, Any]] = {}
        self.transactions: dict[bytes, dict[str, Any]] = {}
        self.methods: dict[str, Callable[..., Any]] = {}
        """Answers to `request` by method name; called with the parameters."""
        self.mine()

    # --- telling it --------------------------------------------------------------------------------------------------

    def account(self, address: str) -> FakeAccount:
        """The account at `address`, to be changed in place."""
        return self._accounts.setdefault(to_checksum_address(address), FakeAccount())

    def answer(self, address: str, call: bytes, answer: Answer) -> None:
        """From now on `call` (whole calldata, or a four-byte selector) at `address` is answered so."""
        account = self.account(address)
        account.code = account.code or b"\xfe"
        account.calls[call] = answer

    def mine(self, *logs: Log) -> BlockRef:
        """A new block with these logs; their block, hash and index are set here."""
        number = len(self._blocks)
        block = BlockRef(
            number=number,
            hash=keccak(f"fake block {self._chain_id} {number} {self._forks}".encode()),
            timestamp=1_700_000_000 + 12 * number,
        )
        self._blocks.append(block)
        self._logs[block.hash] = [
            replace(log, block_number=number, block_hash=block.hash, log_index=index) for index, log in enumerate(logs)
        ]
        return block

    def reorg(self, depth: int) -> None:
        """Drops the last `depth` blocks with their logs; blocks mined from now on have other hashes."""
        if not 0 < depth < len(self._blocks):
            raise UsageError(f"cannot drop {depth} of {len(self._blocks)} blocks")
        del self._blocks[-depth:]
        self._forks += 1

    # --- asking it ---------------------------------------------------------------------------------------------------

    def chain_id(self) -> int:
        return self._chain_id

    def block(self, block: BlockId = "latest") -> BlockRef:
        found = self._find(block)
        if found is None:
            raise RpcError(f"the fake chain does not have block {block}")
        return found

    def code(self, address: str, block: BlockId = "latest") -> bytes:
        return self._at(address, block).code

    def balance(self, address: str, block: BlockId = "latest") -> int:
        return self._at(address, block).balance_wei

    def nonce(self, address: str, block: BlockId = "latest") -> int:
        return self._at(address, block).nonce

    def storage(self, address: str, slot: int, block: BlockId = "latest") -> bytes:
        return self._at(address, block).storage.get(slot, bytes(32))

    def call(
        self,
        to: str,
        data: bytes,
        block: BlockId = "latest",
        *,
        sender: str | None = None,  # noqa: ARG002 - part of the seam
    ) -> bytes:
        account = self._at(to, block)
        if not account.code:
            return b""
        answer = account.calls.get(data, account.calls.get(data[:4]))
        if answer is None or isinstance(answer, RevertedError):
            raise answer or RevertedError(f"{to} was not told how to answer {to_hex(data[:4])}")
        return answer if isinstance(answer, bytes) else answer(data)

    def read(self, read: Read[T], block: BlockId = "latest") -> T:
        return read.decode(self.call(read.to, read.data, block))

    def logs(
        self,
        from_block: int,
        to_block: int,
        topics: Topics,
        addresses: Sequence[str] | None = None,
        most_requests: int | None = None,  # noqa: ARG002 - it refuses nothing
    ) -> list[Log]:
        return self.read_logs(parse_log, from_block, to_block, topics, addresses)

    def read_logs(
        self,
        read: Callable[[LogItem], L],
        from_block: int,
        to_block: int,
        topics: Topics,
        addresses: Sequence[str] | None = None,
    ) -> list[L]:
        self.block(to_block)
        query = LogQuery(topics, addresses)
        blocks = self._blocks[from_block : to_block + 1]
        items = (item_of(log) for block in blocks for log in self._logs[block.hash])
        return [read(item) for item in items if query.stray_among([item]) is None]

    def receipt(self, transaction_hash: bytes) -> dict[str, Any] | None:
        return self.receipts.get(transaction_hash)

    def transaction(self, transaction_hash: bytes) -> dict[str, Any] | None:
        return self.transactions.get(transaction_hash)

    def request(self, method: str, params: Sequence[Any]) -> Any:  # noqa: ANN401 - JSON as the test gave it
        own: dict[str, Callable[..., Any]] = {
            "eth_getBlockByNumber": self.block_in_json,
            "eth_getBlockByHash": self.block_in_json,
            "eth_getLogs": self._logs_in_json,
        }
        answer = self.methods.get(method) or own.get(method)
        if answer is None:
            raise MethodMissingError(f"the fake chain does not offer {method}")
        return answer(*params)

    def block_in_json(self, block: str, _whole: bool = False) -> dict[str, str] | None:
        """As ``eth_getBlockByNumber`` and ``eth_getBlockByHash`` word it."""
        found = self._find(int(block, 16) if block.startswith("0x") and not is_block_hash(block) else block)
        if found is None:
            return None
        parent = self._blocks[found.number - 1].hash if found.number else bytes(32)
        return {
            "number": hex(found.number),
            "hash": to_hex(found.hash),
            "parentHash": to_hex(parent),
            "timestamp": hex(found.timestamp),
            "logsBloom": to_hex(bloom_of_logs(self._logs[found.hash]).to_bytes(BLOOM_BYTES, "big")),
        }

    def _logs_in_json(self, question: dict[str, Any]) -> list[dict[str, Any]]:
        """Of one block, by its hash."""
        block = self.block(question["blockHash"])
        topics = [[bytes.fromhex(word[2:]) for word in words] for words in question["topics"]]
        query = LogQuery(topics, question["address"])
        items = [item_of(log) for log in self._logs[block.hash]]
        return [to_builtins(item) for item in items if query.stray_among([item]) is None]

    def _at(self, address: str, block: BlockId) -> FakeAccount:
        self.block(block)
        return self._accounts.get(to_checksum_address(address), FakeAccount())

    def _find(self, block: BlockId) -> BlockRef | None:
        if isinstance(block, int):
            return self._blocks[block] if 0 <= block < len(self._blocks) else None
        if is_block_hash(block):
            return next((b for b in self._blocks if to_hex(b.hash) == block.lower()), None)
        if block in {"safe", "finalized"}:
            return self._blocks[max(0, len(self._blocks) - 1 - self._confirmations)]
        return self._blocks[-1] if block == "latest" else None
