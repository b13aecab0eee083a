"""Long honest-looking texts that are true but for one thing; and honest ones with the same words."""

from __future__ import annotations

from eth_hash.auto import keccak

from pnyx_policies.finding import Severity
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy, encode_call
from pnyx_tools.testing.incidents.case import Action, Scene, attack, honest, person, propose
from pnyx_tools.testing.incidents.trust import treasury_token

_DAY = 86_400


def _pay(dao: Governance, text: str, name: str, tokens: int = 9_000) -> Scene:
    """PLAIN to somebody of this name; the text has the addresses of a writer, a printer and a multisig."""
    names = {name: person(f"a {name}") for name in ("writer", "printer", "multisig")}
    pay = (treasury_token(dao), encode_call("transfer(address,uint256)", names[name], tokens * TOKEN))
    return Scene(dao, propose(dao, text.format(**names), pay))


_REFUSED = (
    "# La demanda de la imprenta\n\nLa imprenta reclama 9.000 PLAIN en {printer} por un trabajo que no entregó. La DAO "
    "no va a pagar 9.000 PLAIN por ello.\n\nEste voto confirma que no se debe nada, y que el equipo puede responder."
)
_NOTHING_MORE = (
    "# Trabajo de la imprenta\n\nSe pagan 9.000 PLAIN a la imprenta en {printer} por los folletos del año. El envío no "
    "está incluido, y no se pagará nada más.\n\nGracias a la imprenta por su paciencia."
)
_TWO_OFFERS = (
    "# Choose a printer\n\nTwo offers came in. The old printer asks for 9,000 PLAIN, payable to {printer}.\n\nThe "
    "writer's friends ask for 4,000 PLAIN, payable to {writer}, and have the better references. The group chose "
    "them, and this proposal pays what they ask for."
)
_AT_ITS_MULTISIG = (
    "# Choose a printer\n\nThe old printer had asked for 20,000 PLAIN, and counsel advised to refuse this. The group "
    "led by the writer ({writer}) prints for less: 9,000 PLAIN go to the group at its multisig {multisig}."
)


def _council(dao: Governance, *roles: str) -> Scene:
    """Roles of the timelock for a council that, by its text, can only cancel."""
    council = person("the council")
    text = (
        f"# A council with a veto\n\nThis gives the canceller role in the timelock to the council {council}, four "
        "of eight people whom we elected. It cannot propose, queue or execute anything, and the DAO may take it back."
    )
    grants: list[Action] = [
        (dao.timelock, encode_call("grantRole(bytes32,address)", keccak(role.encode()), council)) for role in roles
    ]
    return Scene(dao, propose(dao, text, *grants))


def _stream(dao: Governance, days: int) -> Scene:
    """A stream to a writer, of what remains when it is divided by seconds."""
    token, streams, writer = treasury_token(dao), deploy(dao.node, "Streams"), person("a writer")
    begin = dao.node.rpc.block().timestamp + _DAY
    amount = 9_000 * TOKEN - 9_000 * TOKEN % (days * _DAY)
    text = (
        f"# Our writer\n\nThe writer {writer} gets 9,000 PLAIN, streamed over twelve months by {streams}, which may "
        "take as much from the treasury. The DAO can end the stream at any time by a vote."
    )
    allow = (token, encode_call("approve(address,uint256)", streams, amount))
    kinds = "createStream(address,uint256,address,uint256,uint256)"
    start = (streams, encode_call(kinds, writer, amount, token, begin, begin + days * _DAY))
    return Scene(dao, propose(dao, text, allow, start))


HIGH, CRITICAL = Severity.HIGH, Severity.CRITICAL

CASES = (
    attack(
        "refused in Spanish",
        "amount and receiver stand in the text, which says in Spanish that they are not paid",
        lambda dao: _pay(dao, _REFUSED, "printer"),
        HIGH,
        ["text-against-calls"],
    ),
    attack(
        "the other offer",
        "two offers in the text, which chooses the cheaper one; the dearer one is paid",
        lambda dao: _pay(dao, _TWO_OFFERS, "printer"),
        HIGH,
        ["text-against-calls"],
    ),
    attack(
        "a role that it says no to",
        "a council that cannot propose, by its text, gets the role of those who do beside that of a canceller",
        lambda dao: _council(dao, "CANCELLER_ROLE", "PROPOSER_ROLE"),
        CRITICAL,
        ["privilege-grant"],
    ),
    attack(
        "a year in a day",
        "amount, contract and receiver of a stream as the text says; it runs for a day in place of a year",
        lambda dao: _stream(dao, 1),
        HIGH,
        ["text-against-calls"],
    ),
    honest(
        "nothing more",
        "a payment in Spanish that pays this and nothing more",
        lambda dao: _pay(dao, _NOTHING_MORE, "printer"),
        Severity.LOW,
    ),
    honest(
        "at its multisig",
        "a payment to a group at its multisig, beside the address of who leads it, and after a refusal",
        lambda dao: _pay(dao, _AT_ITS_MULTISIG, "multisig"),
        Severity.LOW,
    ),
    honest(
        "a council that can only cancel",
        "the same text and the canceller role alone",
        lambda dao: _council(dao, "CANCELLER_ROLE"),
        HIGH,
        ["privilege-grant"],
    ),
    honest(
        "a year in a year",
        "the same stream over a year; a remainder that cannot be divided by seconds is left out",
        lambda dao: _stream(dao, 365),
        Severity.MEDIUM,
        ["allowance"],
    ),
)
