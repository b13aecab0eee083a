"""How long a decided vote waits, and for what."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.reading.samples import honest_payment

from pnyx_agents.hearing import with_people
from pnyx_agents.reviewer import TimeLeft
from pnyx_agents.steward.waiting import EXPIRY_SECONDS, Times, Waited, Waiting
from pnyx_policies.dossier import Approval

NOTHING = cast("Any", None)
HOUR = 3600.0
NOW = 1_000_000.0
DAYS = 1_000_000
"""Ticks that were left to vote at first, and are: plenty."""


def seconds_to_wait(times: Times, *, left_seconds: float, expires_in: float | None = None) -> float:
    """Until the next look; `expires_in`: people gave the vote, and the first of their approvals expires then."""
    left = TimeLeft(ticks=DAYS, seconds=left_seconds, deadline=2 * DAYS, now=DAYS)
    review = cast("Any", SimpleNamespace(reviewer=SimpleNamespace(time_left=lambda _key: left)))
    clerk = cast("Any", SimpleNamespace(hearing=SimpleNamespace(now=lambda: NOW)))
    dossier = honest_payment()
    if expires_in is not None:
        dossier = with_people(
            dossier,
            *(
                Approval(person=name, verdict="approve", expires_at=int(NOW + seconds), decision_digest=bytes(32))
                for name, seconds in (("Ada", expires_in), ("Bob", 1000 * HOUR))
            ),
        )
    return Waiting(clerk, review, NOTHING, times)._until_its_time(dossier, Waited(DAYS))


@pytest.mark.parametrize(
    ("margin", "expires_in", "waits"),
    [
        (6 * HOUR, 1000 * HOUR, 4 * HOUR),
        (6 * HOUR, 3 * HOUR, 2 * HOUR),
        (6 * HOUR, 0.5 * HOUR, 0.0),
        (None, 1000 * HOUR, 0.0),
        (12 * HOUR, 1000 * HOUR, 0.0),
    ],
)
def test_a_vote_of_people_waits_for_its_margin_and_goes_before_an_approval_expires(
    margin: float | None, expires_in: float, waits: float
) -> None:
    times = Times(delay=500 * HOUR, margin=margin, pause=1000 * HOUR)
    assert seconds_to_wait(times, left_seconds=10 * HOUR, expires_in=expires_in) == waits, "and for nobody's veto"
    assert EXPIRY_SECONDS == HOUR


def test_the_vote_of_the_rules_waits_for_the_veto_and_for_the_margin() -> None:
    for delay, margin, waits in ((5, None, 5), (5, 6, 5), (1, 6, 4), (0, None, 0)):
        times = Times(delay * HOUR, None if margin is None else margin * HOUR, pause=1000 * HOUR)
        assert seconds_to_wait(times, left_seconds=10 * HOUR) == waits * HOUR
