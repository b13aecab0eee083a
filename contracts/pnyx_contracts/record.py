"""The record tree: what the `recordRoot` and the `promptHash` of an entry are made of.

`docs/record-format.md` tells the same for people who write a verifier in another language; `vectors/record.json` has
values to test it with. In short:

    leaf(i)       keccak(0x00 || SCHEMA || uint8 i || salt || value hash)      one per position, 16 in all
    node          keccak(0x01 || left || right)
    item(i, j)    keccak(0x02 || SCHEMA || uint8 i || uint32 j || salt || value hash)
    list(i)       keccak(0x03 || SCHEMA || uint8 i || uint32 count || tree over the items)
    attempt       keccak(0x04 || uint32 opinion || uint32 number || request hash || response hash)

The tree is positional, so no field can appear twice; every leaf is salted, so that nothing can be guessed from a hash;
the first byte tells leaves from nodes (RFC 6962, section 2.1).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from eth_hash.auto import keccak
from pydantic import JsonValue

from pnyx_contracts.canonical import canonical_bytes

POSITIONS: Final = (
    "header",
    "proposal",
    "calls",
    "state",
    "simulation",
    "context",
    "prompt",
    "attempts",
    "opinions",
    "checks",
    "ruleset",
    "rules",
    "decision",
    "people",
    "software",
    "reserved",
)
"""Names of the 16 positions. The last is absent in this schema."""

LIST_POSITIONS: Final = ("attempts", "rules")
"""Positions whose value is a list with a tree of its own, so that one item can be disclosed alone."""

SEALABLE: Final = tuple(
    name for name in POSITIONS if name not in {"header", "proposal", "calls", "decision", "people", "reserved"}
)
"""Positions that a writer may withhold, when it declares so. The others are what a decision is: whose, about what, and
which."""

SCHEMA: Final = keccak(b"pnyx.record.v1")
ABSENT: Final = keccak(b"pnyx.record.absent.v1")
"""Value hash of a position that holds nothing. ``null`` is a value and has another hash."""

PROMPT_TAG: Final = keccak(b"pnyx.prompt.v1")
NO_PROMPT: Final = keccak(b"pnyx.prompt.none.v1")
"""Stands for the tree of attempts when no model was asked."""
NO_RESPONSE: Final = keccak(b"pnyx.prompt.no-response.v1")
"""Stands for the response hash of an attempt that nothing came back from."""

_LEAF, _NODE, _ITEM, _LIST, _ATTEMPT = (bytes([prefix]) for prefix in range(5))
_EMPTY_TREE = bytes(32)


def value_hash(value: JsonValue, where: str = "$") -> bytes:
    """keccak-256 of the RFC 8785 bytes. Raises `DecodingError` when the value has none."""
    return keccak(canonical_bytes(value, where))


def leaf_hash(position: int, salt: bytes, hashed_value: bytes) -> bytes:
    """The leaf of one position; `hashed_value` is a `value_hash`, a `list_hash` or `ABSENT`."""
    return keccak(_LEAF + SCHEMA + _uint8(position) + _word(salt) + _word(hashed_value))


def record_root(leaves: Sequence[bytes]) -> bytes:
    """Root over exactly 16 leaves, in the order of `POSITIONS`."""
    if len(leaves) != len(POSITIONS):
        raise ValueError(f"a record has {len(POSITIONS)} leaves, got {len(leaves)}")
    return tree_root(leaves)


def item_hash(position: int, index: int, salt: bytes, hashed_value: bytes) -> bytes:
    """The leaf of one item in the list at `position`."""
    return keccak(_ITEM + SCHEMA + _uint8(position) + _uint32(index) + _word(salt) + _word(hashed_value))


def list_hash(position: int, items: Sequence[bytes]) -> bytes:
    """What stands for the whole list in its leaf: binds the number of items, so that none can be left out."""
    return keccak(_LIST + SCHEMA + _uint8(position) + _uint32(len(items)) + tree_root(items))


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """The Merkle tree of RFC 6962, section 2.1, over finished leaves: left of the split is a power of two."""
    if not leaves:
        return _EMPTY_TREE
    if len(leaves) == 1:
        return _word(leaves[0])
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return keccak(_NODE + tree_root(leaves[:split]) + tree_root(leaves[split:]))


def attempt_hash(opinion: int, number: int, request_hash: bytes, response_hash: bytes | None) -> bytes:
    """Binds one request to a model and its response (None when nothing came back) by keccak-256 of the exact bytes."""
    response = NO_RESPONSE if response_hash is None else response_hash
    return keccak(_ATTEMPT + _uint32(opinion) + _uint32(number) + _word(request_hash) + _word(response))


def prompt_hash(salt: bytes, attempts: Sequence[bytes]) -> bytes:
    """The prompt hash over all `attempt_hash` values of all opinions, in order. Never zero, never guessable."""
    return keccak(PROMPT_TAG + _word(salt) + (tree_root(attempts) if attempts else NO_PROMPT))


def record_key(master_key: bytes, subject: bytes, nonce: bytes) -> bytes:
    """The key that all salts of one record derive from. Never in a bundle; `master_key` is kept apart and backed up.

    `nonce` (32 bytes) differs from record to record: were salts used twice, what one bundle discloses would open fields
    that another withholds. The hash of the record's content serves; nobody without the master key can use it.
    """
    return _hkdf(_word(master_key), b"pnyx.record.v1" + _word(subject) + _word(nonce))


def derive_salt(key: bytes, *label: str | int) -> bytes:
    """The salt of one place in the record: ``derive_salt(key, "rules", 3)``."""
    return _hkdf(_word(key), "/".join(("pnyx.salt.v1", *map(str, label))).encode())


def _hkdf(key: bytes, info: bytes) -> bytes:
    """HKDF-SHA256 (RFC 5869) without salt, for one block of output: two HMACs."""
    extracted = hmac.digest(bytes(32), key, hashlib.sha256)
    return hmac.digest(extracted, info + b"\x01", hashlib.sha256)


def _word(data: bytes) -> bytes:
    """Hashed fields have no length prefix, so each must have its one length."""
    if len(data) != 32:
        raise ValueError(f"expected 32 bytes, got {len(data)}")
    return data


def _uint8(number: int) -> bytes:
    return number.to_bytes(1, "big")


def _uint32(number: int) -> bytes:
    return number.to_bytes(4, "big")
