"""What waits in the timelock beside the DAO's own proposals. Ours: somebody else may schedule there, too."""

from __future__ import annotations

from pnyx_policies.finding import Severity
from pnyx_tools.testing.deploy import TOKEN, Governance, encode_call
from pnyx_tools.testing.incidents.case import LOOT, Scene, attack, honest, person, propose
from pnyx_tools.testing.incidents.trust import treasury_token


def _behind(dao: Governance, receiver: str, amount: int) -> Scene:
    """A small announced payment. An operation that no proposal made pays `amount` whole tokens of the same to
    `receiver`, and anybody may execute it first.
    """
    token = treasury_token(dao, 1_000 * TOKEN)
    pay = encode_call("transfer(address,uint256)", receiver, amount * TOKEN)
    dao.node.impersonate(dao.governor)
    dao.node.set_balance(dao.governor, TOKEN)
    schedule = "schedule(address,uint256,bytes,bytes32,bytes32,uint256)"
    dao.node.send(
        dao.timelock, encode_call(schedule, token, 0, pay, bytes(32), bytes(32), 172_800), sender=dao.governor
    )
    host = person("who hosts our forum")
    text = f"Pay 10 PLAIN to {host}, who hosts our forum."
    return Scene(dao, propose(dao, text, (token, encode_call("transfer(address,uint256)", host, 10 * TOKEN))))


CASES = (
    attack(
        "an operation lies in wait",
        "a small announced payment; what somebody else scheduled takes all of the token, and may be executed first",
        lambda dao: _behind(dao, LOOT, 1_000),
        Severity.HIGH,
        ["live-proposals"],
    ),
    honest(
        "an operation waits",
        "the same payment, and another small one of an operation that waits",
        lambda dao: _behind(dao, person("who translates"), 10),
        Severity.LOW,
        ["execution-order"],
    ),
)
