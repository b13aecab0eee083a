"""Everything that tells people, put together from the settings and set to work."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from pnyx_agents.crier import AT_ONCE, Crier, Place
from pnyx_agents.crowd import Crowd
from pnyx_agents.deadlines import Deadlines
from pnyx_agents.metrics import Metrics
from pnyx_agents.reminders import Reminders
from pnyx_agents.reviewer import Reviewer
from pnyx_agents.settings import Settings
from pnyx_contracts.types import Address
from pnyx_tools import plugins
from pnyx_tools.journal import Journal
from pnyx_tools.notify import HasOutlets, Notifier
from pnyx_tools.notify.ledger import Ledger
from pnyx_tools.notify.quiet import Manners
from pnyx_tools.workers import FOLLOWING, Roll

HOUR_SECONDS = 3600


@contextmanager
def people_are_told(
    settings: Settings, journal: Journal, reviewer: Reviewer, metrics: Metrics, roll: Roll | None
) -> Iterator[Crier]:
    """The crier and the reminders, each in threads of their own. `roll`: of the workers that share the database."""
    ledger, wishes = Ledger(journal.database), settings.notifications
    reminders = Reminders(
        journal=journal,
        ledger=ledger,
        deadlines=Deadlines(reviewer.reader, reviewer.governors),
        crowd=Crowd(journal, wishes.holds_of_one, wishes.holds),
        before=tuple(hours * HOUR_SECONDS for hours in wishes.reminder_hours),
        alert_before=wishes.alert_hours * HOUR_SECONDS,
        approvers=frozenset(settings.signer.approvers if settings.signer else ()),
        people=frozenset(wishes.people),
        end_seconds=settings.agent.approvals_end,
        margin_seconds=settings.agent.vote,
        on_duty=partial(roll.has, FOLLOWING) if roll else lambda: True,
    )
    crier = Crier(
        ledger=ledger,
        places=places(settings),
        metrics=metrics,
        holder=roll.me if roll else f"{socket.gethostname()}:{settings.data}",
        failures=wishes.failures,
        page=wishes.page,
        date=reminders.date,
        is_outdated=reminders.is_outdated,
    )
    with crier.at_work(), reminders.at_work(crier):
        yield crier


def places(settings: Settings) -> tuple[Place, ...]:
    """Where people are told: the notifiers that the file names, each with its table, and the people themselves."""
    wishes, found = settings.notifications, list[Place]()
    for name, table in settings.plugins.notifiers.items():
        notifier = plugins.find("pnyx.notifiers", name).create(table)
        found += _places_of(name, notifier, AT_ONCE if name == "log" else wishes.manners())
    for address, person in wishes.people.items():
        notifier = plugins.find("pnyx.notifiers", "apprise").create({"urls": person.urls})
        found += _places_of(address, notifier, wishes.manners(address), address)
    return tuple(found)


def _places_of(name: str, notifier: Notifier, manners: Manners, person: Address | None = None) -> Iterator[Place]:
    """One, or each of those that the notifier reaches, by names that hold no secret and stay over restarts."""
    if not isinstance(notifier, HasOutlets):
        yield Place(name, notifier, manners=manners, person=person)
        return
    for each in notifier.outlets():
        yield Place(f"{name}/{each.name}", each.notifier, frozenset(each.urgencies), manners, person)
