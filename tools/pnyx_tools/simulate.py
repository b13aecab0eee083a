"""What the actions of a proposal would do, run one after another from the executor on top of the pinned block.

One `eth_simulateV1` request: all actions in one block, in order, each as a call from the executor (the timelock, or the
governor itself), with transfers of the chain's coin traced. No state is overridden but the queue in which a governor
notes its calls to itself (`governance_queue`). So the result is what the chain would do now. Three limits to know: the
state at execution may be another one; actions of one proposal revert together on chain, here the effects of those that
succeed are shown all the same; `tx.origin` is the executor.

What is reported:

    every action ran                     succeeded
    an action reverted or lacked funds   reverted, with the reason, per action
    the node cannot simulate             skipped, with the reason. Each action is then tried alone by `eth_call`, and
                                         `results` tells how that went (gas unknown: 0). That shows no effects and no
                                         order, so it proves nothing and the status stays "skipped"
    the governor's queue is not found    skipped, because a call to the governor cannot be judged; the rest is shown
    more events than `MAX_EVENTS`         skipped, and none is shown: who floods the review hides something in the flood
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from eth_utils.address import to_checksum_address

from pnyx_contracts.types import BlockRef, Call, to_hex
from pnyx_contracts.wrappers import compound_calldata
from pnyx_policies.facts import CallResult, Simulation, SimulationStatus
from pnyx_tools.effects import Event, changes, movements
from pnyx_tools.governance_queue import DO_NOTHING, LIKELY_SLOTS, QUEUE_IS_EMPTY, StateDiff, empty_queue, filled_queue
from pnyx_tools.reader import ChainReader, MethodMissingError, ReorganisedError, RevertedError, RpcError
from pnyx_tools.reasons import revert_reason, without_endpoint
from pnyx_tools.wire import error_parts, parse_data, parse_quantity, parse_word

T = TypeVar("T")

MAX_EVENTS = 16_384
MAX_EFFECTS = 4_096
"""Movements and changes together. A contract can emit tens of thousands of events in one call."""

MAX_TRIED_ALONE = 32
"""Actions that are tried by a call of their own, each of which may keep the node busy for seconds."""

_NO_FUNDS = re.compile(r"insufficient (funds|balance)", re.IGNORECASE)
_CANNOT_PAY = "the executor's balance does not cover the value sent"


def simulate(
    reader: ChainReader, executor: str, calls: Sequence[Call], block: BlockRef, *, governor: str | None = None
) -> Simulation:
    """Runs `calls` from `executor` on top of `block`; `governor` may be called as from inside its `execute()`.

    What fails twice in the same words is a thing that the node cannot do, and skipped. Raises `ReorganisedError` when
    the chain no longer has that block, `RpcError` when the node cannot be reached, or failed only once.
    """
    run = _Run(reader, executor, tuple(calls), block)
    inside = governor if governor != executor else None
    try:
        simulation = run.whole(inside)
    except MethodMissingError as missing:
        simulation = run.each_alone(missing.message)
    except RpcError as failure:
        simulation = _once_more(run, inside, failure)
    _demand_same_block(reader, block)  # raises when the node does not answer at all
    return simulation


def _once_more(run: _Run, inside: str | None, failure: RpcError) -> Simulation:
    """A bad moment of an endpoint must not decide that nothing is known."""
    try:
        return run.whole(inside)
    except RpcError as again:
        if again.message != failure.message:
            raise
        return run.each_alone(again.message)


def _demand_same_block(reader: ChainReader, block: BlockRef) -> None:
    """The simulation names its block by number: asked after it, the hash proves which block that was."""
    seen = reader.block(block.number).hash
    if seen != block.hash:
        raise ReorganisedError(
            f"block {block.number} was {to_hex(block.hash)} and is {to_hex(seen)} now: the chain reorganised"
        )


class _CannotPayError(Exception):
    """One of the calls sends more than the executor has: nodes refuse the whole request then."""


_Transaction = dict[str, str]
_Answer = dict[str, Any]


@dataclass(frozen=True)
class _Run:
    """The calls of one proposal at one block. `overrides` are stateDiffs by address."""

    reader: ChainReader
    executor: str
    calls: tuple[Call, ...]
    block: BlockRef
    overrides: dict[str, StateDiff] = field(default_factory=dict)

    # --- with eth_simulateV1 -----------------------------------------------------------------------------------------

    def whole(self, inside: str | None) -> Simulation:
        """`inside` is the governor that may be called as from inside its ``execute()``."""
        return self.as_it_is() if inside is None else self.from_inside(inside)

    def from_inside(self, governor: str) -> Simulation:
        """As from inside the governor's ``execute()``, if a call to it needs that."""
        simulation = self.as_it_is()
        barred = [r for r in simulation.results if r.error in QUEUE_IS_EMPTY and self._target(r) == governor]
        if not barred:
            return simulation
        slot = self._queue_slot(governor)
        if slot is None:
            why = (
                f"action {barred[0].path} is possible only inside the governor's execute(), which could not be imitated"
            )
            return simulation.model_copy(update={"status": SimulationStatus.SKIPPED, "why_skipped": why})
        own_calls = [self._calldata(call) for call in self.calls if call.target == governor]
        return replace(self, overrides={governor: filled_queue(slot, own_calls)}).as_it_is()

    def as_it_is(self) -> Simulation:
        answers = self._answers()
        results = [self._result(place, answer) for place, answer in enumerate(answers)]
        results += _not_run(len(answers), len(self.calls))
        reverted = any(not result.succeeded for result in results)
        simulation = Simulation(
            status=SimulationStatus.REVERTED if reverted else SimulationStatus.SUCCEEDED,
            executor=self.executor,
            results=tuple(results),
        )
        logs = _parsed(lambda: [log for answer in answers for log in answer.get("logs") or ()])
        events = _events(logs[:MAX_EVENTS])
        seen = {"movements": movements(events), "changes": changes(events)}
        if len(logs) > MAX_EVENTS or sum(map(len, seen.values())) > MAX_EFFECTS:
            why = f"the actions emit more events than are read ({MAX_EVENTS}, with {MAX_EFFECTS} effects)"
            return simulation.model_copy(update={"status": SimulationStatus.SKIPPED, "why_skipped": why})
        return simulation.model_copy(update=seen)

    def _answers(self) -> list[_Answer]:
        """One per call, up to the first that the executor cannot pay; that one is found by halving."""
        try:
            return self._request(len(self.calls))
        except _CannotPayError:
            can, cannot = 0, len(self.calls)
        while cannot - can > 1:
            middle = (can + cannot) // 2
            try:
                self._request(middle)
                can = middle
            except _CannotPayError:
                cannot = middle
        return self._request(can)

    def _request(self, count: int) -> list[_Answer]:
        """The first `count` calls in one block."""
        if count == 0:
            return []
        block = self._next_block(1, [self._transaction(call) for call in self.calls[:count]], self.overrides)
        return self._ask([block])[0]

    def _queue_slot(self, governor: str) -> int | None:
        """Where the governor has its queue. Each likely slot is tried in a block of its own."""
        probe = {"from": self.executor, "to": governor, "value": "0x0", "input": to_hex(DO_NOTHING)}
        blocks = []
        before: StateDiff = {}
        for number, slot in enumerate(LIKELY_SLOTS, start=1):
            blocks.append(self._next_block(number, [probe], {governor: before | filled_queue(slot, [DO_NOTHING])}))
            before = empty_queue(slot, [DO_NOTHING])
        answers = self._ask(blocks)
        found = (slot for slot, (answer,) in zip(LIKELY_SLOTS, answers, strict=True) if _succeeded(answer))
        return next(found, None)

    def _next_block(self, number: int, calls: list[_Transaction], overrides: dict[str, StateDiff]) -> dict[str, Any]:
        """The block `number` places after the pinned one, with these calls."""
        return {
            "blockOverrides": {"number": hex(self.block.number + number), "time": hex(self.block.timestamp + number)},
            "stateOverrides": {address: {"stateDiff": diff} for address, diff in overrides.items()},
            "calls": calls,
        }

    def _ask(self, blocks: list[dict[str, Any]]) -> list[list[_Answer]]:
        question = {"blockStateCalls": blocks, "traceTransfers": True, "validation": False}
        try:
            answer = self.reader.request("eth_simulateV1", [question, hex(self.block.number)])
        except RpcError as error:
            if _NO_FUNDS.search(error.message):
                raise _CannotPayError from error
            raise
        return _checked(answer, [len(block["calls"]) for block in blocks])

    def _result(self, place: int, answer: _Answer) -> CallResult:
        error = ""
        if not _succeeded(answer):
            error = _reason(answer) or self._reason_alone(place) or error_parts(answer.get("error"))[1]
        gas_used = _parsed(lambda: parse_quantity(answer.get("gasUsed")))
        return CallResult(path=str(place), succeeded=not error, gas_used=gas_used, error=error)

    def _reason_alone(self, place: int) -> str:
        """Why the call reverts by itself, for nodes whose simulation keeps the reason to itself; empty when unknown."""
        if place >= MAX_TRIED_ALONE:
            return ""
        try:
            self._eth_call(place)
        except RevertedError as error:
            return revert_reason(error.data)
        except (MethodMissingError, RpcError):
            return ""
        return "reverts after the actions before it, not by itself"

    # --- without -----------------------------------------------------------------------------------------------------

    def each_alone(self, why: str) -> Simulation:
        return Simulation(
            status=SimulationStatus.SKIPPED,
            why_skipped=f"{without_endpoint(why)}; each action was only tried alone, which shows no effects",
            executor=self.executor,
            results=tuple(self._alone(place) for place in range(len(self.calls))),
        )

    def _alone(self, place: int) -> CallResult:
        error = "" if place < MAX_TRIED_ALONE else f"not tried: only the first {MAX_TRIED_ALONE} actions are"
        try:
            if not error:
                self._eth_call(place)
        except RevertedError as reverted:
            error = revert_reason(reverted.data) or "reverts alone, without a reason"
        except (MethodMissingError, RpcError) as refused:
            error = _CANNOT_PAY if _NO_FUNDS.search(refused.message) else without_endpoint(refused.message)
        return CallResult(path=str(place), succeeded=not error, gas_used=0, error=error)

    # --- both --------------------------------------------------------------------------------------------------------

    def _eth_call(self, place: int) -> None:
        self.reader.request("eth_call", [self._transaction(self.calls[place]), hex(self.block.number)])

    def _transaction(self, call: Call) -> _Transaction:
        data = to_hex(self._calldata(call))
        return {"from": self.executor, "to": call.target, "value": hex(call.value_wei), "input": data}

    def _target(self, result: CallResult) -> str:
        return self.calls[int(result.path)].target

    @staticmethod
    def _calldata(call: Call) -> bytes:
        return compound_calldata(call.signature, call.calldata)


def _not_run(first: int, count: int) -> list[CallResult]:
    """Results from the call that cannot be paid on."""
    later = f"not run: action {first} before it cannot be paid"
    return [
        CallResult(path=str(i), succeeded=False, gas_used=0, error=_CANNOT_PAY if i == first else later)
        for i in range(first, count)
    ]


# --- the node's answer, checked before anybody believes it -----------------------------------------------------------


def _checked(answer: object, expected: list[int]) -> list[list[_Answer]]:
    """Per block, per call. Raises `RpcError` when there is not one answer for each."""
    blocks = [b.get("calls") if isinstance(b, dict) else None for b in answer] if isinstance(answer, list) else []
    complete = [
        block
        for block, count in zip(blocks, expected, strict=False)
        if isinstance(block, list) and len(block) == count and all(isinstance(call, dict) for call in block)
    ]
    if len(complete) != len(expected):
        raise RpcError("eth_simulateV1: the answer does not have one result per call", hint="use another node")
    return complete


def _parsed(parse: Callable[[], T]) -> T:
    try:
        return parse()
    except (ValueError, TypeError, KeyError) as malformed:
        raise RpcError(f"eth_simulateV1: the answer is malformed ({malformed})", hint="use another node") from None


def _succeeded(answer: _Answer) -> bool:
    return _parsed(lambda: parse_quantity(answer.get("status"))) == 1


def _reason(answer: _Answer) -> str:
    """Geth puts the revert data into the error, anvil returns it."""
    data = error_parts(answer.get("error"))[2]
    return revert_reason(data or _parsed(lambda: parse_data(answer.get("returnData", "0x"))))


def _events(logs: list[Any]) -> list[Event]:
    return _parsed(lambda: [_event(log) for log in logs])


def _event(log: dict[str, Any]) -> Event:
    return Event(
        address=str(to_checksum_address(log["address"])),
        topics=tuple(parse_word(topic) for topic in log["topics"]),
        data=parse_data(log["data"]),
    )
