"""All actions in one block by one ``eth_simulateV1`` request, with transfers of the chain's coin traced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pnyx_contracts.errors import PnyxError
from pnyx_contracts.types import to_hex
from pnyx_policies.facts import CallResult, ProbeAnswer
from pnyx_tools.reader import MethodMissingError, RevertedError, RpcError
from pnyx_tools.reasons import revert_reason
from pnyx_tools.simulate.alone import MAX_TRIED_ALONE, call_alone
from pnyx_tools.simulate.governance_queue import DO_NOTHING, StateDiff, empty_queue, filled_queue
from pnyx_tools.simulate.task import (
    MAX_EVENTS,
    NO_FUNDS,
    Overrides,
    Ran,
    Task,
    Transaction,
    answered,
    event_of,
    not_run,
    parsed,
    reverted,
)
from pnyx_tools.simulate.traced import Traced
from pnyx_tools.wire import error_parts, parse_data, parse_quantity

METHOD: Final = "eth_simulateV1"

_Answer = dict[str, Any]


class _CannotPayError(Exception):
    """One of the calls sends more than the sender has: nodes refuse the whole request then."""


@dataclass(frozen=True)
class Whole:
    """One task, by this method."""

    task: Task

    name = METHOD

    def run(self) -> Ran:
        task, probes = self.task, len(self.task.probes)
        answers = self._answers()
        end = len(answers) - probes
        before, actions, after = answers[:probes], answers[probes:end], answers[end:]
        results = self._results(actions) + not_run(len(actions), len(task.calls))
        logs = parsed(METHOD, lambda: [log for answer in actions for log in answer.get("logs") or ()])
        return Ran(
            results=tuple(results),
            events=parsed(METHOD, lambda: tuple(event_of(log) for log in logs[:MAX_EVENTS])),
            is_flooded=len(logs) > MAX_EVENTS,
            readings=task.readings([_read(a) for a in before], [_read(a) for a in after]),
        )

    def queue_slot(self, governor: str, slots: Sequence[int]) -> int | None:
        """Where the governor has its queue. Each likely slot is tried in a block of its own."""
        probe = {"from": self.task.sender, "to": governor, "value": "0x0", "input": to_hex(DO_NOTHING)}
        blocks = []
        before: StateDiff = {}
        for number, slot in enumerate(slots, start=1):
            diff = before | filled_queue(slot, [DO_NOTHING])
            blocks.append(self._block(number, [probe], {governor: {"stateDiff": diff}}))
            before = empty_queue(slot, [DO_NOTHING])
        answers = self._ask(blocks)
        found = (slot for slot, (answer,) in zip(slots, answers, strict=True) if _succeeded(answer))
        return next(found, None)

    def _answers(self) -> list[_Answer]:
        """The probes', one per call up to the first that cannot be paid, the probes' again. That one is found by
        halving.
        """
        try:
            return self._request(len(self.task.calls))
        except _CannotPayError:
            can, cannot = 0, len(self.task.calls)
        while cannot - can > 1:
            middle = (can + cannot) // 2
            try:
                self._request(middle)
                can = middle
            except _CannotPayError:
                cannot = middle
        return self._request(can)

    def _request(self, count: int) -> list[_Answer]:
        """The first `count` calls, between the probes, in one block."""
        probes = self.task.probe_transactions
        transactions = [*probes, *self.task.transactions[:count], *probes]
        if not transactions:
            return []
        return self._ask([self._block(1, transactions, self.task.overrides)])[0]

    def _block(self, number: int, calls: list[Transaction], overrides: Overrides) -> dict[str, Any]:
        return {"blockOverrides": self.task.next_block(number), "stateOverrides": dict(overrides), "calls": calls}

    def _ask(self, blocks: list[dict[str, Any]]) -> list[list[_Answer]]:
        question = {"blockStateCalls": blocks, "traceTransfers": True, "validation": False}
        try:
            answer = self.task.reader.request(METHOD, [question, hex(self.task.block.number)])
        except RpcError as error:
            if NO_FUNDS.search(error.message):
                raise _CannotPayError from error
            raise
        return _checked(answer, [len(block["calls"]) for block in blocks])

    def _results(self, answers: list[_Answer]) -> list[CallResult]:
        reasons = ["" if _succeeded(answer) else _reason(answer) for answer in answers]
        unexplained = [place for place, answer in enumerate(answers) if not _succeeded(answer) and not reasons[place]]
        for place, reason in zip(unexplained, self._reasons(unexplained), strict=True):
            reasons[place] = reason or error_parts(answers[place].get("error"))[1]
        return [
            CallResult(path=str(place), succeeded=_succeeded(answer), gas_used=_gas(answer), error=reasons[place])
            for place, answer in enumerate(answers)
        ]

    def _reasons(self, places: list[int]) -> list[str]:
        """Why these calls revert, for nodes whose simulation keeps that to itself: from a trace, else from each call
        alone; empty when unknown.
        """
        if not places:
            return []
        try:
            traced = Traced(self.task).run().results
        except PnyxError:
            return [self._reason_alone(place) for place in places]
        return [traced[place].error or self._reason_alone(place) for place in places]

    def _reason_alone(self, place: int) -> str:
        if place >= MAX_TRIED_ALONE:
            return ""
        try:
            call_alone(self.task, place)
        except RevertedError as error:
            return revert_reason(error.data)
        except (MethodMissingError, RpcError):
            return ""
        return "reverts after the actions before it, not by itself"


def _checked(answer: object, expected: list[int]) -> list[list[_Answer]]:
    """Per block, per call. Raises `RpcError` when there is not one answer for each."""
    blocks = [b.get("calls") if isinstance(b, dict) else None for b in answer] if isinstance(answer, list) else []
    complete = [
        block
        for block, count in zip(blocks, expected, strict=False)
        if isinstance(block, list) and len(block) == count and all(isinstance(call, dict) for call in block)
    ]
    if len(complete) != len(expected):
        raise RpcError(f"{METHOD}: the answer does not have one result per call", hint="use another node")
    return complete


def _succeeded(answer: _Answer) -> bool:
    return parsed(METHOD, lambda: parse_quantity(answer.get("status"))) == 1


def _gas(answer: _Answer) -> int:
    return parsed(METHOD, lambda: parse_quantity(answer.get("gasUsed")))


def _revert_data(answer: _Answer) -> bytes:
    """Geth puts it into the error, anvil returns it."""
    return error_parts(answer.get("error"))[2] or _returned(answer)


def _returned(answer: _Answer) -> bytes:
    return parsed(METHOD, lambda: parse_data(answer.get("returnData", "0x")))


def _reason(answer: _Answer) -> str:
    return revert_reason(_revert_data(answer))


def _read(answer: _Answer) -> ProbeAnswer:
    return answered(_returned(answer)) if _succeeded(answer) else reverted(_revert_data(answer))
