"""The outbox as a sender reads it: efforts by purpose, who has which nonce, and what was spent."""

from __future__ import annotations

from pydantic import Field

from pnyx_contracts.types import DAY_SECONDS, Address, Uint, Value
from pnyx_tools.sender.effort import Attempt, Effort
from pnyx_tools.sender.errand import OutboxPort


class Line(Value):
    """One nonce: at most one of the transactions signed for it lands."""

    purposes: tuple[str, ...]
    """In the order in which they came to sign for it; the last one pays the most."""
    wei: Uint
    """The dearest of them in its worst case."""
    at: float


class Promise(Value):
    """Money that is kept for the second transaction of a vote whose first one was signed."""

    wei: Uint
    at: float


class Ledger(Value):
    """The nonces of the last day, and those that are not mined yet."""

    lines: dict[int, Line] = Field(default_factory=dict)


class Promises(Value):
    """By vote. Apart from the ledger, which an earlier release has to understand."""

    of: dict[str, Promise] = Field(default_factory=dict)


class Charged(Value):
    """What one vote may have cost so far, by nonce."""

    wei: dict[int, Uint] = Field(default_factory=dict)


class Book:
    """Of one key. Everything is on disk when a method returns."""

    def __init__(self, outbox: OutboxPort, key_address: Address) -> None:
        self._outbox = outbox
        self._ledger_name = f"ledger:{key_address}"
        self._promises_name = f"promises:{key_address}"

    def effort(self, purpose: str) -> Effort:
        content = self._outbox.load(purpose)
        return Effort.model_validate_json(content) if content else Effort(purpose=purpose)

    def keep(self, effort: Effort) -> None:
        self._outbox.save(effort.purpose, effort.model_dump_json())

    def efforts_at(self, nonce: int) -> tuple[Effort, ...]:
        """Of all purposes that signed for this nonce, the dearest last."""
        line = self._ledger().lines.get(nonce)
        efforts = [self.effort(purpose) for purpose in line.purposes] if line else []
        return tuple(effort for effort in efforts if effort.at(nonce))

    def signed_for(self, nonce: int) -> tuple[Attempt, ...]:
        """By whatever errand; at most one of them lands."""
        return tuple(attempt for effort in self.efforts_at(nonce) for attempt in effort.at(nonce))

    def dearest_at(self, nonce: int) -> Attempt | None:
        """The one that a further transaction at this nonce has to outbid."""
        return max(self.signed_for(nonce), key=lambda attempt: attempt.max_fee_per_gas, default=None)

    def cost_at(self, nonce: int) -> int:
        """Of the dearest transaction that was signed for this nonce, in its worst case."""
        line = self._ledger().lines.get(nonce)
        return line.wei if line else 0

    def spent_in_a_day(self, now: float, *, besides: int) -> int:
        """In the worst case; `besides` is a nonce whose transaction is about to be replaced."""
        lines = self._ledger().lines.items()
        return sum(line.wei for nonce, line in lines if nonce != besides and line.at > now - DAY_SECONDS)

    def spent_on(self, vote: str, *, besides: int) -> int:
        return sum(wei for nonce, wei in self._charged(vote).wei.items() if nonce != besides)

    def promised(self, now: float, *, besides: str) -> int:
        """To other votes than `besides`."""
        promises = self._promises().items()
        return sum(promise.wei for vote, promise in promises if vote != besides and promise.at > now - DAY_SECONDS)

    def release(self, vote: str) -> None:
        """Its second transaction is not wanted any more."""
        promises = self._promises()
        if promises.pop(vote, None) is not None:
            self._save(self._promises_name, Promises(of=promises))

    def charge(self, nonce: int, purpose: str, vote: str, wei: int, now: float, *, promise: int = 0) -> None:
        """Before the transaction is signed. A replacement counts instead of the first, not beside it. `promise`: what
        has to be left for the vote's next transaction; this one may be that.
        """
        lines = self._ledger().lines
        known = lines.get(nonce)
        earlier = known.purposes if known else ()
        line = Line(
            purposes=(*(p for p in earlier if p != purpose), purpose), wei=max(wei, known.wei if known else 0), at=now
        )
        kept = {n: old for n, old in lines.items() if n > nonce or old.at > now - DAY_SECONDS}
        self._save(self._ledger_name, Ledger(lines={**kept, nonce: line}))
        if promise:
            young = {name: made for name, made in self._promises().items() if made.at > now - DAY_SECONDS}
            self._save(self._promises_name, Promises(of={**young, vote: Promise(wei=promise, at=now)}))
        else:
            self.release(vote)
        if vote:
            spent = self._charged(vote).wei
            self._save(_charged_name(vote), Charged(wei={**spent, nonce: max(wei, spent.get(nonce, 0))}))

    def _ledger(self) -> Ledger:
        content = self._outbox.load(self._ledger_name)
        return Ledger.model_validate_json(content) if content else Ledger()

    def _promises(self) -> dict[str, Promise]:
        content = self._outbox.load(self._promises_name)
        return dict(Promises.model_validate_json(content).of) if content else {}

    def _charged(self, vote: str) -> Charged:
        content = self._outbox.load(_charged_name(vote))
        return Charged.model_validate_json(content) if content else Charged()

    def _save(self, name: str, content: Value) -> None:
        self._outbox.save(name, content.model_dump_json())


def _charged_name(vote: str) -> str:
    return f"charged:{vote}"
