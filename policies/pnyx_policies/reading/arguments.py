"""Arguments of a call as people read them: what 32 bytes stand for, and no bytes that are decoded further down."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pnyx_contracts.decoded import Argument, DecodedCall
from pnyx_contracts.selectors import known_functions
from pnyx_contracts.types import ZERO_ADDRESS
from pnyx_policies.facts import Facts
from pnyx_policies.money import decimals_of, token_amount
from pnyx_policies.reading.amounts import amount, names_of
from pnyx_policies.reading.blocks import Bullet, Line, bullet, code, line, soft
from pnyx_policies.roles import role_name

LONGEST_VALUE: Final = 200
MANY_ZEROS: Final = 3

_ZERO: Final = frozenset({"0", ZERO_ADDRESS, "0x"})
_WORD = re.compile(r"0x((?:[0-9a-f]{2}){3,31}?)(?:00)+")
_LETTERS = re.compile(rb"[A-Za-z0-9_.-]+")


def arguments(facts: Facts, call: DecodedCall) -> Iterator[Bullet]:
    """As they are; beside them what they stand for. Their types are in the signature. Wrappers have many that are zero:
    those are told together.
    """
    zero = [a.name for a in call.arguments if a.value in _ZERO] if call.inner else []
    told = zero if len(zero) >= MANY_ZEROS else []
    for place, argument in enumerate(call.arguments):
        if argument.name in told:
            continue
        if size := _decoded_inside(call, argument):
            yield bullet(code(argument.name), soft(f": {size:,} bytes, decoded below"))
        else:
            means = _meaning(facts, call, place)
            beside = line(soft(" · "), *means) if means else ()
            yield bullet(code(f"{argument.name} = {short(argument.value)}"), *beside)
    if told:
        yield bullet(code(", ".join(told)), soft(" = 0"))


def _decoded_inside(call: DecodedCall, argument: Argument) -> int:
    """How many bytes it has, when they hold a call that is shown inside; else 0."""
    inside = [inner.calldata.hex() for inner in call.inner if inner.calldata]
    if argument.type != "bytes" or not any(data in argument.value for data in inside):
        return 0
    return (len(argument.value) - len("0x")) // 2


def _meaning(facts: Facts, call: DecodedCall, place: int) -> Line:
    argument = call.arguments[place]
    counted = token_amount(call)
    if counted is not None and counted.place == place and counts(facts, counted.asset):
        return amount(facts, counted.asset, counted.amount, brief=True)
    words = _stands_for(facts, call, argument)
    return line(words) if words else ()


def _stands_for(facts: Facts, call: DecodedCall, argument: Argument) -> str:
    match argument.type:
        case "address" if not call.other_chain:
            return names_of(facts).get(argument.value, "")
        case "bytes4":
            known = known_functions().get(bytes.fromhex(argument.value.removeprefix("0x")), ())
            return " or ".join(function.signature for function in known)
        case "bytes32":
            return role(argument) or _letters(argument.value)
    return ""


def role(argument: Argument) -> str:
    """The usual name of an argument that is a role; empty where it has none."""
    return role_name(argument.value) or "" if "role" in argument.name.lower() else ""


def _letters(word: str) -> str:
    """Letters from the left, as contracts keep short names in 32 bytes."""
    found = _WORD.fullmatch(word)
    text = bytes.fromhex(found[1]) if found else b""
    return f"“{text.decode('ascii')}”" if _LETTERS.fullmatch(text) else ""


def counts(facts: Facts, asset: str) -> bool:
    """Whether the token has told how many units a whole one has: an NFT has none."""
    return decimals_of(facts, asset) is not None


def short(value: str) -> str:
    return value if len(value) <= LONGEST_VALUE else f"{value[:LONGEST_VALUE]}... ({len(value)} characters)"
