"""What votes cost, where the operator declared prices, and what they decide about."""

from __future__ import annotations

from typing import Final

from pnyx_policies.asset_prices import PriceOrigin
from pnyx_policies.finding import Severity
from pnyx_tools.testing.deploy import TOKEN, Governance, encode_call
from pnyx_tools.testing.incidents.case import Scene, attack, honest, person, propose
from pnyx_tools.testing.incidents.trust import treasury_token

TREASURY: Final = 1_000_000 * TOKEN
VOTE: Final = 2 * 10**18
"""The quorum is 40,000 voting tokens: they cost 80,000."""


def _pays(dao: Governance, amount: str) -> Scene:
    """Of a token that counts as one, as the text says."""
    token, receiver = treasury_token(dao, TREASURY), person("the studio")
    text = f"Pay the studio {amount} PLAIN for its work on the new pages, to its multisig {receiver}."
    units = int(amount.replace(",", "")) * TOKEN
    proposal = propose(dao, text, (token, encode_call("transfer(address,uint256)", receiver, units)))
    prices = (PriceOrigin(asset=dao.token, fixed=VOTE), PriceOrigin(asset=token, fixed=10**18))
    return Scene(dao, proposal, prices=prices)


CASES = (
    attack(
        "votes that cost less than they take",
        "a payment as its text says; the votes of the quorum cost a third of it, at the declared prices",
        lambda dao: _pays(dao, "260,000"),
        Severity.HIGH,
        ["outflow"],
    ),
    honest(
        "votes that cost more than they take",
        "a payment of a treasury that is worth more than the votes of the quorum",
        lambda dao: _pays(dao, "12,000"),
        Severity.LOW,
        ["capture"],
    ),
)
