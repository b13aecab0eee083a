"""One action after another by ``debug_traceCall``, each on top of what the trace of those before it says they changed.

Two traces for each: ``callTracer`` with logs shows what happens, in which order; ``prestateTracer`` in diff mode shows
what the state is afterwards, which becomes a state override for the next one. The sender's nonce is left alone: inside
a real execution it does not move.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from eth_utils.address import to_checksum_address

from pnyx_contracts.types import to_hex
from pnyx_policies.facts import CallResult, ProbeAnswer
from pnyx_tools.effects import NATIVE, TRANSFER, Event
from pnyx_tools.reader import MethodMissingError, RpcError
from pnyx_tools.reasons import revert_reason
from pnyx_tools.simulate.governance_queue import DO_NOTHING, filled_queue
from pnyx_tools.simulate.task import (
    MAX_EVENTS,
    NO_FUNDS,
    AccountOverride,
    Overrides,
    Ran,
    Step,
    Task,
    Transaction,
    answered,
    event_of,
    not_run,
    parsed,
    reverted,
)
from pnyx_tools.wire import parse_address, parse_data, parse_quantity

METHOD: Final = "debug_traceCall"

MAX_TRACED: Final = 64
"""Actions of one proposal: each is two requests, and a trace may take the node seconds."""

_SOMEWHERE: Final = "0x00000000000000000000000000000000000c0dE5"
_WORD: Final = to_hex((42).to_bytes(32, "big"))
_OVERRIDDEN: Final[Overrides] = {
    _SOMEWHERE: {"code": "0x60005460005260206000f3", "stateDiff": {to_hex(bytes(32)): _WORD}}
}
"""Code that returns what lies in its first slot, and something in there."""

_CALLS = {"tracer": "callTracer", "tracerConfig": {"withLog": True}}
_STATE = {"tracer": "prestateTracer", "tracerConfig": {"diffMode": True}}
_MOVES_COIN = frozenset({"CALL", "CREATE", "CREATE2", "SELFDESTRUCT"})
_NOTHING = to_hex(bytes(32))

_Frame = Mapping[str, Any]


@dataclass(frozen=True)
class Traced:
    """One task, by this method."""

    task: Task

    name = METHOD

    def run(self) -> Ran:
        task, count = self.task, len(self.task.calls)
        if count > MAX_TRACED:
            raise MethodMissingError(f"{METHOD}: {count} actions are more than are traced, which is {MAX_TRACED}")
        self._require_overrides()
        before = self._read_probes(task.overrides)
        results: list[CallResult] = []
        events: list[Event] = []
        happened: list[Step] = []
        overrides = task.overrides
        for place, transaction in enumerate(task.transactions):
            task.tell_place(place)
            try:
                frame = self._trace(transaction, overrides, _CALLS)
            except RpcError as error:
                if not NO_FUNDS.search(error.message):
                    raise
                results += not_run(place, count)
                break
            results.append(parsed(METHOD, partial(_result, place, frame)))
            events += parsed(METHOD, partial(_events_of, frame))
            happened += parsed(METHOD, partial(steps, frame))
            if place + 1 < count or task.probes:
                overrides = self._after(transaction, overrides, frame)
        return Ran(
            results=tuple(results),
            events=tuple(events[:MAX_EVENTS]),
            is_flooded=len(events) > MAX_EVENTS,
            readings=task.readings(before, self._read_probes(overrides)),
            steps=tuple(happened),
        )

    def queue_slot(self, governor: str, slots: Sequence[int]) -> int | None:
        """Where the governor has its queue: the first slot where a call that needs it goes through."""
        probe = {"from": self.task.sender, "to": governor, "value": "0x0", "input": to_hex(DO_NOTHING)}
        for slot in slots:
            overrides = {governor: {"stateDiff": filled_queue(slot, [DO_NOTHING])}}
            if "error" not in self._trace(probe, overrides, _CALLS):
                return slot
        return None

    def _require_overrides(self) -> None:
        """Some nodes trace and pass over what they do not know: then no action would see those before it."""
        if self._trace({"to": _SOMEWHERE}, _OVERRIDDEN, _CALLS).get("output") != _WORD:
            raise MethodMissingError(f"{METHOD}: the node does not take state overrides")

    def _read_probes(self, overrides: Overrides) -> list[ProbeAnswer]:
        return [self._read(transaction, overrides) for transaction in self.task.probe_transactions]

    def _read(self, transaction: Transaction, overrides: Overrides) -> ProbeAnswer:
        frame = self._trace(transaction, overrides, _CALLS)
        output = parsed(METHOD, lambda: parse_data(frame.get("output") or "0x"))
        return reverted(output) if "error" in frame else answered(output)

    def _after(self, transaction: Transaction, overrides: Overrides, frame: _Frame) -> Overrides:
        """The overrides that stand for the state after this call."""
        if "error" in frame:
            return overrides
        diff = self._trace(transaction, overrides, _STATE)
        gone = parsed(METHOD, partial(_gone, frame))
        return parsed(METHOD, lambda: _merged(overrides, diff, gone, self.task.sender))

    def _trace(self, transaction: Transaction, overrides: Overrides, tracer: Mapping[str, Any]) -> dict[str, Any]:
        options = {**tracer, "stateOverrides": dict(overrides), "blockOverrides": self.task.next_block()}
        answer = self.task.reader.request(METHOD, [transaction, hex(self.task.block.number), options])
        if not isinstance(answer, dict):
            raise RpcError(f"{METHOD}: the answer is no trace", hint="use another node")
        return answer


def _result(place: int, frame: _Frame) -> CallResult:
    failed = "error" in frame
    gas_used = parse_quantity(frame["gasUsed"])
    return CallResult(path=str(place), succeeded=not failed, gas_used=gas_used, error=_reason(frame) if failed else "")


def _reason(frame: _Frame) -> str:
    """What the call itself says, else the last call inside it that failed, else the machine's word."""
    own = revert_reason(parse_data(frame.get("output") or "0x"))
    inner = (_reason(f) for f in reversed(frame.get("calls") or ()) if "error" in f)
    return own or next(inner, "") or str(frame["error"])[:200]


def _gone(frame: _Frame) -> set[str]:
    """Who destroyed himself; where the chain keeps such contracts, the state afterwards still has them."""
    return {str(f["from"]).lower() for f in walk(frame) if f.get("type") == "SELFDESTRUCT"}


def walk(frame: _Frame) -> Iterator[_Frame]:
    """What was not undone, in order."""
    if "error" not in frame:
        yield frame
        for inner in frame.get("calls") or ():
            yield from walk(inner)


def steps(frame: _Frame) -> list[Step]:
    """In the order in which they happened."""
    return [
        Step(
            kind=str(inner["type"]),
            sender=parse_address(inner["from"]),
            receiver=parse_address(inner["to"]),
            value_wei=parse_quantity(inner.get("value") or "0x0"),
        )
        for inner in walk(frame)
        if inner.get("to")
    ]


def _events_of(frame: _Frame) -> list[Event]:
    return list(_events(frame))


def _events(frame: _Frame) -> Iterator[Event]:
    """Logs, and transfers of coin, in the order in which they happened."""
    if "error" in frame:
        return
    value = parse_quantity(frame.get("value") or "0x0")
    if value and frame["type"] in _MOVES_COIN:
        yield _transfer(frame["from"], frame["to"], value)
    logs, inner = list(frame.get("logs") or ()), list(frame.get("calls") or ())
    for place in range(len(inner) + 1):
        yield from (event_of(log) for log in logs if _position(log) == place)
        if place < len(inner):
            yield from _events(inner[place])


def _position(log: Mapping[str, Any]) -> int:
    """How many calls of the same frame came before it."""
    return parse_quantity(log["position"])


def _transfer(sender: str, recipient: str, value: int) -> Event:
    """As `eth_simulateV1` words it."""
    places = tuple(bytes(12) + parse_data(address) for address in (sender, recipient))
    return Event(address=NATIVE, topics=(TRANSFER, *places), data=value.to_bytes(32, "big"))


# --- the state afterwards --------------------------------------------------------------------------------------------


def _merged(overrides: Overrides, diff: _Frame, gone: set[str], sender: str) -> dict[str, AccountOverride]:
    """`diff` has what was, of every account that changed, and what is, of whatever is not empty."""
    merged: dict[str, AccountOverride] = dict(overrides)
    for raw in dict.fromkeys((*diff["pre"], *diff["post"])):
        address = str(to_checksum_address(raw))
        before, after = diff["pre"].get(raw) or {}, diff["post"].get(raw)
        if after is None and raw.lower() in gone:
            merged[address] = {"balance": "0x0", "code": "0x", "state": {}}
            continue
        merged[address] = _account(merged.get(address, {}), before, after or {}, keeps_nonce=address == sender)
    return merged


def _account(known: AccountOverride, before: _Frame, after: _Frame, *, keeps_nonce: bool) -> AccountOverride:
    emptied = dict.fromkeys(before.get("storage") or {}, _NOTHING)
    storage = emptied | dict(after.get("storage") or {})
    account = dict(known)
    if storage:
        place = "state" if "state" in known else "stateDiff"  # never both
        account[place] = {**known.get(place, {}), **storage}
    for name in ("balance", "code"):
        if name in after:
            account[name] = after[name]
    if "nonce" in after and not keeps_nonce:
        account["nonce"] = hex(after["nonce"])
    return account
