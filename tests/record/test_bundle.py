"""Bundles: what was sealed opens, anything else does not, and says where it differs."""

from __future__ import annotations

from typing import Any

import pytest
from eth_hash.auto import keccak
from hypothesis import assume, given
from hypothesis import strategies as st

from pnyx_contracts import record
from pnyx_contracts.canonical import canonical_bytes
from pnyx_contracts.errors import DecodingError
from pnyx_contracts.types import to_hex
from pnyx_policies.bundle import (
    Bundle,
    ChangedBundleError,
    SwappedBundleError,
    open_bundle,
    recompute,
    seal,
    withhold,
)
from pnyx_policies.dossier import Dossier
from pnyx_tools.testing.sample_record import SALT_KEY


def raw(bundle: Bundle) -> dict[str, Any]:
    """The bundle as JSON, to tamper with."""
    return bundle.model_dump(mode="json")


def without(bundle: Bundle, *names: str) -> Bundle:
    """The bundle with fields withheld."""
    return withhold(bundle, names)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of all scalars in a JSON value."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if children is None:
        return [path]
    return [place for key, child in children for place in places(child, (*path, key))]


# --- what was sealed ------------------------------------------------------------------------------------------------


def test_a_bundle_reads_back_to_itself_and_to_its_dossier(bundle: Bundle, dossier: Dossier) -> None:
    again = Bundle.parse(bundle.to_bytes())
    assert again == bundle
    assert again.dossier == dossier
    assert again.withheld == ()


def test_what_was_sealed_is_what_is_recomputed(bundle: Bundle) -> None:
    recomputed = recompute(bundle)
    assert recomputed.record_root == bundle.record_root
    assert recomputed.prompt_hash == bundle.prompt_hash
    assert recomputed.differences == ()
    assert recomputed.missing_bodies == ()


def test_sealing_again_gives_the_same_bundle(bundle: Bundle, dossier: Dossier, bodies: dict[bytes, bytes]) -> None:
    assert seal(dossier, bodies, SALT_KEY) == bundle


def test_two_records_share_no_salt(bundle: Bundle, other_bundle: Bundle) -> None:
    assert not set(bundle.salts.values()) & set(other_bundle.salts.values())
    assert bundle.prompt_salt != other_bundle.prompt_salt


def test_the_master_key_is_not_in_the_bundle(bundle: Bundle) -> None:
    assert SALT_KEY.hex() not in bundle.to_bytes().decode()


def test_bodies_keep_their_exact_bytes(bundle: Bundle, bodies: dict[bytes, bytes]) -> None:
    assert Bundle.parse(bundle.to_bytes()).bodies == bodies


@given(st.binary(max_size=200))
def test_any_body_survives(bundle: Bundle, dossier: Dossier, body: bytes) -> None:
    attempt = dossier.attempts[0].model_copy(update={"request_hash": keccak(body)})
    sealed = seal(dossier.model_copy(update={"attempts": (attempt,)}), {keccak(body): body}, SALT_KEY)
    assert Bundle.parse(sealed.to_bytes()).bodies == {keccak(body): body}
    assert sealed.prompt_hash != bundle.prompt_hash


def test_without_a_model_the_prompt_hash_says_so(dossier: Dossier) -> None:
    sealed = seal(dossier.model_copy(update={"attempts": ()}), {}, SALT_KEY)
    assert sealed.prompt_salt is not None
    assert sealed.prompt_hash == record.prompt_hash(sealed.prompt_salt, [])
    assert recompute(sealed).prompt_hash == sealed.prompt_hash


def test_a_record_of_an_older_version_keeps_its_root(bundle: Bundle) -> None:
    """A field that later got a default was not hashed then, and must not be read into the record now."""
    fields = raw(bundle)["fields"]
    del fields["people"]["words"][0]["comment"]
    assert Bundle.model_validate(raw(bundle) | {"fields": fields}).fields["people"] == fields["people"]


@pytest.mark.parametrize("missing", ["request", "stranger", "wrong"])
def test_bodies_must_be_those_of_the_attempts(dossier: Dossier, bodies: dict[bytes, bytes], missing: str) -> None:
    given_bodies = dict(bodies)
    if missing == "request":
        given_bodies.pop(next(iter(bodies)))
    elif missing == "stranger":
        given_bodies[keccak(b"stranger")] = b"stranger"
    else:
        given_bodies[next(iter(bodies))] = b"other bytes"
    with pytest.raises(DecodingError, match="bodies: "):
        seal(dossier, given_bodies, SALT_KEY)


def test_what_has_no_exact_form_is_not_sealed(dossier: Dossier, bodies: dict[bytes, bytes]) -> None:
    result = dossier.context[0].model_copy(update={"result": {"price": 1.5}})
    with pytest.raises(DecodingError, match=r"context\[0\]\.result\.price: float"):
        seal(dossier.model_copy(update={"context": (result,)}), bodies, SALT_KEY)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_not_sealed(dossier: Dossier, bodies: dict[bytes, bytes], number: float) -> None:
    result = dossier.context[0].model_copy(update={"result": number})
    with pytest.raises(DecodingError, match="float"):
        seal(dossier.model_copy(update={"context": (result,)}), bodies, SALT_KEY)


# --- what was not ---------------------------------------------------------------------------------------------------


@given(data=st.data())
def test_no_changed_byte_passes(bundle: Bundle, data: st.DataObject) -> None:
    sealed = bytearray(bundle.to_bytes())
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ChangedBundleError):
        open_bundle(bundle.record_root, bytes(sealed))


@given(st.binary(max_size=300))
def test_no_other_bytes_pass(bundle: Bundle, data: bytes) -> None:
    with pytest.raises(ChangedBundleError):
        open_bundle(bundle.record_root, data)


def test_every_single_value_is_bound_by_its_own_field(bundle: Bundle) -> None:
    for path in places(bundle.fields):
        tampered = raw(bundle)
        *way, last = ("fields", *path)
        parent: Any = tampered
        for key in way:
            parent = parent[key]
        parent[last] = _another(parent[last])
        try:
            changed = Bundle.model_validate(tampered)
        except ValueError:
            continue  # no longer a record at all
        recomputed = recompute(changed)
        assert recomputed.record_root != bundle.record_root, path
        assert f"fields.{path[0]}" in recomputed.differences, path
        assert [d for d in recomputed.differences if d.startswith("fields.")] == [f"fields.{path[0]}"], path


def _another(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str() if value.startswith("0x") and len(value) > 2:
            return value[:-1] + ("0" if value[-1] != "0" else "1")
        case str() if value.isdigit():
            return str(int(value) + 1)
        case str():
            return value + "x"
    return "x"


def test_swapped_fields_are_another_record(bundle: Bundle) -> None:
    """Even where both values are the same."""
    tampered = raw(bundle)
    fields, salts = tampered["fields"], tampered["salts"]
    fields["context"] = fields["checks"] = []
    before = recompute(Bundle.model_validate(tampered))
    salts["context"], salts["checks"] = salts["checks"], salts["context"]
    assert recompute(Bundle.model_validate(tampered)).record_root != before.record_root


def test_swapped_items_are_another_record(bundle: Bundle) -> None:
    tampered = raw(bundle)
    for part in (tampered["fields"]["rules"], tampered["item_salts"]["rules"]):
        part.reverse()
    assert recompute(Bundle.model_validate(tampered)).differences[0] == "fields.rules"


def test_nothing_hides_at_the_reserved_position(bundle: Bundle) -> None:
    tampered = raw(bundle)
    tampered["leaves"][15] = to_hex(keccak(b"hidden"))
    tampered["record_root"] = to_hex(record.record_root([bytes.fromhex(leaf[2:]) for leaf in tampered["leaves"]]))
    assert recompute(Bundle.model_validate(tampered)).differences == ("fields.reserved", "record_root")


def test_a_swapped_bundle_is_told_from_a_changed_one(bundle: Bundle, other_bundle: Bundle) -> None:
    with pytest.raises(SwappedBundleError) as swapped:
        open_bundle(bundle.record_root, other_bundle.to_bytes())
    assert swapped.value.found == other_bundle.record_root
    assert swapped.value.expected == bundle.record_root

    changed = bundle.to_bytes().replace(b"a small payment", b"a large payment")
    with pytest.raises(ChangedBundleError) as changed_at:
        open_bundle(bundle.record_root, changed)
    assert changed_at.value.where == ("fields.decision", "record_root")


def test_a_changed_body_is_named(bundle: Bundle) -> None:
    body = next(iter(bundle.bodies))
    changed = bundle.model_copy(update={"bodies": bundle.bodies | {body: b"doctored"}})
    with pytest.raises(ChangedBundleError) as error:
        open_bundle(bundle.record_root, changed.to_bytes())
    assert error.value.where == (f"bodies.{to_hex(body)}",)


def test_a_body_of_no_attempt_is_named(bundle: Bundle) -> None:
    more = bundle.model_copy(update={"bodies": bundle.bodies | {keccak(b"more"): b"more"}})
    assert recompute(more).differences == (f"bodies.{to_hex(keccak(b'more'))}",)


def test_a_missing_body_is_not_checkable_but_no_lie(bundle: Bundle) -> None:
    body = next(iter(bundle.bodies))
    rest = {digest: bytes_ for digest, bytes_ in bundle.bodies.items() if digest != body}
    recomputed = recompute(bundle.model_copy(update={"bodies": rest}))
    assert recomputed.missing_bodies == (body,)
    assert recomputed.differences == ()


def test_a_false_prompt_hash_is_named(bundle: Bundle) -> None:
    recomputed = recompute(bundle.model_copy(update={"prompt_hash": keccak(b"another")}))
    assert recomputed.differences == ("prompt_hash",)
    assert recomputed.prompt_hash == bundle.prompt_hash


# --- withheld fields ------------------------------------------------------------------------------------------------


@given(st.sets(st.sampled_from(list(Dossier.model_fields))))
def test_the_rest_of_a_record_is_checkable_without_the_withheld(bundle: Bundle, names: set[str]) -> None:
    partial = Bundle.parse(without(bundle, *names).to_bytes())
    assert partial.withheld == tuple(name for name in Dossier.model_fields if name in names)
    recomputed = recompute(partial)
    assert recomputed.record_root == bundle.record_root
    assert recomputed.differences == ()
    assert recomputed.prompt_hash == (None if "attempts" in names else bundle.prompt_hash)


@given(st.sampled_from([name for name in Dossier.model_fields if name != "header"]))
def test_one_field_alone_is_bound(bundle: Bundle, name: str) -> None:
    alone = without(bundle, *(set(Dossier.model_fields) - {name}))
    assert open_bundle(bundle.record_root, alone.to_bytes()).fields == {name: bundle.fields[name]}
    salts = dict(alone.salts) | {name: keccak(alone.salts[name])}
    assert recompute(alone.model_copy(update={"salts": salts})).differences[0] == f"fields.{name}"


def test_a_partial_record_has_no_dossier(bundle: Bundle) -> None:
    with pytest.raises(DecodingError, match="withheld: calls, software"):
        _ = without(bundle, "software", "calls").dossier


# --- strict reading -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("format",), "pnyx.bundle.v2", r"bundle: format: .*pnyx\.bundle\.v1"),
        (("surprise",), 1, "bundle: surprise: there is no such member"),
        (("leaves",), [], "bundle: leaves: "),
        (("record_root",), "0x00", "bundle: record_root: expected 32 bytes, got 1"),
        (("fields", "surprise"), 1, "bundle: fields: no position is called 'surprise'"),
        (("fields", "reserved"), 1, "bundle: fields: no position is called 'reserved'"),
        (("salts", "surprise"), "0x" + "00" * 32, "bundle: salts: expected one for each"),
        (("item_salts", "rules"), [], "bundle: item_salts.rules: 0 salts for 2 items"),
        (("item_salts", "checks"), [], "bundle: item_salts: expected those of"),
        (("fields", "rules"), {}, r"bundle: fields\.rules: Input should be a valid tuple"),
        (("fields", "decision", "outcome"), "perhaps", r"bundle: fields\.decision\.outcome: Input should be"),
        (("fields", "header", "chain_id"), True, r"fields\.header\.chain_id: not in its one canonical form"),
        (("fields", "header", "chain_id"), "31337", r"fields\.header\.chain_id: not in its one canonical form"),
        (("fields", "header", "log"), "0x" + "ab" * 20, r"fields\.header\.log: not in its one canonical form"),
        (("fields", "attempts", 0, "number"), 2**32, r"fields\.attempts\.0\.number: Input should be less than"),
        (("bodies", "0x" + "00" * 32), {"text": "a", "base64": "YQ=="}, "bundle: bodies.*expected"),
        (("bodies", "0x" + "00" * 32), {"base64": "?"}, "bundle: bodies.*expected base64"),
        (("bodies", "0x" + "00" * 32), {"base64": "YQ=="}, "bundle.bodies.0x0.*: not in its one canonical form"),
    ],
)
def test_a_malformed_bundle_is_refused_with_its_place(
    bundle: Bundle, path: tuple[Any, ...], value: Any, message: str
) -> None:
    tampered = raw(bundle)
    parent: Any = tampered
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    with pytest.raises(DecodingError, match=message):
        Bundle.parse(canonical_bytes(tampered))


scalars = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=20) | st.just("0x00")
json_values = st.recursive(
    scalars, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=9), v, max_size=3)
)


@given(st.data(), json_values)
def test_any_json_in_any_place_is_read_or_refused(bundle: Bundle, data: st.DataObject, value: Any) -> None:
    tampered = raw(bundle)
    path = data.draw(st.sampled_from(places(tampered)))
    path = path[: data.draw(st.integers(1, len(path)))]
    parent: Any = tampered
    for key in path[:-1]:
        parent = parent[key]
    assume(parent[path[-1]] != value)
    parent[path[-1]] = value
    try:
        opened = open_bundle(bundle.record_root, canonical_bytes(tampered))
    except (ChangedBundleError, SwappedBundleError):
        return
    assert opened.bodies == {}, "what opens can withhold the bodies, and nothing else"
    assert opened.fields == bundle.fields
    assert recompute(opened).missing_bodies


@pytest.mark.parametrize("change", [b" ", b"\n"])
def test_only_canonical_bytes_are_a_bundle(bundle: Bundle, change: bytes) -> None:
    with pytest.raises(DecodingError, match="one canonical form"):
        Bundle.parse(bundle.to_bytes() + change)
