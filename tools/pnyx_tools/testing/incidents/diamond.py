"""I-1, Beanstalk, April 2022: a diamond cut that cuts nothing, and whose initialiser takes everything."""

from __future__ import annotations

from eth_abi.abi import encode

from pnyx_contracts.types import ZERO_ADDRESS
from pnyx_policies.finding import Severity
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy, encode_call
from pnyx_tools.testing.incidents.case import Scene, honest, incident, propose, variation

Facet = tuple[str, int, list[bytes]]


def cut(facets: list[Facet], init: str, data: bytes) -> bytes:
    """``diamondCut((address,uint8,bytes4[])[],address,bytes)``"""
    kinds = ["(address,uint8,bytes4[])[]", "address", "bytes"]
    return bytes.fromhex("1f931c1c") + encode(kinds, [facets, init, data])


def _diamond(dao: Governance) -> str:
    diamond = deploy(dao.node, "SmallDiamond", dao.timelock)
    dao.node.set_balance(diamond, 7 * TOKEN)
    return diamond


def empty_cut(dao: Governance, text: str = "Donate to people in need, as every year.") -> Scene:
    init = deploy(dao.node, "SweepInit")
    return Scene(dao, propose(dao, text, (_diamond(dao), cut([], init, encode_call("sweep()")))))


def _announced(dao: Governance) -> Scene:
    diamond, init = _diamond(dao), deploy(dao.node, "SweepInit")
    text = f"Upgrade the diamond {diamond} and run its initialiser {init}, which brings its accounts in order."
    return Scene(dao, propose(dao, text, (diamond, cut([], init, encode_call("sweep()")))))


def _new_facet(dao: Governance) -> Scene:
    diamond, facet = _diamond(dao), deploy(dao.node, "RelayerPayload")
    text = f"Upgrade the diamond {diamond} by the new facet {facet}, which adds executeProposal(). Nothing is run."
    added: list[Facet] = [(facet, 0, [bytes.fromhex("373058b8")])]
    return Scene(dao, propose(dao, text, (diamond, cut(added, ZERO_ADDRESS, b""))))


CASES = (
    incident(
        "I-1 Beanstalk 18",
        "a donation by its text; a diamond cut without facets, whose initialiser sweeps the diamond",
        empty_cut,
        Severity.CRITICAL,
        ["code-upgrade", "delegatecall"],
    ),
    variation(
        "I-1, announced",
        "the same cut; the text speaks of an upgrade and names the initialiser, not what it takes",
        _announced,
        Severity.CRITICAL,
        ["delegatecall"],
    ),
    honest(
        "a facet is added",
        "a diamond cut that the text announces, with nothing to run",
        _new_facet,
        Severity.HIGH,
        ["code-upgrade"],
    ),
)
