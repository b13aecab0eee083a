"""Power over votes: I-8 Audius, July 2022; I-18 MakerDAO, October 2020; I-26 Arbitrum, April 2023."""

from __future__ import annotations

from dataclasses import dataclass

from pnyx_policies.finding import Severity
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy, deploy_governance, encode_call
from pnyx_tools.testing.incidents.case import Scene, honest, incident, person, propose, variation
from pnyx_tools.testing.incidents.trust import treasury_token


def initialised_again(dao: Governance) -> Scene:
    """Three blocks to vote, no delay, almost no quorum; then everything to oneself."""
    own = deploy_governance(dao.node, 4, contract="ReinitialisedGovernor", powers={dao.node.accounts[1]: 1_000})
    attacker = dao.node.accounts[3]
    signature = "initialize(address,uint256,uint256,uint256,uint16,address)"
    dao.node.send(own.governor, encode_call(signature, attacker, 3, 0, 1, 4, attacker), sender=attacker)
    token = treasury_token(dao, 1_000_000 * TOKEN)
    dao.node.impersonate(dao.timelock)
    dao.node.send(token, encode_call("transfer(address,uint256)", own.timelock, 1_000_000 * TOKEN), sender=dao.timelock)
    take = (token, encode_call("transfer(address,uint256)", attacker, 990_000 * TOKEN))
    return Scene(own, propose(own, "Hello\nWorld", take, sender=attacker))


@dataclass(frozen=True)
class Flash:
    """A governor that counts what voters hold right now, and a lender."""

    scene: Scene
    lender: str

    def vote(self) -> int:
        """In one transaction, with borrowed tokens; how many votes are in favour then."""
        dao, proposal = self.scene.dao, self.scene.proposal
        voter = deploy(dao.node, "FlashVoter", self.lender, dao.governor, proposal)
        dao.node.send(voter, encode_call("run(uint256)", 40_000 * TOKEN))
        return dao.node.rpc.read(dao.adapter.read_tally(dao.profile, proposal))[1]


def flash(dao: Governance) -> Flash:
    own = deploy_governance(dao.node, 4, contract="LiveGovernor", powers={dao.node.accounts[1]: 1_000})
    lender = deploy(dao.node, "FlashLender", own.token)
    for holder, tokens in ((lender, 40_000), (dao.node.accounts[3], 10)):
        own.node.send(own.token, encode_call("transfer(address,uint256)", holder, tokens * TOKEN))
    prices, reader = deploy(dao.node, "Whitelist", own.timelock), person("a price reader")
    text = f"Let the reader {reader} read our prices: kiss it in the whitelist {prices}."
    return Flash(Scene(own, propose(own, text, (prices, encode_call("kiss(address)", reader)))), lender)


def moved_before(dao: Governance) -> Scene:
    """A part has already gone; the text speaks of all of it."""
    token, foundation = treasury_token(dao, 3_500_000 * TOKEN), person("the foundation")
    dao.node.impersonate(dao.timelock)
    dao.node.send(token, encode_call("transfer(address,uint256)", foundation, 50_500 * TOKEN), sender=dao.timelock)
    text = (
        f"Ratify the constitution, the council, and the grant of 750,000 PLAIN to the foundation {foundation}, which "
        "decides alone how it is spent."
    )
    rest = (token, encode_call("transfer(address,uint256)", foundation, 699_500 * TOKEN))
    return Scene(dao, propose(dao, text, rest))


def _emergency(dao: Governance, contract: str) -> Scene:
    """Announced, small, and voted on by what one had; beside it a path that executes at once."""
    own = deploy_governance(dao.node, 4, contract=contract, powers={dao.node.accounts[1]: 1_000})
    own.give_power(dao.node.accounts[3], 10)
    host = person("who hosts our forum")
    return Scene(own, propose(own, f"Pay 0.1 ETH to {host}, who hosts our forum.", (host, b"", TOKEN // 10)))


CASES = (
    incident(
        "I-8 Audius 85",
        "the governor was initialised again by a stranger, who asks for 99% of an asset: Hello, World",
        initialised_again,
        Severity.CRITICAL,
        ["reinitialisation", "text-against-calls"],
    ),
    incident(
        "I-18 MakerDAO",
        "announced, and decided by tokens that were borrowed for one transaction",
        lambda dao: flash(dao).scene,
        Severity.CRITICAL,
        ["live-power"],
    ),
    variation(
        "I-1, a path for emergencies",
        "a small announced payment, voted on by what one had; who has two thirds of the tokens now executes at once",
        lambda dao: _emergency(dao, "LiveEmergencyGovernor"),
        Severity.HIGH,
        ["live-power"],
    ),
    honest(
        "a path for emergencies",
        "the same proposal, where the path for emergencies counts what one had, too",
        lambda dao: _emergency(dao, "SteadyEmergencyGovernor"),
        Severity.LOW,
        ["live-power"],
    ),
    incident(
        "I-26 Arbitrum 1",
        "the vote ratifies a grant of which a part was paid before",
        moved_before,
        Severity.HIGH,
        ["text-against-calls"],
    ),
)
