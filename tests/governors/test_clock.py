"""A governor's time, also where contracts count other blocks than the endpoint."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pnyx_contracts.types import ProposalState
from pnyx_policies.eligibility import Standing, stand
from pnyx_policies.facts import Facts
from pnyx_policies.ruleset import Ruleset
from pnyx_tools.clock import clock_at, earlier_clock, number_in_contracts
from pnyx_tools.context import VotingPowerTool
from pnyx_tools.gather import gather_facts
from pnyx_tools.reader import MethodMissingError
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import Governance, deploy_governance
from pnyx_tools.testing.provider import Provider, Question, Reply, error
from pnyx_tools.testing.rollup import Rollup

AHEAD = 300_000_000
BEHIND = -20
GOVERNORS = {"4.3": (4, "Governor43Block"), "4.9": (4, None), "5": (5, None)}
RULESET = Ruleset.parse('name = "test"\nversion = "1"\n[limits]\nmin_blocks_left = 5\n', "test.toml")


@pytest.fixture(scope="module", params=GOVERNORS)
def dao(request: pytest.FixtureRequest) -> Iterator[Governance]:
    version, contract = GOVERNORS[request.param]
    with Anvil() as node:
        node.mine(50)
        yield deploy_governance(node, version, contract=contract)


@pytest.fixture(params=[AHEAD, BEHIND], ids=["as on Arbitrum", "a young chain"])
def rollup(request: pytest.FixtureRequest, dao: Governance) -> Iterator[Rollup]:
    with Rollup(dao.node, request.param) as found:
        yield found


def seen(dao: Governance, number: int, rollup: Rollup) -> Facts:
    """The facts through the rollup's endpoint, which knows the proposal under its own block numbers."""
    proposal = dao.proposals[number]
    ahead = Rpc(rollup.url).block().number - dao.node.rpc.block().number
    moved = proposal.model_copy(update={"created_block": proposal.created_block + ahead})
    return gather_facts(
        Rpc(rollup.url), dao.adapter, dao.profile, moved, voter=dao.node.accounts[1], tools=[VotingPowerTool()]
    )


def test_a_vote_is_open_on_the_governors_clock(dao: Governance, rollup: Rollup) -> None:
    number = dao.propose([dao.node.accounts[5]], [0], [b""], f"x{rollup.url}")
    pending = seen(dao, number, rollup)
    assert stand(pending, RULESET.limits).standing is Standing.WAITING
    dao.advance_to_active(number)
    facts = seen(dao, number, rollup)
    here = gather_facts(dao.node.rpc, dao.adapter, dao.profile, dao.proposals[number], voter=dao.node.accounts[1])
    assert facts.block.number != facts.governor.now == here.governor.now == dao.node.rpc.block().number
    assert (facts.governor, facts.voter) == (here.governor, here.voter)
    assert stand(facts, RULESET.limits).standing is Standing.READY


def test_power_before_the_proposal_is_found(dao: Governance, rollup: Rollup) -> None:
    number = dao.propose([dao.node.accounts[5]], [0], [b""], f"y{rollup.url}")
    dao.advance_to_active(number)
    facts = seen(dao, number, rollup)
    assert {skipped.step for skipped in facts.skipped} <= {"code long before"}, "the stand-in's chain begins high up"
    power = facts.context[0].result
    assert isinstance(power, dict)
    assert power["proposer_at_creation"] == power["proposer_at_snapshot"] == power["proposer_now"] != "0"


def test_headers_tell_the_past_only_where_they_tell_the_present(dao: Governance, rollup: Rollup) -> None:
    head, before = dao.node.mine(3), dao.node.rpc.block(dao.node.rpc.block().number - 3)
    assert earlier_clock(dao.node.rpc, dao.profile, before, head) == before.number
    there = Rpc(rollup.url)
    head, before = there.block(), there.block(there.block().number - 3)
    assert earlier_clock(there, dao.profile, before, head) == dao.node.rpc.block().number - 3
    assert number_in_contracts(there, before) == dao.node.rpc.block().number - 3


def _only_calls_to_somebody(question: Question) -> Reply | None:
    if question["method"] == "eth_call" and "to" not in question["params"][0]:
        return error(question, -32602, "missing value for required argument 'to'")
    return None


def test_a_node_that_cannot_tell_is_no_reason_to_guess(dao: Governance) -> None:
    with Provider(dao.node.url, _only_calls_to_somebody) as provider:
        reader = Rpc(provider.url)
        if dao.profile.name == "Governor43Block":
            with pytest.raises(MethodMissingError, match=r"'to'"):
                clock_at(reader, dao.profile, reader.block())
        else:  # it has a clock of its own
            assert clock_at(reader, dao.profile, reader.block()) == reader.block().number


@pytest.mark.parametrize("dao", ["4.3"], indirect=True)
def test_4_3_is_active_in_the_block_of_its_snapshot_and_closed_in_that_of_its_deadline(dao: Governance) -> None:
    number = dao.propose([dao.node.accounts[5]], [0], [b""], "z")
    proposal = dao.proposals[number]
    dao.node.mine(proposal.vote_start - dao.node.rpc.block().number)
    facts = gather_facts(dao.node.rpc, dao.adapter, dao.profile, proposal, voter=dao.node.accounts[1])
    assert (facts.governor.state, facts.governor.now) == (ProposalState.ACTIVE, facts.governor.snapshot)
    assert facts.voter is not None
    assert facts.voter.voting_power is None
    assert stand(facts, RULESET.limits).reason == "voting has not started yet"
    dao.node.mine()
    facts = gather_facts(dao.node.rpc, dao.adapter, dao.profile, proposal, voter=dao.node.accounts[1])
    assert stand(facts, RULESET.limits).standing is Standing.READY
    dao.node.mine(proposal.vote_end - 1 - dao.node.rpc.block().number)
    assert dao.state(number) is ProposalState.ACTIVE
    dao.node.mine()
    assert dao.state(number) is ProposalState.DEFEATED
