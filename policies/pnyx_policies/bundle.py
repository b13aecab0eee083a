"""The evidence bundle: one file with everything behind one record root, for anybody to check.

`seal` makes it from a dossier, `Bundle.parse` reads a stranger's, `recompute` says what its content hashes to, and
`open_bundle` tells the right bundle from a swapped and from a changed one. `docs/record-format.md` describes the file.

Everything is public by default. `withhold` leaves fields out: then only their leaves are there, and what rests on them
is not checkable. `disclosure` opens them later.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Self, get_args, get_origin

from eth_hash.auto import keccak
from pydantic import (
    BeforeValidator,
    FailFast,
    Field,
    JsonValue,
    PlainSerializer,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from pnyx_contracts.canonical import first_difference
from pnyx_contracts.decision_log import subject
from pnyx_contracts.errors import DecodingError, DiffersError
from pnyx_contracts.record import (
    ABSENT,
    LIST_POSITIONS,
    POSITIONS,
    attempt_hash,
    derive_salt,
    item_hash,
    leaf_hash,
    list_hash,
    prompt_hash,
    record_key,
    record_root,
    value_hash,
)
from pnyx_contracts.types import Bytes32, to_hex
from pnyx_policies.document import Document, first_complaint
from pnyx_policies.dossier import Attempt, Dossier

FORMAT = "pnyx.bundle.v1"
RESERVED = "reserved"


def _to_body(value: Any) -> bytes:  # noqa: ANN401 - a validator sees what came in
    match value:
        case bytes():
            return value
        case {"text": str(text), **others} if not others:
            return text.encode()
        case {"base64": str(text), **others} if not others:
            try:
                return base64.b64decode(text, validate=True)
            except binascii.Error as error:
                raise ValueError(f"expected base64: {error}") from None
    raise ValueError('expected {"text": ...} or {"base64": ...}')


def _from_body(body: bytes) -> dict[str, str]:
    try:
        return {"text": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}


Body = Annotated[bytes, BeforeValidator(_to_body), PlainSerializer(_from_body, when_used="json")]
"""The exact bytes of a request or a response; in JSON as text where they are UTF-8, else in base64."""


class Bundle(Document):
    """A sealed record. What it claims (root, leaves, prompt hash) is checked by `recompute`, never taken on trust."""

    CALLED = "bundle"

    format: Literal["pnyx.bundle.v1"]
    record_root: Bytes32
    leaves: tuple[Bytes32, ...] = Field(min_length=len(POSITIONS), max_length=len(POSITIONS))
    """One per position: they stand in for withheld fields, and name the field that was changed."""
    fields: dict[str, JsonValue]
    """Values by position name; a withheld field is missing."""
    salts: dict[str, Bytes32]
    """One per field in `fields`, and that of the reserved position."""
    item_salts: dict[str, tuple[Bytes32, ...]]
    """One per item of each field that has a tree of its own."""
    prompt_hash: Bytes32
    prompt_salt: Bytes32 | None
    """None when it is withheld."""
    bodies: dict[Bytes32, Body]
    """Requests and responses by the keccak-256 of their bytes."""

    @model_validator(mode="after")
    def _require_parts_that_fit(self) -> Self:
        if strangers := set(self.fields) - set(Dossier.model_fields):
            raise ValueError(f"fields: no position is called {min(strangers)!r}")
        if set(self.salts) != {*self.fields, RESERVED}:
            raise ValueError(f"salts: expected one for each of {sorted({*self.fields, RESERVED})}")
        if set(self.item_salts) != set(self.fields) & set(LIST_POSITIONS):
            raise ValueError(f"item_salts: expected those of {sorted(set(self.fields) & set(LIST_POSITIONS))}")
        for name, value in self.fields.items():
            require_exact_form(name, value)
        for name, salts in self.item_salts.items():
            if len(salts) != len(self._items(name)):
                raise ValueError(f"item_salts.{name}: {len(salts)} salts for {len(self._items(name))} items")
        return self

    @property
    def withheld(self) -> tuple[str, ...]:
        """Names of the fields that are not in here; what rests on them is not checkable."""
        return tuple(name for name in Dossier.model_fields if name not in self.fields)

    @property
    def dossier(self) -> Dossier:
        """The content, typed. Raises `DecodingError` when fields are withheld."""
        if self.withheld:
            raise DecodingError(f"bundle {to_hex(self.record_root)}: withheld: {', '.join(self.withheld)}")
        return Dossier.model_validate(self.fields)

    def _items(self, name: str) -> list[JsonValue]:
        value = self.fields[name]
        assert isinstance(value, list)
        return value


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What a bundle's content hashes to."""

    record_root: bytes
    prompt_hash: bytes | None
    """None when the attempts or the prompt's salt are withheld: not checkable."""
    differences: tuple[str, ...]
    """Where the content contradicts what the bundle claims about itself: ``fields.decision``, ``prompt_hash``, ..."""
    missing_bodies: tuple[bytes, ...]
    """Hashes of requests and responses whose bytes are not in the bundle."""


class SwappedBundleError(DiffersError):
    """A sound bundle, but of another record. `found` is the root that it has."""

    def __init__(self, expected: bytes, found: bytes) -> None:
        super().__init__(f"swapped: asked for the record {to_hex(expected)}, got the bundle of {to_hex(found)}")
        self.expected = expected
        self.found = found


class ChangedBundleError(DiffersError):
    """Not what was sealed: some of it was changed. `where` names the places, as far as they can be told."""

    def __init__(self, expected: bytes, where: tuple[str, ...]) -> None:
        super().__init__(f"changed: the bundle of the record {to_hex(expected)} differs at {'; '.join(where)}")
        self.expected = expected
        self.where = where


def seal(dossier: Dossier, bodies: Mapping[bytes, bytes], master_key: bytes) -> Bundle:
    """The bundle of a dossier, everything public. The same dossier and key give the same bundle.

    `bodies` holds the bytes of every request and response, by keccak-256, and nothing else. `master_key` (32 bytes) is
    the secret that salts derive from; it is never in a bundle. Raises `DecodingError` when the dossier has no canonical
    form.
    """
    _require_bodies(dossier, bodies)
    fields: dict[str, JsonValue] = dossier.model_dump(mode="json")
    key = record_key(master_key, subject(dossier.proposal.key), value_hash(fields, "dossier"))
    salts = {name: derive_salt(key, name) for name in POSITIONS}
    item_salts = {
        name: tuple(derive_salt(key, name, index) for index in range(len(getattr(dossier, name))))
        for name in LIST_POSITIONS
    }
    leaves = tuple(field_leaf(name, fields, salts, item_salts) for name in POSITIONS)
    prompt_salt = derive_salt(key, "prompt-hash")
    try:
        return Bundle(
            format=FORMAT,
            record_root=record_root(leaves),
            leaves=leaves,
            fields=fields,
            salts=salts,
            item_salts=item_salts,
            prompt_hash=_prompt_hash(dossier.attempts, prompt_salt),
            prompt_salt=prompt_salt,
            bodies=dict(bodies),
        )
    except ValidationError as error:
        raise DecodingError(f"dossier: {first_complaint(error)}") from error


def withhold(bundle: Bundle, names: Collection[str]) -> Bundle:
    """The bundle as it is published: without these fields and all that opens them. Their leaves stay, and with them the
    root. What a sealed field says may stand elsewhere, see `docs/record-format.md`.
    """

    def rest(parts: Mapping[str, Any]) -> dict[str, Any]:
        return {name: part for name, part in parts.items() if name not in names}

    hidden: dict[str, Any] = {"bodies": {}, "prompt_salt": None} if "attempts" in names else {}
    parts = {name: rest(getattr(bundle, name)) for name in ("fields", "salts", "item_salts")}
    return Bundle.model_validate(bundle.model_dump() | parts | hidden)


def recompute(bundle: Bundle) -> Recomputed:
    """Hashes everything that the bundle discloses; only for a withheld field is its claimed leaf taken."""
    leaves = tuple(
        field_leaf(name, bundle.fields, bundle.salts, bundle.item_salts) if name in bundle.salts else claimed
        for name, claimed in zip(POSITIONS, bundle.leaves, strict=True)
    )
    root = record_root(leaves)
    attempts = _attempts(bundle)
    prompt = None
    if attempts is not None and bundle.prompt_salt is not None:
        prompt = _prompt_hash(attempts, bundle.prompt_salt)
    bound = {digest for attempt in attempts or () for digest in bound_bodies(attempt)}
    return Recomputed(
        record_root=root,
        prompt_hash=prompt,
        differences=tuple(_differences(bundle, leaves, root, prompt, bound)),
        missing_bodies=tuple(sorted(bound - set(bundle.bodies))),
    )


def open_bundle(root: bytes, data: bytes) -> Bundle:
    """The bundle of the record `root`, from a stranger's bytes.

    Raises `SwappedBundleError` for a sound bundle of another record and `ChangedBundleError` for everything else that
    is not what was sealed under `root`.
    """
    try:
        bundle = Bundle.parse(data)
    except DecodingError as error:
        raise ChangedBundleError(root, (error.message,)) from error
    recomputed = recompute(bundle)
    if recomputed.record_root == root and not recomputed.differences:
        return bundle
    if recomputed.record_root != root and not recomputed.differences:
        raise SwappedBundleError(root, recomputed.record_root)
    raise ChangedBundleError(root, recomputed.differences)


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    annotation = Dossier.model_fields[name].rebuild_annotation()
    return TypeAdapter(Annotated[annotation, FailFast()] if get_origin(annotation) is tuple else annotation)


@cache
def _item_adapter(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(get_args(Dossier.model_fields[name].rebuild_annotation())[0])


def require_exact_form(name: str, value: JsonValue) -> None:
    """What was hashed must be what checks and rules see: a value with two spellings would have two roots."""
    _require_one_form(_adapter(name), value, "fields", name)


def require_exact_item(name: str, index: str, value: JsonValue) -> None:
    """The same for one item of a list that is opened alone."""
    _require_one_form(_item_adapter(name), value, "items", name, "open", index)


def _require_one_form(adapter: TypeAdapter[Any], value: JsonValue, *place: str) -> None:
    try:
        understood = adapter.dump_python(adapter.validate_python(value), mode="json", exclude_unset=True)
    except ValidationError as error:
        raise ValueError(first_complaint(error, *place)) from None
    if where := first_difference(value, understood, ".".join(place)):
        raise ValueError(f"{where}: not in its one canonical form")


def field_leaf(
    name: str,
    fields: Mapping[str, JsonValue],
    salts: Mapping[str, bytes],
    item_salts: Mapping[str, tuple[bytes, ...]],
) -> bytes:
    """The leaf of one position that is opened whole."""
    position = POSITIONS.index(name)
    if name not in fields:
        return leaf_hash(position, salts[name], ABSENT)
    value = fields[name]
    if name not in LIST_POSITIONS:
        return leaf_hash(position, salts[name], value_hash(value, name))
    assert isinstance(value, list)
    items = [
        item_hash(position, index, salt, value_hash(item, f"{name}[{index}]"))
        for index, (item, salt) in enumerate(zip(value, item_salts[name], strict=True))
    ]
    return leaf_hash(position, salts[name], list_hash(position, items))


def _attempts(bundle: Bundle) -> tuple[Attempt, ...] | None:
    if "attempts" not in bundle.fields:
        return None
    attempts: tuple[Attempt, ...] = _adapter("attempts").validate_python(bundle.fields["attempts"])
    return attempts


def _prompt_hash(attempts: tuple[Attempt, ...], salt: bytes) -> bytes:
    return prompt_hash(salt, [attempt_hash(a.opinion, a.number, a.request_hash, a.response_hash) for a in attempts])


def bound_bodies(attempt: Attempt) -> Iterator[bytes]:
    """Hashes of the bodies that an attempt refers to."""
    yield attempt.request_hash
    if attempt.response_hash is not None:
        yield attempt.response_hash


def _require_bodies(dossier: Dossier, bodies: Mapping[bytes, bytes]) -> None:
    bound = {digest for attempt in dossier.attempts for digest in bound_bodies(attempt)}
    if bound != set(bodies):
        different = min(bound ^ set(bodies))
        problem = "has no bytes" if different in bound else "belongs to no attempt"
        raise DecodingError(f"bodies: {to_hex(different)} {problem}")
    for digest, body in bodies.items():
        if keccak(body) != digest:
            raise DecodingError(f"bodies: the bytes under {to_hex(digest)} have the hash {to_hex(keccak(body))}")


def _differences(
    bundle: Bundle, leaves: tuple[bytes, ...], root: bytes, prompt: bytes | None, bound: set[bytes]
) -> Iterator[str]:
    for name, claimed, found in zip(POSITIONS, bundle.leaves, leaves, strict=True):
        if claimed != found:
            yield f"fields.{name}"
    if root != bundle.record_root:
        yield "record_root"
    if prompt is not None and prompt != bundle.prompt_hash:
        yield "prompt_hash"
    for digest, body in bundle.bodies.items():
        if digest not in bound or keccak(body) != digest:
            yield f"bodies.{to_hex(digest)}"
