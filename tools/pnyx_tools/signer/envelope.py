"""The bytes of an EIP-1559 transaction, made and taken apart here: whoever holds the key, what it signed is checked."""

from __future__ import annotations

from typing import Final

import rlp
from eth_hash.auto import keccak
from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError
from rlp.exceptions import RLPException

from pnyx_contracts.errors import RefusedError
from pnyx_tools.signer.keys import SignedTransaction, UnsignedTransaction

_TYPE: Final = b"\x02"
CURVE_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_FIELDS: Final = (
    "chain id", "nonce", "priority fee", "maximum fee", "gas limit", "receiver", "value", "data", "access list",
)  # fmt: skip

Fields = list[int | bytes | list[bytes]]


def _fields(transaction: UnsignedTransaction) -> Fields:
    return [
        transaction.chain_id,
        transaction.nonce,
        transaction.max_priority_fee_per_gas,
        transaction.max_fee_per_gas,
        transaction.gas_limit,
        bytes.fromhex(transaction.to[2:]),
        0,
        transaction.data,
        [],
    ]


def digest_of(transaction: UnsignedTransaction) -> bytes:
    """What a key signs."""
    return keccak(_TYPE + rlp.encode(_fields(transaction)))


def complete(transaction: UnsignedTransaction, r: int, s: int, address: str) -> SignedTransaction:
    """The transaction with a signature that `address` made, in the one form that chains take: `s` in the lower half
    (EIP-2), and the recovery id that leads to the key. Raises `RefusedError` when neither does.
    """
    recovery, low = _completed(address, digest_of(transaction), r, s)
    raw = _TYPE + rlp.encode([*_fields(transaction), recovery, r, low])
    return SignedTransaction(raw=raw, hash=keccak(raw))


def signature_by(address: str, digest: bytes, r: int, s: int) -> bytes:
    """65 bytes, in the one form that contracts take. Raises `RefusedError` when `address` did not sign the digest."""
    recovery, low = _completed(address, digest, r, s)
    return r.to_bytes(32, "big") + low.to_bytes(32, "big") + bytes([27 + recovery])


def require_signature(digest: bytes, signature: bytes, address: str) -> None:
    """Raises `RefusedError` when it is not that of `address`, in its one form."""
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    if signature_by(address, digest, r, s) != signature:
        raise RefusedError("what the key's holder signed is not in the one form that contracts take", hint=_HINT)


def _completed(address: str, digest: bytes, r: int, s: int) -> tuple[int, int]:
    """Recovery id, and `s` in the lower half."""
    low = min(s, CURVE_ORDER - s)
    for recovery in (0, 1):
        if _signer(digest, recovery, r, low) == address:
            return recovery, low
    raise RefusedError(f"what the key's holder signed is not signed by {address}", hint=_HINT)


def require_as_asked(transaction: UnsignedTransaction, signed: SignedTransaction, address: str) -> None:
    """Field by field what was asked, signed by `address`, and no byte more. Raises `RefusedError`."""
    try:
        found = rlp.decode(signed.raw[1:]) if signed.raw[:1] == _TYPE else []
    except RLPException:
        found = []
    expected = rlp.decode(rlp.encode(_fields(transaction)))
    if not isinstance(found, list) or len(found) != len(expected) + 3:
        raise RefusedError("what the key's holder signed is no transaction of type 2", hint=_HINT)
    wrong = [name for name, ours, theirs in zip(_FIELDS, expected, found, strict=False) if ours != theirs]
    if wrong:
        raise RefusedError(f"the key's holder signed another {', '.join(wrong)} than it was asked to", hint=_HINT)
    r, s = (int.from_bytes(part, "big") if isinstance(part, bytes) else 0 for part in found[-2:])
    if complete(transaction, r, s, address) != signed:
        raise RefusedError("what the key's holder signed is not in the one form that chains take", hint=_HINT)


def _signer(digest: bytes, recovery: int, r: int, s: int) -> str:
    """Empty for what is no signature."""
    try:
        return str(Signature(vrs=(recovery, r, s)).recover_public_key_from_msg_hash(digest).to_checksum_address())
    except (BadSignature, ValidationError):
        return ""


_HINT: Final = "nothing was sent. Whoever holds the key (keystore, KMS, Web3Signer) is broken, or no longer yours"
