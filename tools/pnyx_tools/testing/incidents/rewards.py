"""I-4, Compound 062, September 2021: an honest upgrade with one operator that is too strict."""

from __future__ import annotations

from pnyx_policies.finding import Severity
from pnyx_policies.probes import Expectation, Probe
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy, encode_call
from pnyx_tools.testing.incidents.case import Scene, honest, incident, propose


def upgrade_to(dao: Governance, contract: str) -> Scene:
    """Probed by what an account may claim in a market where nothing is distributed."""
    holder = dao.node.accounts[4]
    rewards = deploy(dao.node, "RewardsProxy", dao.timelock, deploy(dao.node, "Rewards"))
    dao.node.send(rewards, encode_call("deposit(uint256)", TOKEN), sender=holder)
    claim = Probe(
        name="claimable where nothing is distributed",
        contract=rewards,
        calldata=encode_call("claimable(address)", holder),
        expect=Expectation.UNCHANGED,
    )
    implementation = deploy(dao.node, contract)
    text = f"Upgrade the rewards {rewards} to the new implementation {implementation}, with split reward speeds."
    proposal = propose(dao, text, (rewards, encode_call("upgradeTo(address)", implementation)))
    return Scene(dao, proposal, probes=(claim,))


CASES = (
    incident(
        "I-4 Compound 062",
        "an announced upgrade after which a claim jumps that nothing was distributed for",
        lambda dao: upgrade_to(dao, "RewardsWithBug"),
        Severity.HIGH,
        ["code-upgrade", "post-state"],
    ),
    honest(
        "an upgrade without the bug",
        "the same upgrade, announced in the same words, with the right operator",
        lambda dao: upgrade_to(dao, "Rewards"),
        Severity.HIGH,
        ["code-upgrade"],
    ),
)
