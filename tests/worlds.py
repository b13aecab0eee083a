"""A chain with governors, a log, and honest agents: where the tests of the check, the audit and the page take place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from pnyx_agents.analyst import ModelAnalyst, deliberate
from pnyx_policies.analysis import Analysis, Recommendation
from pnyx_tools.evidence import FolderStore
from pnyx_tools.model import LangChainModel, ModelSettings
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.decisions import LocalAgent
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy_governance, deploy_log
from pnyx_tools.testing.openai_server import OpenAIServer, Script, answer

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
RECIPIENT = "0x00000000000000000000000000000000000A11cE"


def calmly(outcome: str) -> str:
    """The second version of the ruleset, with this outcome where nothing speaks against a proposal."""
    return RULESET.replace('then = "for"', f'then = "{outcome}"').replace('version = "1"', 'version = "2"')


def analysis(summary: str, stated_intent: str, claimed_effect: str) -> Analysis:
    """What a model says that finds nothing wrong."""
    return Analysis(
        summary=summary, key_points=(), stated_intent=stated_intent, claimed_effects=(claimed_effect,),
        risks=(), recommendation=Recommendation.FOR, confidence_percent=90,
    )  # fmt: skip


CALM = analysis("It pays the gardener. One ETH.", "Pay the gardener.", "1 ETH moves.")


@dataclass
class World:
    """A node, a log, the governors of its agents, and a folder of evidence."""

    RULESET: ClassVar = RULESET
    RECIPIENT: ClassVar = RECIPIENT
    CALM: ClassVar = CALM
    MODEL: ClassVar = "asked-for"
    """What the server that answers calls itself is another name."""

    node: Anvil
    log: str
    governances: tuple[Governance, ...]
    folder: Path
    servers: ExitStack
    proposed: int = field(default=0, kw_only=True)

    @property
    def store(self) -> FolderStore:
        return FolderStore(self.folder)

    def agent(self, **options: Any) -> LocalAgent:
        options.setdefault("key", self.node.accounts[1])
        ruleset = options.pop("ruleset", RULESET)
        return LocalAgent(self.node, self.log, self.governances, self.store, ruleset, **options)

    def plain_key(self, **options: Any) -> LocalAgent:
        agent = self.agent(**options)
        agent.register()
        return agent

    def gate(self, **options: Any) -> LocalAgent:
        agent = self.agent(**options)
        gate = agent.make_gate()
        for governance in self.governances:
            governance.give_power(gate.address, 10_000)
        return agent

    def model(self, *said: Analysis | Script, **options: Any) -> LocalAgent:
        """A plain key that asks a language model, through LangChain, at a real HTTP server that says this."""
        replies = tuple(answer(one) if isinstance(one, Analysis) else one for one in said or (CALM,))
        server = self.servers.enter_context(OpenAIServer(replies))
        settings = ModelSettings(model=self.MODEL, base_url=server.base_url, api_key_env="", max_attempts=3)
        analyst = ModelAnalyst(LangChainModel(settings), pause=lambda _: None)
        return self.plain_key(analysts=(analyst.describe(),), ask=lambda facts: deliberate([analyst], facts), **options)

    def open_proposal(self, governance: Governance | None = None, title: str = "# Pay the gardener") -> int:
        """A harmless transfer, open for votes."""
        governance = governance or self.governances[0]
        self.proposed += 1
        text = f"{title}\n\nSend 1 ETH to {RECIPIENT} for the garden.\n\nNumber {self.proposed}."
        number = governance.propose([RECIPIENT], [TOKEN], [b""], text)
        governance.advance_to_active(number)
        return number

    def bundle_file(self, root: bytes) -> Path:
        return self.folder / f"{root.hex()}.json"


@dataclass
class TwoGovernors(World):
    """`blocks` counts blocks, `seconds` counts seconds (OpenZeppelin 5 and 4)."""

    @property
    def blocks(self) -> Governance:
        return self.governances[0]

    @property
    def seconds(self) -> Governance:
        return self.governances[1]


Chain = tuple[Anvil, str, tuple[Governance, ...]]
"""A node, the log on it, and its governors."""


@contextmanager
def two_governors() -> Iterator[Chain]:
    with Anvil() as node:
        log = deploy_log(node)
        yield node, log, (deploy_governance(node, 5, "block"), deploy_governance(node, 4, "timestamp"))


@contextmanager
def as_it_was(node: Anvil) -> Iterator[ExitStack]:
    """What happens on the chain is undone in the end; what was entered on the stack is left."""
    snapshot = node.snapshot()
    with ExitStack() as stack:
        yield stack
    node.revert(snapshot)
