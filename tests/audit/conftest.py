"""A chain with two governors, a log, and agents; each test starts from the same snapshot."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pnyx_agents.analyst import ModelAnalyst, deliberate
from pnyx_agents.audit import Links, publish
from pnyx_policies.analysis import Analysis, Recommendation
from pnyx_policies.approval import answered
from pnyx_policies.audit import Period, Prices
from pnyx_policies.audit.rows import DecisionRow
from pnyx_policies.audit.tally import Summary
from pnyx_policies.decision import Mode
from pnyx_tools.audit import Audit, WriterHead, audit
from pnyx_tools.evidence import FolderStore
from pnyx_tools.model import LangChainModel, ModelSettings
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.decisions import LocalAgent, Sealed
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy_governance, deploy_log
from pnyx_tools.testing.openai_server import OpenAIServer, Script, answer

RULESET = """
name = "test"
version = "1"

[[rule]]
id = "hides"
because = "It hides something."
when = ["findings.critical > 0"]
then = "against"

[[rule]]
id = "calm"
because = "Nothing speaks against it."
when = ["findings.critical is 0", "findings.high is 0"]
then = "for"
"""
HOLDING = RULESET.replace('then = "for"', 'then = "hold"').replace('version = "1"', 'version = "2"')
RECIPIENT = "0x00000000000000000000000000000000000A11cE"

CALM = Analysis(
    summary="It pays the gardener. One ETH.",
    key_points=(),
    stated_intent="Pay the gardener.",
    claimed_effects=("1 ETH moves.",),
    risks=(),
    recommendation=Recommendation.FOR,
    confidence_percent=90,
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
class World:
    node: Anvil
    log: str
    blocks: Governance
    seconds: Governance
    folder: Path
    servers: ExitStack
    proposed: int = field(default=0)

    def agent(self, **options: Any) -> LocalAgent:
        options.setdefault("key", self.node.accounts[1])
        ruleset = options.pop("ruleset", RULESET)
        return LocalAgent(
            self.node, self.log, [self.blocks, self.seconds], FolderStore(self.folder), ruleset, **options
        )

    def plain_key(self, **options: Any) -> LocalAgent:
        agent = self.agent(**options)
        agent.register()
        return agent

    def gate(self, **options: Any) -> LocalAgent:
        agent = self.agent(**options)
        gate = agent.make_gate()
        for governance in (self.blocks, self.seconds):
            governance.give_power(gate.address, 10_000)
        return agent

    def model(self, *replies: Script, **options: Any) -> LocalAgent:
        """A plain key that asks a language model, through LangChain, at a real HTTP server that answers `replies`."""
        server = self.servers.enter_context(OpenAIServer(replies or (answer(CALM),)))
        settings = ModelSettings(model="asked-for", base_url=server.base_url, api_key_env="", max_attempts=3)
        analyst = ModelAnalyst(LangChainModel(settings), pause=lambda _: None)
        return self.plain_key(analysts=(analyst.describe(),), ask=lambda facts: deliberate([analyst], facts), **options)

    def open_proposal(self, governance: Governance | None = None, description: str = "# Pay the gardener") -> int:
        """A harmless transfer, open for votes."""
        governance = governance or self.blocks
        self.proposed += 1
        text = f"{description}\n\nSend 1 ETH to {RECIPIENT} for the garden, number {self.proposed}."
        number = governance.propose([RECIPIENT], [TOKEN], [b""], text)
        governance.advance_to_active(number)
        return number

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

    def bundle_file(self, sealed: Sealed) -> Path:
        return self.folder / f"{sealed.bundle.record_root.hex()}.json"

    def withhold(self, sealed: Sealed, *fields: str) -> None:
        """Takes fields out of a bundle, as an operator may."""
        file = self.bundle_file(sealed)
        raw = json.loads(file.read_text(encoding="utf-8"))
        for name in fields:
            del raw["fields"][name], raw["salts"][name]
            raw["item_salts"].pop(name, None)
        if "attempts" in fields:
            raw["bodies"] = {}
        file.write_text(json.dumps(raw, sort_keys=True, separators=(",", ":"), ensure_ascii=False), encoding="utf-8")


@pytest.fixture(scope="session")
def chain() -> Iterator[tuple[Anvil, str, Governance, Governance]]:
    with Anvil() as node:
        log = deploy_log(node)
        yield node, log, deploy_governance(node, 5, "block"), deploy_governance(node, 4, "timestamp")


@pytest.fixture
def world(chain: tuple[Anvil, str, Governance, Governance], tmp_path: Path) -> Iterator[World]:
    node, log, blocks, seconds = chain
    snapshot = node.snapshot()
    with ExitStack() as servers:
        yield World(node, log, blocks, seconds, tmp_path / "evidence", servers)
    node.revert(snapshot)


__all__ = ["CALM", "HOLDING", "RECIPIENT", "RULESET", "Mode", "Period", "Prices", "Told", "World"]
