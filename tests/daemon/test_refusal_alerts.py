"""People hear of each kind of refusal of a proposal once: of none of them twice, and of all of them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pnyx_agents.crier import Crier
from pnyx_agents.metrics import Metrics
from pnyx_agents.steward.clerk import Clerk
from pnyx_tools.journal import Journal
from pnyx_tools.notify.ledger import Ledger


def test_each_kind_of_refusal_is_told_once(tmp_path: Path) -> None:
    journal, metrics = Journal(f"sqlite:///{tmp_path / 'journal.sqlite'}"), Metrics()
    crier = Crier(Ledger(journal.database), (), metrics, holder="test")
    silent: Any = SimpleNamespace(work_on=lambda *_args, **_details: None, case=lambda _key: None)
    nothing: Any = None
    clerk = Clerk(silent, crier.tell, hearing=nothing, crowd=nothing)
    one, other = SimpleNamespace(key="1:0xaa:1"), SimpleNamespace(key="1:0xaa:2")

    def alerts() -> float:
        return metrics.registry.get_sample_value("pnyx_alerts_total") or 0.0

    def is_told(proposal: Any, why: str) -> bool:
        before = alerts()
        clerk.give_up(proposal, why)
        return alerts() > before

    first = "the worst cost of 24 hours would be 700 wei; record root 0xab12"
    assert is_told(one, first)
    assert not is_told(one, "the worst cost of 24 hours would be 800 wei; record root 0xcd34")
    assert is_told(one, "another vote was signed for this proposal")
    assert is_told(other, first)
