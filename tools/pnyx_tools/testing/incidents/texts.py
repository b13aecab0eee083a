"""Texts that name what is done without asking for it, and honest ones in words that are not the usual ones."""

from __future__ import annotations

from typing import Final

from eth_hash.auto import keccak

from pnyx_policies.finding import Severity
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy, encode_call
from pnyx_tools.testing.incidents.case import Action, Scene, attack, honest, person, propose
from pnyx_tools.testing.incidents.trust import treasury_token

_STOP: Final = b"\0"
"""Code of a contract that says yes to everything."""


def _agreeable(dao: Governance, name: str) -> str:
    contract = person(name)
    dao.node.set_code(contract, _STOP)
    return contract


def _pay(dao: Governance, text: str, tokens: int, *others: Action) -> Scene:
    """PLAIN to an indexer, whose address the text gets for its ``{}``."""
    token, indexer = treasury_token(dao), person("an indexer")
    pay = (token, encode_call("transfer(address,uint256)", indexer, tokens * TOKEN))
    return Scene(dao, propose(dao, text.format(indexer), pay, *others))


def _twin(dao: Governance) -> Scene:
    token, indexer = treasury_token(dao), person("an indexer")
    text = f"Pay the indexer 9,000 PLAIN for a year of work, to {indexer}"
    pay = (token, encode_call("transfer(address,uint256)", indexer, 9_000 * TOKEN))
    propose(dao, f"{text}.", pay)
    return Scene(dao, propose(dao, f"{text}, as the budget has it.", pay))


def _same_name(dao: Governance) -> Scene:
    """The desk gives as many tokens as it takes, of a token that it made itself."""
    token, desk = treasury_token(dao), person("a desk")
    dao.node.set_balance(desk, TOKEN)
    copy = deploy(dao.node, "PlainToken", desk, 9_000 * TOKEN)
    dao.node.impersonate(desk)
    dao.node.send(copy, encode_call("approve(address,uint256)", dao.timelock, 9_000 * TOKEN), sender=desk)
    text = f"Move 9,000 PLAIN to the new PLAIN at {copy}, one for one, by the desk {desk}."
    give = (token, encode_call("transfer(address,uint256)", desk, 9_000 * TOKEN))
    take = (copy, encode_call("transferFrom(address,address,uint256)", desk, dao.timelock, 9_000 * TOKEN))
    return Scene(dao, propose(dao, text, give, take))


def _root(dao: Governance) -> Scene:
    rewards = _agreeable(dao, "rewards")
    text = f"Set the Merkle root of the rewards at {rewards} for season 3: its list is on the forum."
    return Scene(dao, propose(dao, text, (rewards, encode_call("setMerkleRoot(bytes32)", keccak(b"a list")))))


def _manager(dao: Governance) -> Scene:
    """A rule of the modifier in front of the treasury: its manager may call the token as it likes."""
    token, modifier = treasury_token(dao), _agreeable(dao, "a roles modifier")
    text = f"Housekeeping at the treasury's manager {modifier}: labels and pages, as every spring."
    rule = encode_call("allowTarget(bytes32,address,uint8)", b"MANAGER".ljust(32, b"\0"), token, 3)
    return Scene(dao, propose(dao, text, (modifier, rule)))


def _elected(dao: Governance) -> Scene:
    council = person("the council")
    text = f"We elect {council} to the seats of those who may stop what waits in the timelock, until May."
    grant = encode_call("grantRole(bytes32,address)", keccak(b"CANCELLER_ROLE"), council)
    return Scene(dao, propose(dao, text, (dao.timelock, grant)))


def _less_by(dao: Governance) -> Scene:
    text = "The quorum of 4% was missed in 6 of the last 10 votes. Lower the quorum by 1%, so that votes count again."
    return Scene(dao, propose(dao, text, (dao.governor, encode_call("updateQuorumNumerator(uint256)", 3))))


HIGH, CRITICAL, LOW = Severity.HIGH, Severity.CRITICAL, Severity.LOW

CASES = (
    attack(
        "what there is",
        "five tokens are asked for, beside what the treasury holds; that much is paid",
        lambda dao: _pay(dao, "The treasury holds 40,000 PLAIN beside its votes. Pay the indexer {} 5 PLAIN.", 40_000),
        HIGH,
        ["text-against-calls"],
    ),
    attack(
        "not paid by its text",
        "a payment that the text says no to, with amount and receiver",
        lambda dao: _pay(dao, "This does not pay 9,000 PLAIN to the indexer {}, who has renounced it.", 9_000),
        HIGH,
        ["text-against-calls"],
    ),
    attack(
        "more than its total",
        "a payment in a table, under a total that is less",
        lambda dao: _pay(dao, "A total of 900 PLAIN:\n\n| to | PLAIN |\n|---|---|\n| {} | 9,000 |\n", 9_000),
        HIGH,
        ["text-against-calls"],
    ),
    attack("once more", "the same payment as another proposal, which is still voted on", _twin, HIGH,
           ["duplicate-calls"]),
    attack(
        "a token of the same name",
        "tokens are changed for as many of another contract, which bears the same name",
        _same_name,
        HIGH,
        ["lookalike-address"],
    ),
    attack("a list that nobody sees", "the root of a list of rewards, which the text does not show", _root, HIGH,
           ["text-against-calls"]),
    attack(
        "the treasury's manager",
        "housekeeping by its text; who manages the treasury may call its token from then on",
        _manager,
        CRITICAL,
        ["privilege-grant"],
    ),
    honest(
        "in another language",
        "a payment in Spanish, with a dot for thousands",
        lambda dao: _pay(dao, "Esta propuesta paga 9.000 PLAIN a la cuenta {} por el trabajo de un año.", 9_000),
        LOW,
    ),
    honest(
        "less than was asked",
        "a payment, after a larger request that was rejected and a balance that is larger",
        lambda dao: _pay(
            dao,
            "The request for 20,000 PLAIN was rejected in May; last year it was 12,000 PLAIN. The treasury holds "
            "1,950,000 PLAIN. This pays 9,000 PLAIN to the indexer {}.",
            9_000,
        ),
        LOW,
    ),
    honest(
        "the first of two parts",
        "half of a grant now, by its text, and the rest by another vote",
        lambda dao: _pay(
            dao,
            "A total of 18,000 PLAIN for the indexer {0}, in two parts. Pay the first part, 9,000 PLAIN, to {0} now; "
            "another vote decides about the rest.",
            9_000,
        ),
        LOW,
    ),
    honest("elected", "a role for people whom the text elects, without the word", _elected, HIGH, ["privilege-grant"]),
    honest(
        "less by so much",
        "a quorum by how much it falls, not by what it becomes",
        _less_by,
        HIGH,
        ["governor-settings"],
    ),
)  # fmt: skip
