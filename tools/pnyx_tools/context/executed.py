"""What the DAO's executor did before, as its own logs tell: which calls, in which transaction.

A timelock tells of each call. A governor that executes itself tells of the proposal only: its calls are those of the
`ProposalCreated` event, where the search reaches that far back. What another contract says is not asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import Call, Log
from pnyx_tools.context.history import (
    CALL_EXECUTED,
    COMPOUNDS_EXECUTION,
    EXECUTED_TOPICS,
    PROPOSAL_EXECUTED,
    History,
    proposals_in,
)
from pnyx_tools.effects import Event, event_arguments, topic_of
from pnyx_tools.simulate.task import calldata_of


@dataclass(frozen=True, slots=True)
class Executed:
    """One call that went through."""

    call: Call
    """As `whole`."""
    block: int
    transaction: bytes


def executed_in(history: History, adapter: GovernorAdapter, profile: GovernorProfile) -> list[Executed]:
    """In chain order, without what cannot be read."""
    executor = profile.timelock or profile.address
    proposals = {p.key.proposal_id: p.calls for p in proposals_in(history, adapter, profile)}
    return [
        Executed(whole(call), log.block_number, log.transaction_hash)
        for log in history.of(executor, EXECUTED_TOPICS)
        for call in _calls(log, proposals)
    ]


def whole(call: Call) -> Call:
    """The same call with its selector in the calldata, however the proposal wrote it."""
    return Call(target=call.target, value_wei=call.value_wei, calldata=calldata_of(call))


def _calls(log: Log, proposals: dict[int, tuple[Call, ...]]) -> Iterator[Call]:
    event = Event(log.address, log.topics, log.data)
    if log.topics[0] == topic_of(PROPOSAL_EXECUTED):
        told = event_arguments(PROPOSAL_EXECUTED, event)
        yield from proposals.get(told["proposalId"], ()) if told else ()
    elif log.topics[0] == topic_of(CALL_EXECUTED):
        told = event_arguments(CALL_EXECUTED, event)
        if told:
            yield Call(target=told["target"], value_wei=told["value"], calldata=told["data"])
    elif told := event_arguments(COMPOUNDS_EXECUTION, event):
        signature = told["signature"].decode(errors="replace")
        yield Call(target=told["target"], value_wei=told["value"], calldata=told["data"], signature=signature)
