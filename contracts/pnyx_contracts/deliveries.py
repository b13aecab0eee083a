"""How a message to another chain gets to its target there: who makes the call, and what the bridge brings along.

Known for certain is what the bridges' contracts fix, whoever runs them: Arbitrum's tickets and transactions, deposits
of the OP stack and ZKsync's requests come from the sender's alias; the OP stack's messenger makes the call itself, and
names the sender while it does. Other bridges call from a contract that only the other chain knows, or their receiver
decides what the bytes mean: those stay unknown.

Sources: AbsInbox.sol and Bridge.sol (nitro-contracts 3.2), OptimismPortal2.sol and CrossDomainMessenger.sol
(contracts-bedrock 0.17), Mailbox.sol (era-contracts).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pnyx_contracts.chains import OP_MESSENGER, OP_PASSER
from pnyx_contracts.decoded import DecodedCall
from pnyx_contracts.messages import TICKET, alias
from pnyx_contracts.types import Call

MESSENGER_SENDER_SLOT: Final = 204
"""Where the OP stack's messenger keeps the sender that it names, in every release since Bedrock."""

_SYSTEM: Final = frozenset({OP_MESSENGER, OP_PASSER})
_MESSAGE: Final = "sendMessage(address,bytes,uint32)"


def _of_message(_outer: DecodedCall, message: DecodedCall) -> int:
    return message.value_wei


def _sent_along(outer: DecodedCall, _message: DecodedCall) -> int:
    return outer.value_wei


def _nothing(_outer: DecodedCall, _message: DecodedCall) -> int:
    """What such a call pays, the caller must have there."""
    return 0


_ARRIVING: Final[Mapping[str, Callable[[DecodedCall, DecodedCall], int]]] = {
    f"createRetryableTicket({TICKET})": _of_message,
    f"unsafeCreateRetryableTicket({TICKET})": _of_message,
    "sendContractTransaction(uint256,uint256,address,uint256,bytes)": _nothing,
    "sendUnsignedTransaction(uint256,uint256,uint256,address,uint256,bytes)": _nothing,
    "depositTransaction(address,uint256,uint64,bool,bytes)": _sent_along,
    _MESSAGE: _of_message,
    "requestL2Transaction(address,uint256,bytes,uint256,uint256,bytes[],address)": _of_message,
    "requestL2TransactionDirect((uint256,uint256,address,uint256,bytes,uint256,uint256,bytes[],address))": _of_message,
}
"""The bridges whose way is known, by the signature that sends: how much coin they bring along."""


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
    """The sender on the first chain, where the caller is the messenger, which names him."""


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A message of which nobody can say how it is called, and why."""

    path: str
    chain_id: int | None
    why: str


def messages(calls: Iterable[DecodedCall]) -> Iterator[tuple[DecodedCall, DecodedCall]]:
    """Each message, behind the call of the first chain that sends it, in order of execution."""
    for call in calls:
        for inner in call.inner:
            if inner.other_chain:
                yield call, inner
            else:
                yield from messages((inner,))


def deliveries(calls: Iterable[DecodedCall], executor: str) -> Iterator[Delivery | Undelivered]:
    """One for each message; `executor` makes the calls of which no wrapper says who does."""
    return (_delivery(outer, message, outer.caller or executor) for outer, message in messages(calls))


def _delivery(outer: DecodedCall, message: DecodedCall, sender: str) -> Delivery | Undelivered:
    why, chain_id = _why_unknown(outer, message), message.chain_id
    if why or chain_id is None:
        return Undelivered(message.path, chain_id, why)
    call = Call(target=message.target, value_wei=message.value_wei, calldata=message.calldata)
    arriving = _ARRIVING.get(outer.signature or "", _of_message)(outer, message)
    if outer.signature == _MESSAGE:
        return Delivery(message.path, chain_id, OP_MESSENGER, call, arriving, named_sender=sender)
    caller = alias(outer.target if _is_timelocks_ticket(outer, message) else sender)
    return Delivery(message.path, chain_id, caller, call, arriving)


def _why_unknown(outer: DecodedCall, message: DecodedCall) -> str:
    """Empty where everything is known."""
    if message.chain_id is None:
        return "which chain it goes to is not known"
    if outer.delegatecall:
        return "the bridge's code is run by delegatecall, so who sends it is not known"
    if outer.signature not in _ARRIVING and not _is_timelocks_ticket(outer, message):
        return "how this bridge calls there is not known for certain"
    if outer.target in _SYSTEM:
        return "it goes down from an OP stack chain, and how it is called there is not known for certain"
    if outer.signature == _MESSAGE and message.target in _SYSTEM:
        return "the messenger there calls no contract of the system"
    return ""


def _is_timelocks_ticket(outer: DecodedCall, message: DecodedCall) -> bool:
    """Arbitrum's timelock on L1 sends by itself, whoever calls it (`messages.arbitrum_ticket`)."""
    return outer.signature not in _ARRIVING and message.caller == alias(outer.target)
