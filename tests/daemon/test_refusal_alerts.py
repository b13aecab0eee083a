"""People hear of each kind of refusal of a proposal once: of none of them twice, and of all of them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pnyx_agents.daemon import Crier
from pnyx_agents.metrics import Metrics
from pnyx_agents.steward import Steward
from pnyx_tools.journal import Journal
from pnyx_tools.notify import Message


def test_each_kind_of_refusal_is_told_once(tmp_path: Path) -> None:
    told: list[Message] = []
    notifier: Any = SimpleNamespace(notify=told.append)
    crier = Crier(Journal(f"sqlite:///{tmp_path / 'journal.sqlite'}"), (notifier,), Metrics())
    silent: Any = SimpleNamespace(advance=lambda *_args, **_details: None)
    nothing: Any = None
    steward = Steward(reviewer=nothing, evidence=nothing, journal=silent, scribe=None, tell=crier.tell)
    one, other = SimpleNamespace(key="1:0xaa:1"), SimpleNamespace(key="1:0xaa:2")

    def refuse(proposal: Any, why: str) -> list[str]:
        before = len(told)
        steward.give_up(proposal, why)
        return [message.body for message in told[before:]]

    first = "the worst cost of 24 hours would be 700 wei; record root 0xab12"
    assert refuse(one, first) == [first]
    assert refuse(one, "the worst cost of 24 hours would be 800 wei; record root 0xcd34") == []
    assert refuse(one, "another vote was signed for this proposal") == ["another vote was signed for this proposal"]
    assert refuse(other, first) == [first]
