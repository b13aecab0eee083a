"""Tells people. What is to be told is kept at once; each place is then told by a thread of its own, so that a service
that hangs or fails holds up neither a vote nor another service.

    keep       a message, with a line for each place that is to hear it
    gather     what waits for a place, until its digest is full or its quiet hours are over
    send       in one message; a place that does not take it is tried again, with ever longer waits
    note       that it was told
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pnyx_contracts.types import Address
from pnyx_tools.notify import Message, Notifier, Urgency, digest, foreign, why_undelivered
from pnyx_tools.notify.ledger import Ledger, Standing
from pnyx_tools.notify.quiet import Manners, Waiting, due

if TYPE_CHECKING:
    from pnyx_agents.metrics import Metrics

logger = logging.getLogger("pnyx.crier")

LOOK_SECONDS = 2.0
"""How often a place's thread looks whether something is due, when nobody wakes it."""

HOLD_SECONDS = 120
"""So long, after a crash of another process, its place is left alone. Longer than any send should take."""

FIRST_WAIT_SECONDS = 5.0
LONGEST_WAIT_SECONDS = 900.0

AT_ONCE = Manners(digest_seconds=0)
"""For what nobody is woken by: the log."""


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere people hear of things. `name` stays the same over restarts, and holds no secret."""

    name: str
    notifier: Notifier
    urgencies: frozenset[Urgency] = frozenset(Urgency)
    manners: Manners = AT_ONCE
    person: Address | None = None
    """One person's own place: what waits for this person, and nothing else."""

    def hears(self, message: Message) -> bool:
        is_for_it = self.person is None or message.urgency is Urgency.ACTION
        return is_for_it and message.urgency in self.urgencies


@dataclass(frozen=True, slots=True)
class Crier:
    """`holder` names this process among those that share a database; the next one in its place has the same name."""

    ledger: Ledger
    places: tuple[Place, ...]
    metrics: Metrics
    holder: str
    failures: int = 5
    """In a row, until the other places hear of it."""
    page: str = ""
    """Where members read more."""
    now: Callable[[], float] = time.time
    date: Callable[[Message], Message] = lambda message: message
    """The message with its deadline as the governor says it now."""
    is_outdated: Callable[[Message, Address | None], bool] = lambda _message, _person: False
    """Whether nobody (or not this person) needs to hear it any more."""
    news: dict[str, threading.Event] = field(default_factory=dict)

    def tell(self, message: Message) -> None:
        """To everybody whom it concerns. Raises `UnreachableError` when it cannot be kept: then nobody was told."""
        self.tell_some(message, [place for place in self.places if place.hears(message)])

    def tell_about_people(self, message: Message, people: Collection[Address], *, in_public: bool) -> None:
        """To these people, and to the places that are nobody's own."""
        chosen = [p for p in self.places if (in_public if p.person is None else p.person in people)]
        self.tell_some(message, [place for place in chosen if message.urgency in place.urgencies])

    def tell_some(self, message: Message, places: Sequence[Place]) -> None:
        linked = message.model_copy(update={"link": self.page}) if message.proposal else message
        if not self.ledger.keep(linked, [place.name for place in places], self.now()):
            return
        if message.urgency is Urgency.ALERT:
            self.metrics.alerts.inc()
        for place in places:
            if wake := self.news.get(place.name):
                wake.set()

    def deliver(self, place: Place) -> None:
        """What is due now, if anything is. A failure is noted, never raised."""
        now = self.now()
        if self.ledger.standing(place.name).try_at > now or not self.ledger.waiting(place.name):
            return
        if not self.ledger.hold(place.name, self.holder, now, HOLD_SECONDS):
            return
        waiting = self._still_true(place)
        batch = due(waiting, place.manners, now)
        if batch:
            self._send(place, batch)

    def _still_true(self, place: Place) -> list[Waiting]:
        """What waits for a place, dated anew where that decides; without what nobody needs to hear any more."""
        waiting = self.ledger.waiting(place.name)
        outdated = [one.message.key for one in waiting if self.is_outdated(one.message, place.person)]
        if outdated:
            self.ledger.withdraw(place.name, outdated)
        current = [one for one in waiting if one.message.key not in outdated]
        if place.manners.quiet is None:
            return current
        return [
            Waiting(self.date(one.message), one.since) if one.message.urgency is Urgency.ACTION else one
            for one in current
        ]

    def _send(self, place: Place, batch: Sequence[Waiting]) -> None:
        try:
            place.notifier.notify(digest(tuple(one.message for one in batch)))
        except Exception as error:  # noqa: BLE001 - a plugin's business; telling people never stops a vote
            self._note_failure(place, error)
        else:
            self.ledger.note_told(place.name, [one.message.key for one in batch])

    def _note_failure(self, place: Place, error: Exception) -> None:
        failures = self.ledger.standing(place.name).failures + 1
        why = why_undelivered(error)
        wait = min(FIRST_WAIT_SECONDS * 2.0 ** (failures - 1), LONGEST_WAIT_SECONDS)
        self.ledger.note_failed(place.name, Standing(failures=failures, try_at=self.now() + wait, error=why))
        logger.warning("a notifier failed", extra={"place": place.name, "error": str(error), "failures": failures})
        if failures == self.failures:
            self._tell_others(place, why)

    def _tell_others(self, place: Place, why: str) -> None:
        message = Message(
            key=f"place:{place.name}:{int(self.now())}",
            urgency=Urgency.ALERT,
            subject=f"messages to {place.name} do not arrive",
            detail=foreign(why),
        )
        self.tell_some(message, [other for other in self.places if other is not place and other.hears(message)])

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """A thread for each place. They are not waited for: what they are in the middle of is told again."""
        self.ledger.keep_only([place.name for place in self.places])
        stop = threading.Event()
        for place in self.places:
            self.news[place.name] = threading.Event()
            self.news[place.name].set()  # what an earlier process left
            threading.Thread(target=self._serve, args=(place, stop), name=f"tell {place.name}", daemon=True).start()
        try:
            yield
        finally:
            stop.set()
            for wake in self.news.values():
                wake.set()

    def _serve(self, place: Place, stop: threading.Event) -> None:
        wake = self.news[place.name]
        while not stop.is_set():
            wake.wait(LOOK_SECONDS)
            wake.clear()
            try:
                self.deliver(place)
            except Exception as error:  # noqa: BLE001 - the database is away for a while; the thread goes on
                logger.warning("messages cannot be told now", extra={"place": place.name, "error": str(error)})
