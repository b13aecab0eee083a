"""Sends for one key.

1. What the outbox knows comes first: a transaction that was signed before a crash is sent again, not signed again.
2. The nonce is the chain's own count, read each time; there is no counter here that could drift away from it. What was
   signed for that nonce, by whatever errand, is replaced there or lands first; so no gap is left open.
3. The signer signs; the signed bytes are stored before they are sent.
4. No receipt in time: the same call again at the same nonce with a higher fee, so that at most one of them lands.
5. It lands; or it reverts, because the chain moved on meanwhile: then it is made and signed anew, at the next nonce,
   while it is still wanted; or it is given up while that is still a clear state: the next then takes its nonce, or,
   when there is none, it is cancelled.

Votes come first: what has no deadline waits for them, and leaves its place to them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pnyx_contracts.types import Address
from pnyx_tools.notify import Message
from pnyx_tools.sender.book import Book
from pnyx_tools.sender.delivery import Delivery, Relay
from pnyx_tools.sender.errand import Clock, Errand, OutboxPort, SenderSettings, SendingChain, SystemClock
from pnyx_tools.sender.lane import Lane
from pnyx_tools.sender.pursuit import Pursuit
from pnyx_tools.sender.turns import LocalTurns, Turns
from pnyx_tools.signer.client import SignerPort


class Sender:
    """One transaction at a time. Safe to share between threads; between processes, with `turns` that they share."""

    def __init__(
        self,
        chain: SendingChain,
        signer: SignerPort,
        key_address: Address,
        outbox: OutboxPort,
        settings: SenderSettings,
        clock: Clock | None = None,
        *,
        relays: tuple[Relay, ...] = (),
        tell: Callable[[Message], None] = lambda _: None,
        turns: Turns | None = None,
    ) -> None:
        """`tell` reaches people, who hear the same message once. `turns`: when other processes send for this key."""
        self._turns = turns or LocalTurns()
        self._lane = Lane(
            chain=chain,
            signer=signer,
            key_address=key_address,
            book=Book(outbox, key_address),
            settings=settings,
            clock=clock or SystemClock(),
            delivery=Delivery(chain, relays),
            turns=self._turns,
            tell=tell,
        )

    def send(self, errand: Errand) -> dict[str, Any]:
        """The successful receipt. Run it again after a crash: it goes on from the outbox.

        Raises `FailedTransactionError`, `GivenUpError` (with `GasMoneyError` and `SpendingLimitError`), `RevertedError`
        (it would revert now), `RefusedError` (by the signer or a limit) or `UnreachableError`.
        """
        with self._turns.take(urgent=errand.is_urgent):
            return Pursuit(self._lane, errand).run()
