"""Disclosures: a small file that opens some fields of a sealed record, or some items of its lists, and no others.

`disclose` makes one from the whole bundle, `open_disclosure` reads a stranger's, `complete` puts it into the published
bundle. It proves that these values stand in the record with this root; that the root stands on chain is for the reader
of the chain to see. `docs/record-format.md` describes the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, Self

from eth_hash.auto import keccak
from pydantic import Field, JsonValue, model_validator

from pnyx_contracts.errors import DiffersError, UsageError
from pnyx_contracts.record import LIST_POSITIONS, POSITIONS, item_hash, leaf_hash, list_hash, record_root, value_hash
from pnyx_contracts.types import Bytes32, Value, to_hex
from pnyx_policies.bundle import (
    Body,
    Bundle,
    bound_bodies,
    field_leaf,
    require_exact_form,
    require_exact_item,
)
from pnyx_policies.document import Document
from pnyx_policies.dossier import Attempt, Dossier

FORMAT = "pnyx.disclosure.v1"

_INDEX = re.compile(r"0|[1-9][0-9]{0,9}", re.ASCII)
_PART = re.compile(rf"([a-z]+)(?:\[({_INDEX.pattern})\])?", re.ASCII)


class OpenItem(Value):
    """One item of a list."""

    salt: Bytes32
    value: JsonValue


class OpenList(Value):
    """A list of which only some items are opened."""

    salt: Bytes32
    """That of the list's own leaf."""
    hashes: tuple[Bytes32, ...]
    """Of all items, in order: so the number of items is told, and nothing of those that stay closed."""
    open: dict[str, OpenItem] = Field(min_length=1)
    """By index, in decimal."""


class Disclosure(Document):
    """What is opened of one record. `differences` says whether it holds together."""

    CALLED = "disclosure"

    format: Literal["pnyx.disclosure.v1"]
    record_root: Bytes32
    leaves: tuple[Bytes32, ...] = Field(min_length=len(POSITIONS), max_length=len(POSITIONS))
    fields: dict[str, JsonValue]
    """Opened whole."""
    salts: dict[str, Bytes32]
    """One per field in `fields`."""
    item_salts: dict[str, tuple[Bytes32, ...]]
    """One per item of each list in `fields`."""
    items: dict[str, OpenList]
    """Opened item by item."""
    prompt_salt: Bytes32 | None
    """Given with all attempts, never with some: an attempt that stays closed could be guessed with it."""
    bodies: dict[Bytes32, Body]
    """The requests and responses that the opened attempts name."""

    @model_validator(mode="after")
    def _require_parts_that_fit(self) -> Self:
        if not self.fields and not self.items:
            raise ValueError("opens nothing")
        if set(self.salts) != set(self.fields):
            raise ValueError(f"salts: expected one for each of {sorted(self.fields)}")
        lists = set(self.fields) & set(LIST_POSITIONS)
        if set(self.item_salts) != lists:
            raise ValueError(f"item_salts: expected those of {sorted(lists)}")
        for name, value in self.fields.items():
            self._require_field(name, value)
        for name, items in self.items.items():
            self._require_items(name, items)
        if (self.prompt_salt is not None) != ("attempts" in self.fields):
            raise ValueError("prompt_salt: expected exactly when all attempts are opened")
        if set(self.bodies) != self._bound():
            raise ValueError("bodies: expected those that the opened attempts name")
        return self

    def _require_field(self, name: str, value: JsonValue) -> None:
        if name not in Dossier.model_fields:
            raise ValueError(f"fields: no position is called {name!r}")
        require_exact_form(name, value)
        if isinstance(value, list) and name in self.item_salts and len(self.item_salts[name]) != len(value):
            raise ValueError(f"item_salts.{name}: {len(self.item_salts[name])} salts for {len(value)} items")

    def _require_items(self, name: str, items: OpenList) -> None:
        if name not in LIST_POSITIONS:
            raise ValueError(f"items: {name!r} is no list; lists are {', '.join(LIST_POSITIONS)}")
        if name in self.fields:
            raise ValueError(f"items.{name}: the field is opened whole")
        for index, item in items.open.items():
            if not _is_index(index, len(items.hashes)):
                raise ValueError(f"items.{name}.open: {index[:20]!r} is no index of {len(items.hashes)} items")
            require_exact_item(name, index, item.value)

    def _bound(self) -> set[bytes]:
        opened = [item.value for item in self.items["attempts"].open.values()] if "attempts" in self.items else []
        whole = self.fields.get("attempts", [])
        assert isinstance(whole, list)
        return {digest for one in (*whole, *opened) for digest in bound_bodies(Attempt.model_validate(one))}

    @property
    def differences(self) -> tuple[str, ...]:
        """Where the content contradicts what it claims to be: ``fields.opinions``, ``items.rules.open.3``, ..."""
        return tuple(self._differences())

    def _differences(self) -> Iterator[str]:
        for name in self.fields:
            if field_leaf(name, self.fields, self.salts, self.item_salts) != self._claimed(name):
                yield f"fields.{name}"
        for name, items in self.items.items():
            yield from self._items_that_differ(name, items)
        if record_root(self.leaves) != self.record_root:
            yield "record_root"
        yield from (f"bodies.{to_hex(name)}" for name, body in self.bodies.items() if keccak(body) != name)

    def _items_that_differ(self, name: str, items: OpenList) -> Iterator[str]:
        position = POSITIONS.index(name)
        for index, item in items.open.items():
            number = int(index)
            if item_hash(position, number, item.salt, value_hash(item.value)) != items.hashes[number]:
                yield f"items.{name}.open.{index}"
        if leaf_hash(position, items.salt, list_hash(position, items.hashes)) != self._claimed(name):
            yield f"items.{name}"

    def _claimed(self, name: str) -> bytes:
        return self.leaves[POSITIONS.index(name)]

    @property
    def opened(self) -> tuple[str, ...]:
        """``("opinions", "rules[3]")``, in the order of the record."""
        return tuple(part for name in POSITIONS for part in self._opened(name))

    def _opened(self, name: str) -> list[str]:
        if name in self.fields:
            return [name]
        return [f"{name}[{index}]" for index in sorted(self.items[name].open, key=int)] if name in self.items else []


class ChangedDisclosureError(DiffersError):
    """It does not open what it says that it opens. `where` names the places."""

    def __init__(self, root: bytes, where: tuple[str, ...]) -> None:
        super().__init__(f"changed: the disclosure of the record {to_hex(root)} differs at {'; '.join(where)}")
        self.where = where


class Part(NamedTuple):
    """A field, or one item of a list: ``opinions``, ``rules[3]``."""

    name: str
    item: int | None = None


def parse_parts(text: str) -> tuple[Part, ...]:
    """``opinions,rules[3]``. Raises `UsageError`."""
    return tuple(dict.fromkeys(_parse_part(part.strip()) for part in text.split(",")))


def _parse_part(text: str) -> Part:
    match = _PART.fullmatch(text)
    if match is None or match[1] not in Dossier.model_fields:
        raise UsageError(
            f"{text[:60]!r} is no field of a record", hint=f"the fields are {', '.join(Dossier.model_fields)}"
        )
    if match[2] is None:
        return Part(match[1])
    if match[1] not in LIST_POSITIONS:
        raise UsageError(
            f"{match[1]} is opened as a whole", hint=f"single items can be named of {' and '.join(LIST_POSITIONS)}"
        )
    return Part(match[1], int(match[2]))


def disclose(bundle: Bundle, parts: Sequence[Part]) -> Disclosure:
    """Opens `parts` of a record, from the bundle that has them. Raises `UsageError` for what is not there."""
    whole = [part.name for part in parts if part.item is None]
    for name, index in parts:
        _require_there(bundle, name, index)
        if index is not None and name in whole:
            raise UsageError(f"{name} is named whole and by item", hint="name one of both")
    fields = {name: bundle.fields[name] for name in whole}
    items = {name: _open_list(bundle, name, parts) for name, index in parts if index is not None}
    opens_all_attempts = "attempts" in fields
    made = {
        "format": FORMAT,
        "record_root": bundle.record_root,
        "leaves": bundle.leaves,
        "fields": fields,
        "salts": {name: bundle.salts[name] for name in whole},
        "item_salts": {name: bundle.item_salts[name] for name in whole if name in LIST_POSITIONS},
        "items": items,
        "prompt_salt": bundle.prompt_salt if opens_all_attempts else None,
        "bodies": _bodies_of(bundle, fields, items),
    }
    return Disclosure.model_validate(made)


def open_disclosure(data: bytes) -> Disclosure:
    """A disclosure that holds together, from a stranger's bytes.

    Raises `DecodingError` for what is none and `ChangedDisclosureError` for one that was tampered with.
    """
    disclosure = Disclosure.parse(data)
    if differences := disclosure.differences:
        raise ChangedDisclosureError(disclosure.record_root, differences)
    return disclosure


def complete(bundle: Bundle, disclosure: Disclosure) -> Bundle:
    """The bundle with what was opened whole; single items complete nothing. Both must hold by themselves already.

    Raises `DiffersError` when they are not of one record.
    """
    if (bundle.record_root, bundle.leaves) != (disclosure.record_root, disclosure.leaves):
        raise DiffersError(
            f"the disclosure is of the record {to_hex(disclosure.record_root)}, the bundle of "
            f"{to_hex(bundle.record_root)}"
        )
    return bundle.model_copy(
        update={
            "fields": {**disclosure.fields, **bundle.fields},
            "salts": {**disclosure.salts, **bundle.salts},
            "item_salts": {**disclosure.item_salts, **bundle.item_salts},
            "prompt_salt": bundle.prompt_salt or disclosure.prompt_salt,
            "bodies": {**disclosure.bodies, **bundle.bodies} if "attempts" in disclosure.fields else bundle.bodies,
        }
    )


def _open_list(bundle: Bundle, name: str, parts: Sequence[Part]) -> OpenList:
    position, values, salts = POSITIONS.index(name), _items(bundle, name), bundle.item_salts[name]
    hashes = [
        item_hash(position, index, salt, value_hash(value))
        for index, (value, salt) in enumerate(zip(values, salts, strict=True))
    ]
    wanted = [index for part, index in parts if part == name and index is not None]
    opened = {str(index): OpenItem(salt=salts[index], value=values[index]) for index in wanted}
    return OpenList(salt=bundle.salts[name], hashes=tuple(hashes), open=opened)


def _require_there(bundle: Bundle, name: str, index: int | None) -> None:
    if name not in bundle.fields:
        raise UsageError(
            f"this bundle withholds {name}, so it cannot open it", hint="the operator has the whole bundle"
        )
    if index is not None and index >= len(_items(bundle, name)):
        raise UsageError(f"{name}[{index}]: the record has {len(_items(bundle, name))} {name}, counted from 0")


def _items(bundle: Bundle, name: str) -> list[JsonValue]:
    value = bundle.fields[name]
    assert isinstance(value, list)
    return value


def _bodies_of(bundle: Bundle, fields: Mapping[str, JsonValue], items: Mapping[str, OpenList]) -> dict[bytes, bytes]:
    if "attempts" in fields:
        return dict(bundle.bodies)
    opened = items["attempts"].open.values() if "attempts" in items else ()
    named = {digest for item in opened for digest in bound_bodies(Attempt.model_validate(item.value))}
    return {digest: body for digest, body in bundle.bodies.items() if digest in named}


def _is_index(text: str, count: int) -> bool:
    return _INDEX.fullmatch(text) is not None and int(text) < count
