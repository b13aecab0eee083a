"""Which balances and allowances of the executor are read around the simulated actions: the calls say it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pnyx_contracts.decoded import DecodedCall
from pnyx_policies.money import OutflowKind, flows_of, token_amount

MAX_QUESTIONS: Final = 40
"""Of one proposal."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the executor has of a token; with a spender, what that one may take of it."""

    token: str
    spender: str | None = None


def questions(calls: Sequence[DecodedCall], executor: str) -> tuple[Question, ...]:
    """Each once: tokens that the calls name, allowances that the executor gives, then whatever else is called."""
    every = [call for outer in calls for call in outer.walk() if not call.other_chain]
    return tuple(dict.fromkeys([*_named(every), *_allowed(every, executor), *_called(every)]))[:MAX_QUESTIONS]


def _named(calls: Sequence[DecodedCall]) -> Iterator[Question]:
    return (Question(amount.asset) for amount in map(token_amount, calls) if amount is not None)


def _allowed(calls: Sequence[DecodedCall], executor: str) -> Iterator[Question]:
    for flow in flows_of(calls, executor):
        if flow.kind is OutflowKind.ALLOWANCE and flow.sender == executor and flow.asset is not None:
            yield Question(flow.asset, flow.recipient)


def _called(calls: Sequence[DecodedCall]) -> Iterator[Question]:
    """A function of any name can move what the called contract keeps account of."""
    return (Question(call.target) for call in calls if call.calldata and not call.delegatecall)
