"""Several endpoints side by side: the same questions about one block, and who is alone with an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, TypeVar

from pnyx_agents.examination import Result
from pnyx_agents.reviewer import Governed
from pnyx_contracts.types import Address, to_hex
from pnyx_tools.reader import MethodMissingError, RevertedError, RpcError
from pnyx_tools.rpc import Rpc

BLOCKS: Final = 200
"""Whose proposals are compared."""
SHOWN_CHARACTERS: Final = 60

T = TypeVar("T")
Ask = Callable[[Rpc], T]


def compared(endpoints: Sequence[Rpc], governed: Sequence[Governed]) -> Iterator[Result]:
    """Who does not answer is no finding of this. Two that contradict each other are named both: nobody knows who is
    right.
    """
    heads = [_answer(endpoint, lambda it: it.block().number) for endpoint in endpoints]
    at = min((head for head in heads if head is not None), default=0)
    contradictions = [said for what, ask in _questions(at, governed) if (said := _contradiction(endpoints, what, ask))]
    for found, do in contradictions:
        yield Result(name="endpoints", status="failed", found=found, do=do)
    if not contradictions:
        yield Result(name="endpoints", status="ok", found=f"they show the same at block {at}")


def _questions(at: int, governed: Sequence[Governed]) -> Iterator[tuple[str, Ask[object]]]:
    yield f"block {at}", lambda it: to_hex(it.block(at).hash)
    for adapter, profile in ((each.adapter, each.profile) for each in governed):
        governor, treasury = profile.address, profile.timelock or profile.address
        yield f"the code of {governor}", partial(_code, governor, at)
        yield f"the balance of {treasury}", partial(_balance, treasury, at)
        created = partial(_count, governor, adapter.created_topics(), at)
        yield f"how many proposals {governor} had in {BLOCKS} blocks", created


def _code(address: Address, at: int, endpoint: Rpc) -> str:
    return to_hex(endpoint.code(address, at))


def _balance(address: Address, at: int, endpoint: Rpc) -> int:
    return endpoint.balance(address, at)


def _count(governor: Address, topics: Sequence[bytes], at: int, endpoint: Rpc) -> int:
    return len(endpoint.logs(max(0, at - BLOCKS), at, [list(topics)], [governor]))


def _answer(endpoint: Rpc, ask: Ask[T]) -> T | None:
    """None when there is none."""
    try:
        return ask(endpoint)
    except (RpcError, RevertedError, MethodMissingError):
        return None


def _contradiction(endpoints: Sequence[Rpc], what: str, ask: Ask[object]) -> tuple[str, str] | None:
    """What is found, and what to do."""
    said = [(f"{n} ({each.display_url})", _answer(each, ask)) for n, each in enumerate(endpoints, start=1)]
    answers = [answer for _, answer in said if answer is not None]
    if len(set(answers)) < 2:
        return None
    usual = max(answers, key=answers.count)
    if 2 * answers.count(usual) <= len(answers):
        told = "; ".join(f"{name} says {_short(answer)}" for name, answer in said if answer is not None)
        return f"they contradict each other about {what}: {told}", "name one more in chain.rpc: who is right?"
    told = "; ".join(f"{name} says {_short(answer)}" for name, answer in said if answer not in (None, usual))
    found = f"about {what}, {told}; the others say {_short(usual)}"
    return found, "it lags, is broken or lies: take it out of chain.rpc"


def _short(answer: object) -> str:
    text = str(answer)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}..."
