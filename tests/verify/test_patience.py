"""Evidence at places that strangers named: one writer must not hold up the check of all others."""

from __future__ import annotations

import pytest

from pnyx_contracts.entry import Declaration
from pnyx_contracts.errors import DiffersError, UnreachableError
from pnyx_tools.verifier.desk import (
    MAX_FAILURES,
    PATIENCE_SECONDS,
    SLOW_SECONDS,
    EvidenceDesk,
    EvidenceGoneError,
)

OLD, NEW = "https://old.example.org", "https://new.example.org"


class Place:
    """Answers after so many seconds of the desk's clock: nothing there, another file, or not at all."""

    def __init__(self, desk: Desk, url: str) -> None:
        self.desk, self.url = desk, url

    def get_bundle(self, root: bytes) -> bytes | None:
        self.desk.asked.append(self.url)
        seconds, error = self.desk.behaviour.get(self.url, (0.1, None))
        self.desk.now += seconds
        if error is not None:
            raise error(f"{self.url}: no")
        return None

    get_configuration = get_bundle


class Desk:
    """A desk with two places, and what was asked of them."""

    def __init__(self, behaviour: dict, named: object = None) -> None:
        self.behaviour, self.asked, self.now = behaviour, [], 0.0
        self.declarations = [Declaration(config_hash=bytes(32), governors=(), evidence_uri=uri) for uri in (OLD, NEW)]
        place = Place(self, "named") if named else None
        self.desk = EvidenceDesk(
            place, self.declarations, open_place=lambda url: Place(self, url), clock=lambda: self.now
        )

    def ask(self, times: int) -> list[str]:
        """The reasons for which bundles were not there."""
        reasons = []
        for number in range(times):
            try:
                self.desk.bundle(self.declarations[0], number.to_bytes(32, "big"))
            except EvidenceGoneError as error:
                reasons.append(error.message)
        return reasons


def test_a_place_that_fails_is_not_asked_for_ever():
    desk = Desk({NEW: (30.0, UnreachableError)})
    assert desk.ask(50) == []  # the old place answers: it has none of them
    assert desk.asked.count(NEW) == MAX_FAILURES
    assert desk.asked.count(OLD) == 50


@pytest.mark.parametrize("error", [None, DiffersError])
def test_places_that_answer_slowly_use_up_the_patience_with_their_writer(error):
    desk = Desk({NEW: (100.0, error), OLD: (100.0, error)})
    reasons = desk.ask(50)
    assert desk.now <= PATIENCE_SECONDS + 100
    assert len(desk.asked) == 4
    assert len(reasons) == 48
    assert all("withheld: not asked any more, after 400 seconds" in reason for reason in reasons)


def test_a_long_log_with_an_ordinary_place_is_read_to_its_end():
    desk = Desk({NEW: (SLOW_SECONDS / 2, None), OLD: (SLOW_SECONDS / 2, None)})
    assert desk.ask(500) == []
    assert len(desk.asked) == 1000


def test_a_place_that_the_member_named_is_asked_as_long_as_it_takes():
    desk = Desk({"named": (1000.0, None)}, named=True)
    assert desk.ask(20) == []
    assert desk.asked == ["named"] * 20
