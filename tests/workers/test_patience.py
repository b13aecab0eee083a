"""A step whose work is done, while the database that says whether its worker still has a place is away."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pnyx_agents import engine
from pnyx_contracts.errors import UnreachableError


class AwayOnce:
    """A crew whose database cannot be asked the first time."""

    def __init__(self) -> None:
        self.asked = 0

    def require_there(self) -> None:
        self.asked += 1
        if self.asked == 1:
            raise UnreachableError("the database system is shutting down")


def test_it_waits_until_it_can_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    crew = AwayOnce()
    observer = SimpleNamespace(step=lambda _name: nullcontext(SimpleNamespace(fail=print)))
    monkeypatch.setattr(engine, "_the_observer", lambda: observer)
    steps = engine.DurableSteps(threading.Event(), cast("Any", crew))
    assert steps._outcome("ask:0", lambda: "answered") == {"value": "answered"}
    assert crew.asked == 2
