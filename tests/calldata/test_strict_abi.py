"""One encoding only: what decodes re-encodes to the same bytes, and hostile bytes cost no more than their length."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from pnyx_contracts.errors import DecodingError
from pnyx_contracts.strict_abi import Tuple, parse_parameters, to_text

Values = st.SearchStrategy[Any]


def _words() -> st.SearchStrategy[tuple[str, Values]]:
    bits = st.sampled_from([8, 48, 96, 128, 160, 256])
    return st.one_of(
        bits.map(lambda n: (f"uint{n}", st.integers(0, 2**n - 1))),
        bits.map(lambda n: (f"int{n}", st.integers(-(2 ** (n - 1)), 2 ** (n - 1) - 1))),
        st.integers(1, 32).map(lambda n: (f"bytes{n}", st.binary(min_size=n, max_size=n))),
        st.just(("address", st.binary(min_size=20, max_size=20).map(to_checksum_address))),
        st.just(("bool", st.booleans())),
        st.just(("bytes", st.binary(max_size=70))),
    )


def _array(inner: tuple[str, Values]) -> st.SearchStrategy[tuple[str, Values]]:
    name, values = inner
    fixed = st.integers(1, 3).map(lambda n: (f"{name}[{n}]", st.lists(values, min_size=n, max_size=n).map(tuple)))
    return st.one_of(st.just((f"{name}[]", st.lists(values, max_size=3).map(tuple))), fixed)


def _tuple(parts: list[tuple[str, Values]]) -> tuple[str, Values]:
    return "(" + ",".join(name for name, _ in parts) + ")", st.tuples(*(values for _, values in parts))


TYPES = st.recursive(
    _words(),
    lambda inner: st.one_of(inner.flatmap(_array), st.lists(inner, min_size=1, max_size=3).map(_tuple)),
    max_leaves=5,
)


@st.composite
def encodings(draw: Callable[[Any], Any]) -> tuple[list[str], tuple[Any, ...], bytes]:
    parts = draw(st.lists(TYPES, min_size=1, max_size=4))
    names = [name for name, _ in parts]
    values = tuple(draw(strategy) for _, strategy in parts)
    return names, values, encode(names, values)


def _kind(names: list[str]) -> Tuple:
    return Tuple(parse_parameters("(" + ",".join(names) + ")"))


@given(encodings())
def test_decodes_what_another_library_encoded(case: tuple[list[str], tuple[Any, ...], bytes]) -> None:
    names, values, data = case
    assert _kind(names).canonical == "(" + ",".join(names) + ")"
    assert _kind(names).decode(data, 0) == (values, len(data))


@given(encodings(), st.data())
def test_changed_bytes_are_refused_or_mean_what_they_say(
    case: tuple[list[str], tuple[Any, ...], bytes], draw: st.DataObject
) -> None:
    names, _, data = case
    changed = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 3))):
        changed[draw.draw(st.integers(0, len(changed) - 1))] = draw.draw(st.integers(0, 255))
    changed = changed[: draw.draw(st.integers(0, len(changed)))] if draw.draw(st.booleans()) else changed
    try:
        values, end = _kind(names).decode(bytes(changed), 0)
    except DecodingError:
        return
    assert encode(names, values) == bytes(changed[:end])


@given(encodings())
def test_every_value_has_a_text(case: tuple[list[str], tuple[Any, ...], bytes]) -> None:
    names, values, _ = case
    for parameter, value in zip(parse_parameters("(" + ",".join(names) + ")"), values, strict=True):
        text = to_text(parameter.kind, value)
        assert isinstance(text, str)
        if isinstance(value, tuple):
            json.loads(text)


def test_a_second_encoding_of_the_same_values_is_refused() -> None:
    kind = _kind(["bytes", "bytes"])
    data = encode(["bytes", "bytes"], [b"a" * 32, b"b" * 32])
    swapped = data[32:64] + data[:32] + data[64:]  # each offset points to the other's data
    with pytest.raises(DecodingError, match="offset"):
        kind.decode(swapped, 0)


def test_bytes_that_point_to_one_blob_a_thousand_times_cost_nothing() -> None:
    count = 4000
    blob = (60_000).to_bytes(32, "big") + b"x" * 60_000
    offsets = (32 * count).to_bytes(32, "big") * count
    data = (32).to_bytes(32, "big") + count.to_bytes(32, "big") + offsets + blob
    started = time.thread_time()
    with pytest.raises(DecodingError):
        _kind(["bytes[]"]).decode(data, 0)
    assert time.thread_time() - started < 1


@pytest.mark.parametrize("length", [2**255, 2**64, 10**6])
def test_a_huge_array_is_refused_before_it_is_built(length: int) -> None:
    data = (32).to_bytes(32, "big") + length.to_bytes(32, "big") + bytes(64)
    with pytest.raises(DecodingError, match="does not fit"):
        _kind(["uint256[]"]).decode(data, 0)


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("address", b"\x01" + bytes(31)),
        ("bool", bytes(31) + b"\x02"),
        ("uint8", bytes(30) + b"\x01\x00"),
        ("int8", bytes(31) + b"\x80"),
        ("bytes4", bytes(31) + b"\x01"),
    ],
)
def test_a_word_out_of_range_is_refused(kind: str, word: bytes) -> None:
    with pytest.raises(DecodingError):
        _kind([kind]).decode(word, 0)


@pytest.mark.parametrize("kind", ["bytes", "string"])
def test_bytes_hidden_in_the_padding_are_refused(kind: str) -> None:
    data = bytearray(encode(["bytes"], [b"abc"]))
    data[-1] = 1
    with pytest.raises(DecodingError, match="padding"):
        _kind([kind]).decode(bytes(data), 0)


def test_a_string_that_is_not_utf8_survives() -> None:
    kind = parse_parameters("(string text)")
    data = encode(["bytes"], [b"\xff\xfe ok"])
    (value,), _ = Tuple(kind).decode(data, 0)
    assert value == b"\xff\xfe ok"
    assert to_text(kind[0].kind, value) == "\\xff\\xfe ok"


@pytest.mark.parametrize(
    "text",
    ["(uint)", "(uint7)", "(uint264)", "(bytes33)", "(uint256[0])", "(address to", "(,)", "(fixed128x18)", "(a b c)"],
)
def test_types_that_we_do_not_know_are_refused(text: str) -> None:
    with pytest.raises(DecodingError):
        parse_parameters(text)
