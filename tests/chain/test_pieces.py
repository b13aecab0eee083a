"""Work that goes on ahead of whoever looks at its results."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest

from pnyx_tools.pieces import as_they_come

MOST = 4


@pytest.mark.parametrize("number", [0, 1, MOST, 50])
def test_values_come_in_order_and_never_too_many_at_once(number: int) -> None:
    handed = list(as_they_come(iter(range(number)), MOST))
    assert [value for some in handed for value in some] == list(range(number))
    assert all(1 <= len(some) <= MOST for some in handed)


def test_the_next_ones_are_made_while_the_last_ones_are_looked_at_and_come_together() -> None:
    made = [threading.Event() for _ in range(8)]

    def values() -> Iterator[int]:
        for number, event in enumerate(made):
            yield number
            event.set()  # the one after it is asked for

    found = as_they_come(values(), MOST)
    first = next(found)
    assert made[first[-1] + MOST - 1].wait(60)
    assert len(next(found)) >= MOST - 1
    found.close()


def test_what_was_made_before_a_failure_is_handed_out_first() -> None:
    def values() -> Iterator[int]:
        yield from range(2)
        raise ValueError("no more")

    seen: list[int] = []

    def look() -> None:
        for some in as_they_come(values(), MOST):
            seen.extend(some)

    with pytest.raises(ValueError, match="no more"):
        look()
    assert seen == [0, 1]


def test_whoever_stops_looking_stops_the_making_and_leaves_turns_as_they_were() -> None:
    before, asked = sys.getswitchinterval(), []

    def values() -> Iterator[int]:
        for number in range(1000):
            asked.append(number)
            yield number

    found = as_they_come(values(), MOST)
    next(found)
    assert sys.getswitchinterval() < before
    found.close()
    assert len(asked) <= 2 * MOST + 1
    assert sys.getswitchinterval() == before
