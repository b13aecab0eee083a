"""The nonces of one key: what was signed for each, where it is now, sending it again, cancelling it.

At a nonce lands one transaction at most. Everything that is signed for one is in the book before it is sent, so whoever
has the turn sees what holds it: an errand of before a crash, one that was given up, or a stranger's that is in no book.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from pnyx_contracts.errors import PnyxError
from pnyx_contracts.governors import TransactionCall
from pnyx_contracts.types import Address
from pnyx_tools.chain import Fees
from pnyx_tools.data_fee import data_fee_wei
from pnyx_tools.notify import Message
from pnyx_tools.sender import alerts
from pnyx_tools.sender.answers import Answer
from pnyx_tools.sender.book import Book
from pnyx_tools.sender.delivery import Delivery, Reply, goes_public
from pnyx_tools.sender.effort import Attempt, Effort
from pnyx_tools.sender.errand import Clock, SenderSettings, SendingChain
from pnyx_tools.sender.fees import Urgency
from pnyx_tools.sender.money import Load, Purse
from pnyx_tools.sender.turns import Turns
from pnyx_tools.signer.client import SignerPort
from pnyx_tools.signer.protocol import SignCancel, Ticket


@dataclass(frozen=True, slots=True)
class Lane:
    """What all errands of one key share. Whoever has the turn uses it alone."""

    chain: SendingChain
    signer: SignerPort
    key_address: Address
    book: Book
    settings: SenderSettings
    clock: Clock
    delivery: Delivery
    turns: Turns
    tell: Callable[[Message], None]

    def next_nonce(self) -> int:
        """Transactions of the key that are mined."""
        return self.chain.nonce(self.key_address)

    def head(self) -> int:
        """The number of the latest block, where relays are given some from there."""
        return self.chain.block("latest").number if self.delivery.relays else 0

    # --- receipts ----------------------------------------------------------------------------------------------------

    def settled_receipt(self, effort: Effort) -> dict[str, Any] | None:
        """The receipt that counts, once it is deep enough."""
        receipt = self.any_receipt(effort)
        if receipt is None:
            return None
        depth = self.chain.block("latest").number - int(receipt["blockNumber"], 16) + 1
        return receipt if depth >= self.settings.confirmations else None

    def any_receipt(self, effort: Effort) -> dict[str, Any] | None:
        """However deep; a reorganisation can take it away again. A success, else the revert at the last nonce: the
        reverts before it were answered by signing anew.
        """
        reverted = None
        for attempt in reversed(effort.attempts):
            receipt = self.chain.receipt(attempt.transaction_hash)
            if receipt is not None and effort.succeeded(receipt):
                return receipt
            if receipt is not None and attempt.nonce == effort.attempts[-1].nonce:
                reverted = receipt
        return reverted

    def is_ours(self, nonce: int) -> bool:
        """Whether what was mined at this nonce was signed for it here, whoever's errand it was."""
        return any(self.chain.receipt(attempt.transaction_hash) is not None for attempt in self.book.signed_for(nonce))

    # --- sending -----------------------------------------------------------------------------------------------------

    def send(self, attempt: Attempt, urgency: Urgency) -> Reply:
        return self.delivery.send(attempt.raw, public=self.is_public(attempt.nonce, urgency))

    def is_public(self, nonce: int, urgency: Urgency) -> bool:
        """Counted from the first attempt at this nonce: a replacement does not begin anew."""
        if not self.delivery.relays:
            return True
        first = min((attempt.signed_in_block for attempt in self.book.signed_for(nonce)), default=0)
        waited = self.chain.block("latest").number - first
        return goes_public(self.delivery.relays, waited, self.settings.public_after_blocks, urgency)

    def is_known(self, nonce: int) -> bool:
        """Whether the node has a transaction of ours at this nonce, whoever's errand it is."""
        return any(
            self.chain.transaction(attempt.transaction_hash) is not None for attempt in self.book.signed_for(nonce)
        )

    def is_taken(self, attempt: Attempt, urgency: Urgency) -> bool:
        """Sends it again. False when the node neither takes it nor knows it: from there it cannot land.

        Whatever is signed instead has the same nonce, so that at most one of the two ever lands.
        """
        taken = self.send(attempt, urgency).answer is Answer.TAKEN
        return taken or self.chain.transaction(attempt.transaction_hash) is not None

    def is_passed(self, nonce: int, seconds: float, makes_way: Callable[[], bool]) -> bool:
        """Waits for a transaction at this nonce; False when it takes too long."""
        until = self.clock.now() + seconds
        while self.next_nonce() <= nonce:
            if self.clock.now() >= until or makes_way():
                return False
            self.clock.sleep(self.settings.poll_seconds)
        return True

    # --- money -------------------------------------------------------------------------------------------------------

    def gas_limit(self, call: TransactionCall) -> int:
        """A quarter above the estimate: other votes in the same block can make this one dearer."""
        return self.chain.estimate_gas(self.key_address, call) * 5 // 4

    def load(self, call: TransactionCall) -> Load:
        """What the call takes as a transaction."""
        gas = self.gas_limit(call)
        return Load(gas, data_fee_wei(self.chain, call, gas))

    def purse(self, nonce: int, load: Load, vote: str, after: Load = Load()) -> Purse:  # noqa: B008 - it is frozen
        now = self.clock.now()
        return Purse(
            load=load,
            market=self.chain.fee_market(),
            max_fee_per_gas=self.settings.max_fee_per_gas,
            balance=self.chain.balance(self.key_address),
            address=self.key_address,
            daily=self.settings.daily_wei,
            spent_in_a_day=self.book.spent_in_a_day(now, besides=nonce),
            vote=vote,
            per_vote=self.settings.vote_wei,
            spent_on_vote=self.book.spent_on(vote, besides=nonce) if vote else 0,
            after=after,
            promised=self.book.promised(now, besides=vote),
        )

    # --- cancelling --------------------------------------------------------------------------------------------------

    def is_cancelled(self, nonce: int, urgency: Urgency) -> bool:
        """Signs and sends a transfer of nothing to ourselves. False when it is refused, or too dear: then the nonce
        stays with what holds it, until the next errand takes it.
        """
        call, rival = TransactionCall(self.key_address, b""), self.book.dearest_at(nonce)
        load = self.load(call)
        purse = replace(self.purse(nonce, load, vote=""), promised=0)  # what was promised may wait for this nonce
        fees = purse.offer(urgency, rival)
        if fees is None and rival is not None and self.chain.transaction(rival.transaction_hash) is None:
            fees = purse.offer(urgency)  # what is not known has not to be outbid
        if fees is None:
            return False
        purpose, head = f"cancel:{self.key_address}:{nonce}", self.head()
        self.book.charge(nonce, purpose, "", load.cost(fees.max_fee), self.clock.now())
        try:
            signed = self.signer.sign(SignCancel(ticket=ticket_for(nonce, load.gas, fees)))
        except PnyxError:  # a signer of another kind need not know how
            return False
        attempt = Attempt.of(signed, self.clock.now(), head)
        effort = self.book.effort(purpose).with_attempt(attempt)
        self.book.keep(effort.model_copy(update={"given_up": True}))  # nobody waits for it: the next may outbid it
        self.send(attempt, urgency)  # what no node takes now is stored, and sent again
        return True

    # --- telling -----------------------------------------------------------------------------------------------------

    def tell_of_stranger(self, nonce: int, what: str) -> None:
        self.tell(alerts.stranger(self.key_address, nonce, what, self.clock.now()))


def ticket_for(nonce: int, gas: int, fees: Fees) -> Ticket:
    return Ticket(
        nonce=nonce, gas_limit=gas, max_fee_per_gas=fees.max_fee, max_priority_fee_per_gas=fees.max_priority_fee
    )
