"""Gets one transaction mined, through crashes, reorganisations and rising fees. Holds no key.

1. What the outbox knows comes first: a transaction that was signed before a crash is sent again, not signed again.
2. The nonce is the chain's own count, read each time; there is no counter here that could drift away from it.
3. The signer signs; the signed bytes are stored before they are sent.
4. No receipt in time: the same call again at the same nonce with a higher fee, so that at most one of them lands.
5. It lands, or it is given up while that is still a clear state: the next transaction then takes its nonce.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Protocol

from pydantic import Field

from pnyx_contracts.errors import PnyxError, RefusedError
from pnyx_contracts.governors import TransactionCall
from pnyx_contracts.types import Address, Bytes32, Hex, Uint, Value
from pnyx_tools.chain import Fees
from pnyx_tools.reader import ChainReader, RevertedError, RpcError
from pnyx_tools.signer.client import SignerPort
from pnyx_tools.signer.protocol import NotYetError, Signed, SignRequest, Ticket

BUMP_PERCENT: Final = 15
"""Nodes want a replacement to pay at least 10 % more, some 12.5 %."""

DAY_SECONDS: Final = 24 * 60 * 60

_UNDERPRICED: Final = re.compile(r"underpriced|replacement.{0,40}(fee|gas price)|fee too low to replace", re.IGNORECASE)
_NONCE_USED: Final = re.compile(r"nonce (is )?too low|nonce.{0,20}already (been )?used|old nonce", re.IGNORECASE)


class OutboxPort(Protocol):
    """Where signed transactions survive a crash. `save` returns when the content is on disk."""

    def save(self, purpose: str, content: str) -> None: ...

    def load(self, purpose: str) -> str | None: ...


class SendingChain(ChainReader, Protocol):
    """What a sender needs of `pnyx_tools.chain.Chain`."""

    def fees(self) -> Fees: ...

    def estimate_gas(self, sender: str, call: TransactionCall) -> int: ...

    def send_raw(self, signed: bytes) -> bytes: ...


class Clock(Protocol):
    """Seconds since the epoch, and waiting. A daemon that must stop raises from `sleep`; nothing is lost by that."""

    def now(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's own."""

    def now(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class SenderSettings(Value):
    """Limits of the daemon. Those of the signer bind as well, whatever stands here."""

    max_fee_per_gas: Uint
    """Wei per gas. Above it nothing is sent or replaced; what was sent before keeps waiting."""
    daily_wei: Uint
    """In any 24 hours, each transaction in its worst case."""
    replace_after_seconds: float = Field(default=90, gt=0)
    poll_seconds: float = Field(default=3, gt=0)
    patience_seconds: float = Field(default=1800, gt=0)
    """Then a transaction is given up, so that it does not block those behind it."""
    confirmations: int = Field(default=1, ge=1)
    """Blocks that a receipt must be deep, its own included."""


class Attempt(Value):
    """One signed transaction. Attempts of one purpose carry the same decision; one nonce lets one of them land."""

    nonce: int
    transaction_hash: Bytes32
    raw: Hex
    max_fee_per_gas: Uint
    max_priority_fee_per_gas: Uint
    signed_at: float


class Effort(Value):
    """All attempts for one purpose, oldest first: the content of the outbox."""

    purpose: str
    attempts: tuple[Attempt, ...] = ()
    given_up: bool = False


@dataclass(frozen=True, slots=True)
class Errand:
    """What to get mined."""

    purpose: str
    """Stable over restarts: names the effort in the outbox."""
    prepare: Callable[[], tuple[TransactionCall, Callable[[Ticket], SignRequest]]]
    """The call as it would be now, to estimate its gas, and the request that has it signed."""
    is_wanted: Callable[[], bool] = lambda: True
    """False when it is too late. Asked before each attempt."""
    is_urgent: bool = False
    """A vote has a deadline: what has none, and does not get through, makes way for it."""


class GivenUpError(PnyxError):
    """Not mined, and not tried any further. One may still be on its way until another transaction takes its nonce."""


class FailedTransactionError(PnyxError):
    """Mined, but reverted. `receipt` is the node's."""

    def __init__(self, message: str, receipt: dict[str, Any], *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.receipt = receipt


class Sender:
    """Sends for one key, one transaction at a time. Safe to share between threads of one process."""

    def __init__(
        self,
        chain: SendingChain,
        signer: SignerPort,
        key_address: Address,
        outbox: OutboxPort,
        settings: SenderSettings,
        clock: Clock | None = None,
    ) -> None:
        self._chain = chain
        self._signer = signer
        self._key_address = key_address
        self._outbox = outbox
        self._settings = settings
        self._clock = clock or SystemClock()
        self._turns = _Turns()

    def send(self, errand: Errand) -> dict[str, Any]:
        """The successful receipt. Run it again after a crash: it goes on from the outbox.

        Raises `FailedTransactionError`, `GivenUpError`, `RevertedError` (it would revert now), `RefusedError` (by the
        signer or a limit) or `UnreachableError`.
        """
        with self._turns.take(urgent=errand.is_urgent):
            effort = self._load(errand.purpose)
            receipt = self._receipt(effort)
            if receipt is None:
                self._let_others_land(errand.purpose)
                receipt = self._get_mined(errand, effort)
            return self._successful(errand, receipt)

    def _get_mined(self, errand: Errand, effort: Effort) -> dict[str, Any]:
        """Steps 2 to 5."""
        give_up_at = self._clock.now() + self._settings.patience_seconds
        while True:
            if not self._is_mined(effort):
                if self._clock.now() >= give_up_at or not errand.is_wanted() or self._must_make_way(errand, effort):
                    raise self._given_up(effort)
                effort = self._attempt(errand, effort)
            receipt = self._await_receipt(effort)
            if receipt is not None:
                return receipt

    def _must_make_way(self, errand: Errand, effort: Effort) -> bool:
        """After its first chance, an errand without a deadline lets the waiting votes pass: they take its nonce."""
        return bool(effort.attempts) and not errand.is_urgent and self._turns.urgent_waits

    def _given_up(self, effort: Effort) -> GivenUpError:
        self._save(effort.model_copy(update={"given_up": True}))
        return GivenUpError(
            f"{effort.purpose}: not mined after {len(effort.attempts)} attempts, and given up",
            hint="fees above max_fee_per_gas, or a node that forwards nothing? It is tried again later",
        )

    def _attempt(self, errand: Errand, effort: Effort) -> Effort:
        """One signed transaction more, stored and sent; the last one again, while it is young or cannot pay more."""
        nonce = self._chain.nonce(self._key_address)
        last = effort.attempts[-1] if effort.attempts and effort.attempts[-1].nonce == nonce else None
        young = last is not None and self._clock.now() - last.signed_at < self._settings.replace_after_seconds
        fees = None if young else self._fees(nonce, last)
        if fees is None:
            self._broadcast(last) if last is not None else self._clock.sleep(self._settings.poll_seconds)
            return effort
        try:
            attempt = self._signed(errand, nonce, fees)
        except (RevertedError, RefusedError):
            if self._is_mined(effort) or self._chain.nonce(self._key_address) != nonce:
                return effort  # the chain moved on while we asked; a second one would revert, and was refused
            raise
        effort = effort.model_copy(update={"attempts": (*effort.attempts, attempt), "given_up": False})
        self._save(effort)
        self._outbox.save(self._flight, errand.purpose)
        self._broadcast(attempt)
        return effort

    def _signed(self, errand: Errand, nonce: int, fees: Fees) -> Attempt:
        patience_ends = self._clock.now() + self._settings.replace_after_seconds
        while True:
            call, request = errand.prepare()
            ticket = Ticket(
                nonce=nonce,
                gas_limit=self._gas_limit(call),
                max_fee_per_gas=fees.max_fee,
                max_priority_fee_per_gas=fees.max_priority_fee,
            )
            self._charge(ticket)
            try:
                return _attempt_of(self._signer.sign(request(ticket)), self._clock.now())
            except NotYetError:
                if self._clock.now() >= patience_ends or self._chain.nonce(self._key_address) != nonce:
                    raise
                self._clock.sleep(self._settings.poll_seconds)

    def _gas_limit(self, call: TransactionCall) -> int:
        """A quarter above the estimate: other votes in the same block can make this one dearer."""
        return self._chain.estimate_gas(self._key_address, call) * 5 // 4

    def _broadcast(self, attempt: Attempt) -> None:
        """Sends it. That its nonce is used, or a dearer one waits there, is sorted out by the next look at receipts."""
        try:
            self._chain.send_raw(attempt.raw)
        except RpcError as error:
            if not (_NONCE_USED.search(error.message) or _UNDERPRICED.search(error.message)):
                raise

    # --- receipts ----------------------------------------------------------------------------------------------------

    def _await_receipt(self, effort: Effort) -> dict[str, Any] | None:
        """None when it is time for the next attempt: too slow, or its nonce went to another transaction."""
        until = self._clock.now() + self._settings.replace_after_seconds
        while effort.attempts:
            receipt = self._receipt(effort)
            if receipt is not None:
                return receipt
            if self._clock.now() >= until or self._is_dead(effort):
                return None
            self._clock.sleep(self._settings.poll_seconds)
        return None

    def _receipt(self, effort: Effort) -> dict[str, Any] | None:
        """The receipt of whichever attempt landed, once it is deep enough."""
        receipt = self._any_receipt(effort)
        if receipt is None:
            return None
        depth = self._chain.block("latest").number - int(receipt["blockNumber"], 16) + 1
        return receipt if depth >= self._settings.confirmations else None

    def _any_receipt(self, effort: Effort) -> dict[str, Any] | None:
        """However deep. A reorganisation can take it away again."""
        receipts = (self._chain.receipt(attempt.transaction_hash) for attempt in reversed(effort.attempts))
        return next((receipt for receipt in receipts if receipt is not None), None)

    def _is_mined(self, effort: Effort) -> bool:
        return self._any_receipt(effort) is not None

    def _is_dead(self, effort: Effort) -> bool:
        """True when the nonce of the last attempt is used, and by none of ours."""
        used = bool(effort.attempts) and self._chain.nonce(self._key_address) > effort.attempts[-1].nonce
        return used and not self._is_mined(effort)

    def _successful(self, errand: Errand, receipt: dict[str, Any]) -> dict[str, Any]:
        if receipt["status"] != "0x1":
            raise FailedTransactionError(
                f"{errand.purpose}: transaction {receipt['transactionHash']} was mined in block "
                f"{int(receipt['blockNumber'], 16)}, but reverted",
                receipt,
                hint="look at it in a block explorer; the chain changed between the estimate and the block",
            )
        return receipt

    # --- others at the same nonce ------------------------------------------------------------------------------------

    @property
    def _flight(self) -> str:
        """Outbox purpose that names the effort sent last for this key."""
        return f"in-flight:{self._key_address}"

    def _let_others_land(self, purpose: str) -> None:
        """After a crash another effort may hold the nonce: it gets its time first, unless it was given up."""
        other = self._other_effort(purpose)
        if other is None or other.given_up:
            return
        self._broadcast(other.attempts[-1])
        self._await_receipt(other)

    def _other_effort(self, purpose: str) -> Effort | None:
        """The effort that was sent last, when it is another one and its transaction may still be on its way."""
        flying = self._outbox.load(self._flight)
        if flying is None or flying == purpose:
            return None
        effort = self._load(flying)
        waiting = effort.attempts and effort.attempts[-1].nonce == self._chain.nonce(self._key_address)
        return effort if waiting else None

    # --- money -------------------------------------------------------------------------------------------------------

    def _fees(self, nonce: int, last: Attempt | None) -> Fees | None:
        """Fees for an attempt at `nonce`; None when they would pass the limit: then only waiting is left."""
        market = self._chain.fees()
        rival = last or self._rival_at(nonce)
        if rival is None:
            priority, highest = market.max_priority_fee, market.max_fee
        else:
            priority = max(market.max_priority_fee, _bumped(rival.max_priority_fee_per_gas))
            highest = max(market.max_fee, _bumped(rival.max_fee_per_gas))
        if highest <= self._settings.max_fee_per_gas:
            return Fees(market.base_fee, min(priority, highest), highest)
        if rival is None and market.base_fee + market.max_priority_fee <= self._settings.max_fee_per_gas:
            return Fees(market.base_fee, market.max_priority_fee, self._settings.max_fee_per_gas)
        return None

    def _rival_at(self, nonce: int) -> Attempt | None:
        """A transaction of an effort that was given up, or ran out of time, and still sits at this nonce."""
        flying = self._outbox.load(self._flight)
        effort = self._load(flying) if flying else Effort(purpose="")
        return next((a for a in reversed(effort.attempts) if a.nonce == nonce), None)

    def _charge(self, ticket: Ticket) -> None:
        """Counts the worst case of a transaction against the daily limit; a replacement counts instead of the first."""
        purpose = f"spending:{self._key_address}"
        now = self._clock.now()
        known: dict[str, list[float]] = json.loads(self._outbox.load(purpose) or "{}")
        recent = {nonce: spent for nonce, spent in known.items() if spent[0] > now - DAY_SECONDS}
        recent[str(ticket.nonce)] = [now, ticket.gas_limit * ticket.max_fee_per_gas]
        total = int(sum(spent[1] for spent in recent.values()))
        if total > self._settings.daily_wei:
            raise NotYetError(
                f"the transactions of 24 hours could cost {total} wei; the daily limit is {self._settings.daily_wei}",
                hint="wait, or raise daily_wei; a wave of proposals may be an attempt to drain the key",
            )
        self._outbox.save(purpose, json.dumps(recent))

    # --- outbox ------------------------------------------------------------------------------------------------------

    def _load(self, purpose: str) -> Effort:
        content = self._outbox.load(purpose)
        return Effort.model_validate_json(content) if content else Effort(purpose=purpose)

    def _save(self, effort: Effort) -> None:
        self._outbox.save(effort.purpose, effort.model_dump_json())


class _Turns:
    """One errand at a time. Knows whether an urgent one waits for its turn."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._counting = threading.Lock()
        self._urgent = 0

    @property
    def urgent_waits(self) -> bool:
        return self._urgent > 0

    @contextmanager
    def take(self, *, urgent: bool) -> Iterator[None]:
        self._count(urgent)
        try:
            self._turn.acquire()
        finally:
            self._count(-urgent)
        try:
            yield
        finally:
            self._turn.release()

    def _count(self, change: int) -> None:
        with self._counting:
            self._urgent += change


def _attempt_of(signed: Signed, now: float) -> Attempt:
    return Attempt(
        nonce=signed.nonce,
        transaction_hash=signed.transaction_hash,
        raw=signed.raw,
        max_fee_per_gas=signed.max_fee_per_gas,
        max_priority_fee_per_gas=signed.max_priority_fee_per_gas,
        signed_at=now,
    )


def _bumped(fee: int) -> int:
    return fee + max(1, fee * BUMP_PERCENT // 100 + 1)
