"""How a message to another chain gets to its target there: who makes the call, and what the bridge brings along.

Known for certain is what the bridges' contracts fix, whoever runs them. Arbitrum's tickets and transactions, deposits
of the OP stack and ZKsync's requests come from the sender's alias. Elsewhere a contract of the bridge makes the call,
at an address that everybody knows, and says who sends to whoever asks it meanwhile (`Answer`), or tells it along
(Polygon). Other bridges check who delivers, or their receiver decides what the bytes mean: those stay unknown.

Sources: AbsInbox.sol, AbsBridge.sol and AbsOutbox.sol (nitro-contracts 3.2), OptimismPortal2.sol and
CrossDomainMessenger.sol (contracts-bedrock 0.17), Mailbox.sol (era-contracts), ScrollMessengerBase.sol
(scroll-contracts), L2MessageService.sol (linea-contracts), MessageProcessor.sol (tokenbridge-contracts), FxChild.sol
(fx-portal).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from pnyx_contracts import chains
from pnyx_contracts.decoded import DecodedCall
from pnyx_contracts.messages import TICKET, alias
from pnyx_contracts.selectors import call_data
from pnyx_contracts.types import Call

_SYSTEM: Final = frozenset({chains.OP_MESSENGER, chains.OP_PASSER, *chains.FAR_SIDES.values()})
_FROM_ROOT: Final = "processMessageFromRoot(uint256,address,bytes)"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a contract of the bridge says while it delivers."""

    contract: str
    question: str
    """The signature of a function without arguments."""
    value: int
    """Its one word; of an address, its number."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One call as it is made on the other chain."""

    path: str
    """Of the message among the decoded calls."""
    chain_id: int
    caller: str
    call: Call
    arriving_wei: int
    """What the bridge gives the caller for it, of the other chain's coin."""
    named_sender: str | None = None
    """The sender on the first chain, where the caller is a contract of the bridge."""
    answers: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A message of which nobody can say how it is called, and why."""

    path: str
    chain_id: int | None
    why: str


@dataclass(frozen=True, slots=True)
class _Sent:
    """A message whose chain is known; `home` is the chain that it comes from."""

    outer: DecodedCall
    message: DecodedCall
    chain_id: int
    sender: str
    home: int

    @property
    def call(self) -> Call:
        message = self.message
        return Call(target=message.target, value_wei=message.value_wei, calldata=message.calldata)


_Way = Callable[[_Sent], Delivery | None]
"""None where it is not certain."""


# --- the ways of bridges ---------------------------------------------------------------------------------------------


def _from_alias(sent: _Sent, arriving: Callable[[_Sent], int]) -> Delivery:
    return Delivery(sent.message.path, sent.chain_id, alias(sent.sender), sent.call, arriving(sent))


def _of_message(sent: _Sent) -> int:
    return sent.message.value_wei


def _sent_along(sent: _Sent) -> int:
    return sent.outer.value_wei


def _nothing(_sent: _Sent) -> int:
    """What such a call pays, the caller must have there."""
    return 0


def _from_bridge(sent: _Sent, *questions: str) -> Delivery | None:
    """Its far side calls, and answers each question with the sender."""
    caller = chains.FAR_SIDES.get((sent.home, sent.outer.target))
    if caller is None:
        return None
    answers = tuple(Answer(caller, question, int(sent.sender, 16)) for question in questions)
    path, arriving = sent.message.path, _of_message(sent)
    return Delivery(path, sent.chain_id, caller, sent.call, arriving, named_sender=sent.sender, answers=answers)


def _from_outbox(sent: _Sent) -> Delivery | None:
    """The bridge says which outbox it delivers for, and that one who sends."""
    found = _from_bridge(sent)
    outbox = None if found is None else chains.OUTBOXES.get(found.caller)
    if found is None or outbox is None:
        return None
    answers = (
        Answer(found.caller, "activeOutbox()", int(outbox, 16)),
        Answer(outbox, "l2ToL1Sender()", int(sent.sender, 16)),
    )
    return replace(found, answers=answers)


def _from_gnosis(sent: _Sent) -> Delivery | None:
    found = _from_bridge(sent, "messageSender()")
    if found is None:
        return None
    return replace(found, answers=(*found.answers, Answer(found.caller, "messageSourceChainId()", sent.home)))


def _from_root(sent: _Sent) -> Delivery | None:
    """Polygon's child tells its receivers the number of a state, which nobody foresees, the sender, and the bytes."""
    found = _from_bridge(sent)
    if found is None:
        return None
    told = call_data(_FROM_ROOT, 0, sent.sender, sent.message.calldata)
    return replace(found, call=found.call.model_copy(update={"calldata": told}))


def _alias(arriving: Callable[[_Sent], int]) -> _Way:
    return lambda sent: _from_alias(sent, arriving)


def _named(question: str) -> _Way:
    return lambda sent: _from_bridge(sent, question)


_WAYS: Final[Mapping[str, _Way]] = {
    # Arbitrum
    f"createRetryableTicket({TICKET})": _alias(_of_message),
    f"unsafeCreateRetryableTicket({TICKET})": _alias(_of_message),
    "sendContractTransaction(uint256,uint256,address,uint256,bytes)": _alias(_nothing),
    "sendUnsignedTransaction(uint256,uint256,uint256,address,uint256,bytes)": _alias(_nothing),
    "sendTxToL1(address,bytes)": _from_outbox,
    # OP stack
    "depositTransaction(address,uint256,uint64,bool,bytes)": _alias(_sent_along),
    "sendMessage(address,bytes,uint32)": _named("xDomainMessageSender()"),
    "initiateWithdrawal(address,uint256,bytes)": _named("l2Sender()"),
    # ZKsync, Scroll, Linea, Gnosis, Polygon
    "requestL2Transaction(address,uint256,bytes,uint256,uint256,bytes[],address)": _alias(_of_message),
    "requestL2TransactionDirect((uint256,uint256,address,uint256,bytes,uint256,uint256,bytes[],address))": (
        _alias(_of_message)
    ),
    "sendMessage(address,uint256,bytes,uint256)": _named("xDomainMessageSender()"),
    "sendMessage(address,uint256,bytes,uint256,address)": _named("xDomainMessageSender()"),
    "sendMessage(address,uint256,bytes)": _named("sender()"),
    "requireToPassMessage(address,bytes,uint256)": _from_gnosis,
    "sendMessageToChild(address,bytes)": _from_root,
}
"""The bridges whose way is known, by the signature that sends."""


# --- messages --------------------------------------------------------------------------------------------------------


def messages(calls: Iterable[DecodedCall]) -> Iterator[tuple[DecodedCall, DecodedCall]]:
    """Each message, behind the call of the first chain that sends it, in order of execution."""
    for call in calls:
        for inner in call.inner:
            if inner.other_chain:
                yield call, inner
            else:
                yield from messages((inner,))


def deliveries(calls: Iterable[DecodedCall], executor: str, home: int) -> Iterator[Delivery | Undelivered]:
    """One for each message; `executor` makes the calls of which no wrapper says who does, on chain `home`."""
    return (_delivery(outer, message, outer.caller or executor, home) for outer, message in messages(calls))


def _delivery(outer: DecodedCall, message: DecodedCall, sender: str, home: int) -> Delivery | Undelivered:
    chain_id = message.chain_id
    if chain_id is None:
        return Undelivered(message.path, None, "which chain it goes to is not known")
    if outer.delegatecall:
        why = "the bridge's code is run by delegatecall, so who sends it is not known"
        return Undelivered(message.path, chain_id, why)
    found = _way(outer, message)(_Sent(outer, message, chain_id, sender, home))
    if found is None:
        return Undelivered(message.path, chain_id, "how this bridge calls there is not known for certain")
    if found.named_sender is not None and message.target in _SYSTEM:
        return Undelivered(message.path, chain_id, "it goes to a contract of the bridge, which may take no such call")
    return found


def _way(outer: DecodedCall, message: DecodedCall) -> _Way:
    known = _WAYS.get(outer.signature or "")
    if known is not None:
        return known
    if message.caller == alias(outer.target):
        # Arbitrum's timelock on L1 sends by itself, whoever calls it (`messages.arbitrum_ticket`).
        return lambda sent: _from_alias(replace(sent, sender=sent.outer.target), _of_message)
    return lambda _sent: None
