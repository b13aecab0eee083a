"""Seats of power: I-9 Swerve, March 2023; I-10 Indexed Finance, November 2023; I-12 Yam, July 2022."""

from __future__ import annotations

from eth_hash.auto import keccak

from pnyx_policies.finding import Severity
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy, encode_call
from pnyx_tools.testing.incidents.case import Scene, honest, incident, person, propose, variation

MAINTENANCE = (
    "Maintenance of the pools that are left, so that withdrawals stay cheap for everybody who is still in them."
)
COPIED_LIST = "Payments for the work of May: documentation, design, support, translations, two community calls."


def by_agent(dao: Governance) -> Scene:
    agent = deploy(dao.node, "Agent", dao.timelock)
    pool = deploy(dao.node, "Pool", agent)
    give = encode_call("transferOwnership(address)", person("a stranger"))
    return Scene(dao, propose(dao, MAINTENANCE, (agent, encode_call("execute(address,uint256,bytes)", pool, 0, give))))


def _committed(dao: Governance) -> Scene:
    """As Curve's pools name it; nothing tells of it."""
    pool = deploy(dao.node, "Pool", dao.timelock)
    return Scene(
        dao,
        propose(dao, MAINTENANCE, (pool, encode_call("commit_transfer_ownership(address)", person("a stranger")))),
    )


def _tidied(dao: Governance) -> Scene:
    """By a function that only this pool has, and without an event."""
    pool = deploy(dao.node, "Pool", dao.timelock)
    text = f"Maintenance of the pool {pool}: tidy up its list, so that withdrawals stay cheap."
    return Scene(dao, propose(dao, text, (pool, encode_call("tidyUp(address)", person("a stranger")))))


def _announced(dao: Governance) -> Scene:
    pool, multisig = deploy(dao.node, "Pool", dao.timelock), person("the pool's multisig")
    text = f"Transfer the ownership of the pool {pool} to the multisig {multisig}, which will wind it down."
    return Scene(dao, propose(dao, text, (pool, encode_call("transferOwnership(address)", multisig))))


def _without_words(dao: Governance, text: str = "") -> Scene:
    pool = deploy(dao.node, "Pool", dao.timelock)
    return Scene(dao, propose(dao, text, (pool, encode_call("transferOwnership(address)", person("a stranger")))))


def _unasked_payment(dao: Governance) -> Scene:
    return Scene(dao, propose(dao, "", (person("a stranger"), b"", 12 * TOKEN)))


def by_contract(dao: Governance) -> Scene:
    reserves = deploy(dao.node, "Reserves", dao.timelock)
    helper = deploy(dao.node, "ProposingContract", dao.governor)
    dao.give_power(helper, 20_000)
    give = encode_call("_setPendingGov(address)", person("a stranger"))
    inside = encode_call("propose(address[],uint256[],bytes[],string)", [reserves], [0], [give], COPIED_LIST.encode())
    return Scene(dao, dao.proposed(dao.node.send(helper, inside, sender=dao.node.accounts[3])))


def _role(dao: Governance) -> Scene:
    guardian = person("the security council")
    text = f"Give the security council {guardian} the canceller role in the timelock, so that it can stop attacks."
    data = encode_call("grantRole(bytes32,address)", keccak(b"CANCELLER_ROLE"), guardian)
    return Scene(dao, propose(dao, text, (dao.timelock, data)))


def _delegation(dao: Governance) -> Scene:
    delegate = person("a delegate")
    text = f"Delegate the votes of the treasury's tokens to our elected delegate {delegate} for one season."
    return Scene(dao, propose(dao, text, (dao.token, encode_call("delegate(address)", delegate))))


def _signal(dao: Governance) -> Scene:
    text = "Signal that the DAO wants to publish its accounts every quarter. Nothing is executed by this proposal."
    return Scene(dao, propose(dao, text, (dao.timelock, b"")))


CASES = (
    incident(
        "I-9 Swerve",
        "maintenance by its text; the agent that owns a pool gives it to a stranger",
        by_agent,
        Severity.CRITICAL,
        ["privilege-grant"],
    ),
    variation(
        "I-9, by another function",
        "the stranger becomes the next owner, by a function and without an event",
        _committed,
        Severity.CRITICAL,
        ["privilege-grant"],
    ),
    variation(
        "I-9, by a function that nobody knows",
        "maintenance of a pool that the text names; only the pool's owner is another one afterwards",
        _tidied,
        Severity.CRITICAL,
        ["privilege-grant"],
    ),
    variation(
        "I-9, announced",
        "the pool's ownership goes to a multisig that the text names",
        _announced,
        Severity.HIGH,
        ["privilege-grant"],
    ),
    incident(
        "I-10 Indexed Finance 24",
        "no title, no text; a pool's ownership goes to a stranger",
        _without_words,
        Severity.CRITICAL,
        ["privilege-grant", "text-against-calls"],
    ),
    variation(
        "I-10, a title only",
        "a number for a title, and no more",
        lambda dao: _without_words(dao, "# Proposal 24"),
        Severity.CRITICAL,
        ["privilege-grant", "text-against-calls"],
    ),
    variation(
        "I-10, a payment", "no text; coin to a stranger", _unasked_payment, Severity.CRITICAL, ["text-against-calls"]
    ),
    incident(
        "I-12 Yam",
        "proposed by a contract, with a copied list for a text; a stranger may become the governor of the reserves",
        by_contract,
        Severity.CRITICAL,
        ["privilege-grant"],
    ),
    honest(
        "a role is granted",
        "the canceller role to a council that the text names",
        _role,
        Severity.HIGH,
        ["privilege-grant"],
    ),
    honest(
        "votes are delegated",
        "the treasury's votes to a delegate that the text names",
        _delegation,
        Severity.HIGH,
        ["privilege-grant"],
    ),
    honest("a signal", "a text that says what the DAO wants, and one call that does nothing", _signal, Severity.LOW),
)
