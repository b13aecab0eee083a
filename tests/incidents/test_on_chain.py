"""Governance incidents rebuilt on a local chain, in our own contracts and words: what a review sees before the vote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
from eth_abi.abi import encode
from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from pnyx_contracts.types import Vote
from pnyx_policies.checks import CheckReport, CheckView, builtin_checks, run_checks
from pnyx_policies.decide import decide
from pnyx_policies.decision import Outcome
from pnyx_policies.facts import Facts, SimulationStatus
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.probes import Expectation, Probe
from pnyx_policies.ruleset import Ruleset
from pnyx_policies.rulesets import shipped_ruleset, shipped_rulesets
from pnyx_tools.gather import gather_facts, review_digest_now
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import TOKEN, Governance, artifact, deploy, deploy_governance, encode_call

LOOT = "0x000000000000000000000000000000000000bEEF"
"""Where the hostile contracts send what they take."""
RULESETS = {name: Ruleset.parse(shipped_ruleset(name), name) for name in shipped_rulesets()}
AGAINST = dict.fromkeys(RULESETS, Outcome.AGAINST) | {"observer": Outcome.HOLD}
HOLD = dict.fromkeys(RULESETS, Outcome.HOLD)


@dataclass(frozen=True)
class Review:
    facts: Facts
    reports: tuple[CheckReport, ...]

    @property
    def outcomes(self) -> dict[str, Outcome]:
        return {name: decide(rules, self.facts, self.reports, ()).outcome for name, rules in RULESETS.items()}

    def findings(self, check: str) -> tuple[Finding, ...]:
        return next(report.findings for report in self.reports if report.check == check)


def review(dao: Governance, proposal: int, probes: Sequence[Probe] = ()) -> Review:
    voter = dao.node.accounts[1]
    facts = gather_facts(dao.node.rpc, dao.adapter, dao.profile, dao.proposals[proposal], voter=voter, probes=probes)
    return Review(facts, run_checks(builtin_checks(), CheckView(facts)))


@pytest.fixture(scope="module")
def _before_cancun() -> Iterator[Governance]:
    """A chain on which contracts that destroy themselves are gone, and can come back (before EIP-6780)."""
    with Anvil(hardfork="shanghai") as node:
        yield deploy_governance(node, 4, contract="Governor43Block")


@pytest.fixture
def dao(_before_cancun: Governance) -> Iterator[Governance]:
    node = _before_cancun.node
    before = node.snapshot()
    yield _before_cancun
    node.revert(before)
    _before_cancun.proposals.clear()


# --- I-2, Tornado Cash


def creation_code(contract: str) -> bytes:
    return bytes.fromhex(artifact(contract)["bytecode"][2:])


@dataclass(frozen=True)
class Metamorphic:
    """Code that comes back at the same address: a factory makes a maker by CREATE2, which makes the code by CREATE."""

    node: Anvil
    factory: str

    def make(self, contract: str) -> str:
        maker = self._made(self.factory, encode_call("make(bytes32,bytes)", bytes(32), creation_code("TransientMaker")))
        assert maker == self.maker
        return self._made(maker, encode_call("make(bytes)", creation_code(contract)))

    def destroy(self, made: str) -> None:
        self.node.send(made, encode_call("emergencyStop()"))
        self.node.send(self.maker, encode_call("destroy()"))

    @property
    def maker(self) -> str:
        packed = b"\xff" + bytes.fromhex(self.factory[2:]) + bytes(32) + keccak(creation_code("TransientMaker"))
        return str(to_checksum_address(keccak(packed)[12:]))

    def _made(self, maker: str, data: bytes) -> str:
        (log,) = self.node.send(maker, data)["logs"]
        return str(to_checksum_address("0x" + log["data"][-40:]))


def run_by(vault: str, payload: str) -> tuple[str, bytes]:
    data = encode_call(
        "execTransactionFromModule(address,uint256,bytes,uint8)", payload, 0, encode_call("executeProposal()"), 1
    )
    return vault, data


LIKE_THE_LAST_ONE = "Update the list of relayers. The same logic as in our last proposal about relayers."


def test_i2_a_payload_that_can_be_destroyed_and_made_again(dao: Governance) -> None:
    made = Metamorphic(dao.node, deploy(dao.node, "Create2Factory"))
    vault = deploy(dao.node, "ModuleVault", dao.timelock)
    dao.node.set_balance(vault, 5 * TOKEN)
    payload = made.make("RelayerPayload")
    target, data = run_by(vault, payload)
    proposal = dao.propose([target], [0], [data], LIKE_THE_LAST_ONE)
    dao.advance_to_active(proposal)

    seen = review(dao, proposal)
    (finding,) = seen.findings("delegatecall")
    assert finding.severity is Severity.CRITICAL
    assert "can destroy itself" in finding.detail
    assert seen.outcomes == AGAINST
    assert seen.facts.simulation.movements == ()  # nothing that it does today shows what it will do

    made.destroy(payload)
    gone = review(dao, proposal)
    assert {f.evidence for f in gone.findings("target-without-code")} == {(payload,)}

    assert made.make("HostilePayload") == payload
    again = review(dao, proposal)
    assert review_digest_now(dao.node.rpc, dao.profile, dao.proposals[proposal]) != seen.facts.review_digest
    (finding,) = again.findings("delegatecall")
    assert "was other code when this was proposed" in finding.detail
    assert [(m.sender, m.recipient, m.amount) for m in again.facts.simulation.movements] == [(vault, LOOT, 5 * TOKEN)]

    dao.vote(proposal, Vote.FOR, dao.node.accounts[0])
    dao.advance_to_closed(proposal)
    dao.queue(proposal)
    dao.execute(proposal)
    assert dao.node.rpc.balance(LOOT) == 5 * TOKEN, "the shape is that of the incident: it works"


def test_a_payload_shows_what_it_does_also_where_its_call_does_not_go_through_yet(dao: Governance) -> None:
    """The vault obeys another module today: only the code by itself tells."""
    vault = deploy(dao.node, "ModuleVault", dao.node.accounts[3])
    dao.node.set_balance(vault, 5 * TOKEN)
    payload = deploy(dao.node, "HostilePayload")
    target, data = run_by(vault, payload)
    facts = review(dao, dao.propose([target], [0], [data], LIKE_THE_LAST_ONE)).facts
    assert facts.simulation.status is SimulationStatus.REVERTED
    assert facts.simulation.movements == ()
    (run,) = facts.simulation.delegated
    assert (run.path, run.code, run.account, run.succeeded) == ("0.0", payload, vault, True)
    assert [(m.sender, m.recipient, m.amount) for m in facts.simulation.all_movements] == [(vault, LOOT, 5 * TOKEN)]


# --- I-1, Beanstalk


def test_i1_a_diamond_cut_whose_initialiser_takes_everything(dao: Governance) -> None:
    diamond, init = deploy(dao.node, "SmallDiamond", dao.timelock), deploy(dao.node, "SweepInit")
    dao.node.set_balance(diamond, 7 * TOKEN)
    arguments = encode(["(address,uint8,bytes4[])[]", "address", "bytes"], [[], init, encode_call("sweep()")])
    proposal = dao.propose(
        [diamond], [0], [bytes.fromhex("1f931c1c") + arguments], "Donate to people in need, as every year."
    )
    seen = review(dao, proposal)
    critical = {r.check for r in seen.reports for f in r.findings if f.severity is Severity.CRITICAL}
    assert {"delegatecall", "code-upgrade"} <= critical
    assert seen.outcomes == AGAINST
    simulation = seen.facts.simulation
    assert [(m.sender, m.recipient, m.amount) for m in simulation.movements] == [(diamond, LOOT, 7 * TOKEN)]
    assert simulation.all_movements == simulation.movements, "what two runs show is one thing"


# --- I-4 and I-5, Compound 062 and 117: honest proposals that break something


def test_i4_an_upgrade_after_which_a_claim_jumps(dao: Governance) -> None:
    holder = dao.node.accounts[4]
    rewards = deploy(dao.node, "RewardsProxy", dao.timelock, deploy(dao.node, "Rewards"))
    dao.node.send(rewards, encode_call("deposit(uint256)", TOKEN), sender=holder)
    claim = Probe(
        name="claimable where nothing is distributed",
        contract=rewards,
        calldata=encode_call("claimable(address)", holder),
        expect=Expectation.UNCHANGED,
    )

    def upgrade(contract: str) -> Review:
        implementation = deploy(dao.node, contract)
        text = f"Upgrade the rewards {rewards} to the new implementation {implementation}, with split reward speeds."
        data = encode_call("upgradeTo(address)", implementation)
        return review(dao, dao.propose([rewards], [0], [data], text), [claim])

    buggy, honest = upgrade("RewardsWithBug"), upgrade("Rewards")
    (finding,) = buggy.findings("post-state")
    assert (finding.severity, finding.detail) == (Severity.HIGH, "Its answer changes.")
    assert honest.findings("post-state") == ()
    for seen in (buggy, honest):
        assert seen.outcomes == HOLD
        assert all(f.severity < Severity.CRITICAL for r in seen.reports for f in r.findings)


def test_i5_an_oracle_that_cannot_price_every_market(dao: Governance) -> None:
    lender = deploy(dao.node, "Lender", dao.timelock, deploy(dao.node, "SimpleOracle"))
    markets = {name: deploy(dao.node, name) for name in ("TokenMarket", "CoinMarket")}
    probes = [
        Probe(name=name, contract=lender, calldata=encode_call("getUnderlyingPrice(address)", market))
        for name, market in markets.items()
    ]
    oracle = deploy(dao.node, "AskingOracle")
    text = f"Set the price oracle of our lender {lender} to the new oracle {oracle}, which was audited twice."
    seen = review(dao, dao.propose([lender], [0], [encode_call("_setPriceOracle(address)", oracle)], text), probes)
    assert seen.facts.simulation.status is SimulationStatus.SUCCEEDED, "nothing in the execution itself fails"
    (finding,) = seen.findings("post-state")
    assert finding.severity is Severity.HIGH
    assert finding.title == "CoinMarket does not hold afterwards"
    assert seen.outcomes == HOLD
