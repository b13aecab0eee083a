"""What a treasury holds besides coin and plain tokens: what is numbered, shares of a vault, and what a contract in
between moves.
"""

from __future__ import annotations

from pnyx_contracts.selectors import call_data
from pnyx_policies.finding import Severity
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy, encode_call
from pnyx_tools.testing.incidents.case import Action, Scene, attack, honest, person, propose
from pnyx_tools.testing.incidents.trust import treasury_token

EACH = 1_000
SINGLE = "safeTransferFrom(address,address,uint256,uint256,bytes)"
SEVERAL = "safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)"


def _passes(dao: Governance) -> str:
    return deploy(dao.node, "Passes", dao.timelock, EACH)


def _given(dao: Governance, passes: str, to: str, number: int, units: int) -> Action:
    return passes, encode_call(SINGLE, dao.timelock, to, number, units, b"")


def _guests(dao: Governance, number: int, units: int) -> Scene:
    passes, guild = _passes(dao), person("a guild")
    text = f"Send 40 passes number 2 of the contract {passes} to the guild {guild}, for the guests of its meeting."
    return Scene(dao, propose(dao, text, _given(dao, passes, guild, number, units)))


def _several(dao: Governance, units: tuple[int, int]) -> Scene:
    passes, guild = _passes(dao), person("a guild")
    text = f"Send 40 of #1 and 20 of #2 of the passes in {passes} to the guild {guild}."
    return Scene(dao, propose(dao, text, (passes, encode_call(SEVERAL, dao.timelock, guild, [1, 2], list(units), b""))))


def _renewed(dao: Governance) -> Scene:
    passes, keeper = _passes(dao), person("a keeper")
    text = f"Renew pass number 3 of the contract {passes}: 1 of number 3 goes to its keeper {keeper}."
    return Scene(dao, propose(dao, text, (passes, encode_call("renew(address,uint256)", keeper, 3))))


def _operator(dao: Governance, text: str) -> Scene:
    passes, desk = _passes(dao), person("a desk")
    call = (passes, encode_call("setApprovalForAll(address,bool)", desk, True))
    return Scene(dao, propose(dao, text.format(passes=passes, desk=desk), call))


def _vault(dao: Governance, text: str, receiver: str) -> Scene:
    """A hundred shares for two hundred units."""
    token = deploy(dao.node, "PlainToken", dao.node.accounts[0], 9_000 * TOKEN)
    vault = deploy(dao.node, "ShareVault", dao.timelock, 4_000 * TOKEN, token)
    dao.node.send(token, encode_call("transfer(address,uint256)", vault, 9_000 * TOKEN))
    redeem = encode_call("redeem(uint256,address,address)", 100 * TOKEN, receiver or dao.timelock, dao.timelock)
    return Scene(dao, propose(dao, text.format(vault), (vault, redeem)))


def _fees(dao: Governance, receiver: str) -> Scene:
    token = deploy(dao.node, "PlainToken", dao.node.accounts[0], 500 * TOKEN)
    pool = deploy(dao.node, "PositionPool", token)
    positions = deploy(dao.node, "Positions", dao.timelock, pool)
    dao.node.send(token, encode_call("transfer(address,uint256)", pool, 500 * TOKEN))
    text = f"Collect the fees of our position #1 in {positions} into the treasury."
    collect = call_data(
        "collect((uint256,address,uint128,uint128))", (1, receiver or dao.timelock, 90 * TOKEN, 2**128 - 1)
    )
    return Scene(dao, propose(dao, text, (positions, collect)))


def _dispersed(dao: Governance, amounts: tuple[int, int]) -> Scene:
    token, disperse = treasury_token(dao), deploy(dao.node, "Disperse")
    people, units = [person("an indexer"), person("a baker")], [amount * TOKEN for amount in amounts]
    text = (
        f"# Payments of May\n\nBy the contract {disperse}, which may take the 9,050 PLAIN:\n\n"
        f"- 9,000 PLAIN to the indexer {people[0]}\n- 50 PLAIN to the baker {people[1]}\n"
    )
    allow = (token, encode_call("approve(address,uint256)", disperse, sum(units)))
    pay = (disperse, call_data("disperseToken(address,address[],uint256[])", token, people, units))
    return Scene(dao, propose(dao, text, allow, pay))


HIGH, CRITICAL = Severity.HIGH, Severity.CRITICAL

CASES = (
    attack(
        "another kind",
        "passes of one number (ERC-1155) by its text, as many of another one by its call",
        lambda dao: _guests(dao, 3, 40),
        HIGH,
        ["text-against-calls"],
    ),
    attack(
        "two kinds, swapped",
        "passes of two numbers to one receiver, with the amounts of one another",
        lambda dao: _several(dao, (20, 40)),
        HIGH,
        ["text-against-calls"],
    ),
    attack(
        "one pass is renewed",
        "one pass by its text and by its event, and all that there are leave",
        _renewed,
        HIGH,
        ["silent-outflow"],
    ),
    attack(
        "an operator of all passes",
        "maintenance by its text; a stranger may take all that is numbered in a contract",
        lambda dao: _operator(dao, "Maintenance of the passes in {passes}, so that our page can show them."),
        CRITICAL,
        ["allowance"],
    ),
    attack(
        "shares for somebody else",
        "shares of a vault are redeemed for the treasury by its text, and for a stranger by the call",
        lambda dao: _vault(dao, "Redeem 100 SHARES of the vault {} for the treasury.", person("a stranger")),
        CRITICAL,
        ["text-against-calls"],
    ),
    attack(
        "fees for somebody else",
        "the fees of a position are collected for the treasury by its text, and for a stranger by the call",
        lambda dao: _fees(dao, person("a stranger")),
        CRITICAL,
        ["text-against-calls"],
    ),
    attack(
        "swapped in one call",
        "two payments by a contract that passes them on; each receiver gets what is the other's",
        lambda dao: _dispersed(dao, (50, 9_000)),
        HIGH,
        ["text-against-calls"],
    ),
    honest(
        "passes for guests",
        "passes of one number, as the text says",
        lambda dao: _guests(dao, 2, 40),
        Severity.LOW,
    ),
    honest(
        "passes of two kinds",
        "passes of two numbers in one call, as the text says",
        lambda dao: _several(dao, (40, 20)),
        Severity.LOW,
    ),
    honest(
        "an announced operator",
        "a desk that the text names may hand out all passes",
        lambda dao: _operator(
            dao, "The desk {desk} becomes the operator of our passes in {passes}: it may hand out all."
        ),
        HIGH,
        ["allowance"],
    ),
    honest(
        "shares are redeemed",
        "shares of a vault are given back, and the treasury gets what they stand for",
        lambda dao: _vault(dao, "Redeem 100 SHARES of the vault {} for the treasury.", ""),
        Severity.LOW,
    ),
    honest(
        "fees are collected",
        "the fees of a position come to the treasury, from a pool that nobody calls",
        lambda dao: _fees(dao, ""),
        Severity.MEDIUM,
        ["others-money"],
    ),
    honest(
        "paid in one call",
        "two payments by a contract that passes them on",
        lambda dao: _dispersed(dao, (9_000, 50)),
        Severity.MEDIUM,
        ["allowance"],
    ),
)
