"""Shapes that no incident of this list had: payments that are told otherwise than they are made, power that goes."""

from __future__ import annotations

from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from pnyx_contracts.types import ZERO_ADDRESS
from pnyx_policies.finding import Severity
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy, encode_call
from pnyx_tools.testing.incidents.case import Action, Scene, attack, honest, person, propose
from pnyx_tools.testing.incidents.trust import treasury_token

# --- payments


def _pay(token: str, receiver: str, tokens: int) -> Action:
    return token, encode_call("transfer(address,uint256)", receiver, tokens * TOKEN)


def _listed(dao: Governance, *, swapped: bool) -> Scene:
    token, indexer, baker = treasury_token(dao), person("an indexer"), person("a baker")
    text = (
        "# Payments of May\n\n| for | to | PLAIN |\n|---|---|---|\n"
        f"| the indexer | {indexer} | 9,000 |\n| pizza | {baker} | 50 |\n"
    )
    first, second = (baker, indexer) if swapped else (indexer, baker)
    return Scene(dao, propose(dao, text, _pay(token, first, 9_000), _pay(token, second, 50)))


def _several_times(dao: Governance, times: int, told: str) -> Scene:
    token, indexer = treasury_token(dao), person("an indexer")
    text = f"Pay the indexer 3,000 PLAIN{told}, to {indexer}, for its work on our pages."
    return Scene(dao, propose(dao, text, *[_pay(token, indexer, 3_000)] * times))


def _of_another_asset(dao: Governance) -> Scene:
    token, indexer = treasury_token(dao), person("an indexer")
    text = f"Pay the indexer 9,000 DAI for a year of work, to {indexer}, as the budget has it."
    return Scene(dao, propose(dao, text, _pay(token, indexer, 9_000)))


def _withdrawn(dao: Governance) -> Scene:
    token, indexer = treasury_token(dao), person("an indexer")
    text = (
        f"# The indexer\n\n~~Pay the indexer 9,000 PLAIN, to {indexer}.~~\n\nThe team has withdrawn its request. This "
        "proposal thanks it for three years of work."
    )
    return Scene(dao, propose(dao, text, _pay(token, indexer, 9_000)))


def _poisoned(dao: Governance) -> Scene:
    """The text names the address that is paid; it only looks like that of the group that is paid every quarter."""
    token, group = treasury_token(dao), person("the documentation group")
    digits = group[2:].lower()
    stranger = str(to_checksum_address(f"0x{digits[:4]}{keccak(b'poison').hex()[:32]}{digits[-4:]}"))
    text = f"Pay the documentation group 4,500 PLAIN for the last quarter, to its multisig {stranger}."
    return Scene(dao, propose(dao, text, _pay(token, stranger, 4_500)), known={group: "the documentation group"})


def _to_a_stranger(dao: Governance, text: str, receiver: str) -> Scene:
    """A stream, by a contract that the text names."""
    token, streams = treasury_token(dao), deploy(dao.node, "Streams")
    now = dao.node.rpc.block().timestamp
    allow = (token, encode_call("approve(address,uint256)", streams, 9_000 * TOKEN))
    kinds = "createStream(address,uint256,address,uint256,uint256)"
    start = (streams, encode_call(kinds, receiver, 9_000 * TOKEN, token, now + 86_400, now + 91 * 86_400))
    return Scene(dao, propose(dao, text.format(streams), allow, start))


def _stolen_stream(dao: Governance) -> Scene:
    text = f"Stream 9,000 PLAIN over ninety days by {{}} to our writer {person('a writer')}; it may take as much."
    return _to_a_stranger(dao, text, person("a stranger"))


def _swap_for_nothing(dao: Governance) -> Scene:
    desk = person("a desk")
    return _to_a_stranger(dao, f"Swap 9,000 PLAIN for DAI by the contract {{}} of the desk {desk}.", desk)


# --- power


def _role(name: bytes, account: str, verb: str = "grantRole") -> bytes:
    return encode_call(f"{verb}(bytes32,address)", keccak(name), account)


def _another_role(dao: Governance) -> Scene:
    council = person("the security council")
    text = f"Give the security council {council} the canceller role in the timelock, so that it can stop attacks."
    return Scene(dao, propose(dao, text, (dao.timelock, _role(b"TIMELOCK_ADMIN_ROLE", council))))


def _role_among_payments(dao: Governance) -> Scene:
    token, people = treasury_token(dao), [person(f"contributor {number}") for number in range(6)]
    text = "# Payments of May\n\n" + "\n".join(f"- 200 PLAIN to {who}" for who in people)
    payments = [_pay(token, who, 200) for who in people]
    odd = (dao.timelock, _role(b"PROPOSER_ROLE", people[3]))
    return Scene(dao, propose(dao, text, *payments[:3], odd, *payments[3:]))


def _with_council(dao: Governance) -> str:
    council = person("the security council")
    dao.node.impersonate(dao.timelock)
    dao.node.send(dao.timelock, _role(b"CANCELLER_ROLE", council), sender=dao.timelock)
    return council


def _guardian_goes(dao: Governance) -> Scene:
    council, token, writer = _with_council(dao), treasury_token(dao), person("a writer")
    text = f"Pay our writer 200 PLAIN, to {writer}, with thanks to the security council {council} for its patience."
    gone = (dao.timelock, _role(b"CANCELLER_ROLE", council, "revokeRole"))
    return Scene(dao, propose(dao, text, _pay(token, writer, 200), gone))


def _rotated(dao: Governance) -> Scene:
    old, new = _with_council(dao), person("the council elected in May")
    text = (
        f"Revoke the canceller role of the outgoing council {old}, and grant the canceller role to the council elected "
        f"in May, {new}."
    )
    calls = [(dao.timelock, _role(b"CANCELLER_ROLE", *who)) for who in ((old, "revokeRole"), (new, "grantRole"))]
    return Scene(dao, propose(dao, text, *calls))


def _nobody_owns(dao: Governance, text: str, function: str) -> Scene:
    pool = deploy(dao.node, "Pool", dao.timelock)
    return Scene(dao, propose(dao, text.format(pool), (pool, encode_call(function, ZERO_ADDRESS))))


def _quorum(dao: Governance, percent: int) -> Scene:
    text = "# A lower quorum\n\nTurnout has been low for a year. Lower the quorum from 4% to 3% of all votes."
    return Scene(dao, propose(dao, text, (dao.governor, encode_call("updateQuorumNumerator(uint256)", percent))))


HIGH, CRITICAL = Severity.HIGH, Severity.CRITICAL

CASES = (
    attack(
        "swapped",
        "a list of a large and a small payment; each receiver gets what is the other's",
        lambda dao: _listed(dao, swapped=True),
        HIGH,
        ["text-against-calls"],
    ),
    attack(
        "twelve times",
        "a payment that the text names once, in twelve calls",
        lambda dao: _several_times(dao, 12, ""),
        HIGH,
        ["text-against-calls"],
    ),
    attack(
        "another asset",
        "as much of an asset as the text says of another",
        _of_another_asset,
        HIGH,
        ["text-against-calls"],
    ),
    attack(
        "struck through",
        "a payment that the text has struck through, as withdrawn",
        _withdrawn,
        CRITICAL,
        ["text-against-calls"],
    ),
    attack(
        "poisoned",
        "a payment to an address that begins and ends like a known one, and that the text names",
        _poisoned,
        CRITICAL,
        ["lookalike-address"],
    ),
    attack(
        "a stream of somebody else's",
        "amount, contract and writer as the text says; the stream runs to a stranger",
        _stolen_stream,
        HIGH,
        ["unnamed-address"],
    ),
    attack(
        "a swap for nothing", "a swap by its text, after which nothing comes back", _swap_for_nothing, HIGH, ["swap"]
    ),
    attack(
        "another role",
        "the canceller role by its text; the role that is given is the timelock's admin",
        _another_role,
        CRITICAL,
        ["privilege-grant"],
    ),
    attack(
        "a role among payments",
        "six small announced payments, and one of the paid may propose to the timelock from then on",
        _role_among_payments,
        CRITICAL,
        ["privilege-grant"],
    ),
    attack(
        "the guardian goes",
        "a small payment with thanks to the council, whose power to cancel ends",
        _guardian_goes,
        CRITICAL,
        ["power-loss"],
    ),
    attack(
        "nobody owns it any more",
        "maintenance of a pool that the text names, by a function that nobody knows; the pool has no owner afterwards",
        lambda dao: _nobody_owns(dao, "Maintenance of the pool {}: tidy up its list, so that withdrawals stay cheap.",
                                 "tidyUp(address)"),
        CRITICAL,
        ["power-loss"],
    ),
    attack(
        "another number", "a quorum of 3% by its text, of 0 by its call", lambda dao: _quorum(dao, 0), CRITICAL,
        ["governor-settings"],
    ),
    honest(
        "a list of payments",
        "a large and a small payment in a table, each to its receiver",
        lambda dao: _listed(dao, swapped=False),
        Severity.LOW,
    ),
    honest(
        "three months in advance",
        "three equal payments, with what they add up to",
        lambda dao: _several_times(dao, 3, " a month for three months, 9,000 PLAIN in all"),
        Severity.MEDIUM,
        ["duplicate-calls"],
    ),
    honest("a council is rotated", "a role ends and is given, both announced", _rotated, HIGH, ["privilege-grant"]),
    honest(
        "ownership is given up",
        "a pool that nobody shall change any more, as the text says",
        lambda dao: _nobody_owns(dao, "Make the pool {} immutable: the DAO renounces its ownership for ever.",
                                 "transferOwnership(address)"),
        HIGH,
        ["power-loss"],
    ),
    honest(
        "a lower quorum", "a quorum of 3% by its text and by its call", lambda dao: _quorum(dao, 3), HIGH,
        ["governor-settings"],
    ),
)  # fmt: skip
