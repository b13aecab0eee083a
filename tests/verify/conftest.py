"""A chain with two governors, a log, and honest agents; each test starts from the same snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest

from pnyx_agents.analyst import ModelAnalyst, deliberate
from pnyx_contracts.errors import PnyxError
from pnyx_policies.analysis import Analysis, Recommendation
from pnyx_policies.dossier import Dossier
from pnyx_policies.facts import Facts
from pnyx_policies.verify import Report, Step, Verdict
from pnyx_tools.evidence import FolderStore
from pnyx_tools.model import LangChainModel, ModelSettings
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.decisions import LocalAgent, Sealed, ask_outline
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy_governance, deploy_log
from pnyx_tools.testing.openai_server import OpenAIServer, Script, answer
from pnyx_tools.verifier import verify

from .javascript import Answer, JavaScript, require_same, require_same_error

RULESET = """
name = "test"
version = "1"

[[rule]]
id = "critical"
because = "It hides something."
when = ["findings.critical > 0"]
then = "against"

[[rule]]
id = "calm"
because = "Nothing speaks against it."
when = ["findings.critical is 0", "findings.high is 0"]
then = "for"
"""

OTHER_RULESET = RULESET.replace('then = "for"', 'then = "abstain"').replace('version = "1"', 'version = "2"')

RECIPIENT = "0x00000000000000000000000000000000000A11cE"
DESCRIPTION = f"# Pay the gardener\n\nSend 1 ETH to {RECIPIENT} for the garden."

CALM = Analysis(
    summary="It pays the gardener. One ETH.",
    key_points=(),
    stated_intent="Pay the gardener.",
    claimed_effects=("1 ETH moves.",),
    risks=(),
    recommendation=Recommendation.FOR,
    confidence_percent=90,
)


@dataclass
class World:
    """Everything that a test needs. `blocks` counts blocks, `seconds` counts seconds (OpenZeppelin 5 and 4)."""

    RULESET = RULESET
    OTHER_RULESET = OTHER_RULESET
    RECIPIENT = RECIPIENT
    CALM = CALM
    PYTHONS_ALONE: ClassVar = {
        "second_reader": "JavaScript asks one node",
        "adapters": "plugins for other governors are written in Python",
    }
    """Options of a check that JavaScript does not have, and why."""

    node: Anvil
    log: str
    blocks: Governance
    seconds: Governance
    folder: Path
    servers: ExitStack
    javascript: JavaScript
    proposed: int = field(default=0)
    verdicts: list[Verdict] = field(default_factory=list)
    """Every single one of the last check."""

    @property
    def store(self) -> FolderStore:
        return FolderStore(self.folder)

    def agent(self, **options: Any) -> LocalAgent:
        options.setdefault("key", self.node.accounts[1])
        ruleset = options.pop("ruleset", RULESET)
        return LocalAgent(self.node, self.log, [self.blocks, self.seconds], self.store, ruleset, **options)

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
        settings = ModelSettings(model="scripted", base_url=server.base_url, api_key_env="", max_attempts=3)
        analyst = ModelAnalyst(LangChainModel(settings), pause=lambda _: None)
        return self.plain_key(analysts=(analyst.describe(),), ask=lambda facts: deliberate([analyst], facts), **options)

    def open_proposal(self, governance: Governance | None = None, description: str = DESCRIPTION) -> int:
        """A harmless transfer, open for votes."""
        governance = governance or self.blocks
        self.proposed += 1
        number = governance.propose([RECIPIENT], [TOKEN], [b""], f"{description}\n\nNumber {self.proposed}.")
        governance.advance_to_active(number)
        return number

    def check(
        self, agent: LocalAgent | None = None, *, url: str = "", python_alone: str = "", **options: Any
    ) -> Report:
        """By Python and by JavaScript, which must say the same of what both check; of another node when `url` is given.

        `python_alone` says why Python is enough.
        """
        url = url or self.node.url
        writer = agent and agent.writer
        options = {"upto": "latest", "evidence": self.folder} | options
        if python_alone or options.keys() & self.PYTHONS_ALONE:
            return self.check_in_python(url, writer, **options)
        theirs = self.check_in_javascript(url, writer, **options)
        try:
            report = self.check_in_python(url, writer, **options)
        except PnyxError as error:
            require_same_error(error, theirs)
            raise
        require_same(report, self.verdicts, theirs)
        return report

    def check_in_python(self, url: str, writer: str | None, **options: Any) -> Report:
        self.verdicts = []
        with closing(Rpc(url)) as rpc:
            return verify(rpc, self.log, writer, on_verdict=self.verdicts.append, **options)

    def check_in_javascript(self, url: str, writer: str | None, **options: Any) -> Answer:
        options["writer"] = writer
        arguments = [f"--{name}={value}" for name, value in options.items() if value and name != "disclosures"]
        for number, disclosure in enumerate(options.get("disclosures", ())):
            file = self.folder.parent / f"disclosure-{number}.json"
            file.write_bytes(disclosure.to_bytes())
            arguments.append(f"--disclosure={file}")
        return self.javascript.verify(url, self.log, *arguments)

    def check_fails(self, agent: LocalAgent | None = None, **options: Any) -> set[tuple[Step, str]]:
        """Checks; there must be problems. Gives their steps and where they differ ("" for what is missing)."""
        report = self.check(agent, **options)
        assert report.problems
        assert not report.ok
        assert report.exit_code == 1
        return {(v.step, v.where) for v in report.problems}

    @staticmethod
    def only_problem(report: Report) -> Verdict:
        assert len(report.problems) == 1, [f"{v.step.name}: {v} ({v.expected} / {v.seen})" for v in report.problems]
        assert not report.ok
        assert report.exit_code == 1
        return report.problems[0]

    @staticmethod
    def with_parts(dossier: Dossier, **parts: Any) -> Dossier:
        """A copy with parts of its parts changed: ``state__voter=...`` is ``dossier.state.voter``."""
        for path, value in parts.items():
            *outer, last = path.split("__")
            owners: list[Any] = [dossier]
            for name in outer:
                owners.append(getattr(owners[-1], name))
            changed = value
            for owner, name in zip(reversed(owners), [last, *reversed(outer)], strict=True):
                changed = owner.model_copy(update={name: changed})
            dossier = changed
        return dossier

    def write_changed(
        self, agent: LocalAgent, proposal: int, bodies: Any = None, **parts: Any
    ) -> tuple[Sealed, Sealed]:
        """An honest review, changed, then sealed, entered and voted as if nothing had happened."""
        honest = agent.review(self.blocks, proposal)
        dossier = self.with_parts(honest.dossier, **parts)
        changed = agent.seal(dossier, honest.bundle.bodies if bodies is None else bodies)
        agent.write(self.blocks, changed)
        return honest, changed

    @staticmethod
    def concluded(agent: LocalAgent, facts: Facts) -> Sealed:
        return agent.seal(agent.conclude(facts, ask_outline(facts)))

    def bundle_file(self, root: bytes) -> Path:
        return self.folder / f"{root.hex()}.json"


@pytest.fixture(scope="session")
def chain() -> Iterator[tuple[Anvil, str, Governance, Governance]]:
    with Anvil() as node:
        log = deploy_log(node)
        yield node, log, deploy_governance(node, 5, "block"), deploy_governance(node, 4, "timestamp")


@pytest.fixture(scope="session")
def javascript() -> Iterator[JavaScript]:
    with JavaScript() as running:
        yield running


@pytest.fixture
def world(chain: tuple[Anvil, str, Governance, Governance], javascript: JavaScript, tmp_path: Path) -> Iterator[World]:
    node, log, blocks, seconds = chain
    snapshot = node.snapshot()
    with ExitStack() as servers:
        yield World(node, log, blocks, seconds, tmp_path / "evidence", servers, javascript)
    node.revert(snapshot)


@pytest.fixture
def agent(world: World) -> LocalAgent:
    """A plain key that writes."""
    return world.plain_key()


@pytest.fixture
def proposal(world: World) -> int:
    """A harmless transfer, open for votes."""
    return world.open_proposal()
