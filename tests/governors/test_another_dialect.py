"""The seam fits a dialect that differs in everything: detected, read, voted in and checked, on a real GovernorAlpha."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.address import to_checksum_address

from pnyx_contracts.errors import UnknownEncodingError
from pnyx_contracts.governors import GovernorAdapter, builtin_adapters
from pnyx_contracts.types import ProposalState, Vote
from pnyx_policies.facts import SimulationStatus
from pnyx_policies.verify import Step, Verdict
from pnyx_tools.context import builtin_tools
from pnyx_tools.detect import detect
from pnyx_tools.evidence import FolderStore
from pnyx_tools.gather import gather_facts
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.decisions import LocalAgent
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy_governance, deploy_log, encode_call
from pnyx_tools.verifier import verify
from pnyx_tools.wire import parse_logs

from .alpha import GovernorAlpha

BUILD = Path(__file__).parents[2] / "contracts" / "node_modules" / "@uniswap" / "governance" / "build"
ADAPTERS: tuple[GovernorAdapter, ...] = (*builtin_adapters(), GovernorAlpha())
RECEIVER = "0x00000000000000000000000000000000000A11cE"
RULESET = (
    'name = "t"\nversion = "1"\n[[rule]]\nid = "all"\nbecause = "Fine."\nwhen = ["calls.count > 0"]\nthen = "for"\n'
)
PROPOSE = "propose(address[],uint256[],string[],bytes[],string)"

pytestmark = pytest.mark.skipif(not BUILD.is_dir(), reason="run `npm ci --ignore-scripts` in contracts/")


class Alpha(Governance):
    """Uniswap's first governor: its voters are the first two accounts, with 600 and 40 million UNI."""

    def __init__(self, node: Anvil) -> None:
        first, second = node.accounts[:2]
        far = node.rpc.block().timestamp + 10**6
        token = _deploy(node, "Uni", ["address", "address", "uint256"], first, first, far)
        timelock = _deploy(node, "Timelock", ["address", "uint256"], first, 172_800)
        governor = _deploy(node, "GovernorAlpha", ["address", "address"], timelock, token)
        super().__init__(node, governor, token, timelock, ADAPTERS)
        node.set_balance(timelock, 10 * TOKEN)
        node.send(token, encode_call("transfer(address,uint256)", second, 40_000_000 * TOKEN))
        for voter in (first, second):
            node.send(token, encode_call("delegate(address)", voter), sender=voter)
        node.mine()

    def open(self) -> int:
        call = encode(["address", "uint256"], [RECEIVER, 5])
        data = encode_call(
            PROPOSE,
            [self.token, RECEIVER],
            [0, TOKEN],
            ["transfer(address,uint256)", ""],
            [call, b""],
            f"# To {RECEIVER}",
        )
        log = parse_logs(self.node.send(self.governor, data)["logs"])[0]
        proposal = self.adapter.decode_created(self.profile, log)
        self.proposals[proposal.key.proposal_id] = proposal
        self.advance_to_active(proposal.key.proposal_id)
        return proposal.key.proposal_id


def _deploy(node: Anvil, name: str, types: list[str], *arguments: object) -> str:
    compiled: dict[str, Any] = json.loads((BUILD / f"{name}.json").read_text(encoding="utf-8"))
    receipt = node.send(None, bytes.fromhex(compiled["bytecode"]) + encode(types, arguments))
    return str(to_checksum_address(receipt["contractAddress"]))


@pytest.fixture(scope="module")
def deployed() -> Iterator[Alpha]:
    with Anvil() as node:
        yield Alpha(node)


@pytest.fixture
def alpha(deployed: Alpha) -> Iterator[Alpha]:
    """Every test starts from the same state: a proposer may have one proposal at a time."""
    before = deployed.node.snapshot()
    yield deployed
    deployed.node.revert(before)


def test_each_dialect_knows_its_own(alpha: Alpha) -> None:
    assert detect(alpha.node.rpc, alpha.governor, ADAPTERS)[0].kind == "governor-alpha"
    assert detect(alpha.node.rpc, deploy_governance(alpha.node).governor, ADAPTERS)[0].kind == "openzeppelin"
    with pytest.raises(UnknownEncodingError):
        detect(alpha.node.rpc, alpha.governor, builtin_adapters())


def test_facts_of_a_proposal(alpha: Alpha) -> None:
    number = alpha.open()
    proposal, voter = alpha.proposals[number], alpha.node.accounts[1]
    facts = gather_facts(alpha.node.rpc, alpha.adapter, alpha.profile, proposal, voter=voter, tools=builtin_tools())
    assert (facts.governor.state, facts.governor.now) == (ProposalState.ACTIVE, facts.block.number)
    assert facts.voter is not None
    assert facts.voter.voting_power == 40_000_000 * TOKEN
    assert facts.governor.quorum == 40_000_000 * TOKEN
    assert facts.governor.tally is not None
    assert [call.name for call in facts.calls] == ["transfer", ""]
    assert facts.simulation.status is SimulationStatus.REVERTED  # the timelock has no UNI
    assert {result.tool for result in facts.context} >= {"voting_power", "proposer_history"}


def test_votes_land_as_what_they_say(alpha: Alpha) -> None:
    number, adapter, profile = alpha.open(), alpha.adapter, alpha.profile
    for vote, voter in zip((Vote.FOR, Vote.AGAINST), alpha.node.accounts, strict=False):
        log = parse_logs(alpha.vote(number, vote, voter)["logs"])[0]
        cast = adapter.decode_vote(profile, log)
        assert (cast.vote, cast.voter, cast.support) == (vote, voter, adapter.support_of(profile, vote))
        assert alpha.node.rpc.read(adapter.read_has_voted(profile, number, voter))
    with pytest.raises(UnknownEncodingError, match="abstain"):
        adapter.encode_vote(profile, number, Vote.ABSTAIN, "")


@pytest.mark.parametrize("honest", [True, False])
def test_a_strangers_check_finds_the_writers_votes_among_all(alpha: Alpha, tmp_path: Path, honest: bool) -> None:
    log = deploy_log(alpha.node)
    agent = LocalAgent(alpha.node, log, [alpha], FolderStore(tmp_path), RULESET)
    agent.register()
    number = alpha.open()
    alpha.vote(number, Vote.AGAINST, alpha.node.accounts[0])  # not the writer's
    if honest:
        agent.act(alpha, number)
    else:
        agent.cast(alpha, alpha.proposals[number].key, Vote.FOR)
    told: list[Verdict] = []
    report = verify(
        alpha.node.rpc, log, agent.writer, tmp_path, upto="latest", adapters=ADAPTERS, on_verdict=told.append
    )
    votes = [v for v in told if v.step is Step.VOTES]
    assert [v.reason.startswith("a vote without an entry") for v in votes] == [not honest]
    assert {v.step for v in report.problems} == (set() if honest else {Step.VOTES})
