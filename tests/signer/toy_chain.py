"""A chain in memory that does in a millisecond what no real node does on demand: it forgets, lies about taking, lags
with its receipts, and goes back on its blocks. One account; one contract, a counter that a call has to expect.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from eth_hash.auto import keccak

from pnyx_contracts.errors import RefusedError
from pnyx_contracts.governors import TransactionCall
from pnyx_contracts.types import BlockRef
from pnyx_tools.chain import FeeMarket
from pnyx_tools.reader import RevertedError, RpcError
from pnyx_tools.sender import Errand
from pnyx_tools.signer.protocol import NotYetError, SignCancel, Signed, Ticket

GWEI = 10**9
KEY = "0x" + "11" * 20
CONTRACT = "0x" + "22" * 20
GAS = 100_000


@dataclass(frozen=True)
class Mined:
    """One transaction in a block. `wrote` is the purpose that it stands for, when it succeeded."""

    raw: bytes
    number: int
    is_ok: bool
    wrote: str


@dataclass
class ToyChain:
    """What a sender needs of a chain. Transactions are JSON: nonce, fees, expected number, purpose."""

    base_fee: int = GWEI
    blocks: list[list[Mined]] = field(default_factory=lambda: [[]])
    pool: dict[int, bytes] = field(default_factory=dict)
    signed: list[dict[str, Any]] = field(default_factory=list)
    mumbles: str = ""
    """The next sending is answered by nonsense: "before" or "after" it was taken."""
    lag: int = 0
    """So many receipts are not there yet."""

    # --- as a node ---------------------------------------------------------------------------------------------------

    def nonce(self, _address: str, _block: object = "latest") -> int:
        return sum(len(block) for block in self.blocks)

    def pending_nonce(self, address: str) -> int:
        count = self.nonce(address)
        while count in self.pool:
            count += 1
        return count

    def balance(self, _address: str, _block: object = "latest") -> int:
        return 10**20

    def call(self, _to: str, _data: bytes, _block: object = "latest") -> bytes:
        """There is no contract but one that has no views."""
        return b""

    def block(self, _block: object = "latest") -> BlockRef:
        number = len(self.blocks) - 1
        return BlockRef(number=number, hash=bytes(32), timestamp=number)

    def fee_market(self) -> FeeMarket:
        return FeeMarket(self.base_fee, (GWEI // 10, GWEI, 2 * GWEI, 3 * GWEI))

    def estimate_gas(self, _sender: str, call: TransactionCall) -> int:
        if call.to == CONTRACT and json.loads(call.data)["expects"] != self.written + 1:
            raise RevertedError("another number is next")
        return GAS

    def receipt(self, transaction_hash: bytes) -> dict[str, Any] | None:
        if self.lag:
            self.lag -= 1
            return None
        found = self._mined(transaction_hash)
        if found is None:
            return None
        return {
            "status": "0x1" if found.is_ok else "0x0", "logs": [], "blockNumber": hex(found.number),
            "transactionHash": "0x" + transaction_hash.hex(),
        }  # fmt: skip

    def transaction(self, transaction_hash: bytes) -> dict[str, Any] | None:
        waits = any(keccak(raw) == transaction_hash for raw in self.pool.values())
        return {} if waits or self._mined(transaction_hash) else None

    def send_raw(self, raw: bytes) -> bytes:
        mumbles, self.mumbles = self.mumbles, ""
        if mumbles == "before":
            raise RpcError("the node: ???")
        self._take(raw)
        if mumbles == "after":
            raise RpcError("the node: ???")
        return keccak(raw)

    def _take(self, raw: bytes) -> None:
        wish, here = json.loads(raw), self.transaction(keccak(raw))
        if here is not None:
            return
        if wish["nonce"] < self.nonce(KEY):
            raise RpcError("the node: nonce too low")
        if wish["max_fee"] < self.base_fee:
            raise RpcError("the node: max fee per gas less than block base fee")
        other = self.pool.get(wish["nonce"])
        if other is not None and wish["max_fee"] * 10 < json.loads(other)["max_fee"] * 11:
            raise RpcError("the node: replacement transaction underpriced")
        self.pool[wish["nonce"]] = raw

    def _mined(self, transaction_hash: bytes) -> Mined | None:
        return next((m for block in self.blocks for m in block if keccak(m.raw) == transaction_hash), None)

    # --- as a world --------------------------------------------------------------------------------------------------

    @property
    def wrote(self) -> list[str]:
        """Purposes on chain, in order."""
        return [mined.wrote for block in self.blocks for mined in block if mined.wrote]

    @property
    def written(self) -> int:
        return len(self.wrote)

    def mine(self) -> None:
        """One block with what can go into it."""
        self.blocks.append([])
        while (raw := self.pool.get(nonce := self.nonce(KEY))) is not None:
            wish = json.loads(raw)
            if wish["max_fee"] < self.base_fee:
                return
            del self.pool[nonce]
            is_ok = wish["expects"] in {None, self.written + 1}
            wrote = wish["purpose"] if is_ok else ""
            self.blocks[-1].append(Mined(raw, len(self.blocks) - 1, is_ok, wrote))
        self.pool = {nonce: raw for nonce, raw in self.pool.items() if nonce >= self.nonce(KEY)}

    def go_back(self, depth: int, *, forgets: bool) -> None:
        """The last blocks are gone; their transactions wait again, or are forgotten."""
        kept = max(1, len(self.blocks) - depth)
        gone, self.blocks = self.blocks[kept:], self.blocks[:kept]
        if not forgets:
            for mined in (m for block in gone for m in block):
                self.pool.setdefault(json.loads(mined.raw)["nonce"], mined.raw)

    def forget(self) -> None:
        self.pool.clear()

    def stranger(self, gwei: int) -> None:
        """Another program sends a payment with the key, unless something dearer waits there."""
        nonce = self.nonce(KEY)
        other = self.pool.get(nonce)
        wish = {"nonce": nonce, "max_fee": gwei * GWEI, "expects": None, "purpose": "", "salt": len(self.blocks)}
        if other is None or json.loads(other)["max_fee"] < gwei * GWEI:
            self.pool[nonce] = json.dumps(wish).encode()

    # --- as a signer -------------------------------------------------------------------------------------------------

    def sign(self, request: Any) -> Signed:
        """As ours judges: at the key's next nonce only, and nothing that is on chain already."""
        is_cancel = isinstance(request, SignCancel)
        ticket: Ticket = request.ticket
        purpose, expects = ("", None) if is_cancel else (request.purpose, request.expects)
        if ticket.nonce != self.nonce(KEY):
            raise NotYetError("another nonce is next")
        if is_cancel and not any(wish["nonce"] >= ticket.nonce for wish in self.signed):
            raise RefusedError("nothing was signed for it")
        if purpose in self.wrote:
            raise RefusedError("it is on chain already")
        wish = {
            "nonce": ticket.nonce, "max_fee": ticket.max_fee_per_gas, "expects": expects, "purpose": purpose,
            "gas": ticket.gas_limit,
        }  # fmt: skip
        self.signed.append(wish)
        raw = json.dumps(wish).encode()
        return Signed(
            raw=raw,
            transaction_hash=keccak(raw),
            nonce=ticket.nonce,
            max_fee_per_gas=ticket.max_fee_per_gas,
            max_priority_fee_per_gas=ticket.max_priority_fee_per_gas,
        )

    def identity(self) -> Any:
        raise NotImplementedError

    def errand(self, purpose: str, **parts: Any) -> Errand:
        def prepare() -> Any:
            expects = self.written + 1
            call = TransactionCall(CONTRACT, json.dumps({"expects": expects}).encode())
            return call, lambda ticket: Request(purpose, expects, ticket)

        return Errand(purpose, prepare, **parts)


@dataclass(frozen=True)
class Request:
    purpose: str
    expects: int
    ticket: Ticket
