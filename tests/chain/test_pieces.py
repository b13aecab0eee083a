"""Work that goes on ahead of whoever looks at its results."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from pnyx_tools.pieces import ahead


def test_results_come_in_order_each_with_what_it_was_made_of():
    assert list(ahead(range(20), lambda number: number * number)) == [(n, n * n) for n in range(20)]
    assert list(ahead([], str)) == []


def test_the_next_one_is_worked_on_while_the_last_one_is_looked_at():
    begun = [threading.Event() for _ in range(3)]

    def work(number: int) -> int:
        begun[number].set()
        return number

    for number, _ in ahead(range(3), work):
        if number < 2:
            assert begun[number + 1].wait(60)


@pytest.mark.parametrize("fails", ["values", "work"])
def test_what_was_done_before_a_failure_is_handed_out_first(fails: str):
    def values() -> Iterator[int]:
        yield from range(3)
        if fails == "values":
            raise ValueError("no more")

    def work(number: int) -> int:
        if fails == "work" and number == 2:
            raise ValueError("no more")
        return number

    found = ahead(values(), work)
    assert [next(found), next(found)] == [(0, 0), (1, 1)]
    with pytest.raises(ValueError, match="no more"):
        next(found)
