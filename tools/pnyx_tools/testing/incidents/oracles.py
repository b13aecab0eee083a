"""I-5, Compound 117, August 2022: a new oracle that asks each market for what one of them has not."""

from __future__ import annotations

from pnyx_policies.finding import Severity
from pnyx_policies.probes import Each, Probe
from pnyx_tools.testing.deploy import Governance, deploy, encode_call
from pnyx_tools.testing.incidents.case import Scene, honest, incident, propose


def new_oracle(dao: Governance, contract: str) -> Scene:
    """Probed by the price of every market that the lender lists."""
    lender = deploy(dao.node, "Lender", dao.timelock, deploy(dao.node, "SimpleOracle"))
    for name in ("TokenMarket", "CoinMarket"):
        dao.node.send(lender, encode_call("support(address)", deploy(dao.node, name)))
    prices = Probe(
        name="the price of every market",
        contract=lender,
        calldata=encode_call("getUnderlyingPrice(address)", lender),
        each=Each(contract=lender, calldata=encode_call("getAllMarkets()"), argument=0),
    )
    oracle = deploy(dao.node, contract)
    text = f"Set the price oracle of our lender {lender} to the new oracle {oracle}, which was audited twice."
    proposal = propose(dao, text, (lender, encode_call("_setPriceOracle(address)", oracle)))
    return Scene(dao, proposal, probes=(prices,))


CASES = (
    incident(
        "I-5 Compound 117",
        "an announced oracle that cannot price the market of the chain's coin",
        lambda dao: new_oracle(dao, "AskingOracle"),
        Severity.HIGH,
        ["post-state"],
    ),
    honest(
        "an oracle that prices all",
        "an announced oracle, and every price can be read afterwards",
        lambda dao: new_oracle(dao, "SimpleOracle"),
        Severity.HIGH,
        ["governor-settings"],
    ),
)
