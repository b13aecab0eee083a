"""Work that goes on ahead of whoever looks at its results."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from pnyx_tools.pieces import ahead


def test_values_come_in_order():
    assert list(ahead(iter(range(20)))) == list(range(20))
    assert list(ahead(iter(()))) == []


def test_the_next_one_is_made_while_the_last_one_is_looked_at():
    begun = [threading.Event() for _ in range(3)]

    def values() -> Iterator[int]:
        for number in range(3):
            begun[number].set()
            yield number

    for number in ahead(values()):
        if number < 2:
            assert begun[number + 1].wait(60)


def test_what_was_made_before_a_failure_is_handed_out_first():
    def values() -> Iterator[int]:
        yield from range(2)
        raise ValueError("no more")

    found = ahead(values())
    assert [next(found), next(found)] == [0, 1]
    with pytest.raises(ValueError, match="no more"):
        next(found)
