"""Which balances and allowances of the DAO's accounts are read around the simulated actions: the calls say it, and the
events of the actions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pnyx_contracts.decoded import DecodedCall, made_here
from pnyx_policies.facts import Movement
from pnyx_policies.money import Outflow, OutflowKind, flows_of, token_amount

MAX_QUESTIONS: Final = 40
"""As many that the calls say, and as many that the events say."""


@dataclass(frozen=True, slots=True)
class Question:
    """What `holder` has of a token (None: of the chain's coin), or of one number of it; with a spender, what that one
    may take.
    """

    holder: str
    token: str | None
    token_id: int | None = None
    spender: str | None = None


@dataclass(frozen=True, slots=True)
class Accounts:
    """Whose balances are read."""

    own: tuple[str, ...]
    """The executor first, then the Safes and timelocks that the calls command, then the governor."""
    known: frozenset[str] = frozenset()
    """Those that the operator knows: read where they are seen to pay."""

    @property
    def executor(self) -> str:
        return self.own[0]

    @classmethod
    def of(
        cls, calls: Sequence[DecodedCall], executor: str, governor: str | None = None, known: Collection[str] = ()
    ) -> Accounts:
        callers = (call.caller for call in made_here(calls))
        own = dict.fromkeys(account for account in (executor, *callers, governor) if account)
        return cls(tuple(own), frozenset(known) - own.keys())


def questions(calls: Sequence[DecodedCall], accounts: Accounts) -> tuple[Question, ...]:
    """What can be asked before anything ran, account by account. Each once: tokens that the calls name, allowances that
    they give, the coin, then whatever else is called.
    """
    every = list(made_here(calls))
    if not every:
        return ()
    flows = list(flows_of(every, accounts.executor))
    named, called = list(dict.fromkeys(_named(every, flows))), list(dict.fromkeys(_called(every)))
    found: dict[Question, None] = {}
    for holder in accounts.own:
        found |= dict.fromkeys(Question(holder, *unit) for unit in named)
        found |= dict.fromkeys(_allowed(flows, holder))
        found[Question(holder, None)] = None
        found |= dict.fromkeys(Question(holder, target) for target in called)
    return tuple(found)[:MAX_QUESTIONS]


def told(movements: Sequence[Movement], accounts: Accounts, asked: Sequence[Question]) -> tuple[Question, ...]:
    """What else there is to ask, once it is seen what moves: of each token for the accounts that have a part in it, and
    for the executor.
    """
    parties = {*accounts.own, *(m.sender for m in movements if m.sender in accounts.known)}
    found: dict[Question, None] = {}
    for move in movements:
        holders = (party for party in (accounts.executor, move.sender, move.recipient) if party in parties)
        asked_for = dict.fromkeys((None, move.token_id))
        found |= dict.fromkeys(Question(holder, move.asset, number) for holder in holders for number in asked_for)
    return tuple(question for question in found if question not in frozenset(asked))[:MAX_QUESTIONS]


def _named(calls: Sequence[DecodedCall], flows: Sequence[Outflow]) -> Iterator[tuple[str, int | None]]:
    """Tokens, and numbers of tokens."""
    yield from ((amount.asset, None) for amount in map(token_amount, calls) if amount is not None)
    yield from ((flow.asset, flow.token_id) for flow in flows if flow.asset is not None and flow.token_id is not None)


def _allowed(flows: Sequence[Outflow], holder: str) -> Iterator[Question]:
    for flow in flows:
        if flow.kind is OutflowKind.ALLOWANCE and flow.sender == holder and flow.asset is not None:
            yield Question(holder, flow.asset, spender=flow.recipient)


def _called(calls: Sequence[DecodedCall]) -> Iterator[str]:
    """A function of any name can move what the called contract keeps account of."""
    return (call.target for call in calls if call.calldata and not call.delegatecall)
