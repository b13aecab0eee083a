"""Every string that somebody else may have written and that a model or people are shown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import JsonValue

from pnyx_contracts.decoded import Argument, DecodedCall
from pnyx_policies.facts import Facts

_SHORTEST = 8
"""Bytes below this are a number or an interface id that happens to be text."""
_READABLE = re.compile(r"[\x20-\x7e]{12,}")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Words:
    """One such string."""

    where: str
    """For the begin of a title."""
    text: str
    calls: tuple[str, ...] = ()
    """Path of the call that it stands in."""
    is_authors: bool = True
    """False where a third party can have written it: the author must not answer for that."""


def strange_words(facts: Facts) -> Iterator[Words]:
    """The description first, then what stands inside the calls, then what contracts and tools said. Each once."""
    yield Words("The text", facts.proposal.text)
    seen: set[tuple[str, str]] = set()
    for words in (*_in_calls(facts), *_of_contracts(facts), *_of_tools(facts)):
        if words.text.strip() and (words.where, words.text) not in seen:
            seen.add((words.where, words.text))
            yield words


def _in_calls(facts: Facts) -> Iterator[Words]:
    for call in facts.every_call():
        for argument in call.arguments:
            if text := _argument(argument):
                yield Words(f"A string in call {call.path}", text, (call.path,))
        if text := _undecoded(call):
            yield Words(f"Undecoded bytes of call {call.path}", text, (call.path,))


def _argument(argument: Argument) -> str:
    if argument.type == "string":
        return argument.value
    if "string" in argument.type:
        return "\n".join(_strings(_json(argument.value)))
    return _readable(argument.value) if argument.type.startswith("bytes") else ""


def _undecoded(call: DecodedCall) -> str:
    return "" if call.signature else _readable(call.calldata.hex())


def _readable(digits: str) -> str:
    """Text inside hex: whole where it is UTF-8, else its printable pieces."""
    try:
        data = bytes.fromhex(digits.removeprefix("0x")).strip(b"\0")
    except ValueError:
        return ""
    try:
        whole = data.decode()
    except UnicodeDecodeError:
        whole = ""
    if len(whole) >= _SHORTEST and not _CONTROL.search(whole):
        return whole
    return "\n".join(_READABLE.findall(data.decode("latin-1")))


def _of_contracts(facts: Facts) -> Iterator[Words]:
    yield Words("The governor's name", facts.governor.profile.name, is_authors=False)
    for holding in facts.treasury:
        yield Words(f"The symbol of {holding.asset or 'the coin'}", holding.symbol, is_authors=False)
    for address, name in facts.known_addresses.items():
        yield Words(f"The known name of {address}", name, is_authors=False)
    for result in facts.simulation.results:
        yield Words(f"The error of call {result.path}", result.error, (result.path,), is_authors=False)
    for run in facts.simulation.delegated:
        yield Words(f"The error of the code at {run.code}", run.error, (run.path,), is_authors=False)
    for change in facts.simulation.all_changes:
        yield Words(f"A change at {change.contract}", f"{change.subject}\n{change.detail}", is_authors=False)


def _of_tools(facts: Facts) -> Iterator[Words]:
    for result in facts.context:
        if text := "\n".join(_strings(result.result)):
            yield Words(f"The result of {result.tool}", text, is_authors=False)


def _json(text: str) -> JsonValue:
    try:
        value: JsonValue = json.loads(text)
    except ValueError:
        return text
    return value


def _strings(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _strings(item)
