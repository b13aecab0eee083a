"""Governance incidents rebuilt on a local chain: what a review sees before the vote, and that the shapes work."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pnyx_contracts.types import Vote
from pnyx_policies.decision import Outcome
from pnyx_policies.facts import SimulationStatus
from pnyx_policies.finding import Severity
from pnyx_tools.gather import review_digest_now
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy, encode_call
from pnyx_tools.testing.incidents import CASES, LOOT, Case, Kind, Seen, alone, play, review, stage
from pnyx_tools.testing.incidents.case import Scene, person, propose
from pnyx_tools.testing.incidents.diamond import empty_cut
from pnyx_tools.testing.incidents.markets import hidden_upgrade, separate_operations
from pnyx_tools.testing.incidents.metamorphic import LIKE_THE_LAST_ONE, relayers, run_by
from pnyx_tools.testing.incidents.oracles import new_oracle
from pnyx_tools.testing.incidents.power import flash, initialised_again
from pnyx_tools.testing.incidents.rewards import upgrade_to
from pnyx_tools.testing.incidents.seats import by_agent, by_contract


@pytest.fixture(scope="module")
def chain() -> Iterator[Governance]:
    with stage() as governance:
        yield governance


@pytest.fixture
def dao(chain: Governance) -> Iterator[Governance]:
    with alone(chain) as governance:
        yield governance


def moves(seen: Seen) -> list[tuple[str, str, int]]:
    return [(m.sender, m.recipient, m.amount) for m in seen.facts.simulation.movements]


def carry_out(scene: Scene) -> None:
    """What happens when nobody looks."""
    dao, proposal = scene.dao, scene.proposal
    dao.advance_to_active(proposal)
    dao.vote(proposal, Vote.FOR, dao.node.accounts[0])
    dao.advance_to_closed(proposal)
    dao.queue(proposal)
    dao.execute(proposal)


# --- all of them


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_is_seen_as_it_must_be(chain: Governance, case: Case) -> None:
    seen = play(chain, case)
    assert case.is_seen_in(seen.by_check), seen.by_check
    if case.kind is Kind.HONEST:
        assert seen.worst is not Severity.CRITICAL
        assert Outcome.AGAINST not in seen.outcomes.values()
        return
    assert seen.worst is not None
    assert seen.worst >= Severity.HIGH
    answer = Outcome.AGAINST if seen.worst is Severity.CRITICAL else Outcome.HOLD
    assert seen.outcomes == dict.fromkeys(seen.outcomes, answer) | {"observer": Outcome.HOLD}


def test_every_incident_has_a_variation_or_an_honest_neighbour() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    incidents = {case.name.split()[0] for case in CASES if case.kind is Kind.INCIDENT}
    assert incidents == {f"I-{number}" for number in (1, 2, 4, 5, 6, 8, 9, 10, 12, 15, 18, 20, 26)}


def test_what_is_not_as_it_must_be_is_told() -> None:
    case = next(case for case in CASES if case.worst is Severity.HIGH)
    as_it_must = dict.fromkeys(case.by, Severity.HIGH)
    assert case.is_seen_in(as_it_must)
    assert not case.is_seen_in({})
    assert not case.is_seen_in(as_it_must | {"another": Severity.CRITICAL})
    assert not case.is_seen_in({"another": Severity.HIGH})


def test_a_vote_that_costs_less_than_it_takes(chain: Governance) -> None:
    case = next(case for case in CASES if case.name == "votes that cost less than they take")
    (finding,) = (f for f in play(chain, case).findings("capture") if f.severity is Severity.MEDIUM)
    assert finding.title == "The actions take 260,000 from the treasury; the votes of the quorum cost 80,000"


# --- the shapes work


def test_i1_the_initialiser_takes_everything(dao: Governance) -> None:
    scene = empty_cut(dao)
    simulation = review(scene).facts.simulation
    assert [(m.recipient, m.amount) for m in simulation.movements] == [(LOOT, 7 * TOKEN)]
    assert simulation.all_movements == simulation.movements, "what two runs show is one thing"


def test_i2_code_that_is_destroyed_and_made_again(dao: Governance) -> None:
    shape = relayers(dao)
    scene = shape.scene
    dao.advance_to_active(scene.proposal)
    seen = review(scene)
    (finding,) = seen.findings("delegatecall")
    assert "can destroy itself" in finding.detail
    assert moves(seen) == [], "nothing that it does today shows what it will do"

    shape.made.destroy(shape.payload)
    assert {f.evidence for f in review(scene).findings("target-without-code")} == {(shape.payload,)}

    assert shape.made.make("HostilePayload") == shape.payload
    again = review(scene)
    assert review_digest_now(dao.node.rpc, dao.profile, dao.proposals[scene.proposal]) != seen.facts.review_digest
    (finding,) = again.findings("delegatecall")
    assert "was other code when this was proposed" in finding.detail
    assert moves(again) == [(shape.vault, LOOT, 5 * TOKEN)]
    carry_out(scene)
    assert dao.node.rpc.balance(LOOT) == 5 * TOKEN


def test_a_payload_shows_what_it_does_also_where_its_call_does_not_go_through_yet(dao: Governance) -> None:
    """The vault obeys another module today: only the code by itself tells."""
    vault = deploy(dao.node, "ModuleVault", dao.node.accounts[3])
    dao.node.set_balance(vault, 5 * TOKEN)
    payload = deploy(dao.node, "HostilePayload")
    seen = review(Scene(dao, propose(dao, LIKE_THE_LAST_ONE, run_by(vault, payload))))
    simulation = seen.facts.simulation
    assert simulation.status is SimulationStatus.REVERTED
    assert simulation.movements == ()
    (run,) = simulation.delegated
    assert (run.path, run.code, run.account, run.succeeded) == ("0.0", payload, vault, True)
    assert [(m.sender, m.recipient, m.amount) for m in simulation.all_movements] == [(vault, LOOT, 5 * TOKEN)]


def test_i4_a_claim_jumps(dao: Governance) -> None:
    (finding,) = review(upgrade_to(dao, "RewardsWithBug")).findings("post-state")
    assert finding.detail == "Its answer changes."


def test_i5_one_price_of_two_cannot_be_read(dao: Governance) -> None:
    seen = review(new_oracle(dao, "AskingOracle"))
    assert seen.facts.simulation.status is SimulationStatus.SUCCEEDED, "nothing in the execution itself fails"
    (finding,) = seen.findings("post-state")
    price, gone = seen.facts.simulation.readings
    assert (price.after.error, gone.before.error) == ("", "")
    assert finding.title == "the price of every market does not hold afterwards"
    assert gone.member is not None
    assert finding.detail.lower().startswith(f"for 0x{gone.member[12:].hex()}: it answered before")


def test_i8_anybody_makes_the_rules_again(dao: Governance) -> None:
    own = initialised_again(dao).dao
    read = [int.from_bytes(own.node.rpc.call(own.governor, encode_call(f"{name}()")), "big") for name in
            ("votingPeriod", "votingDelay")]  # fmt: skip
    assert read == [3, 0]


def test_i9_the_agent_gives_the_pool_away(dao: Governance) -> None:
    scene = by_agent(dao)
    (call,) = dao.proposals[scene.proposal].calls
    carry_out(scene)
    pool = review(scene).facts.calls[0].inner[0].target
    assert call.target != pool
    assert dao.node.rpc.call(pool, encode_call("owner()"))[12:].hex() == person("a stranger")[2:].lower()


def test_i12_a_contract_proposes(dao: Governance) -> None:
    scene = by_contract(dao)
    proposal = dao.proposals[scene.proposal]
    assert dao.node.rpc.code(proposal.proposer)
    dao.advance_to_active(scene.proposal)
    dao.node.send(proposal.proposer, encode_call("vote(uint256)", scene.proposal))
    assert dao.node.rpc.read(dao.adapter.read_tally(dao.profile, scene.proposal))[1] == 20_000 * TOKEN


def test_i15_the_new_code_takes_from_who_allowed_the_old_one(dao: Governance) -> None:
    lending, scene = hidden_upgrade(dao)
    carry_out(scene)
    dao.node.send(lending.market, encode_call("take(address,address,uint256)", *lending.taking))
    balance = dao.node.rpc.call(lending.token, encode_call("balanceOf(address)", LOOT))
    assert int.from_bytes(balance, "big") == lending.taking[2]


def test_i18_borrowed_tokens_vote_and_are_paid_back_in_one_transaction(dao: Governance) -> None:
    shape = flash(dao)
    own = shape.scene.dao
    own.advance_to_active(shape.scene.proposal)
    assert shape.vote() == 40_000 * TOKEN
    held = own.node.rpc.call(own.token, encode_call("balanceOf(address)", shape.lender))
    assert int.from_bytes(held, "big") == 40_000 * TOKEN


def test_i20_anybody_executes_the_last_operation_first(dao: Governance) -> None:
    scene = separate_operations(dao)
    factor, listing = review(scene).facts.calls[-1].inner[0], review(scene).facts.calls[-2].inner[0]
    carry_out(scene)
    dao.node.increase_time(172_801)
    timelock = dao.proposals[scene.proposal].calls[0].target
    signature = "execute(address,uint256,bytes,bytes32,bytes32)"
    last = encode_call(signature, factor.target, 0, factor.calldata, bytes(32), (4).to_bytes(32, "big"))
    dao.node.send(timelock, last, sender=dao.node.accounts[5])
    market = listing.arguments[0].value
    raised = dao.node.rpc.call(factor.target, encode_call("collateralFactor(address)", market))
    assert int.from_bytes(raised, "big") == 35 * 10**16
    markets = dao.node.rpc.call(factor.target, encode_call("getAllMarkets()"))
    assert int.from_bytes(markets[32:64], "big") == 0, "and it was not even listed"
