"""Disclosures: what was chosen opens, nothing else does, and whatever was tampered with is named."""

from __future__ import annotations

from typing import Any

import pytest
from eth_hash.auto import keccak
from hypothesis import assume, given
from hypothesis import strategies as st

from pnyx_contracts.canonical import canonical_bytes
from pnyx_contracts.errors import DecodingError, DiffersError, UsageError
from pnyx_contracts.record import LIST_POSITIONS, SEALABLE
from pnyx_contracts.types import to_hex
from pnyx_policies.bundle import Bundle, recompute, withhold
from pnyx_policies.disclosure import (
    ChangedDisclosureError,
    Disclosure,
    Part,
    complete,
    disclose,
    open_disclosure,
    parse_parts,
)
from pnyx_policies.dossier import Dossier


def secrets(bundle: Bundle) -> dict[Part, set[str]]:
    """The salts behind each part of a record; what opens a part and no other has exactly these of them."""
    parts: dict[Part, set[str]] = {Part(name): {to_hex(bundle.salts[name])} for name in Dossier.model_fields}
    for name in LIST_POSITIONS:
        for index, salt in enumerate(bundle.item_salts[name]):
            parts[Part(name, index)] = {to_hex(salt)}
    return parts


def every_salt(bundle: Bundle) -> set[str]:
    assert bundle.prompt_salt is not None
    return set().union(*secrets(bundle).values(), {to_hex(bundle.prompt_salt)})


def salts_in(data: bytes, bundle: Bundle) -> set[str]:
    text = data.decode()
    return {salt for salt in every_salt(bundle) if salt in text}


@st.composite
def choices(draw: st.DrawFn, bundle: Bundle) -> list[Part]:
    """Any fields, and of the lists that are not among them any items."""
    whole = draw(st.sets(st.sampled_from(list(Dossier.model_fields))))
    parts = [Part(name) for name in sorted(whole)]
    for name in set(LIST_POSITIONS) - whole:
        indices = draw(st.sets(st.integers(0, len(bundle.item_salts[name]) - 1)))
        parts += [Part(name, index) for index in sorted(indices)]
    assume(parts)
    return parts


@given(data=st.data())
def test_any_choice_opens_just_that(bundle: Bundle, data: st.DataObject) -> None:
    parts = data.draw(choices(bundle))
    file = disclose(bundle, parts).to_bytes()
    opened = open_disclosure(file)
    assert opened.to_bytes() == file
    assert opened.record_root == bundle.record_root
    assert opened.fields == {part.name: bundle.fields[part.name] for part in parts if part.item is None}
    items = {
        Part(name, int(index)): item.value for name, one in opened.items.items() for index, item in one.open.items()
    }
    assert items == {part: bundle.fields[part.name][part.item] for part in parts if part.item is not None}
    assert set(opened.opened) == {f"{p.name}[{p.item}]" if p.item is not None else p.name for p in parts}


@given(data=st.data())
def test_nothing_else_leaks(bundle: Bundle, data: st.DataObject) -> None:
    """The salts in the file are those of what is opened; each body is one that an opened attempt names."""
    parts = data.draw(choices(bundle))
    disclosure = disclose(bundle, parts)
    allowed = {to_hex(bundle.salts[part.name]) for part in parts}
    for name, index in parts:
        if index is not None:
            allowed.add(to_hex(bundle.item_salts[name][index]))
        elif name in LIST_POSITIONS:
            allowed |= {to_hex(salt) for salt in bundle.item_salts[name]}
    if Part("attempts") in parts:
        assert bundle.prompt_salt is not None
        allowed.add(to_hex(bundle.prompt_salt))
    assert salts_in(disclosure.to_bytes(), bundle) == allowed
    attempts = [*disclosure.fields.get("attempts", [])]
    if "attempts" in disclosure.items:
        attempts += [item.value for item in disclosure.items["attempts"].open.values()]
    named = {attempt[which] for attempt in attempts for which in ("request_hash", "response_hash")}
    assert {to_hex(body) for body in disclosure.bodies} == named - {None}


@given(st.sets(st.sampled_from(SEALABLE), min_size=1), st.data())
def test_a_disclosure_completes_the_published_bundle(bundle: Bundle, sealed: set[str], data: st.DataObject) -> None:
    opened = data.draw(st.sets(st.sampled_from(sorted(sealed)), min_size=1))
    published = Bundle.parse(withhold(bundle, sealed).to_bytes())
    disclosure = open_disclosure(disclose(bundle, [Part(name) for name in sorted(opened)]).to_bytes())
    completed = complete(published, disclosure)
    assert completed == withhold(bundle, sealed - opened)
    assert Bundle.parse(completed.to_bytes()) == completed
    assert recompute(completed).differences == ()


def test_single_items_complete_nothing(bundle: Bundle) -> None:
    published = withhold(bundle, ("attempts", "rules"))
    parts = parse_parts("attempts[0], rules[1]")
    assert complete(published, disclose(bundle, parts)) == published


def test_what_is_of_another_record_completes_nothing(bundle: Bundle, other_bundle: Bundle) -> None:
    with pytest.raises(DiffersError, match=to_hex(other_bundle.record_root)):
        complete(bundle, disclose(other_bundle, parse_parts("rules")))


def test_what_a_published_bundle_withholds_stays_closed(bundle: Bundle) -> None:
    published = withhold(bundle, ("rules",))
    assert disclose(published, parse_parts("opinions")).fields == {"opinions": bundle.fields["opinions"]}
    with pytest.raises(UsageError, match="withholds rules"):
        disclose(published, parse_parts("rules"))


# --- tampering ------------------------------------------------------------------------------------------------------

PARTS = parse_parts("opinions,attempts[1],rules[0],people")


def raw(bundle: Bundle, parts: Any = PARTS) -> dict[str, Any]:
    return disclose(bundle, parts).model_dump(mode="json")


ANOTHER = "0x" + "ab" * 32


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        (("fields", "opinions", 0, "failure"), "none", ("fields.opinions",)),
        (("fields", "people"), {"words": [], "expired": None}, ("fields.people",)),
        (("salts", "opinions"), ANOTHER, ("fields.opinions",)),
        (("items", "rules", "open", "0", "value", "matched"), False, ("items.rules.open.0",)),
        (("items", "rules", "open", "0", "salt"), ANOTHER, ("items.rules.open.0",)),
        (("items", "rules", "hashes", 0), ANOTHER, ("items.rules.open.0", "items.rules")),
        (("items", "rules", "hashes", 1), ANOTHER, ("items.rules",)),
        (("items", "rules", "salt"), ANOTHER, ("items.rules",)),
        (("leaves", 8), ANOTHER, ("fields.opinions", "record_root")),
        (("leaves", 11), ANOTHER, ("items.rules", "record_root")),
        (("leaves", 0), ANOTHER, ("record_root",)),
        (("record_root",), ANOTHER, ("record_root",)),
    ],
)
def test_what_was_tampered_with_is_named(bundle: Bundle, path: tuple[Any, ...], value: Any, where: Any) -> None:
    tampered = raw(bundle)
    _put(tampered, path, value)
    with pytest.raises(ChangedDisclosureError) as error:
        open_disclosure(canonical_bytes(tampered))
    assert error.value.where == where
    assert where[0] in error.value.message


def test_a_changed_body_is_named(bundle: Bundle) -> None:
    tampered = raw(bundle)
    body = next(iter(tampered["bodies"]))
    tampered["bodies"][body] = {"text": "doctored"}
    with pytest.raises(ChangedDisclosureError, match=f"bodies.{body}"):
        open_disclosure(canonical_bytes(tampered))


def test_an_item_does_not_pass_for_its_neighbour(bundle: Bundle) -> None:
    tampered = raw(bundle)
    rules = tampered["items"]["rules"]
    rules["open"] = {"1": rules["open"]["0"]}
    with pytest.raises(ChangedDisclosureError) as error:
        open_disclosure(canonical_bytes(tampered))
    assert error.value.where == ("items.rules.open.1",)


def test_no_item_can_be_left_out_unseen(bundle: Bundle) -> None:
    """The number of items is bound."""
    tampered = raw(bundle)
    tampered["items"]["rules"]["hashes"].pop()
    with pytest.raises(ChangedDisclosureError) as error:
        open_disclosure(canonical_bytes(tampered))
    assert error.value.where == ("items.rules",)


@given(st.data())
def test_no_changed_byte_passes(bundle: Bundle, data: st.DataObject) -> None:
    file = bytearray(disclose(bundle, PARTS).to_bytes())
    at = data.draw(st.integers(0, len(file) - 1))
    file[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises((DecodingError, ChangedDisclosureError)):
        open_disclosure(bytes(file))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("format",), "pnyx.disclosure.v2", r"disclosure: format: .*pnyx\.disclosure\.v1"),
        (("surprise",), 1, "disclosure: surprise: there is no such member"),
        (("leaves",), [], "disclosure: leaves: "),
        (("fields", "reserved"), 1, "salts: expected one for each"),
        (("salts", "rules"), ANOTHER, "salts: expected one for each"),
        (("item_salts", "rules"), [], "item_salts: expected those of"),
        (("items", "checks"), {"salt": ANOTHER, "hashes": [ANOTHER], "open": {}}, "items.checks.open: "),
        (("items", "rules", "open"), {}, "items.rules.open: "),
        (("items", "rules", "open", "7"), {"salt": ANOTHER, "value": {}}, "'7' is no index of 2 items"),
        (("items", "rules", "open", "00"), {"salt": ANOTHER, "value": {}}, "'00' is no index of 2 items"),
        (("items", "rules", "open", "9" * 5000), {"salt": ANOTHER, "value": {}}, "is no index of 2 items"),
        (("items", "rules", "open", "0", "value"), {}, r"items\.rules\.open\.0\.rule: is missing"),
        (("items", "rules", "open", "0", "value", "matched"), 1, "not in its one canonical form"),
        (("fields", "opinions"), {}, r"fields\.opinions: Input should be a valid tuple"),
        (("prompt_salt",), ANOTHER, "prompt_salt: expected exactly when"),
        (("bodies", ANOTHER), {"text": "more"}, "bodies: expected those that the opened attempts name"),
        (("bodies",), {}, "bodies: expected those that the opened attempts name"),
        (("record_root",), "0x00", "disclosure: record_root: expected 32 bytes, got 1"),
    ],
)
def test_a_malformed_disclosure_is_refused_with_its_place(
    bundle: Bundle, path: tuple[Any, ...], value: Any, message: str
) -> None:
    tampered = raw(bundle)
    _put(tampered, path, value)
    with pytest.raises(DecodingError, match=message):
        Disclosure.parse(canonical_bytes(tampered))


def test_what_opens_nothing_is_no_disclosure(bundle: Bundle) -> None:
    nothing = raw(bundle) | {"fields": {}, "salts": {}, "items": {}, "bodies": {}}
    with pytest.raises(DecodingError, match="opens nothing"):
        Disclosure.parse(canonical_bytes(nothing))


def test_a_list_is_opened_whole_or_by_item(bundle: Bundle) -> None:
    both = raw(bundle, parse_parts("rules")) | {"items": raw(bundle)["items"]}
    with pytest.raises(DecodingError, match="the field is opened whole"):
        Disclosure.parse(canonical_bytes(both))
    with pytest.raises(UsageError, match="rules is named whole and by item"):
        disclose(bundle, parse_parts("rules,rules[0]"))


def test_only_canonical_bytes_are_a_disclosure(bundle: Bundle) -> None:
    with pytest.raises(DecodingError, match="one canonical form"):
        Disclosure.parse(disclose(bundle, PARTS).to_bytes() + b"\n")


# --- naming parts ---------------------------------------------------------------------------------------------------


def test_parts_are_named_in_words() -> None:
    assert parse_parts("opinions, rules[3],attempts[0],opinions") == (
        Part("opinions"),
        Part("rules", 3),
        Part("attempts", 0),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' is no field"),
        ("opinion", "'opinion' is no field"),
        ("reserved", "'reserved' is no field"),
        ("rules[x]", r"'rules\[x\]' is no field"),
        ("rules[-1]", r"'rules\[-1\]' is no field"),
        ("opinions[0]", "opinions is opened as a whole"),
        ("rules,,checks", "'' is no field"),
    ],
)
def test_what_is_no_part_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_parts(text)


def test_an_item_that_is_not_there_is_refused(bundle: Bundle) -> None:
    with pytest.raises(UsageError, match=r"rules\[9\]: the record has 2 rules"):
        disclose(bundle, parse_parts("rules[9]"))


def test_salts_of_the_sample_are_all_different(bundle: Bundle) -> None:
    """Else the tests above would show nothing."""
    assert len(every_salt(bundle)) == len(secrets(bundle)) + 1
    assert keccak(b"") not in bundle.leaves


def _put(value: Any, path: tuple[Any, ...], new: Any) -> None:
    for key in path[:-1]:
        value = value[key]
    value[path[-1]] = new
