"""The one thing that signs, and the one thing it signs: a transaction that `policy` built."""

from __future__ import annotations

from typing import Final, NoReturn, Protocol

from eth_hash.auto import keccak
from pydantic import Field

from pnyx_contracts.errors import UsageError
from pnyx_contracts.types import Address, Bytes32, Hex, Uint, Value
from pnyx_tools.shallow import shallow

_EIP_1559: Final = 2


class UnsignedTransaction(Value):
    """An EIP-1559 transaction without a signature. It never carries value."""

    chain_id: int = Field(gt=0)
    nonce: int = Field(ge=0)
    to: Address
    data: Hex
    gas_limit: int = Field(gt=0)
    max_fee_per_gas: Uint
    max_priority_fee_per_gas: Uint

    @property
    def gas_wei(self) -> int:
        """What it costs when it uses all its gas at its maximum fee; some chains take more (`data_fee`)."""
        return self.gas_limit * self.max_fee_per_gas


class SignedTransaction(Value):
    raw: Hex
    hash: Bytes32


class Key(Protocol):
    """Whatever holds a private key: a keystore file's in this process, a service elsewhere. It is asked to sign what
    `policy` built, and what it signs is checked (`envelope`).
    """

    @property
    def address(self) -> str: ...

    def sign(self, transaction: UnsignedTransaction) -> SignedTransaction:
        """Raises `UnreachableError` when whoever holds the key does not answer."""
        ...

    def sign_digest(self, digest: bytes) -> bytes:
        """65 bytes: r, s, v of 27 or 28. For a Safe's transaction, which is no transaction of the key. Raises as
        `sign`, and `UsageError` where such a key signs transactions only.
        """
        ...


class LocalKey:
    """A private key in this process's memory. Shows its address and nothing else; does not pickle."""

    __slots__ = ("_secret", "address")

    def __init__(self, secret: bytes) -> None:
        """`secret` is 32 bytes. Raises `UsageError` for bytes that are no private key."""
        with shallow():
            from eth_account import Account

        try:
            self.address: str = Account.from_key(secret).address
        except Exception:  # noqa: BLE001 - whatever it says may quote the key
            raise UsageError("not a private key of the secp256k1 curve: expected 32 bytes") from None
        self._secret = secret

    def sign(self, transaction: UnsignedTransaction) -> SignedTransaction:
        with shallow():
            from eth_account import Account

        signed = Account.sign_transaction(
            {
                "type": _EIP_1559,
                "chainId": transaction.chain_id,
                "nonce": transaction.nonce,
                "to": transaction.to,
                "value": 0,
                "data": transaction.data,
                "gas": transaction.gas_limit,
                "maxFeePerGas": transaction.max_fee_per_gas,
                "maxPriorityFeePerGas": transaction.max_priority_fee_per_gas,
            },
            self._secret,
        )
        raw = bytes(signed.raw_transaction)
        return SignedTransaction(raw=raw, hash=keccak(raw))

    def sign_digest(self, digest: bytes) -> bytes:
        from eth_keys.datatypes import PrivateKey

        signature = PrivateKey(self._secret).sign_msg_hash(digest)
        return signature.to_bytes()[:64] + bytes([27 + signature.v])

    def __repr__(self) -> str:
        return f"LocalKey({self.address})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key does not leave its process")
