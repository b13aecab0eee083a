"""Gets one transaction mined, through crashes, reorganisations and rising fees. Holds no key.

1. What the outbox knows comes first: a transaction that was signed before a crash is sent again, not signed again.
2. The nonce is the chain's own count, read each time; there is no counter here that could drift away from it.
3. The signer signs; the signed bytes are stored before they are sent.
4. No receipt in time: the same call again at the same nonce with a higher fee, so that at most one of them lands.
5. It lands; or it reverts, because the chain moved on meanwhile: then it is made and signed anew, at the next nonce,
   while it is still wanted; or it is given up while that is still a clear state: the next then takes its nonce.

Votes come first: what has no deadline waits for them, and leaves its place to them.
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
from pnyx_tools.signer.protocol import DailyLimitError, NotYetError, Signed, SignRequest, Ticket

BUMP_PERCENT: Final = 15
"""Nodes want a replacement to pay at least 10 % more, some 12.5 %."""

MAX_TRIES: Final = 3
"""Transactions that may revert for one `send`. Then the caller decides whether, and when, to go on."""

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
    """One signed transaction. Attempts of one purpose carry the same decision; one nonce lets one of them land, and a
    further nonce is used only after the one before it went to a transaction that reverted, or to a stranger's."""

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
    heard_from: Address | None = None

    def succeeded(self, receipt: dict[str, Any]) -> bool:
        """Mined, not reverted, and heard from."""
        is_heard = self.heard_from is None or any(
            log["address"].lower() == self.heard_from.lower() for log in receipt["logs"]
        )
        return bool(receipt["status"] == "0x1") and is_heard


@dataclass(frozen=True, slots=True)
class Errand:
    """What to get mined."""

    purpose: str
    """Stable over restarts: names the effort in the outbox."""
    prepare: Callable[[], tuple[TransactionCall, Callable[[Ticket], SignRequest]]]
    """The call as it would be now, to estimate its gas, and the request that has it signed."""
    is_wanted: Callable[[], bool] = lambda: True
    """False when it is too late. Asked before each attempt."""
    heard_from: Address | None = None
    """A contract whose event shows that the call did something. A call to an account whose code is gone succeeds and
    does nothing: such a receipt counts as a revert."""
    is_urgent: bool = False
    """A vote has a deadline: it is served first, and what has none and does not get through makes way for it."""


class GivenUpError(PnyxError):
    """Not mined, and not tried any further. One may still be on its way until another transaction takes its nonce."""


class FailedTransactionError(PnyxError):
    """Mined, but reverted, as often as it was tried. `receipt` is the node's, of the last one."""

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
            effort = self._load(errand.purpose).model_copy(update={"heard_from": errand.heard_from})
            receipt = self._receipt(effort)
            if receipt is not None and effort.succeeded(receipt):
                return receipt
            self._let_others_land(errand.purpose)
            return self._get_mined(errand, effort)

    def _get_mined(self, errand: Errand, effort: Effort) -> dict[str, Any]:
        """Steps 2 to 5."""
        give_up_at = self._clock.now() + self._settings.patience_seconds
        tried_before = len(effort.attempts)
        while True:
            receipt = self._receipt(effort)
            if receipt is not None and effort.succeeded(receipt):
                return receipt
            if receipt is not None and len({a.nonce for a in effort.attempts[tried_before:]}) >= MAX_TRIES:
                raise _failed(errand, receipt)
            if receipt is not None or not self._is_mined(effort):
                if self._must_make_way(errand):
                    raise self._given_up(effort, "makes way for a vote")
                if self._clock.now() >= give_up_at or not errand.is_wanted():
                    raise self._given_up(effort, "given up")
                effort = self._attempt(errand, effort)
            self._await_receipt(effort)

    def _must_make_way(self, errand: Errand) -> bool:
        """An errand without a deadline lets the waiting votes pass: they take its nonce."""
        return not errand.is_urgent and self._turns.urgent_waits

    def _given_up(self, effort: Effort, why: str) -> GivenUpError:
        self._save(effort.model_copy(update={"given_up": True}))
        return GivenUpError(
            f"{effort.purpose}: not mined after {len(effort.attempts)} attempts, and {why}",
            hint="fees above max_fee_per_gas, or a node that forwards nothing? It is tried again later",
        )

    def _attempt(self, errand: Errand, effort: Effort) -> Effort:
        """One signed transaction more, stored and sent; the last one again, while it is young or cannot pay more."""
        nonce = self._chain.nonce(self._key_address)
        last = effort.attempts[-1] if effort.attempts and effort.attempts[-1].nonce == nonce else None
        if last is not None and self._clock.now() - last.signed_at < self._settings.replace_after_seconds:
            self._broadcast(last)
            return effort
        fees = self._fees(last or self._rival_at(nonce))
        if fees is None:
            if last is None:
                self._clock.sleep(self._settings.poll_seconds)
            return effort
        try:
            attempt = self._signed(errand, nonce, fees)
        except (RevertedError, RefusedError):
            if self._has_landed(effort) or self._chain.nonce(self._key_address) != nonce:
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
            except DailyLimitError:
                raise  # no matter of a moment: others get their turn
            except NotYetError:
                is_over = self._clock.now() >= patience_ends or self._chain.nonce(self._key_address) != nonce
                if is_over or self._must_make_way(errand):
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

    def _is_taken(self, attempt: Attempt) -> bool:
        """Sends it again. False when the node neither takes it nor knows it: from there it cannot land.

        Whatever is signed instead has the same nonce, so that at most one of the two ever lands.
        """
        try:
            self._chain.send_raw(attempt.raw)
        except RpcError:
            return self._chain.transaction(attempt.transaction_hash) is not None
        return True

    # --- receipts ----------------------------------------------------------------------------------------------------

    def _await_receipt(self, effort: Effort) -> None:
        """Until there is one, or it is time for the next attempt: too slow, or its nonce went to a stranger's."""
        until = self._clock.now() + self._settings.replace_after_seconds
        while effort.attempts and self._receipt(effort) is None:
            if self._clock.now() >= until or self._is_dead(effort):
                return
            self._clock.sleep(self._settings.poll_seconds)

    def _receipt(self, effort: Effort) -> dict[str, Any] | None:
        """The receipt that counts, once it is deep enough."""
        receipt = self._any_receipt(effort)
        if receipt is None:
            return None
        depth = self._chain.block("latest").number - int(receipt["blockNumber"], 16) + 1
        return receipt if depth >= self._settings.confirmations else None

    def _any_receipt(self, effort: Effort) -> dict[str, Any] | None:
        """However deep; a reorganisation can take it away again. A success, else the revert at the last nonce: the
        reverts before it were answered by signing anew.
        """
        reverted = None
        for attempt in reversed(effort.attempts):
            receipt = self._chain.receipt(attempt.transaction_hash)
            if receipt is not None and effort.succeeded(receipt):
                return receipt
            if receipt is not None and attempt.nonce == effort.attempts[-1].nonce:
                reverted = receipt
        return reverted

    def _is_mined(self, effort: Effort) -> bool:
        return self._any_receipt(effort) is not None

    def _has_landed(self, effort: Effort) -> bool:
        receipt = self._any_receipt(effort)
        return receipt is not None and effort.succeeded(receipt)

    def _is_dead(self, effort: Effort) -> bool:
        """True when the nonce of the last attempt is used, and by none of ours."""
        used = bool(effort.attempts) and self._chain.nonce(self._key_address) > effort.attempts[-1].nonce
        return used and not self._is_mined(effort)

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
        if self._is_taken(other.attempts[-1]):
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

    def _fees(self, rival: Attempt | None) -> Fees | None:
        """Fees for an attempt at the nonce that `rival` has; None when there is nothing to do but wait."""
        market, limit = self._chain.fees(), self._settings.max_fee_per_gas
        fees = fees_within(limit, market, rival)
        if fees is None and rival is not None and not self._is_taken(rival):
            return fees_within(limit, market, None)
        return fees  # a rival that is taken lands or reverts, and frees the nonce

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
            raise DailyLimitError(
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


def fees_within(limit: int, market: Fees, rival: Attempt | None) -> Fees | None:
    """What to pay beside `rival` at the same nonce; None when that is above `limit` (wei per gas)."""
    priority, highest = market.max_priority_fee, market.max_fee
    if market.base_fee + priority <= limit:
        highest = min(highest, limit)
    if rival is not None:
        priority = max(priority, _bumped(rival.max_priority_fee_per_gas))
        highest = max(highest, _bumped(rival.max_fee_per_gas))
    return Fees(market.base_fee, min(priority, highest), highest) if highest <= limit else None


class _Turns:
    """One errand at a time, the urgent ones first."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._taken = False
        self._urgent = 0

    @property
    def urgent_waits(self) -> bool:
        return self._urgent > 0

    @contextmanager
    def take(self, *, urgent: bool) -> Iterator[None]:
        with self._changed:
            self._urgent += urgent
            self._changed.wait_for(lambda: not self._taken and (urgent or not self._urgent))
            self._urgent -= urgent
            self._taken = True
        try:
            yield
        finally:
            with self._changed:
                self._taken = False
                self._changed.notify_all()


def _failed(errand: Errand, receipt: dict[str, Any]) -> FailedTransactionError:
    return FailedTransactionError(
        f"{errand.purpose}: {MAX_TRIES} transactions reverted or did nothing, the last one, "
        f"{receipt['transactionHash']}, in block {int(receipt['blockNumber'], 16)}",
        receipt,
        hint="look at it in a block explorer; the chain changed each time between the estimate and the block",
    )


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
