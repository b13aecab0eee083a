"""I-6, Compound 289, July 2024: a quarter of the treasury through a trust that the proposer's multisig steers."""

from __future__ import annotations

from typing import Final

from pnyx_policies.finding import Severity
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy, encode_call
from pnyx_tools.testing.incidents.case import Action, Scene, honest, incident, person, propose, variation

TREASURY: Final = 1_950_000 * TOKEN
ASKED: Final = 499_000 * TOKEN


def treasury_token(dao: Governance, amount: int = TREASURY) -> str:
    """A token of which the timelock holds so much."""
    return deploy(dao.node, "PlainToken", dao.timelock, amount)


def _trust(dao: Governance, token: str) -> str:
    return deploy(dao.node, "TrustSetup", dao.timelock, person("trustees"), token)


def _phase(trust: str) -> Action:
    return trust, encode_call("grantPhase(uint8)", 1)


def setup(dao: Governance) -> Scene:
    token = treasury_token(dao)
    trust = _trust(dao, token)
    text = (
        f"Put 5% of the treasury to work for a year: 499,000 PLAIN to the trust {trust}, and let its trustees invest. "
        "Every token comes back with interest, and the DAO can end the trust."
    )
    pay = (token, encode_call("transfer(address,uint256)", trust, ASKED))
    return Scene(dao, propose(dao, text, pay, _phase(trust)))


def _grown(dao: Governance) -> Scene:
    """After a smaller one with nearly the same text."""
    token = treasury_token(dao)
    trust = _trust(dao, token)
    text = "Put {} PLAIN of the treasury to work for a year, in the trust {}. Every token comes back with interest."
    small = (token, encode_call("transfer(address,uint256)", trust, 92_000 * TOKEN))
    propose(dao, text.format("92,000", trust), small)
    large = (token, encode_call("transfer(address,uint256)", trust, ASKED))
    return Scene(dao, propose(dao, text.format("92,000", trust), large, _phase(trust)))


def _allowed(dao: Governance) -> Scene:
    token = treasury_token(dao)
    trust = _trust(dao, token)
    text = "Let the trust put a part of the treasury to work for a year, as discussed. Every token comes back."
    return Scene(dao, propose(dao, text, (token, encode_call("approve(address,uint256)", trust, 2**256 - 1))))


def _payment(dao: Governance) -> Scene:
    token, group = treasury_token(dao), person("the documentation group")
    text = f"Pay the documentation group 4,500 PLAIN for the last quarter, to its multisig {group}."
    pay = (token, encode_call("transfer(address,uint256)", group, 4_500 * TOKEN))
    return Scene(dao, propose(dao, text, pay), known={group: "the documentation group"})


def _stream(dao: Governance) -> Scene:
    token, stream, writer = treasury_token(dao), deploy(dao.node, "Streams"), person("a writer")
    now = dao.node.rpc.block().timestamp
    text = (
        f"Stream 9,000 PLAIN over ninety days to our writer {writer}: an allowance of 9,000 PLAIN for the streams "
        f"{stream}, then a stream of as much."
    )
    allow = (token, encode_call("approve(address,uint256)", stream, 9_000 * TOKEN))
    kinds = "createStream(address,uint256,address,uint256,uint256)"
    start = (stream, encode_call(kinds, writer, 9_000 * TOKEN, token, now + 86_400, now + 91 * 86_400))
    return Scene(dao, propose(dao, text, allow, start))


CASES = (
    incident(
        "I-6 Compound 289",
        "a quarter of an asset to a trust of strangers; the text says 5%",
        setup,
        Severity.HIGH,
        ["outflow"],
    ),
    variation(
        "I-6, grown",
        "the text of an earlier, smaller proposal with five times its amount in the call",
        _grown,
        Severity.HIGH,
        ["outflow", "text-against-calls"],
    ),
    variation(
        "I-6, by allowance",
        "an allowance without end for the trust, whose address the text does not name",
        _allowed,
        Severity.CRITICAL,
        ["allowance"],
    ),
    honest(
        "a payment to a known receiver",
        "a small announced payment to an account in the operator's address book",
        _payment,
        Severity.LOW,
    ),
    honest("a stream", "an allowance and a stream of the same amount, both announced", _stream, Severity.MEDIUM),
)
