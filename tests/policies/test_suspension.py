"""Orders to stop a signer and to let it go on: what is signed, whose counts, and that none counts twice."""

from __future__ import annotations

from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from pydantic import ValidationError

from pnyx_contracts.errors import RefusedError
from pnyx_contracts.types import to_hex
from pnyx_policies.configuration import Configuration
from pnyx_policies.decision import Mode
from pnyx_policies.suspension import Action, Order, Suspension, is_lifted, require_order

ADA, BOB, EVE = (Account.from_key(bytes([n]) * 32) for n in (1, 2, 3))
LOG, WRITER, OTHER = ("0x" + pair * 20 for pair in ("11", "22", "99"))
NOW = 1_800_000_000
TWO = Configuration(
    agent="a", mode=Mode.AUTONOMOUS, governors=(), analysts=(), prompt_hash=bytes(32), ruleset_hash=bytes(32),
    checks={}, tools={}, known_addresses={}, approvers=(ADA.address, BOB.address), approvals=2, software="pnyx",
)  # fmt: skip
CURRENT = Suspension(number=NOW - 60, by=BOB.address, why="", at=NOW - 60)


def order(by: Any = ADA, action: Action = Action.SUSPEND, **parts: Any) -> Order:
    given = {"chain_id": 1, "log": LOG, "writer": WRITER, "number": NOW, "why": "It votes oddly.", **parts}
    unsigned = Order(action=action, **given)
    return unsigned.model_copy(update={"signature": to_hex(bytes(by.unsafe_sign_hash(unsigned.digest).signature))})


def judge(given: Order, current: Suspension | None = None, last: int = 0, configuration: Configuration = TWO) -> str:
    return require_order(given, (1, LOG, WRITER), configuration, current, last, NOW)


def resume(by: Any = ADA, number: int = CURRENT.number) -> Order:
    return order(by, Action.RESUME, number=number)


@pytest.mark.parametrize("action", Action)
def test_the_digest_is_the_one_that_wallets_sign(action: Action) -> None:
    given = order(action=action)
    assert Account.sign_message(encode_typed_data(full_message=given.typed_data), ADA.key).message_hash == given.digest


def test_a_signature_binds_every_field_and_the_action() -> None:
    changes = {"chain_id": 2, "log": OTHER, "writer": OTHER, "number": 1, "why": "!", "action": Action.RESUME}
    digests = {order().model_copy(update={name: value}).digest for name, value in changes.items()}
    assert len({*digests, order().digest}) == len(changes) + 1


def test_any_approver_suspends() -> None:
    assert [judge(order(by)) for by in (ADA, BOB)] == [ADA.address, BOB.address]
    assert judge(order(), CURRENT, CURRENT.number) == ADA.address, "once more: whoever goes on has to see that too"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (order(EVE), "is signed by 0x.*; the declared approvers are"),
        (order().model_copy(update={"signature": ""}), "signed by nobody"),
        (order().model_copy(update={"why": "Something else."}), "signed by 0x"),
        (order().model_copy(update={"action": Action.RESUME}), "signed by 0x"),
        (order(writer=OTHER), "is for the writer 0x9999"),
        (order(log=OTHER), "in the log 0x9999"),
        (order(chain_id=2), "chain 2"),
        (order(number=NOW + 3601), "from the future"),
    ],
)
def test_other_orders_do_not_count(given: Order, why: str) -> None:
    with pytest.raises(RefusedError, match=why):
        judge(given)


def test_without_approvers_nobody_gives_orders() -> None:
    nobody = TWO.model_copy(update={"approvers": (), "approvals": 1})
    with pytest.raises(RefusedError, match="the declared approvers are none"):
        judge(order(), configuration=nobody)


@pytest.mark.parametrize("last", [NOW, NOW + 1])
def test_an_order_to_suspend_counts_once(last: int) -> None:
    with pytest.raises(RefusedError, match="it is an old one"):
        judge(order(), None, last)


def test_an_order_to_resume_is_for_the_suspension_in_force() -> None:
    assert judge(resume(), CURRENT) == ADA.address
    for given, current in ((resume(), None), (resume(number=CURRENT.number - 1), CURRENT)):
        with pytest.raises(RefusedError, match="is for the suspension"):
            judge(given, current)


def test_going_on_takes_as_many_people_as_a_vote() -> None:
    one = CURRENT.model_copy(update={"resumed_by": (ADA.address,)})
    assert not is_lifted(CURRENT, ADA.address, TWO)
    assert is_lifted(one, BOB.address, TWO)
    assert not is_lifted(one, ADA.address, TWO)
    assert is_lifted(CURRENT, ADA.address, TWO.model_copy(update={"approvals": 1}))
    with pytest.raises(RefusedError, match="said so already"):
        judge(resume(), one)


def test_what_does_not_fit_is_no_order() -> None:
    for parts in ({"number": 2**64}, {"number": -1}, {"why": "x" * 501}, {"chain_id": 0}):
        with pytest.raises(ValidationError):
            order(**parts)
