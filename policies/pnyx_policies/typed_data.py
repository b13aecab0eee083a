"""What people sign with their keys: typed data (EIP-712) in the domain of one decision log. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from eth_abi.abi import encode
from eth_hash.auto import keccak
from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError

from pnyx_contracts.types import to_hex

_NAME, _VERSION = "Pnyx", "1"
_DOMAIN: Final = (
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("verifyingContract", "address"),
)

_SIGNATURE = re.compile("0x[0-9a-f]{130}")
_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
"""Of secp256k1: a signature whose s is larger is a second spelling of another one (EIP-2)."""


@dataclass(frozen=True, slots=True)
class TypedData:
    """One message. `fields` are its names and Solidity types, `values` stand in their order."""

    primary_type: str
    fields: Sequence[tuple[str, str]]
    values: Sequence[object]
    chain_id: int
    log: str

    @property
    def digest(self) -> bytes:
        """What is signed."""
        domain = _struct_hash("EIP712Domain", _DOMAIN, (_NAME, _VERSION, self.chain_id, self.log))
        return keccak(b"\x19\x01" + domain + _struct_hash(self.primary_type, self.fields, self.values))

    @property
    def for_wallets(self) -> dict[str, Any]:
        """The same in the form that wallets take (``eth_signTypedData_v4``) and show."""
        words = (to_hex(word) if isinstance(word, bytes) else word for word in self.values)
        return {
            "types": {
                name: [{"name": field, "type": kind} for field, kind in fields]
                for name, fields in (("EIP712Domain", _DOMAIN), (self.primary_type, self.fields))
            },
            "primaryType": self.primary_type,
            "domain": {"name": _NAME, "version": _VERSION, "chainId": self.chain_id, "verifyingContract": self.log},
            "message": {field: word for (field, _), word in zip(self.fields, words, strict=True)},
        }


def signer_of(digest: bytes, signature: str) -> str | None:
    """Whose signature over `digest` this is; None for no signature, or one in another spelling."""
    if not _SIGNATURE.fullmatch(signature):
        return None
    raw = bytes.fromhex(signature[2:])
    r, s, v = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:64], "big"), raw[64] - 27
    if v not in {0, 1} or s > _HALF_ORDER:
        return None
    try:
        key = Signature(vrs=(v, r, s)).recover_public_key_from_msg_hash(digest)
    except (BadSignature, ValidationError):
        return None
    return str(key.to_checksum_address())


def _struct_hash(name: str, fields: Sequence[tuple[str, str]], values: Sequence[object]) -> bytes:
    """``hashStruct``: strings are hashed, everything else is a word."""
    signature = f"{name}({','.join(f'{kind} {field}' for field, kind in fields)})"
    types = ["bytes32" if kind == "string" else kind for _, kind in fields]
    words = [keccak(value.encode()) if isinstance(value, str) and kind == "string" else value
             for (_, kind), value in zip(fields, values, strict=True)]  # fmt: skip
    return keccak(encode(["bytes32", *types], [keccak(signature.encode()), *words]))
