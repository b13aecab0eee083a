"""How messages are called where they arrive, as far as it is certain."""

from __future__ import annotations

import pytest

from pnyx_contracts.chains import ARBITRUM, BASE, OP_MAINNET, OP_MESSENGER, ZKSYNC
from pnyx_contracts.deliveries import Delivery, Undelivered, deliveries
from pnyx_contracts.messages import alias
from pnyx_contracts.selectors import call_data
from pnyx_contracts.types import Call

from .test_messages import (
    ARBITRUM_INBOX,
    BASE_PORTAL,
    DEPOSIT,
    GNOSIS,
    MODULE,
    PERSON,
    SAFE,
    TIMELOCK,
    TOKEN,
    decode,
    ticket,
    transfer,
)
from .test_messages import OP_MESSENGER as L1_MESSENGER
from .test_messages import (
    ZKSYNC as ZKSYNC_DIRECT,
)

SEND = "sendMessage(address,bytes,uint32)"


def only(data: bytes, target: str, value_wei: int = 0, chain_id: int = 1) -> Delivery | Undelivered:
    (found,) = deliveries((decode(data, target, value_wei, chain_id),), TIMELOCK)
    return found


CALLED = Call(target=TOKEN, value_wei=0, calldata=transfer())


@pytest.mark.parametrize(
    ("data", "target", "expected"),
    [
        (ticket(transfer()), ARBITRUM_INBOX, Delivery("0.0", ARBITRUM, alias(TIMELOCK), CALLED, 0)),
        (
            ticket(transfer(), value=5), ARBITRUM_INBOX,
            Delivery("0.0", ARBITRUM, alias(TIMELOCK), CALLED.model_copy(update={"value_wei": 5}), 5),
        ),
        (
            call_data("sendContractTransaction(uint256,uint256,address,uint256,bytes)", 1, 1, TOKEN, 5, transfer()),
            ARBITRUM_INBOX,
            Delivery("0.0", ARBITRUM, alias(TIMELOCK), CALLED.model_copy(update={"value_wei": 5}), 0),
        ),
        (
            call_data(SEND, TOKEN, transfer(), 1), L1_MESSENGER,
            Delivery("0.0", OP_MAINNET, OP_MESSENGER, CALLED, 0, named_sender=TIMELOCK),
        ),
    ],
)  # fmt: skip
def test_who_calls_and_what_arrives(data: bytes, target: str, expected: Delivery) -> None:
    assert only(data, target) == expected


def test_a_deposit_mints_what_is_sent_along() -> None:
    """Which may be more or less than what the call there pays."""
    data = call_data(DEPOSIT, TOKEN, 3, 1, False, transfer())
    call = CALLED.model_copy(update={"value_wei": 3})
    assert only(data, BASE_PORTAL, 7) == Delivery("0.0", BASE, alias(TIMELOCK), call, 7)


def test_a_request_to_zksync_names_its_chain() -> None:
    data = call_data(ZKSYNC_DIRECT, (ZKSYNC, 9, TOKEN, 2, transfer(), 1, 800, [], PERSON))
    found = only(data, SAFE)
    assert isinstance(found, Delivery)
    assert (found.chain_id, found.caller, found.arriving_wei) == (ZKSYNC, alias(TIMELOCK), 2)


def test_a_safe_that_sends_is_the_sender() -> None:
    data = call_data(MODULE, ARBITRUM_INBOX, 0, ticket(transfer()), 0)
    found = only(data, SAFE)
    assert isinstance(found, Delivery)
    assert (found.path, found.caller) == ("0.0.0", alias(SAFE))


def test_only_the_message_itself_is_delivered() -> None:
    """What it does there, it does there: the Safe's call is none of its own."""
    inside = call_data(MODULE, TOKEN, 0, transfer(), 0)
    found = only(ticket(inside, to=SAFE), ARBITRUM_INBOX)
    assert isinstance(found, Delivery)
    assert found.call == Call(target=SAFE, value_wei=0, calldata=inside)


@pytest.mark.parametrize(
    ("data", "target", "chain_id", "why"),
    [
        (ticket(transfer()), SAFE, 1, "which chain it goes to is not known"),
        (call_data(MODULE, ARBITRUM_INBOX, 0, ticket(transfer()), 1), SAFE, 1, "by delegatecall"),
        (call_data(GNOSIS[1], TOKEN, transfer(), 1), GNOSIS[0], 1, "how this bridge calls there"),
        (call_data(SEND, TOKEN, transfer(), 1), OP_MESSENGER, OP_MAINNET, "down from an OP stack chain"),
        (call_data(SEND, OP_MESSENGER, transfer(), 1), L1_MESSENGER, 1, "calls no contract of the system"),
    ],
)
def test_what_is_not_certain_is_not_guessed(data: bytes, target: str, chain_id: int, why: str) -> None:
    found = only(data, target, chain_id=chain_id)
    assert isinstance(found, Undelivered)
    assert why in found.why


def test_no_message_no_delivery() -> None:
    assert tuple(deliveries((decode(transfer(), TOKEN),), TIMELOCK)) == ()
