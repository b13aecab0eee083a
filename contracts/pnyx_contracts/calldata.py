"""Bytes to named calls, as deep as they go.

Three rules. What is not known for certain stays unknown: a selector outside the table, bytes that are not the canonical
encoding, two known functions that both fit. A wrapper whose content is malformed counts as unknown itself, so nothing
hides behind a name. Work is bounded by `MAX_DEPTH`, `MAX_CALLS` and `MAX_CALLDATA_BYTES`; a call at which decoding
stopped is unknown and its note says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pnyx_contracts.decoded import Argument, DecodedCall
from pnyx_contracts.errors import DecodingError
from pnyx_contracts.frames import Content, Frame, compound_calldata
from pnyx_contracts.interfaces import NONE, declared_function
from pnyx_contracts.messages import read_payload
from pnyx_contracts.selectors import Function, known_functions, parse_function, selector_of
from pnyx_contracts.strict_abi import to_text
from pnyx_contracts.types import Call
from pnyx_contracts.wrappers import WRAPPERS

MAX_DEPTH = 8
"""Wrappers inside one another."""

MAX_CALLS = 1024
"""Calls inside wrappers, over the whole proposal."""

MAX_CALLDATA_BYTES = 512 * 1024
"""Per action: more than a transaction can carry on Ethereum mainnet."""


def decode_calls(
    calls: tuple[Call, ...], chain_id: int, interfaces: Mapping[str, Mapping[str, str]] = NONE
) -> tuple[DecodedCall, ...]:
    """One decoded call per action of a proposal on chain `chain_id`, in order. `interfaces` are declared ones.

    Never raises: what cannot be decoded is unknown, with a note.
    """
    decoder = _Decoder(interfaces)
    return tuple(decoder.decode(_frame(call, chain_id), str(place), 0) for place, call in enumerate(calls))


def _frame(call: Call, chain_id: int) -> Frame:
    data = compound_calldata(call.signature, call.calldata)
    note = _signature_note(call.signature) if call.signature else ""
    return Frame(call.target, call.value_wei, data, chain_id=chain_id, note=note)


def _signature_note(signature: str) -> str:
    """The proposal's own name for a function is text by its author: it gives the selector, never the meaning."""
    known = [f.signature for f in known_functions().get(selector_of(signature), ())]
    if signature in known:
        return ""
    try:
        shown = parse_function(signature).signature
    except DecodingError:
        return "the proposal gives its selector by a string that is no function signature"
    return f"the proposal gives its selector as that of {shown[:200]}, which proves nothing about what it does"


@dataclass(frozen=True, slots=True)
class _Match:
    """A function whose canonical encoding the calldata is."""

    function: Function
    values: Mapping[str, Any]
    trailing: int
    source: str

    @property
    def arguments(self) -> tuple[Argument, ...]:
        return tuple(
            Argument(name=p.name, type=p.kind.canonical, value=to_text(p.kind, self.values[p.name]))
            for p in self.function.parameters
        )

    @property
    def note(self) -> str:
        if not self.trailing:
            return self.source
        follow = "byte follows" if self.trailing == 1 else "bytes follow"
        trailing = f"{self.trailing} {follow} the arguments: a contract compiled from Solidity ignores them"
        return _join(self.source, trailing)


class _Decoder:
    """Counts the calls of one proposal, so that nesting cannot multiply work."""

    def __init__(self, interfaces: Mapping[str, Mapping[str, str]]) -> None:
        self._calls_left = MAX_CALLS
        self._interfaces = interfaces

    def decode(self, frame: Frame, path: str, depth: int) -> DecodedCall:
        try:
            match = _identify(frame, self._interfaces)
            content = _unwrap(frame, match)
            self._spend(content, depth)
        except DecodingError as error:
            return self._unread(frame, path, depth, error.message)
        inner = self._inner(content, path, depth)
        if match is None:
            return _decoded(frame, path, note=content.note)
        note = _join(match.note, content.note)
        return _decoded(frame, path, note, match.function.signature, match.arguments, inner)

    def _unread(self, frame: Frame, path: str, depth: int, why: str) -> DecodedCall:
        """Unknown; of a message, what a well-known receiver would make of it is shown inside."""
        content = read_payload(frame) if frame.other_chain else None
        if content is None:
            return _decoded(frame, path, note=why)
        try:
            self._spend(content, depth)
        except DecodingError as error:
            return _decoded(frame, path, note=_join(why, error.message))
        return _decoded(frame, path, _join(why, content.note), inner=self._inner(content, path, depth))

    def _inner(self, content: Content, path: str, depth: int) -> tuple[DecodedCall, ...]:
        return tuple(self.decode(f, f"{path}.{i}", depth + 1) for i, f in enumerate(content.frames))

    def _spend(self, content: Content, depth: int) -> None:
        if content.frames and depth >= MAX_DEPTH:
            raise DecodingError(f"not decoded: wrappers are nested deeper than {MAX_DEPTH}")
        self._calls_left -= len(content.frames)
        if self._calls_left < 0:
            raise DecodingError(f"not decoded: the proposal holds more than {MAX_CALLS} calls inside wrappers")


def _identify(frame: Frame, interfaces: Mapping[str, Mapping[str, str]]) -> _Match | None:
    """The one known function that the bytes encode; None for a plain transfer. Raises `DecodingError` otherwise."""
    data = frame.calldata
    if frame.is_payload:
        raise DecodingError("not decoded: no calldata, but a message that its receiver reads in a way of its own")
    if not data:
        return None
    if len(data) < 4:
        raise DecodingError(f"unknown: {len(data)} bytes are too few for a selector")
    if len(data) > MAX_CALLDATA_BYTES:
        raise DecodingError(f"not decoded: {len(data)} bytes are more than {MAX_CALLDATA_BYTES}")
    functions = _candidates(frame, interfaces)
    if not functions:
        raise DecodingError("unknown: no function with this selector is known")
    return _only_match(functions, data)


def _candidates(frame: Frame, interfaces: Mapping[str, Mapping[str, str]]) -> tuple[tuple[Function, str], ...]:
    """Functions with the selector, each with a note on how it is known."""
    selector = frame.calldata[:4]
    known = tuple((function, "") for function in known_functions().get(selector, ()))
    declared = None if frame.other_chain else declared_function(interfaces, frame.target, selector)
    if declared is None or declared.signature in {function.signature for function, _ in known}:
        return known
    return (*known, (declared, "named by the interface that the operator declares for this address"))


def _only_match(functions: tuple[tuple[Function, str], ...], data: bytes) -> _Match:
    matches: list[_Match] = []
    reasons: list[str] = []
    for function, source in functions:
        try:
            values, end = function.decode(data[4:])
            matches.append(_Match(function, values, len(data) - 4 - end, source))
        except DecodingError as error:
            reasons.append(
                f"the selector is that of {function.signature}, but its arguments do not decode ({error.message})"
            )
    if not matches:
        raise DecodingError("unknown: " + "; ".join(reasons))
    if len(matches) > 1:
        names = " and ".join(m.function.signature for m in matches)
        raise DecodingError(f"ambiguous: fits {names}")
    return matches[0]


def _unwrap(frame: Frame, match: _Match | None) -> Content:
    if match is None:
        return Content((), "a transfer of value without calldata" if frame.value_wei else "neither calldata nor value")
    wrapper = WRAPPERS.get(match.function.signature)
    if wrapper is None:
        return Content(())
    try:
        return wrapper(frame, match.values)
    except DecodingError as error:
        raise DecodingError(f"not decoded: this would be {match.function.signature}, but {error.message}") from error


def _decoded(
    frame: Frame,
    path: str,
    note: str,
    signature: str | None = None,
    arguments: tuple[Argument, ...] = (),
    inner: tuple[DecodedCall, ...] = (),
) -> DecodedCall:
    return DecodedCall(
        path=path,
        target=frame.target,
        value_wei=frame.value_wei,
        calldata=frame.calldata,
        signature=signature,
        arguments=arguments,
        delegatecall=frame.delegatecall,
        caller=frame.caller,
        other_chain=frame.other_chain,
        chain_id=frame.chain_id if frame.other_chain else None,
        inner=inner,
        note=_join(frame.note, note),
    )


def _join(*notes: str) -> str:
    return "; ".join(note for note in notes if note)
