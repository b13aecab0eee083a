"""Upgrades of a vault that look alike: what they do to its storage tells them apart."""

from __future__ import annotations

from pnyx_policies.finding import Severity
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy, encode_call
from pnyx_tools.testing.incidents.case import Scene, attack, honest, propose


def vault_in_use(dao: Governance) -> str:
    """Behind a proxy that the DAO may upgrade; somebody, and the DAO itself, deposited."""
    vault = deploy(dao.node, "RewardsProxy", dao.timelock, deploy(dao.node, "Vault"))
    dao.node.send(vault, encode_call("initialize(address,uint256)", dao.token, 30))
    dao.node.impersonate(dao.timelock)
    for depositor in (dao.timelock, dao.node.accounts[4]):
        dao.node.send(vault, encode_call("deposit(uint256)", 40 * TOKEN), sender=depositor)
    return vault


def upgrade_to(dao: Governance, contract: str) -> Scene:
    vault, code = vault_in_use(dao), deploy(dao.node, contract)
    text = f"Upgrade the vault {vault} to the new implementation {code}, which adds a cap on deposits."
    return Scene(dao, propose(dao, text, (vault, encode_call("upgradeTo(address)", code))))


CASES = (
    attack(
        "an upgrade that moves storage",
        "the announced upgrade of a vault, whose new variable stands before the others: they read each other's values",
        lambda dao: upgrade_to(dao, "VaultShifted"),
        Severity.HIGH,
        ["code-upgrade", "upgraded-values"],
    ),
    attack(
        "an upgrade that opens the initialiser",
        "the same upgrade by code that leaves room in front: it forgets that it was initialised, and anybody may do so",
        lambda dao: upgrade_to(dao, "VaultReopened"),
        Severity.HIGH,
        ["code-upgrade", "upgraded-values"],
    ),
    honest(
        "an upgrade that appends a variable",
        "the same upgrade, announced in the same words, with the new variable behind the others",
        lambda dao: upgrade_to(dao, "VaultAppended"),
        Severity.HIGH,
        ["code-upgrade"],
    ),
)
