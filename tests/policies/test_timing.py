"""Is there time to look, to vote, and to leave? Delays, periods, late votes, weekends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.policies.settled import HIGH, INFO, LOW, MEDIUM, changed, found, plain, worst

from pnyx_contracts.types import ClockMode
from pnyx_policies.checks import Timing
from pnyx_policies.context import GroundRules, LateVotes, VotingPower
from pnyx_policies.facts import Facts
from pnyx_policies.finding import Severity
from pnyx_policies.week import DAY, weekday, weekend_seconds
from pnyx_tools.testing.facts import GOVERNOR, TIMELOCK, call_of


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"voting_delay": 1}, "voting delay 12 seconds"),
        ({"voting_period": 50}, "voting period 10 minutes"),
        ({"timelock_delay_seconds": 0}, "timelock delay 0 seconds"),
        ({"voting_delay": 300, "voting_period": 7_200, "timelock_delay_seconds": 3_600}, ""),
        ({"voting_delay": None, "voting_period": None, "timelock_delay_seconds": None}, ""),
    ],
)
def test_a_daos_own_haste_is_low(settings: dict[str, int], words: str) -> None:
    findings = found(Timing(), changed(plain(), GroundRules, **settings))
    assert [(f.severity, f.title) for f in findings] == (
        [(LOW, f"Short by the DAO's own settings: {words}")] if words else []
    )


def test_a_clock_of_seconds_needs_no_pace() -> None:
    facts = changed(plain(clock=ClockMode.TIMESTAMP), GroundRules, voting_delay=3_599, voting_period=86_400)
    assert [f.title for f in found(Timing(), facts)] == ["Short by the DAO's own settings: voting delay 59 minutes"]


@pytest.mark.parametrize(
    ("call", "title"),
    [
        (call_of(GOVERNOR, "setVotingDelay(uint48)", 0), "The voting delay becomes 0 seconds"),
        (call_of(GOVERNOR, "setVotingPeriod(uint32)", 3), "The voting period becomes 36 seconds"),
        (call_of(GOVERNOR, "_setVotingPeriod(uint256)", 3), "The voting period becomes 36 seconds"),
        (call_of(TIMELOCK, "updateDelay(uint256)", 60), "The timelock delay becomes 60 seconds"),
    ],
)
def test_who_makes_it_short_is_told(call: Any, title: str) -> None:
    (finding,) = found(Timing(), plain(call))
    assert (finding.severity, finding.title, finding.calls) == (HIGH, title, ("0",))


def test_who_makes_it_longer_or_a_little_shorter_is_not() -> None:
    calls = call_of(GOVERNOR, "setVotingPeriod(uint32)", 50_000), call_of(TIMELOCK, "updateDelay(uint256)", 3_600)
    assert found(Timing(), plain(*calls)) == ()


@pytest.mark.parametrize(("late_against", "severity"), [(101, MEDIUM), (100, MEDIUM), (99, None)])
def test_late_votes_that_turn_the_majority_around(late_against: int, severity: Severity | None) -> None:
    late = LateVotes(since_block=1_890, early_for=150, early_against=50, late_for=0, late_against=late_against)
    assert worst(Timing(), changed(plain(), VotingPower, late=late)) is severity


# --- weekends

HOUR = 3_600


def at(words: str) -> int:
    """``2024-03-08 18:00``, a Friday evening in UTC."""
    return int(datetime.fromisoformat(words).replace(tzinfo=UTC).timestamp())


def open_for(start: str, hours: float) -> Facts:
    """A vote by a clock of seconds."""
    facts = changed(plain(clock=ClockMode.TIMESTAMP), GroundRules, voting_period=7 * DAY)
    begin = at(start)
    governor = facts.governor.model_copy(update={"snapshot": begin, "deadline": begin + int(hours * HOUR)})
    return facts.model_copy(update={"governor": governor})


@pytest.mark.parametrize(
    ("start", "hours", "severity", "share", "rest"),
    [
        ("2024-03-08 18:00", 60, LOW, 80, "48 of 60 hours"),  # Friday evening to Monday morning
        ("2024-03-09 00:00", 24, LOW, 100, "24 of 24 hours"),
        ("2024-03-08 18:00", 72, INFO, 66, "48 of 72 hours"),  # a whole working day is left
        ("2024-03-09 00:00", 96, None, 0, ""),  # half of it is none
        ("2024-03-05 00:00", 72, None, 0, ""),  # Tuesday to Friday
        ("2024-03-06 09:00", 24, None, 0, ""),
        ("2024-03-09 06:00", 12, None, 0, ""),  # found as short, whatever the day
    ],
)
def test_a_vote_that_people_who_work_hardly_see(
    start: str, hours: int, severity: Severity | None, share: int, rest: str
) -> None:
    findings = found(Timing(), open_for(start, hours))
    assert [f.severity for f in findings] == ([severity] if severity is not None else [])
    for finding in findings:
        assert finding.title == f"{share}% of the time to vote is Saturday or Sunday"
        assert finding.detail.startswith(rest)


@pytest.mark.parametrize("days", [5, 6, 7, 14])
def test_a_vote_of_a_weeks_work_is_quiet_whenever_it_begins(days: int) -> None:
    for hours_later in range(0, 7 * 24, 6):
        start = datetime(2024, 3, 4, tzinfo=UTC) + timedelta(hours=hours_later)
        assert found(Timing(), open_for(start.isoformat(" "), days * 24)) == ()


def test_a_clock_of_blocks_is_an_estimate() -> None:
    """The block of the review is one of a Tuesday, 22:13:20, and number 1,000; a block comes in twelve seconds."""
    facts = changed(plain(), GroundRules, milliseconds_per_tick=12_000)
    wednesday = 1_000 + 6_400 // 12
    governor = facts.governor.model_copy(
        update={"snapshot": wednesday + 3 * 7_200, "deadline": wednesday + 5 * 7_200 + 1_800}
    )
    (finding,) = found(Timing(), facts.model_copy(update={"governor": governor}))
    assert (finding.severity, finding.title) == (LOW, "About 88% of the time to vote is Saturday or Sunday")
    assert finding.detail == ("About 48 of 54 hours, from Friday to Monday (UTC), by the pace of the last blocks.")


def test_the_days_of_the_week() -> None:
    for moment in range(0, 20_000 * DAY, 13 * DAY + 13):
        assert weekday(moment) == datetime.fromtimestamp(moment, UTC).strftime("%A")
    start = at("2024-03-08 18:00")
    for hours in range(0, 21 * 24, 5):
        off = [moment for moment in range(start, start + hours * HOUR, HOUR) if weekday(moment).startswith("S")]
        assert weekend_seconds(start, start + hours * HOUR) == len(off) * HOUR
    assert weekend_seconds(start, start) == 0
