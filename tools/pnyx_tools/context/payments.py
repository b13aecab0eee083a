"""Payments of the past, as tokens, the executor and Safes tell of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.decoded import made_here
from pnyx_contracts.selectors import parse_function
from pnyx_contracts.types import Proposal
from pnyx_policies.context.earlier_payments import SHORTLY_BEFORE_BLOCKS, EarlierPayment
from pnyx_tools.context.executed import Executed
from pnyx_tools.context.history import History
from pnyx_tools.effects import Event, event_arguments, movements, topic_of

MAX_PAIRS = 64
"""Of an asset and a receiver."""

_RECEIVED: Final = parse_function("SafeReceived(address sender, uint256 value)")
SAFE_RECEIVED: Final = topic_of(_RECEIVED)

Pair = tuple[str | None, str]
"""Asset, None for coin, and receiver."""


@dataclass(frozen=True, slots=True)
class Paid:
    """One payment, in wei or token units."""

    sender: str
    pair: Pair
    amount: int
    block: int
    transaction: bytes


def asked(proposal: Proposal) -> list[Pair]:
    """Asset and receiver of each payment among the calls."""
    found: dict[Pair, None] = {}
    for call in made_here(decode_calls(proposal.calls, proposal.key.chain_id)):
        place = {"transfer(address,uint256)": 0, "transferFrom(address,address,uint256)": 1}.get(call.signature or "")
        if place is not None:
            found.setdefault((call.target, call.arguments[place].value))
        if call.value_wei:
            found.setdefault((None, call.target))
    return list(found)[:MAX_PAIRS]


def in_tokens(history: History) -> Iterator[Paid]:
    """Without transfers of nothing: anybody can make them, also from the treasury."""
    for log in history.logs:
        for moved in movements([Event(log.address, log.topics, log.data)]):
            if moved.amount:
                pair = log.address, moved.recipient
                yield Paid(moved.sender, pair, moved.amount, log.block_number, log.transaction_hash)


def in_coin(executed: Iterable[Executed], executor: str, chain_id: int) -> Iterator[Paid]:
    """By the calls that the executor made."""
    for one in executed:
        for call in made_here(decode_calls((one.call,), chain_id)):
            if call.value_wei:
                yield Paid(call.caller or executor, (None, call.target), call.value_wei, one.block, one.transaction)


def by_safes(history: History) -> Iterator[Paid]:
    """Coin of which the receiver itself tells."""
    for log in history.logs:
        told = event_arguments(_RECEIVED, Event(log.address, log.topics, log.data))
        if told and told["value"]:
            yield Paid(told["sender"], (None, log.address), told["value"], log.block_number, log.transaction_hash)


def in_all(pair: Pair, paid: Sequence[Paid], proposal: Proposal) -> EarlierPayment:
    """Of one pair."""
    proposed = proposal.created_block
    return EarlierPayment(
        asset=pair[0],
        receiver=pair[1],
        transfers=len(paid),
        amount=sum(p.amount for p in paid),
        shortly_before=sum(p.amount for p in paid if proposed - SHORTLY_BEFORE_BLOCKS <= p.block < proposed),
        since_proposed=sum(p.amount for p in paid if p.block >= proposed),
        last_block=max(p.block for p in paid),
    )


def topic_for(address: str) -> bytes:
    """As an indexed address stands in a log."""
    return bytes(12) + bytes.fromhex(address.removeprefix("0x"))
