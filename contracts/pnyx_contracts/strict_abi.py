"""Contract ABI decoding that accepts one encoding only: the one a compiler writes.

Every offset must point to where the encoder would have put the data, all padding must be zero, every number must be in
range. So what decodes here re-encodes to the same bytes, work and memory grow linearly with the calldata (no array that
points a thousand times to one blob), and a reader sees the values that a contract sees. Source: Solidity's Contract ABI
Specification, "Strict Encoding Mode".
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Protocol

from eth_utils.address import to_checksum_address

from pnyx_contracts.errors import DecodingError
from pnyx_contracts.types import to_hex

WORD = 32


class Kind(Protocol):
    """One ABI type."""

    @property
    def canonical(self) -> str:
        """As it stands in a signature."""
        ...

    @property
    def dynamic(self) -> bool:
        """True when the head holds an offset and the data lies in the tail."""
        ...

    @property
    def head_size(self) -> int:
        """Bytes in the head."""
        ...

    def decode(self, data: bytes, at: int) -> tuple[Any, int]:
        """The value that starts at `at`, and where it ends. Raises `DecodingError`."""
        ...

    def to_json(self, value: Any) -> Any:  # noqa: ANN401 - any ABI value
        """Integers as decimal strings, bytes as hex, tuples as objects."""
        ...


@dataclass(frozen=True, slots=True)
class Parameter:
    """A named type: an argument or a tuple's component."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Word:
    """A value in one word: uintN, intN, address, bool, bytesN."""

    canonical: str
    base: str
    size: int
    """Bits of an integer, bytes of a fixed byte string."""
    dynamic: bool = False
    head_size: int = WORD

    def decode(self, data: bytes, at: int) -> tuple[Any, int]:
        word = _slice(data, at, WORD)
        number = int.from_bytes(word, "big")
        if self.base == "bytes":
            _demand(not any(word[self.size :]), at, f"non-zero padding after a {self.canonical}")
            return word[: self.size], at + WORD
        if self.base == "int":
            number = int.from_bytes(word, "big", signed=True)
            _demand(
                -(1 << self.size - 1) <= number < 1 << self.size - 1, at, f"number out of range for {self.canonical}"
            )
            return number, at + WORD
        _demand(number < 1 << self.size, at, f"number out of range for {self.canonical}")
        if self.base == "address":
            return to_checksum_address(word[12:]), at + WORD
        return (bool(number) if self.base == "bool" else number), at + WORD

    def to_json(self, value: Any) -> Any:  # noqa: ANN401 - JSON
        if isinstance(value, bytes):
            return to_hex(value)
        return value if isinstance(value, bool | str) else str(value)


@dataclass(frozen=True, slots=True)
class Blob:
    """``bytes`` or ``string``. A string's value is its raw bytes: not every string on chain is UTF-8."""

    canonical: str
    dynamic: bool = True
    head_size: int = WORD

    def decode(self, data: bytes, at: int) -> tuple[bytes, int]:
        length = _uint(data, at)
        start = at + WORD
        value = _slice(data, start, length)
        padding = _slice(data, start + length, -length % WORD)
        _demand(not any(padding), start + length, f"non-zero padding after {self.canonical}")
        return value, start + length + len(padding)

    def to_json(self, value: bytes) -> str:
        return value.decode("utf-8", errors="backslashreplace") if self.canonical == "string" else to_hex(value)


@dataclass(frozen=True, slots=True)
class Tuple:
    """A struct, or the arguments of a function."""

    fields: tuple[Parameter, ...]

    @property
    def canonical(self) -> str:
        return "(" + ",".join(f.kind.canonical for f in self.fields) + ")"

    @property
    def dynamic(self) -> bool:
        return any(f.kind.dynamic for f in self.fields)

    @property
    def head_size(self) -> int:
        return WORD if self.dynamic else sum(f.kind.head_size for f in self.fields)

    def decode(self, data: bytes, at: int) -> tuple[tuple[Any, ...], int]:
        return _decode_sequence([f.kind for f in self.fields], data, at)

    def decode_whole(self, data: bytes) -> tuple[Any, ...]:
        """Raises `DecodingError` also for bytes that follow."""
        values, end = self.decode(data, 0)
        if end != len(data):
            raise DecodingError(f"{len(data) - end} bytes are left over")
        return values

    def to_json(self, value: tuple[Any, ...]) -> Any:  # noqa: ANN401 - JSON
        return {f.name: f.kind.to_json(v) for f, v in zip(self.fields, value, strict=True)}


@dataclass(frozen=True, slots=True)
class Array:
    """``T[]``, or ``T[k]`` with k > 0."""

    item: Kind
    length: int | None

    @property
    def canonical(self) -> str:
        return f"{self.item.canonical}[{'' if self.length is None else self.length}]"

    @property
    def dynamic(self) -> bool:
        return self.length is None or self.item.dynamic

    @property
    def head_size(self) -> int:
        return WORD if self.length is None or self.item.dynamic else self.item.head_size * self.length

    def decode(self, data: bytes, at: int) -> tuple[tuple[Any, ...], int]:
        length = self.length
        if length is None:
            length, at = _uint(data, at), at + WORD
        _demand(length * self.item.head_size <= len(data) - at, at, f"an array of {length} does not fit")
        return _decode_sequence([self.item] * length, data, at)

    def to_json(self, value: tuple[Any, ...]) -> Any:  # noqa: ANN401 - JSON
        return [self.item.to_json(v) for v in value]


def to_text(kind: Kind, value: Any) -> str:  # noqa: ANN401 - what `kind` decodes to
    """A value for people: plain for words, bytes and strings, JSON for lists and tuples, booleans as true and false."""
    plain = kind.to_json(value)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def _decode_sequence(kinds: list[Kind], data: bytes, start: int) -> tuple[tuple[Any, ...], int]:
    """Heads one after another, then the tails in the same order without a gap."""
    values: list[Any] = []
    head = start
    tail = start + sum(kind.head_size for kind in kinds)
    for kind in kinds:
        if kind.dynamic:
            _demand(_uint(data, head) == tail - start, head, f"an offset does not point to byte {tail}")
            value, tail = kind.decode(data, tail)
            head += WORD
        else:
            value, head = kind.decode(data, head)
        values.append(value)
    return tuple(values), tail


def _slice(data: bytes, at: int, size: int) -> bytes:
    _demand(at + size <= len(data), at, f"{size} bytes are expected, {max(0, len(data) - at)} are left")
    return data[at : at + size]


def _uint(data: bytes, at: int) -> int:
    return int.from_bytes(_slice(data, at, WORD), "big")


def _demand(condition: bool, at: int, otherwise: str) -> None:
    if not condition:
        raise DecodingError(f"at byte {at}: {otherwise}")


MAX_TEXT = 8_192
"""Characters of a signature that is parsed: strangers write some of them."""
MAX_NESTING = 16
_LONGEST_SIZE = 9
"""Digits."""

_TOKEN = re.compile(r"\s*([A-Za-z_$][\w$]*|\[\d*\]|[(),])")
_WORD_TYPE = re.compile(r"(uint|int|bytes)([1-9]\d{0,2})")


def parse_parameters(text: str) -> tuple[Parameter, ...]:
    """``(address to, uint256[] amounts, (bool ok, bytes data) pair)`` as typed parameters; names may be missing.

    Raises `DecodingError` for anything else, aliases like ``uint`` included.
    """
    if len(text) > MAX_TEXT:
        raise DecodingError(f"ABI parameters of {len(text)} characters are more than {MAX_TEXT}")
    if text.replace(" ", "") == "()":
        return ()
    tokens = [t for t in re.split(_TOKEN, text) if t.strip()]
    parameters = _parse_list(tokens, 0)
    if tokens:
        raise DecodingError(f"cannot read ABI parameters {text[:120]!r}: {tokens[0]!r} is left over")
    return parameters


def _parse_list(tokens: list[str], depth: int) -> tuple[Parameter, ...]:
    if depth > MAX_NESTING:
        raise DecodingError(f"ABI parameters are nested deeper than {MAX_NESTING}")
    _expect(tokens, "(")
    parameters = [_parse_parameter(tokens, depth)]
    while tokens and tokens[0] == ",":
        tokens.pop(0)
        parameters.append(_parse_parameter(tokens, depth))
    _expect(tokens, ")")
    return tuple(parameters)


def _parse_parameter(tokens: list[str], depth: int) -> Parameter:
    if tokens and tokens[0] == "(":
        kind: Kind = Tuple(_parse_list(tokens, depth + 1))
    else:
        kind = _elementary(tokens.pop(0) if tokens else "")
    while tokens and tokens[0].startswith("["):
        depth, size = depth + 1, tokens.pop(0)[1:-1]
        if depth > MAX_NESTING or len(size) > _LONGEST_SIZE:
            raise DecodingError(f"an array type is nested deeper than {MAX_NESTING}, or too long")
        if size and int(size) == 0:
            raise DecodingError("an array type of length 0 takes no bytes: not supported")
        kind = Array(kind, int(size) if size else None)
    name = tokens.pop(0) if tokens and tokens[0] not in {",", ")"} else ""
    return Parameter(name, kind)


def _elementary(name: str) -> Kind:
    if name in {"bytes", "string"}:
        return Blob(name)
    if name == "address":
        return Word(name, "address", 160)
    if name == "bool":
        return Word(name, "bool", 1)
    match = _WORD_TYPE.fullmatch(name)
    if match:
        base, size = match[1], int(match[2])
        if (base == "bytes" and size <= 32) or (base != "bytes" and size <= 256 and size % 8 == 0):
            return Word(name, base, size)
    raise DecodingError(f"{name[:40]!r} is no ABI type that we know")


def _expect(tokens: list[str], token: str) -> None:
    if not tokens or tokens.pop(0) != token:
        raise DecodingError(f"cannot read ABI parameters: {token!r} is missing")
