"""Records that say what a message does on another chain, checked with an endpoint of that chain and without."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pnyx_contracts.chains import ARBITRUM
from pnyx_contracts.messages import alias
from pnyx_contracts.types import to_hex
from pnyx_policies.context import OtherChains
from pnyx_policies.decision import Outcome
from pnyx_policies.dossier import Dossier
from pnyx_policies.facts import Facts, Grade
from pnyx_policies.verify import Report, Step, Verdict
from pnyx_policies.verify.verdict import Status
from pnyx_tools.evidence import FolderStore
from pnyx_tools.pinned import PinnedReader
from pnyx_tools.reader import ChainReader
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.decisions import LocalAgent, ask_outline
from pnyx_tools.testing.deploy import Governance, deploy, deploy_governance, deploy_log, encode_call
from pnyx_tools.verifier import verify

from .javascript import JavaScript, require_same

INBOX = "0x4Dbd4fc535Ac27206064B68FfCf827b0A60BAB3f"
TICKET = "createRetryableTicket(address,uint256,uint256,address,address,uint256,uint256,bytes)"
THIEF = "0x00000000000000000000000000000000000B0b5E"
RULESET = """
name = "test"
version = "1"

[[rule]]
id = "critical"
because = "It hides something."
when = ["findings.critical > 0"]
then = "against"

[[rule]]
id = "rest"
because = "People decide."
when = ["always"]
then = "hold"
"""


@dataclass
class World:
    dao: Governance
    far: Anvil
    pool: str
    log: str
    folder: Path
    javascript: JavaScript
    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def others(self) -> Mapping[int, ChainReader]:
        return {ARBITRUM: Rpc(self.far.url)}

    def agent(self, reader: ChainReader | None = None) -> LocalAgent:
        evidence = FolderStore(self.folder)
        reader = reader or PinnedReader(self.dao.node.rpc, others=self.others)
        agent = LocalAgent(self.dao.node, self.log, [self.dao], evidence, RULESET, reader=reader)
        agent.register()
        return agent

    def proposal(self) -> int:
        """It gives a pool on the other chain away, in silence."""
        data = encode_call(TICKET, self.pool, 0, 0, THIEF, THIEF, 100_000, 0, encode_call("tidyUp(address)", THIEF))
        text = "The DAO tidies up the pool that belongs to it on Arbitrum, as it was discussed in the forum."
        proposal = self.dao.propose([INBOX], [0], [data], text)
        self.dao.advance_to_active(proposal)
        return proposal

    def check(self, others: Mapping[int, ChainReader] | None = None) -> Report:
        """By Python, and by JavaScript, which simulates nothing and says the same of all else."""
        self.verdicts = []
        reader = PinnedReader(self.dao.node.rpc, others=self.others if others is None else others)
        report = verify(reader, self.log, upto="latest", evidence=self.folder, on_verdict=self.verdicts.append)
        theirs = self.javascript.verify(self.dao.node.url, self.log, "--upto=latest", f"--evidence={self.folder}")
        require_same(report, self.verdicts, theirs)
        return report

    def of_the_run(self) -> Verdict:
        """The verdict on what happens there."""
        (verdict,) = [v for v in self.verdicts if "what call 0.0 does" in v.reason or ".runs[0]" in v.where]
        return verdict


@pytest.fixture(scope="module")
def _running() -> Iterator[tuple[Governance, Anvil, str, str]]:
    with Anvil(chain_id=1) as home, Anvil(chain_id=ARBITRUM) as far:
        home.set_code(INBOX, b"\\0")
        dao = deploy_governance(home)
        yield dao, far, deploy(far, "Pool", alias(dao.timelock)), deploy_log(home)


@pytest.fixture
def world(_running: tuple[Governance, Anvil, str, str], javascript: JavaScript, tmp_path: Path) -> Iterator[World]:
    dao, far, pool, log = _running
    before = [node.snapshot() for node in (dao.node, far)]
    yield World(dao, far, pool, log, tmp_path, javascript)
    for node, state in zip((dao.node, far), before, strict=True):
        node.revert(state)
    dao.proposals.clear()


def telling(tell: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Facts], Facts]:
    """Facts in which the tool's result is what `tell` makes of it."""

    def change(facts: Facts) -> Facts:
        context = tuple(
            result.model_copy(update={"result": tell(result.result)}) if result.tool == OtherChains.TOOL else result
            for result in facts.context
        )
        return facts.model_copy(update={"context": context})

    return change


def run_with(**values: Any) -> Callable[[Facts], Facts]:
    """The one run there, with other values."""
    return telling(lambda result: {"runs": [result["runs"][0] | values]})


def decided(world: World, change: Callable[[Facts], Facts] = lambda facts: facts, **options: Any) -> Dossier:
    """The decision on a proposal, written and, where it is one, cast; on facts that `change` makes of the true ones."""
    agent = world.agent(**options)
    facts = change(agent.facts(world.dao, world.proposal()))
    sealed = agent.seal(agent.conclude(facts, ask_outline(facts)))
    agent.write(world.dao, sealed)
    return sealed.dossier


def test_it_is_simulated_again_at_the_recorded_block(world: World) -> None:
    dossier = decided(world)
    assert dossier.decision.outcome is Outcome.AGAINST
    world.far.mine()
    world.far.send(world.pool, encode_call("transferOwnership(address)", THIEF), sender=impersonated(world))
    assert world.check().ok  # today, the message would revert there
    again = [v.status for v in world.verdicts if (v.step, v.grade) == (Step.CONTEXT, Grade.RE_SIMULATED)]
    simulated = [result for result in dossier.context if result.grade is Grade.RE_SIMULATED]
    assert again == [Status.MATCHES] * (len(simulated) + 1)  # each tool's: of messages which ones, and what each does


def test_without_an_endpoint_of_that_chain_it_cannot_be_checked(world: World) -> None:
    decided(world)
    assert world.check(others={}).ok
    verdict = world.of_the_run()
    assert verdict.status is Status.NOT_CHECKABLE
    assert "no endpoint of chain 42161 (Arbitrum One) is configured" in verdict.reason


def test_what_happens_there_cannot_be_left_out(world: World) -> None:
    def quietly(result: dict[str, Any]) -> dict[str, Any]:
        (run,) = result["runs"]
        return {"runs": [run | {"simulation": run["simulation"] | {"changes": []}}]}

    assert decided(world, telling(quietly)).decision.outcome is Outcome.HOLD
    assert not world.check().ok
    assert world.of_the_run().where.endswith(".result.runs[0].simulation.changes[0]")


def test_a_block_that_is_not_on_that_chain_proves_nothing(world: World) -> None:
    number, stamp = world.far.rpc.block().number, world.far.rpc.block().timestamp
    for forged in (
        {"number": number, "hash": to_hex(bytes(32)), "timestamp": stamp},
        {"number": number + 1_000, "hash": to_hex(bytes(32)), "timestamp": stamp},
    ):
        state = world.dao.node.snapshot()
        decided(world, run_with(block=forged))
        assert not world.check().ok
        assert world.of_the_run().status is Status.NOT_PROVEN
        world.dao.node.revert(state)


def test_a_block_of_another_day_is_none_that_was_looked_at(world: World) -> None:
    """Nobody may choose among all states that the other chain ever had."""
    old = world.far.rpc.block(0)
    decided(world, run_with(block=old.model_dump(mode="json") | {"timestamp": old.timestamp - 86_400}))
    assert not world.check().ok
    assert world.of_the_run().status is Status.DIFFERS
    assert world.of_the_run().where.endswith(".result.runs[0].block")


def test_a_message_that_is_left_out(world: World) -> None:
    decided(world, telling(lambda _: {"runs": []}))
    assert not world.check().ok
    (verdict,) = [v for v in world.verdicts if ".result.runs" in v.where]
    assert verdict.status is Status.DIFFERS


def test_what_the_record_could_not_see_is_said(world: World) -> None:
    dossier = decided(world, reader=world.dao.node.rpc)
    assert dossier.decision.outcome is Outcome.HOLD
    assert world.check().ok
    assert "the record says that it was not simulated: no endpoint of chain 42161" in world.of_the_run().reason


def impersonated(world: World) -> str:
    """The pool's owner there."""
    owner = alias(world.dao.timelock)
    world.far.impersonate(owner)
    world.far.set_balance(owner, 10**18)
    return owner
