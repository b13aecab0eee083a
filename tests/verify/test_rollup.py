"""A chain whose contracts see other block numbers than the endpoint: everything is checked on the governor's clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.worlds import RECIPIENT, RULESET, as_it_was

from pnyx_contracts.entry import EntryKind
from pnyx_policies.verify import Report, Status, Step
from pnyx_tools.context import builtin_tools
from pnyx_tools.evidence import FolderStore
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.decisions import LocalAgent
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy_governance, deploy_log
from pnyx_tools.testing.provider import Provider, Question, Reply, error
from pnyx_tools.testing.rollup import Rollup
from pnyx_tools.verifier import verify

GOVERNORS = {"4.3": (4, "Governor43Block"), "5": (5, None)}


@pytest.fixture(scope="module")
def node() -> Iterator[Anvil]:
    with Anvil() as running:
        running.mine(50)
        yield running


@pytest.fixture(params=[300_000_000, -20], ids=["as on Arbitrum", "a young chain"])
def rollup(node: Anvil, request: pytest.FixtureRequest) -> Iterator[tuple[Anvil, Rollup]]:
    with as_it_was(node), Rollup(node, request.param) as found:
        yield node, found


class Place:
    """One agent that sees the chain through the rollup's endpoint."""

    def __init__(self, node: Anvil, rollup: Rollup, governor: str, folder: Path) -> None:
        version, contract = GOVERNORS[governor]
        self.dao: Governance = deploy_governance(node, version, contract=contract)
        self.log = deploy_log(node)
        self.folder = folder
        self.reader = Rpc(rollup.url)
        self.ahead = self.reader.block().number - node.rpc.block().number
        self.agent = LocalAgent(
            node, self.log, [self.dao], FolderStore(folder), RULESET, tools=builtin_tools(), reader=self.reader
        )
        self.agent.register()

    def open_proposal(self) -> int:
        number = self.dao.propose([RECIPIENT], [TOKEN], [b""], f"# Pay\n\nSend 1 ETH to {RECIPIENT}.")
        proposal = self.dao.proposals[number]
        self.dao.proposals[number] = proposal.model_copy(update={"created_block": proposal.created_block + self.ahead})
        self.dao.advance_to_active(number)
        return number

    def check(self, url: str) -> Report:
        return verify(Rpc(url), self.log, self.agent.writer, self.folder, upto="latest")


@pytest.fixture(params=GOVERNORS)
def place(request: pytest.FixtureRequest, rollup: tuple[Anvil, Rollup], tmp_path: Path) -> Place:
    return Place(*rollup, request.param, tmp_path)


def test_an_honest_vote_matches(place: Place, rollup: tuple[Anvil, Rollup]) -> None:
    proposal = place.open_proposal()
    place.agent.act(place.dao, proposal)
    place.dao.advance_to_closed(proposal)
    report = place.check(rollup[1].url)
    assert [str(problem) for problem in report.problems] == []
    assert report.writers[0].kinds == {EntryKind.VOTE: 1}
    assert report.kept(Status.NOT_CHECKABLE) == []


def test_an_entry_after_the_deadline_differs(place: Place, rollup: tuple[Anvil, Rollup]) -> None:
    proposal = place.open_proposal()
    sealed = place.agent.review(place.dao, proposal)
    place.dao.advance_to_closed(proposal)
    key, bundle = place.dao.proposals[proposal].key, sealed.bundle
    place.agent.enter(key, EntryKind.HOLD, bundle.record_root, bundle.prompt_hash)
    late = next(v for v in place.check(rollup[1].url).problems if v.step is Step.COMPLETENESS)
    deadline = place.dao.proposals[proposal].vote_end
    assert (late.where, late.expected, late.seen) == ("time", f"at most {deadline}", str(deadline + 2))


@pytest.mark.parametrize("place", ["4.3"], indirect=True)
def test_a_node_that_does_not_tell_the_time_leaves_it_open(place: Place, rollup: tuple[Anvil, Rollup]) -> None:
    proposal = place.open_proposal()
    place.agent.act(place.dao, proposal)
    place.dao.advance_to_closed(proposal)

    def only_calls_to_somebody(question: Question) -> Reply | None:
        if question["method"] == "eth_call" and "to" not in question["params"][0]:
            return error(question, -32602, "missing value for required argument 'to'")
        return None

    with Provider(rollup[1].url, only_calls_to_somebody) as provider:
        report = place.check(provider.url)
    assert report.problems == []
    told = {v.step: v.reason for v in report.kept(Status.NOT_CHECKABLE)}
    assert "does not tell the governor's time" in told[Step.COMPLETENESS]
