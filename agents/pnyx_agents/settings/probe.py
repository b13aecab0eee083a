"""What must hold after each execution, as an operator writes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Self

from eth_abi.abi import encode
from eth_abi.exceptions import EncodingError
from eth_utils.address import is_address
from pydantic import Field, model_validator

from pnyx_contracts.errors import DecodingError
from pnyx_contracts.selectors import Function, parse_function
from pnyx_contracts.types import ZERO_ADDRESS, Address, Value, to_hex
from pnyx_policies.probes import DERIVED, Each, Expectation, Probe

EACH = "each"
_STANDS_FOR: dict[str, str | int] = {"address": ZERO_ADDRESS, "uint256": 0, "bytes32": to_hex(bytes(32))}
_WITHIN = re.compile(r"within (\d{1,6})(?:\.(\d{1,2}))?%", re.ASCII)


class ProbeSettings(Value):
    """``[[probe]]``: one call, made before and after the simulated actions of each proposal. Declared."""

    name: str = Field(min_length=1, max_length=80)
    contract: Address
    call: str
    """A function with the types of its arguments: ``getUnderlyingPrice(address)``."""
    arguments: tuple[str | int | bool, ...] = ()
    expect: str = "answers"
    """``answers``, ``unchanged``, or ``within 5%`` of what it was."""
    word: int = Field(default=0, ge=0, lt=128)
    """Which 32 bytes of the answer are the number that ``within`` is about."""
    each: str = ""
    """A function without arguments that gives a list: the call is made for each member, where an argument is "each"."""
    each_of: Address | None = None
    """The contract that gives the list, if another."""

    @model_validator(mode="after")
    def _require_sense(self) -> Self:
        self.probe()
        return self

    def probe(self) -> Probe:
        """What is declared. Raises `ValueError` that says what is wrong."""
        if self.name.startswith(DERIVED):
            raise ValueError(
                f"name: names that begin with {DERIVED!r} are taken, by what the calls themselves tell to read"
            )
        expectation, most_move = _expectation(self.expect)
        return Probe(
            name=self.name,
            contract=self.contract,
            calldata=_calldata(self.call, tuple(self._arguments())),
            expect=expectation,
            most_move=most_move,
            word=self.word,
            each=self._each(),
        )

    def _each(self) -> Each | None:
        if not self.each:
            if self.each_of is not None:
                raise ValueError('each_of goes with each, for example "getAllMarkets()"')
            return None
        places = [place for place, argument in enumerate(self.arguments) if argument == EACH]
        if len(places) != 1:
            raise ValueError(f"expected one argument {EACH!r}, which stands for the members of the list")
        return Each(
            contract=self.each_of or self.contract, calldata=_calldata(self.each, (), "each"), argument=places[0]
        )

    def _arguments(self) -> Iterator[str | int | bool]:
        """With something of the right type in the member's place."""
        kinds = _kinds(self.call)
        for place, argument in enumerate(self.arguments):
            if argument != EACH or not self.each:
                yield argument
                continue
            kind = kinds[place] if place < len(kinds) else ""
            if kind not in _STANDS_FOR:
                raise ValueError(
                    f"members of a list are addresses, uint256 or bytes32; here is {kind or 'no argument'}"
                )
            yield _STANDS_FOR[kind]


def _kinds(call: str) -> list[str]:
    try:
        return [parameter.kind.canonical for parameter in parse_function(call).parameters]
    except DecodingError:
        return []  # `_calldata` says so


def _expectation(text: str) -> tuple[Expectation, int | None]:
    if match := _WITHIN.fullmatch(text):
        return Expectation.NEAR, int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))
    if text in {Expectation.ANSWERS.value, Expectation.UNCHANGED.value}:
        return Expectation(text), None
    raise ValueError(f'expect: expected "answers", "unchanged", or for example "within 5%", got {text!r}')


def _calldata(call: str, arguments: tuple[str | int | bool, ...], setting: str = "call") -> bytes:
    try:
        function = parse_function(call)
    except DecodingError:
        example = "getUnderlyingPrice(address)" if setting == "call" else "getAllMarkets()"
        raise ValueError(f'{setting}: expected for example "{example}", got {call!r}') from None
    kinds = [parameter.kind.canonical for parameter in function.parameters]
    if len(kinds) != len(arguments):
        raise ValueError(f"{function.signature} takes {len(kinds)} arguments, here are {len(arguments)}")
    return function.selector + _encoded(function, kinds, arguments)


def _encoded(function: Function, kinds: list[str], arguments: tuple[str | int | bool, ...]) -> bytes:
    given = [_value(kind, argument) for kind, argument in zip(kinds, arguments, strict=True)]
    try:
        return encode(kinds, given)
    except (EncodingError, TypeError, ValueError):
        shown = ", ".join(map(repr, arguments))
        raise ValueError(f"the arguments ({shown}) are not those of {function.signature}") from None


def _value(kind: str, argument: str | int | bool) -> Any:  # noqa: ANN401 - whatever the type takes
    """Numbers too large for other TOML readers may be text; bytes are 0x hex."""
    if not isinstance(argument, str) or kind == "string" or (kind == "address" and is_address(argument)):
        return argument
    if kind.startswith(("uint", "int")) and re.fullmatch(r"-?[0-9_]+", argument):
        return int(argument)
    if kind.startswith("bytes") and re.fullmatch(r"0x(?:[0-9a-fA-F]{2})*", argument):
        return bytes.fromhex(argument[2:])
    raise ValueError(f"expected an argument of type {kind}, got {argument!r}")
