"""Canonical JSON: one value has one form, and what has two readings is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pnyx_contracts.canonical import MAX_DEPTH, canonical_bytes, first_difference, parse_json
from pnyx_contracts.errors import DecodingError

scalars = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)


@given(values)
def test_canonical_bytes_read_back_to_the_same_value_and_form(value: object) -> None:
    data = canonical_bytes(value)
    assert first_difference(parse_json(data), value) is None
    assert canonical_bytes(parse_json(data)) == data


@given(values, st.integers(1, 4))
def test_other_spellings_of_a_value_have_the_same_canonical_bytes(value: object, indent: int) -> None:
    spelled = json.dumps(value, indent=indent, ensure_ascii=True, sort_keys=True)
    assert canonical_bytes(parse_json(spelled.encode())) == canonical_bytes(value)


@given(values, values)
def test_two_values_have_the_same_bytes_exactly_when_no_difference_is_found(one: object, other: object) -> None:
    assert (canonical_bytes(one) == canonical_bytes(other)) == (first_difference(one, other) is None)


def test_keys_are_ordered_by_utf_16_units() -> None:
    assert canonical_bytes({"\ue000": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ue000":1}'.encode()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (1.0, r"\$: float has no exact form"),
        ({"a": [0, float("nan")]}, r"\$\.a\[1\]: float"),
        (2**53, r"\$: the integer 9007199254740992 is beyond"),
        ({"a": {"b": "\ud800"}}, r"\$\.a\.b: a lone surrogate at character 0"),
        ({"\udfff": 1}, r"\$: a lone surrogate"),
        ({1: 2}, r"\$: the key 1 is not text"),
        (b"bytes", r"\$: bytes has no exact form"),
    ],
)
def test_what_json_cannot_hold_exactly_is_refused(value: object, message: str) -> None:
    with pytest.raises(DecodingError, match=message):
        canonical_bytes(value)


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":1}',
        '{"a":{"b":1,"c":2,"b":3}}',
        "1.5",
        "1e2",
        "NaN",
        "-Infinity",
        "9007199254740992",
        "9" * 10_000,
        '"\\ud800"',
        "[" * 100_000,
        "",
        "{} {}",
        '"\t"',
    ],
)
def test_text_with_two_readings_or_none_is_refused(text: str) -> None:
    with pytest.raises(DecodingError, match="bundle"):
        parse_json(text.encode(), "bundle")


def test_bytes_that_are_not_utf_8_are_refused() -> None:
    with pytest.raises(DecodingError, match="not the JSON of a record"):
        parse_json(b'"\xff"')


def test_nesting_is_bounded() -> None:
    deepest = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert parse_json(deepest.encode()) is not None
    with pytest.raises(DecodingError, match="nested deeper"):
        parse_json(f"[[{deepest}]]".encode())


@pytest.mark.parametrize(
    ("one", "other", "where"),
    [
        ({"a": 1}, {"a": True}, "$.a"),
        ({"a": 1}, {"a": 1, "b": None}, "$.b"),
        ([1, [2, 3]], [1, [2, 4]], "$[1][1]"),
        ([1], [1, 2], "$[1]"),
        ({"a": []}, {"a": {}}, "$.a"),
    ],
)
def test_a_difference_is_named_by_its_path(one: object, other: object, where: str) -> None:
    assert first_difference(one, other) == where
