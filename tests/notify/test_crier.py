"""Everybody hears everything once, whatever fails meanwhile. On SQLite and on PostgreSQL."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pnyx_agents.crier import HOLD_SECONDS, LONGEST_WAIT_SECONDS, Crier, Place
from pnyx_contracts.errors import UnreachableError
from pnyx_tools.journal import Journal
from pnyx_tools.notify import Message, UndeliveredError, Urgency, WebhookNotifier, foreign, render
from pnyx_tools.notify.ledger import Ledger
from pnyx_tools.notify.quiet import Manners, QuietHours
from pnyx_tools.testing.message_service import MessageService

from .conftest import Clock, Ear, MakeCrier

ADA = "0x00000000000000000000000000000000000000Ad"
AWAY = UndeliveredError("the service is away")


def message(key: str, urgency: Urgency = Urgency.INFO, **parts: object) -> Message:
    return Message(key=key, urgency=urgency, subject=f"about {key}", **parts)


def deliver(crier: Crier) -> None:
    for place in crier.places:
        crier.deliver(place)


def test_each_message_comes_once_also_after_a_restart(make_crier: MakeCrier) -> None:
    ear = Ear()
    for _ in range(2):
        crier = make_crier(Place("ear", ear))
        for _ in range(2):
            crier.tell(message("a"))
            deliver(crier)
    assert ear.keys == [["a"]]


def test_what_was_kept_is_told_by_the_next_process(make_crier: MakeCrier) -> None:
    said = message("a", Urgency.ACTION, proposal="1:0xab:7", title=foreign("Pay"), reason=foreign("calm"), to_do="x y")
    make_crier(Place("ear", Ear())).tell(said)
    ear = Ear()
    deliver(make_crier(Place("ear", ear)))
    assert ear.heard == [said], "as it was told, strangers' words too"


def test_a_burst_is_one_message(make_crier: MakeCrier, clock: Clock) -> None:
    ear = Ear()
    crier = make_crier(Place("ear", ear, manners=Manners(digest_seconds=60)))
    for number in range(50):
        about = f"1:0xab:{number}"
        crier.tell(message(f"{about}:HOLD", Urgency.ACTION, proposal=about, title=foreign(f"No {number}")))
        deliver(crier)
        clock.pass_(1)
    assert ear.heard == []
    crier.tell(message("oops", Urgency.ALERT))
    clock.pass_(10)
    deliver(crier)
    assert [sorted(keys) for keys in ear.keys] == [sorted([*(f"1:0xab:{n}:HOLD" for n in range(50)), "oops"])]
    (digest,) = ear.heard
    assert (digest.urgency, digest.subject) == (Urgency.ALERT, "51 messages (1 alert, 50 action)")
    assert digest.parts[0].key == "oops", "the most urgent first"
    lines = render(digest).splitlines()
    assert len(lines) == 21
    assert lines[-1] == "and 31 more: pnyx status"


def test_a_message_alone_is_no_digest(make_crier: MakeCrier, clock: Clock) -> None:
    ear = Ear()
    crier = make_crier(Place("ear", ear, manners=Manners(digest_seconds=60)))
    crier.tell(message("a"))
    deliver(crier)
    assert ear.heard == []
    clock.pass_(60)
    deliver(crier)
    assert ear.heard == [message("a")]


def test_everybody_hears_what_is_theirs(make_crier: MakeCrier) -> None:
    public, pager, ada = Ear(), Ear(), Ear()
    crier = make_crier(
        Place("public", public), Place("pager", pager, frozenset({Urgency.ALERT})), Place("ada", ada, person=ADA)
    )
    for urgency in Urgency:
        crier.tell(message(urgency.value, urgency))
        deliver(crier)
    assert (public.keys, pager.keys, ada.keys) == ([["info"], ["action"], ["alert"]], [["alert"]], [["action"]])


def test_the_link_is_from_the_configuration(make_crier: MakeCrier) -> None:
    ear = Ear()
    crier = make_crier(Place("ear", ear), page="https://members.example/")
    crier.tell(message("a", proposal="1:0xab:7"))
    deliver(crier)
    assert ear.heard[0].link == "https://members.example/"


def test_alerts_are_counted_once(make_crier: MakeCrier) -> None:
    crier = make_crier(Place("a", Ear()), Place("b", Ear()))
    for _ in range(2):
        crier.tell(message("a", Urgency.ALERT))
    assert crier.metrics.registry.get_sample_value("pnyx_alerts_total") == 1


# Failures


def test_what_fails_is_tried_again_ever_more_rarely_and_holds_up_nobody(make_crier: MakeCrier, clock: Clock) -> None:
    broken, well = Ear(error=AWAY), Ear()
    crier = make_crier(Place("broken", broken), Place("well", well), failures=1_000)
    crier.tell(message("a"))
    deliver(crier)
    assert well.keys == [["a"]]
    waits = []
    for _ in range(12):
        standing = crier.ledger.standing("broken")
        waits.append(standing.try_at - clock())
        clock.pass_(waits[-1] - 0.1)
        deliver(crier)
        assert crier.ledger.standing("broken") == standing, "not before its time"
        clock.pass_(0.1)
        deliver(crier)
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (5, LONGEST_WAIT_SECONDS)
    crier.tell(message("b"))
    broken.error = None
    clock.pass_(LONGEST_WAIT_SECONDS)
    deliver(crier)
    assert broken.keys == [["a", "b"]]
    assert crier.ledger.standing("broken").failures == 0
    assert well.keys == [["a"], ["b"]]


def test_after_some_failures_the_other_places_hear_of_it_once(make_crier: MakeCrier, clock: Clock) -> None:
    broken, well = Ear(error=AWAY), Ear()
    crier = make_crier(Place("slack/ops", broken), Place("well", well), failures=3)
    crier.tell(message("a"))
    for failures in range(1, 8):
        deliver(crier)
        assert len(well.heard) == 1 + (failures >= 3)
        clock.pass_(LONGEST_WAIT_SECONDS)
    alert = well.heard[1]
    assert (alert.urgency, alert.subject) == (Urgency.ALERT, "messages to slack/ops do not arrive")
    assert alert.detail is not None
    assert alert.detail.text == "the service is away"


def test_the_words_of_an_unknown_error_are_shown_to_nobody(make_crier: MakeCrier) -> None:
    well = Ear()
    broken = Ear(error=ValueError("https://hooks.example/hunter2"))
    crier = make_crier(Place("broken", broken), Place("well", well), failures=1)
    crier.tell(message("a"))
    deliver(crier)
    deliver(crier)
    assert crier.ledger.standing("broken").error == "ValueError"
    assert "hunter2" not in repr(well.heard)


def test_a_service_that_hangs_holds_up_nobody(make_crier: MakeCrier) -> None:
    release, heard = threading.Event(), threading.Event()

    class Hanging:
        def notify(self, _message: Message) -> None:
            release.wait(60)

    class Hearing:
        def notify(self, _message: Message) -> None:
            heard.set()

    crier = make_crier(Place("hanging", Hanging()), Place("hearing", Hearing()))
    with crier.at_work():
        crier.tell(message("a"))
        assert heard.wait(30)
        heard.clear()
        crier.tell(message("b"))
        assert heard.wait(30)
        release.set()


def test_a_database_that_is_away_is_an_error_and_nobody_was_told(tmp_path: Path) -> None:
    journal = Journal(f"sqlite:///{tmp_path / 'journal.sqlite'}")
    ledger = Ledger(journal.database)
    with journal.database.begin() as connection:
        connection.exec_driver_sql("DROP TABLE notify_message")
    with pytest.raises(UnreachableError, match="the database cannot be used"):
        ledger.keep(message("a"), ["ear"], 0)
    journal.close()


# Several processes


def test_of_two_processes_one_tells(make_crier: MakeCrier, clock: Clock) -> None:
    first, second = Ear(), Ear()
    crier, other = make_crier(Place("ear", first)), make_crier(Place("ear", second), holder="another")

    class Telling:
        def notify(self, message: Message) -> None:
            deliver(other)  # in the middle of it
            first.notify(message)

    crier = make_crier(Place("ear", Telling()))
    crier.tell(message("a"))
    other.tell(message("a"))
    deliver(crier)
    assert (first.keys, second.heard) == ([["a"]], [])
    crier.tell(message("b"))
    deliver(other)
    assert second.heard == [], "the first has the place for a while"
    clock.pass_(HOLD_SECONDS)
    deliver(other)
    assert second.keys == [["b"]], "and loses it when it is gone"


SCRIPT = """
import os, signal, sys
from pnyx_agents.crier import Crier, Place
from pnyx_agents.metrics import Metrics
from pnyx_tools.journal import Journal
from pnyx_tools.notify import Message, WebhookNotifier
from pnyx_tools.notify.ledger import Ledger

url, database, dies = sys.argv[1:]

class Webhook(WebhookNotifier):
    def notify(self, message):
        if dies == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        super().notify(message)
        if dies == "after":
            os.kill(os.getpid(), signal.SIGKILL)

crier = Crier(Ledger(Journal(database).database), (Place("webhook", Webhook(url)),), Metrics(), "this machine")
for key in ("a", "b"):
    crier.tell(Message(key=key, subject="x"))
crier.deliver(crier.places[0])
"""


@pytest.mark.parametrize(("dies", "times"), [("before", 1), ("after", 2)])
def test_kill_9_loses_nothing_and_repeats_once_at_most(
    service: MessageService, journal: Journal, make_crier: MakeCrier, dies: str, times: int
) -> None:
    """Twice only when it dies between what the service took and the note of it."""
    url, database = f"http://{service.address}/", journal.database.name
    killed = subprocess.run([sys.executable, "-c", SCRIPT, url, database, dies], check=False, timeout=120)
    assert killed.returncode == -signal.SIGKILL
    for _ in range(2):
        deliver(make_crier(Place("webhook", WebhookNotifier(url)), holder="this machine"))
    assert len(service.requests) == times
    assert len({asked.body for asked in service.requests}) == 1


# What is over


def test_nobody_hears_what_is_over(make_crier: MakeCrier) -> None:
    ear, over = Ear(), set[str]()
    crier = make_crier(Place("ear", ear), is_outdated=lambda message, _person: message.key in over)
    for key in ("a", "b"):
        crier.tell(message(key, Urgency.ACTION))
    over.add("a")
    deliver(crier)
    over.clear()
    deliver(crier)
    assert ear.keys == [["b"]]


def test_a_deadline_that_moves_into_the_night_wakes_people(make_crier: MakeCrier, clock: Clock) -> None:
    ear, deadline = Ear(), [clock() + 48 * 3600]
    quiet = QuietHours.parse("07:00-17:00", "UTC")  # it is 08:00
    crier = make_crier(
        Place("ear", ear, manners=Manners(digest_seconds=0, quiet=quiet)),
        date=lambda message: message.model_copy(update={"deadline_at": int(deadline[0])}),
    )
    crier.tell(message("a", Urgency.ACTION))
    deliver(crier)
    assert ear.heard == []
    deadline[0] = clock() + 3600
    deliver(crier)
    assert [heard.deadline_at for heard in ear.heard] == [int(deadline[0])]


def test_what_waits_for_a_place_that_is_gone_is_forgotten(make_crier: MakeCrier, ledger: Ledger) -> None:
    make_crier(Place("old", Ear(error=AWAY)), Place("ear", Ear())).tell(message("a"))
    with make_crier(Place("ear", Ear(error=AWAY))).at_work():
        assert ledger.counts() == {"ear": 1}


def test_threads_tell_what_an_earlier_process_left(make_crier: MakeCrier) -> None:
    heard = threading.Event()

    class Hearing:
        def notify(self, _message: Message) -> None:
            heard.set()

    make_crier(Place("ear", Ear())).tell(message("a"))
    with make_crier(Place("ear", Hearing())).at_work():
        assert heard.wait(30)
