"""What was signed for one errand: stored before it is sent, found again after a crash."""

from __future__ import annotations

from typing import Any

from pnyx_contracts.types import Address, Bytes32, Hex, Uint, Value
from pnyx_tools.signer.protocol import Signed


class Attempt(Value):
    """One signed transaction. Attempts of one purpose carry the same decision; one nonce lets one of them land, and a
    further nonce is used only after the one before it went to a transaction that reverted, or to a stranger's."""

    nonce: int
    transaction_hash: Bytes32
    raw: Hex
    max_fee_per_gas: Uint
    max_priority_fee_per_gas: Uint
    signed_at: float
    signed_in_block: int = 0
    """The head when it was signed: relays are given so many blocks from there."""

    @classmethod
    def of(cls, signed: Signed, now: float, block: int) -> Attempt:
        return cls(
            nonce=signed.nonce,
            transaction_hash=signed.transaction_hash,
            raw=signed.raw,
            max_fee_per_gas=signed.max_fee_per_gas,
            max_priority_fee_per_gas=signed.max_priority_fee_per_gas,
            signed_at=now,
            signed_in_block=block,
        )


class Effort(Value):
    """All attempts for one purpose, oldest first: the content of the outbox."""

    purpose: str
    attempts: tuple[Attempt, ...] = ()
    given_up: bool = False
    heard_from: Address | None = None

    @property
    def last(self) -> Attempt | None:
        return self.attempts[-1] if self.attempts else None

    def at(self, nonce: int) -> tuple[Attempt, ...]:
        return tuple(attempt for attempt in self.attempts if attempt.nonce == nonce)

    def with_attempt(self, attempt: Attempt) -> Effort:
        return self.model_copy(update={"attempts": (*self.attempts, attempt), "given_up": False})

    def succeeded(self, receipt: dict[str, Any]) -> bool:
        """Mined, not reverted, and heard from."""
        is_heard = self.heard_from is None or any(
            log["address"].lower() == self.heard_from.lower() for log in receipt["logs"]
        )
        return bool(receipt["status"] == "0x1") and is_heard
