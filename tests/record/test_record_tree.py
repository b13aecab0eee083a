"""The record tree: every value at its own position, nothing twice, nothing guessable."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from eth_hash.auto import keccak
from hypothesis import assume, given
from hypothesis import strategies as st

from pnyx_contracts import record
from pnyx_policies.dossier import Dossier

words = st.binary(min_size=32, max_size=32)
positions = st.integers(0, 15)
sixteen = st.lists(words, min_size=16, max_size=16)


def test_positions_are_the_fields_of_the_dossier_in_order() -> None:
    assert (*Dossier.model_fields, "reserved") == record.POSITIONS
    assert set(record.LIST_POSITIONS) < set(record.POSITIONS)


def test_all_constants_differ() -> None:
    constants = {record.SCHEMA, record.ABSENT, record.PROMPT_TAG, record.NO_PROMPT, record.NO_RESPONSE}
    assert len(constants) == 5


@given(sixteen, positions, words)
def test_another_leaf_is_another_root(leaves: list[bytes], position: int, leaf: bytes) -> None:
    assume(leaves[position] != leaf)
    changed = [*leaves[:position], leaf, *leaves[position + 1 :]]
    assert record.record_root(changed) != record.record_root(leaves)


@given(sixteen, positions, positions)
def test_swapped_leaves_are_another_root(leaves: list[bytes], one: int, other: int) -> None:
    assume(leaves[one] != leaves[other])
    swapped = list(leaves)
    swapped[one], swapped[other] = leaves[other], leaves[one]
    assert record.record_root(swapped) != record.record_root(leaves)


@given(words, words, positions, positions)
def test_a_value_cannot_pass_for_another_position(salt: bytes, value: bytes, one: int, other: int) -> None:
    same = record.leaf_hash(one, salt, value) == record.leaf_hash(other, salt, value)
    assert same == (one == other)


@given(words, words, st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), positions)
def test_an_item_cannot_pass_for_another_index_or_for_a_field(
    salt: bytes, value: bytes, one: int, other: int, position: int
) -> None:
    item = record.item_hash(position, one, salt, value)
    assert (item == record.item_hash(position, other, salt, value)) == (one == other)
    assert item != record.leaf_hash(position, salt, value)


@given(st.lists(words, max_size=20), st.lists(words, max_size=20))
def test_lists_are_equal_only_with_equal_items(one: list[bytes], other: list[bytes]) -> None:
    assert (record.list_hash(7, one) == record.list_hash(7, other)) == (one == other)
    assert record.list_hash(7, one) != record.list_hash(11, one)


@given(st.lists(words, min_size=2, max_size=20))
def test_an_inner_node_cannot_pass_for_an_item(items: list[bytes]) -> None:
    assert record.list_hash(7, [record.tree_root(items)]) != record.list_hash(7, items)


@given(words)
def test_absent_is_not_null(salt: bytes) -> None:
    null = record.leaf_hash(13, salt, record.value_hash(None))
    assert null != record.leaf_hash(13, salt, record.ABSENT)


@given(words, words, words)
def test_equal_values_do_not_show_under_other_salts(value: bytes, one: bytes, other: bytes) -> None:
    assume(one != other)
    assert record.leaf_hash(0, one, value) != record.leaf_hash(0, other, value)


attempts = st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), words, st.none() | words)


@given(words, st.lists(attempts, max_size=6), st.lists(attempts, max_size=6))
def test_the_prompt_hash_binds_every_attempt(salt: bytes, one: list[Any], other: list[Any]) -> None:
    hashes = [record.prompt_hash(salt, [record.attempt_hash(*a) for a in some]) for some in (one, other)]
    assert (hashes[0] == hashes[1]) == (one == other)
    assert bytes(32) not in hashes


@given(words, words)
def test_without_a_prompt_the_hash_is_still_salted(one: bytes, other: bytes) -> None:
    assert (record.prompt_hash(one, []) == record.prompt_hash(other, [])) == (one == other)


@given(words, words, words)
def test_salts_are_those_of_rfc_5869(master: bytes, subject: bytes, nonce: bytes) -> None:
    def hkdf(key: bytes, info: bytes) -> bytes:
        return HKDF(SHA256(), length=32, salt=None, info=info).derive(key)

    key = record.record_key(master, subject, nonce)
    assert key == hkdf(master, b"pnyx.record.v1" + subject + nonce)
    assert record.derive_salt(key, "rules", 3) == hkdf(key, b"pnyx.salt.v1/rules/3")


def test_salts_of_one_record_all_differ() -> None:
    labels = [(name,) for name in (*record.POSITIONS, "prompt-hash")]
    labels += [(name, index) for name in record.LIST_POSITIONS for index in range(50)]
    assert len({record.derive_salt(bytes(32), *label) for label in labels}) == len(labels)


def test_trees_follow_rfc_6962() -> None:
    a, b, c = (keccak(bytes([n])) for n in range(3))

    def node(left: bytes, right: bytes) -> bytes:
        return keccak(b"\x01" + left + right)

    assert record.tree_root([a, b, c]) == node(node(a, b), c)
    assert record.tree_root([a, b, c, a, b]) == node(node(node(a, b), node(c, a)), b)


@pytest.mark.parametrize("count", [0, 15, 17])
def test_a_record_has_sixteen_leaves(count: int) -> None:
    with pytest.raises(ValueError, match="16 leaves"):
        record.record_root([bytes(32)] * count)


def test_a_short_word_is_refused_for_it_would_shift_the_others() -> None:
    with pytest.raises(ValueError, match="expected 32 bytes"):
        record.leaf_hash(0, bytes(31), bytes(32))
    with pytest.raises(ValueError, match="expected 32 bytes"):
        record.attempt_hash(0, 0, bytes(33), None)
