"""One errand from its first attempt to its receipt. What must survive a crash is in the book; this is the rest."""

from __future__ import annotations

from typing import Any, Final

from pnyx_contracts.errors import PnyxError, RefusedError
from pnyx_tools.reader import RevertedError
from pnyx_tools.sender import alerts
from pnyx_tools.sender.answers import Answer
from pnyx_tools.sender.effort import Attempt, Effort
from pnyx_tools.sender.errand import Errand, FailedTransactionError, GasMoneyError, GivenUpError
from pnyx_tools.sender.fees import Urgency, offer, patience, urgency_of
from pnyx_tools.sender.lane import Lane, ticket_for
from pnyx_tools.sender.money import Load
from pnyx_tools.signer.protocol import DailyLimitError, NotYetError, Ticket

MAX_TRIES: Final = 3
"""Transactions that may revert for one `send`. Then the caller decides whether, and when, to go on."""

LOOKS: Final = 2
"""So often in a row a nonce is seen used, without a receipt of ours, before a stranger is believed in: nodes behind one
endpoint are not all at the same block. And so many polls a transaction has after it was sent again."""


class Pursuit:
    """Has the turn while it runs."""

    def __init__(self, lane: Lane, errand: Errand) -> None:
        self._lane = lane
        self._clock, self._settings = lane.clock, lane.settings
        self._errand = errand
        self._effort = lane.book.effort(errand.purpose).model_copy(update={"heard_from": errand.heard_from})
        self._pressure = Urgency.CALM
        """At the last look at the deadline."""
        self._sent: set[bytes] = set()
        """Hashes that were sent since this began, or since a reorganisation took one away."""
        self._was_mined = False
        self._gone_looks = 0
        self._yielded_since: dict[int, float] = {}
        """Nonces at which a stranger's transaction is given its time."""
        self._complaint = ""
        """What the node said last to a transaction that it did not take."""

    def run(self) -> dict[str, Any]:
        """The successful receipt."""
        receipt = self._settled()
        if receipt is not None and self._effort.succeeded(receipt):
            return receipt
        self._let_others_land()
        return self._get_mined()

    def _get_mined(self) -> dict[str, Any]:
        give_up_at = self._clock.now() + self._settings.patience_seconds
        tried_before = len(self._effort.attempts)
        while True:
            receipt = self._settled()
            if receipt is not None and self._effort.succeeded(receipt):
                return receipt
            if receipt is not None and len({a.nonce for a in self._effort.attempts[tried_before:]}) >= MAX_TRIES:
                raise _failed(self._errand, receipt)
            if receipt is not None or not self._is_mined():
                self._require_worth_it(give_up_at)
                self._attempt()
            self._await_receipt()

    def _require_worth_it(self, give_up_at: float) -> None:
        """Raises `GivenUpError`."""
        if self._must_make_way():
            raise self._given_up("makes way for a vote")
        if not self._errand.is_wanted():
            error = self._given_up("given up: it is too late for it")
            self._lane.book.release(self._errand.charged_to)
            self._cancel()
            raise error
        if self._clock.now() >= give_up_at:
            raise self._given_up("given up")

    def _must_make_way(self) -> bool:
        """An errand without a deadline lets the waiting votes pass: they take its nonce."""
        return not self._errand.is_urgent and self._lane.turns.urgent_waits

    def _given_up(self, why: str) -> GivenUpError:
        if self._effort.attempts:
            self._keep(self._effort.model_copy(update={"given_up": True}))
        said = f"; the node said: {self._complaint}" if self._complaint else ""
        return GivenUpError(
            f"{self._effort.purpose}: not mined after {len(self._effort.attempts)} attempts, and {why}{said}",
            hint="fees above max_fee_gwei, or a node that forwards nothing? It is tried again later",
        )

    def _cancel(self) -> None:
        """Frees the nonce of what is not wanted any more, when no other errand is about to take it: a vote that is too
        late would still be mined, revert, and cost more than this.
        """
        last = self._effort.last
        if last is None or self._errand.is_followed or self._lane.turns.anyone_waits:
            return
        if self._lane.next_nonce() == last.nonce and not self._is_mined():
            self._lane.is_cancelled(last.nonce, Urgency.CALM)

    # --- attempts ----------------------------------------------------------------------------------------------------

    def _attempt(self) -> None:
        """One signed transaction more, stored and sent; the last one again, while it is young or cannot pay more."""
        nonce, urgency = self._lane.next_nonce(), self._urgency()
        if self._fills_gap(nonce, urgency):
            return
        last = next(iter(reversed(self._effort.at(nonce))), None)
        if last is not None and (self._is_young(last, urgency) or last.transaction_hash not in self._sent):
            self._deliver(last, urgency)
            return
        if self._is_not_sure_yet(nonce):
            return
        if self._yields(nonce, urgency) or self._leaves(nonce, urgency):
            self._clock.sleep(self._settings.poll_seconds)
            return
        try:
            attempt = self._signed(nonce, urgency)
        except (RevertedError, RefusedError):
            if self._has_landed() or self._lane.next_nonce() != nonce:
                return  # the chain moved on while we asked; a second one would revert, and was refused
            raise
        if attempt is not None:
            self._keep(self._effort.with_attempt(attempt))
            self._deliver(attempt, urgency)
        elif last is not None:
            self._deliver(last, urgency)
        else:
            self._clock.sleep(self._settings.poll_seconds)

    def _signed(self, nonce: int, urgency: Urgency) -> Attempt | None:
        """None while fees are too high."""
        lane, patience_ends = self._lane, self._clock.now() + self._settings.replace_after_seconds
        while True:
            call, request = self._errand.prepare()
            load, after = lane.load(call), self._load_after()
            ticket = self._ticket(nonce, load, after, urgency)
            if ticket is None:
                return None
            cost, promise = load.cost(ticket.max_fee_per_gas), after.cost(ticket.max_fee_per_gas)
            head = lane.head()
            purpose, vote = self._errand.purpose, self._errand.charged_to
            lane.book.charge(nonce, purpose, vote, cost, self._clock.now(), promise=promise)
            try:
                signed = lane.signer.sign(request(ticket))
            except DailyLimitError:
                raise  # no matter of a moment: others get their turn
            except NotYetError:
                is_over = self._clock.now() >= patience_ends or lane.next_nonce() != nonce
                if is_over or self._must_make_way():
                    raise
                self._clock.sleep(self._settings.poll_seconds)
            else:
                return Attempt.of(signed, self._clock.now(), head)

    def _load_after(self) -> Load:
        follows = self._errand.follows
        return Load() if follows is None else self._lane.load(follows())

    def _ticket(self, nonce: int, load: Load, after: Load, urgency: Urgency) -> Ticket | None:
        """None while fees are too high. Raises what forbids even the cheapest transaction, unless one of this errand is
        on its way.
        """
        purse = self._lane.purse(nonce, load, self._errand.charged_to, after)
        rival, own = self._lane.book.dearest_at(nonce), self._effort.at(nonce)
        fees = purse.offer(urgency, rival)
        if fees is None and rival is not None and not own and not self._lane.is_taken(rival, urgency):
            fees = purse.offer(urgency)  # from where it is neither taken nor known it cannot land
        if fees is not None:
            return ticket_for(nonce, load.gas, fees)
        refusal = purse.refusal()
        if refusal is not None and not own:
            self._refuse(refusal)
        return None

    def _urgency(self) -> Urgency:
        nearness = urgency_of(self._errand.seconds_left(), self._settings.replace_after_seconds)
        self._pressure = max(nearness, Urgency.BRISK) if self._errand.is_urgent else nearness
        return self._pressure

    def _patience(self, urgency: Urgency) -> float:
        return patience(urgency, self._settings.replace_after_seconds)

    def _is_young(self, attempt: Attempt, urgency: Urgency) -> bool:
        return self._clock.now() - attempt.signed_at < self._patience(urgency)

    def _keep(self, effort: Effort) -> None:
        self._effort = effort
        self._lane.book.keep(effort)

    # --- sending -----------------------------------------------------------------------------------------------------

    def _deliver(self, attempt: Attempt, urgency: Urgency) -> None:
        """Sends it. Whether its nonce is used, or a dearer one waits there, the next look at receipts sorts out; what
        nobody understood is sent again at the same nonce, for as long as this errand has its turn.
        """
        self._sent.add(attempt.transaction_hash)
        reply = self._lane.send(attempt, urgency)
        if reply.answer is Answer.TAKEN:
            return
        self._complaint = reply.text
        if reply.answer is Answer.OVER_NODE_CAP:
            self._lane.tell(alerts.over_node_cap(self._errand.purpose, reply.text))
        if reply.answer is Answer.NO_MONEY and not self._lane.is_known(attempt.nonce):
            self._refuse(self._no_money(attempt.nonce))
        if reply.answer is Answer.OUTBID and not self._lane.is_known(attempt.nonce):
            self._lane.tell_of_stranger(attempt.nonce, "waits in its place and pays more")

    def _no_money(self, nonce: int) -> GasMoneyError:
        """The node counts the worst case, and knows better what it takes beside the gas."""
        address = self._lane.key_address
        balance = self._lane.chain.balance(address)
        return GasMoneyError(address, balance, max(self._lane.book.cost_at(nonce), balance + 1))

    def _refuse(self, refusal: PnyxError) -> None:
        """Raises it, and tells people when it is theirs to mend."""
        message = alerts.refused(self._errand, refusal)
        if message is not None:
            self._lane.tell(message)
        raise refusal

    # --- receipts ----------------------------------------------------------------------------------------------------

    def _await_receipt(self) -> None:
        """Until there is one, or it is time for the next attempt: too slow, or its nonce went to a stranger's."""
        last = self._effort.last
        if last is None:
            return
        soon = self._clock.now() + LOOKS * self._settings.poll_seconds
        until = max(last.signed_at + self._patience(self._pressure), soon)
        while self._settled() is None:
            if self._clock.now() >= until or self._is_gone(last):
                return
            self._clock.sleep(self._settings.poll_seconds)
            self._keep_alive(last)

    def _keep_alive(self, last: Attempt) -> None:
        """The same bytes again when the node forgot them: dropped, or taken away by a reorganisation. A relay's are
        its own business until they are for everybody.
        """
        mined = self._is_mined()
        was_lost, self._was_mined = self._was_mined and not mined, mined
        if was_lost:
            self._sent.clear()
        if mined or not (was_lost or self._lane.is_public(last.nonce, self._pressure)):
            return
        is_next = self._lane.next_nonce() == last.nonce
        if is_next and self._lane.chain.transaction(last.transaction_hash) is None:
            self._deliver(last, self._pressure)

    def _settled(self) -> dict[str, Any] | None:
        return self._lane.settled_receipt(self._effort)

    def _is_mined(self) -> bool:
        return self._lane.any_receipt(self._effort) is not None

    def _has_landed(self) -> bool:
        receipt = self._lane.any_receipt(self._effort)
        return receipt is not None and self._effort.succeeded(receipt)

    # --- others ------------------------------------------------------------------------------------------------------

    def _let_others_land(self) -> None:
        """After a crash or a reorganisation other efforts may hold the next nonces: each gets its time first, unless it
        was given up.
        """
        lane, urgency = self._lane, self._urgency()
        while True:
            nonce = lane.next_nonce()
            efforts = lane.book.efforts_at(nonce)
            other = efforts[-1] if efforts else None
            if other is None or other.given_up or other.purpose == self._errand.purpose:
                return
            if not lane.is_taken(other.at(nonce)[-1], urgency):
                return
            if not lane.is_passed(nonce, self._patience(urgency), self._must_make_way):
                return

    def _fills_gap(self, nonce: int, urgency: Urgency) -> bool:
        """What was signed for this errand at a higher nonce waits for the nonces before it, which a reorganisation made
        free again. With another one there it could land twice; so what others stored for those nonces is sent again,
        and cancelled where no node takes it any more. So is an older attempt of this errand, and a place where a
        stranger's transaction was.
        """
        last, stored = self._effort.last, self._lane.book.dearest_at(nonce)
        if last is None or last.nonce <= nonce:
            return False
        if stored is None and self._yields(nonce, urgency):
            self._clock.sleep(self._settings.poll_seconds)
            return True
        is_own = bool(self._effort.at(nonce))
        is_taken = stored is not None and not is_own and self._lane.is_taken(stored, urgency)
        if not is_taken and not self._lane.is_cancelled(nonce, urgency):
            return False
        self._lane.is_passed(nonce, self._patience(urgency), self._must_make_way)
        return True

    def _is_gone(self, last: Attempt) -> bool:
        """True when its nonce is used, and by none of this errand's; seen more than once."""
        used = self._lane.next_nonce() > last.nonce
        self._gone_looks = self._gone_looks + 1 if used and not self._is_mined() else 0
        return self._gone_looks >= LOOKS

    def _is_not_sure_yet(self, nonce: int) -> bool:
        """Before a further nonce is taken: the one before it went to somebody else for certain."""
        last = self._effort.last
        if last is None or last.nonce >= nonce or self._is_mined():
            return False
        if self._gone_looks < LOOKS:
            return True
        if not self._lane.is_ours(last.nonce):
            self._lane.tell_of_stranger(last.nonce, "was mined in its place")
        return False

    def _yields(self, nonce: int, urgency: Urgency) -> bool:
        """A stranger's transaction that waits at our next nonce gets its time, while there is some: outbidding it would
        undo what somebody did on purpose.
        """
        lane = self._lane
        if lane.book.signed_for(nonce) or lane.chain.pending_nonce(lane.key_address) <= nonce:
            return False
        lane.tell_of_stranger(nonce, "waits for its turn")
        since = self._yielded_since.setdefault(nonce, self._clock.now())
        return urgency < Urgency.HIGH and self._clock.now() - since < self._patience(urgency)

    def _leaves(self, nonce: int, urgency: Urgency) -> bool:
        """An errand that was given up left a transaction that is too dear to be replaced: it is sent again, lands or
        reverts, and the nonce is free.
        """
        rival = self._lane.book.dearest_at(nonce)
        if rival is None or self._effort.at(nonce):
            return False
        market, limit = self._lane.chain.fee_market(), self._settings.max_fee_per_gas
        return offer(market, urgency, limit, rival) is None and self._lane.is_taken(rival, urgency)


def _failed(errand: Errand, receipt: dict[str, Any]) -> FailedTransactionError:
    return FailedTransactionError(
        f"{errand.purpose}: {MAX_TRIES} transactions reverted or did nothing, the last one, "
        f"{receipt['transactionHash']}, in block {int(receipt['blockNumber'], 16)}",
        receipt,
        hint="look at it in a block explorer; the chain changed each time between the estimate and the block",
    )
