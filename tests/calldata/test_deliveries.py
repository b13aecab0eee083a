"""How messages are called where they arrive, as far as it is certain."""

from __future__ import annotations

import pytest
from eth_utils.address import to_checksum_address

from pnyx_contracts.chains import (
    ARBITRUM,
    BASE,
    BRIDGES,
    ETHEREUM,
    FAR_SIDES,
    GNOSIS,
    LINEA,
    OP_MAINNET,
    OP_MESSENGER,
    OP_PASSER,
    OUTBOXES,
    POLYGON,
    SCROLL,
    ZKSYNC,
)
from pnyx_contracts.deliveries import Answer, Delivery, Undelivered, deliveries
from pnyx_contracts.messages import alias
from pnyx_contracts.selectors import call_data
from pnyx_contracts.types import Call

from .test_messages import (
    ARBITRUM_INBOX,
    ARBSYS,
    BASE_PORTAL,
    DEPOSIT,
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
SCROLLS = "sendMessage(address,uint256,bytes,uint256)"
LINEAS = "sendMessage(address,uint256,bytes)"
AMB = "requireToPassMessage(address,bytes,uint256)"
AXELAR = "callContract(string,string,bytes)"


def only(data: bytes, target: str, value_wei: int = 0, chain_id: int = 1) -> Delivery | Undelivered:
    (found,) = deliveries((decode(data, target, value_wei, chain_id),), TIMELOCK, chain_id)
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
    ],
)  # fmt: skip
def test_who_calls_and_what_arrives(data: bytes, target: str, expected: Delivery) -> None:
    assert only(data, target) == expected


def far_bridge(chain_id: int, home: int) -> tuple[str, str]:
    """The contract at home that takes messages to this chain, and the one that calls there."""
    (near,) = (b for (c, b), there in BRIDGES.items() if (c, there) == (home, chain_id) and (c, b) in FAR_SIDES)
    return near, FAR_SIDES[home, near]


@pytest.mark.parametrize(
    ("home", "chain_id", "data", "value_wei", "arriving", "question"),
    [
        (ETHEREUM, OP_MAINNET, call_data(SEND, TOKEN, transfer(), 1), 3, 3, "xDomainMessageSender()"),
        (ETHEREUM, BASE, call_data(SEND, TOKEN, transfer(), 1), 0, 0, "xDomainMessageSender()"),
        (ETHEREUM, SCROLL, call_data(SCROLLS, TOKEN, 2, transfer(), 1), 9, 2, "xDomainMessageSender()"),
        (SCROLL, ETHEREUM, call_data(SCROLLS, TOKEN, 2, transfer(), 1), 9, 2, "xDomainMessageSender()"),
        (ETHEREUM, LINEA, call_data(LINEAS, TOKEN, 4, transfer()), 9, 5, "sender()"),
        (LINEA, ETHEREUM, call_data(LINEAS, TOKEN, 4, transfer()), 9, 5, "sender()"),
    ],
)
def test_the_far_side_of_a_bridge_calls_and_names_the_sender(
    home: int, chain_id: int, data: bytes, value_wei: int, arriving: int, question: str
) -> None:
    near, far = far_bridge(chain_id, home)
    call = CALLED.model_copy(update={"value_wei": arriving})
    answers = (Answer(far, question, int(TIMELOCK, 16)),)
    expected = Delivery("0.0", chain_id, far, call, arriving, named_sender=TIMELOCK, answers=answers)
    assert only(data, near, value_wei, home) == expected


@pytest.mark.parametrize(
    ("home", "near", "data", "question"),
    [
        (OP_MAINNET, OP_MESSENGER, call_data(SEND, TOKEN, transfer(), 1), "xDomainMessageSender()"),
        (BASE, OP_PASSER, call_data("initiateWithdrawal(address,uint256,bytes)", TOKEN, 1, transfer()), "l2Sender()"),
    ],
)
def test_messages_down_from_the_op_stack(home: int, near: str, data: bytes, question: str) -> None:
    found = only(data, near, 7, home)
    assert isinstance(found, Delivery)
    assert (found.chain_id, found.caller, found.arriving_wei) == (ETHEREUM, FAR_SIDES[home, near], 7)
    assert found.answers == (Answer(found.caller, question, int(TIMELOCK, 16)),)
    assert BRIDGES[ETHEREUM, found.caller] == home


def test_arbitrums_bridge_names_its_outbox_and_that_one_the_sender() -> None:
    found = only(call_data("sendTxToL1(address,bytes)", TOKEN, transfer()), ARBSYS, 7, ARBITRUM)
    assert isinstance(found, Delivery)
    bridge, outbox = found.caller, OUTBOXES[found.caller]
    assert (found.chain_id, found.arriving_wei, found.named_sender) == (ETHEREUM, 7, TIMELOCK)
    assert found.answers == (
        Answer(bridge, "activeOutbox()", int(outbox, 16)), Answer(outbox, "l2ToL1Sender()", int(TIMELOCK, 16)),
    )  # fmt: skip


def test_gnosis_chain_is_told_sender_and_chain() -> None:
    near, far = far_bridge(GNOSIS, ETHEREUM)
    found = only(call_data(AMB, TOKEN, transfer(), 1), near, 3)
    assert isinstance(found, Delivery)
    assert (found.caller, found.arriving_wei, found.call) == (far, 0, CALLED)
    assert {answer.question: answer.value for answer in found.answers} == {
        "messageSender()": int(TIMELOCK, 16), "messageSourceChainId()": ETHEREUM,
    }  # fmt: skip


def test_polygons_child_tells_the_sender_along() -> None:
    near, far = far_bridge(POLYGON, ETHEREUM)
    found = only(call_data("sendMessageToChild(address,bytes)", TOKEN, b"\x01\x02"), near)
    assert isinstance(found, Delivery)
    told = call_data("processMessageFromRoot(uint256,address,bytes)", 0, TIMELOCK, b"\x01\x02")
    assert (found.caller, found.call.calldata, found.answers) == (far, told, ())


def test_each_far_side_belongs_to_a_bridge_that_is_known() -> None:
    assert set(FAR_SIDES) <= set(BRIDGES)
    assert all(to_checksum_address(far) == far for far in (*FAR_SIDES.values(), *OUTBOXES.values()))
    assert {FAR_SIDES[ARBITRUM, ARBSYS]} < set(OUTBOXES) < set(FAR_SIDES.values())


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
        (call_data(SEND, OP_MESSENGER, transfer(), 1), L1_MESSENGER, 1, "a contract of the bridge"),
        (call_data(SEND, OP_PASSER, transfer(), 1), L1_MESSENGER, 1, "a contract of the bridge"),
        (call_data(SEND, BASE_PORTAL, transfer(), 1), OP_MESSENGER, BASE, "a contract of the bridge"),
        (call_data(AXELAR, "base", TOKEN, transfer()), SAFE, 1, "how this bridge calls there"),
    ],
)
def test_what_is_not_certain_is_not_guessed(data: bytes, target: str, chain_id: int, why: str) -> None:
    found = only(data, target, chain_id=chain_id)
    assert isinstance(found, Undelivered)
    assert why in found.why


def test_no_message_no_delivery() -> None:
    assert tuple(deliveries((decode(transfer(), TOKEN),), TIMELOCK, 1)) == ()
