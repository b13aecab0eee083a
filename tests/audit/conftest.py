"""A chain with two governors, a log, and agents; each test starts from the same snapshot."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.worlds import Chain, TwoGovernors, as_it_was, calmly, two_governors

from pnyx_agents.audit import Links, publish
from pnyx_policies.approval import answered
from pnyx_policies.audit import Prices
from pnyx_policies.audit.rows import DecisionRow
from pnyx_policies.audit.tally import Summary
from pnyx_tools.audit import Audit, WriterHead, audit
from pnyx_tools.testing.decisions import LocalAgent, Sealed

HOLDING = calmly("hold")
PRICES = Prices.parse(
    'currency = "USD"\n[[model]]\nname = "scripted"\ninput_per_million = "0.25"\noutput_per_million = "2"', "prices"
)


@dataclass(frozen=True)
class Told:
    """One writer's part of a report."""

    head: WriterHead
    rows: list[DecisionRow]
    summary: Summary

    @property
    def row(self) -> DecisionRow:
        assert len(self.rows) == 1
        return self.rows[0]


@dataclass
class World(TwoGovernors):
    """Where reports are written."""

    def say(self, agent: LocalAgent, proposal: int, verdict: str, vote: str | None = None, **words: Any) -> Sealed:
        """A person's word on a proposal that is open in `blocks`, reviewed again and written."""
        dossier = agent.review(self.blocks, proposal).dossier
        word = answered(
            dossier, person=words.pop("person", "Ada"), verdict=verdict, vote=vote, expires_at=2**40, **words
        )
        sealed = agent.review(self.blocks, proposal, word)
        agent.write(self.blocks, sealed)
        return sealed

    def audit(self, agent: LocalAgent | None = None, **options: Any) -> Audit:
        options.setdefault("upto", "latest")
        self.folder.mkdir(exist_ok=True)
        options.setdefault("evidence", self.folder)
        return audit(self.node.rpc, self.log, agent and agent.writer, **options)

    def told(self, agent: LocalAgent, **options: Any) -> Told:
        """What the report says about one agent."""
        (writer,) = self.audit(agent, **options).writers()
        rows = list(writer.rows())
        return Told(writer.head, rows, writer.summary())

    def published(self, out: Path, *, page: str | None = None, **options: Any) -> Any:
        """Writes the report; gives its JSON."""
        publish(self.audit(**options), out, Links.parse(page, self.log) if page else None)
        return json.loads((out / "report.json").read_text(encoding="ascii"))

    def withhold(self, sealed: Sealed, *fields: str) -> None:
        """Takes fields out of a bundle, as an operator may."""
        file = self.bundle_file(sealed.bundle.record_root)
        raw = json.loads(file.read_text(encoding="utf-8"))
        for name in fields:
            del raw["fields"][name], raw["salts"][name]
            raw["item_salts"].pop(name, None)
        if "attempts" in fields:
            raw["bodies"] = {}
        file.write_text(json.dumps(raw, sort_keys=True, separators=(",", ":"), ensure_ascii=False), encoding="utf-8")


@pytest.fixture(scope="session")
def chain() -> Iterator[Chain]:
    with two_governors() as made:
        yield made


@pytest.fixture
def world(chain: Chain, tmp_path: Path) -> Iterator[World]:
    with as_it_was(chain[0]) as servers:
        yield World(*chain, tmp_path / "evidence", servers)
