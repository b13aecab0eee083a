"""When what waits goes out: digests, quiet hours, reminders. Pure functions of the time."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pnyx_tools.notify import Message, Urgency
from pnyx_tools.notify.quiet import Manners, QuietHours, Waiting, due, next_reminder

ATHENS = ZoneInfo("Europe/Athens")
HOUR = 3600.0
NIGHT = QuietHours.parse("22:00-07:00", "Europe/Athens")


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ATHENS).timestamp()


def message(urgency: Urgency, deadline: str | None = None) -> Message:
    when = int(at(deadline)) if deadline else None
    return Message(key=f"{urgency.value} {deadline}", urgency=urgency, subject="x", deadline_at=when)


INFO, ACTION, ALERT = map(message, Urgency)


@pytest.mark.parametrize(
    ("hours", "now", "end"),
    [
        ("22:00-07:00", "2026-11-30 21:59:59", None),
        ("22:00-07:00", "2026-11-30 22:00:00", "2026-12-01 07:00"),
        ("22:00-07:00", "2026-12-01 00:00:00", "2026-12-01 07:00"),
        ("22:00-07:00", "2026-12-01 06:59:59", "2026-12-01 07:00"),
        ("22:00-07:00", "2026-12-01 07:00:00", None),
        ("13:00-15:00", "2026-11-30 12:59:59", None),
        ("13:00-15:00", "2026-11-30 13:00:00", "2026-11-30 15:00"),
        ("13:00-15:00", "2026-11-30 15:00:00", None),
        ("22:00-07:00", "2026-03-28 23:00:00", "2026-03-29 07:00"),  # the clock goes forward that night
        ("22:00-07:00", "2026-10-24 23:00:00", "2026-10-25 07:00"),  # and back
    ],
)
def test_quiet_hours_are_those_of_the_wall_clock(hours: str, now: str, end: str | None) -> None:
    assert QuietHours.parse(hours, "Europe/Athens").end_after(at(now)) == (at(end) if end else None)


def test_another_place_has_another_night() -> None:
    tokyo = QuietHours.parse("22:00-07:00", "Asia/Tokyo")
    afternoon = at("2026-11-30 16:00")
    assert NIGHT.end_after(afternoon) is None
    assert tokyo.end_after(afternoon) == datetime(2026, 12, 1, 7, tzinfo=ZoneInfo("Asia/Tokyo")).timestamp()


@pytest.mark.parametrize("hours", ["", "22:00", "25:00-07:00", "22:60-07:00", "22:00 - 07:00", "9:00-17:00", "7:0-7:0"])
def test_hours_that_are_none(hours: str) -> None:
    with pytest.raises(ValueError, match="expected hours like '22:00-07:00'"):
        QuietHours.parse(hours, "UTC")


def test_there_is_an_hour_that_is_not_quiet() -> None:
    with pytest.raises(ValueError, match="begin and end at the same time"):
        QuietHours.parse("07:00-07:00", "UTC")


@pytest.mark.parametrize("zone", ["", "Europe/Atlantis", "../../etc/passwd", "/etc/localtime"])
def test_zones_that_are_none(zone: str) -> None:
    with pytest.raises(ValueError, match="expected the name of a time zone"):
        QuietHours.parse("22:00-07:00", zone)


# Digests


def test_a_digest_waits_for_the_first_message_only() -> None:
    """So nothing is delayed for longer, however many follow."""
    waiting = [Waiting(INFO, 100), Waiting(ALERT, 159)]
    assert due(waiting, Manners(digest_seconds=60), 159.9) == ()
    assert due(waiting, Manners(digest_seconds=60), 160) == tuple(waiting)
    assert due([], Manners(), 160) == ()


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0, 600), st.sampled_from(Urgency))
def test_nothing_waits_longer_than_the_digest(times: list[float], digest_seconds: float, urgency: Urgency) -> None:
    waiting = [Waiting(message(urgency), since) for since in times]
    assert due(waiting, Manners(digest_seconds=digest_seconds), min(times) + digest_seconds) == tuple(waiting)


# Quiet hours

BEDTIME = at("2026-11-30 23:00")


@pytest.mark.parametrize(
    ("waits", "said"),
    [
        (True, INFO),
        (False, ALERT),
        (False, ACTION),  # its deadline is not known: it may be in the night
        (False, message(Urgency.ACTION, "2026-12-01 03:00")),
        (False, message(Urgency.ACTION, "2026-12-01 07:59")),
        (True, message(Urgency.ACTION, "2026-12-01 08:00")),
        (True, message(Urgency.ACTION, "2026-12-05 08:00")),
    ],
)
def test_what_can_wait_until_the_morning_does(waits: bool, said: Message) -> None:
    manners = Manners(quiet=NIGHT, margin_seconds=HOUR)
    waiting = [Waiting(said, BEDTIME)]
    assert (due(waiting, manners, BEDTIME + HOUR) == ()) is waits
    assert due(waiting, manners, at("2026-12-01 07:00")) == tuple(waiting)


def test_the_morning_brings_one_message_and_an_alert_of_the_night_comes_alone() -> None:
    manners = Manners(quiet=NIGHT)
    infos = [Waiting(INFO, BEDTIME + minutes * 60) for minutes in range(5)]
    alert = Waiting(ALERT, BEDTIME)
    assert due([*infos, alert], manners, BEDTIME + HOUR) == (alert,)
    assert due(infos, manners, at("2026-12-01 07:00")) == tuple(infos)


# Reminders

DAYS = [72 * HOUR, 24 * HOUR, 6 * HOUR, HOUR]


@pytest.mark.parametrize(
    ("left_when_asked", "left", "due_at"),
    [
        (100, 73, None),
        (100, 72, 72),
        (100, 30, 72),
        (100, 24, 24),
        (100, 2, 6),
        (100, 1, 1),
        (100, 0.1, 1),
        (100, 0, None),
        (100, -1, None),
        (20, 20, None),  # people were just asked
        (20, 7, None),
        (20, 5, 6),
        (0.5, 0.4, None),
    ],
)
def test_the_reminder_that_is_due(left_when_asked: float, left: float, due_at: float | None) -> None:
    deadline = 1_000 * HOUR
    found = next_reminder(DAYS, since=deadline - left_when_asked * HOUR, deadline=deadline, now=deadline - left * HOUR)
    assert found == (None if due_at is None else due_at * HOUR)


@given(st.floats(0, 400), st.lists(st.floats(0, 400), max_size=200))
def test_each_reminder_comes_once_whenever_one_looks(asked: float, looks: list[float]) -> None:
    deadline = 400 * HOUR
    told = [
        found for look in sorted(looks)
        if look >= asked
        and (found := next_reminder(DAYS, since=asked * HOUR, deadline=deadline, now=look * HOUR)) is not None
    ]  # fmt: skip
    assert told == sorted(told, reverse=True), "ever nearer to the deadline"
    assert set(told) <= {t for t in DAYS if asked * HOUR < deadline - t}
