"""Safe (safe.global), the multi-signature account: what its owners sign, what it emits, what it says of itself. Pure.

Source: the contracts of Safe 1.3.0 and 1.4.1 (`GnosisSafe.sol`, `Safe.sol`), which hash a transaction alike. Others are
not guessed at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from eth_abi import exceptions as abi_errors
from eth_abi.abi import decode, encode
from eth_utils.address import to_checksum_address

from pnyx_contracts.errors import DecodingError
from pnyx_contracts.governors import Read
from pnyx_contracts.keccak import keccak
from pnyx_contracts.selectors import call_data
from pnyx_contracts.types import ZERO_ADDRESS, Address, Hex, Log, Uint, Value, to_hex

T = TypeVar("T")

KNOWN_VERSIONS: Final = ("1.3.0", "1.4.1")

EXECUTED_TOPIC: Final = keccak(b"ExecutionSuccess(bytes32,uint256)")
FAILED_TOPIC: Final = keccak(b"ExecutionFailure(bytes32,uint256)")

GUARD_SLOT: Final = int.from_bytes(keccak(b"guard_manager.guard.address"), "big")
"""Storage of a Safe: a contract that is asked before and after each transaction, or zero."""

MODULES_SHOWN: Final = 10

_FIRST_MODULE: Final = "0x0000000000000000000000000000000000000001"
_DOMAIN: Final = (("chainId", "uint256"), ("verifyingContract", "address"))
_SAFE_TX: Final = (
    ("to", "address"),
    ("value", "uint256"),
    ("data", "bytes"),
    ("operation", "uint8"),
    ("safeTxGas", "uint256"),
    ("baseGas", "uint256"),
    ("gasPrice", "uint256"),
    ("gasToken", "address"),
    ("refundReceiver", "address"),
    ("nonce", "uint256"),
)


class SafeTx(Value):
    """One call by a Safe. Never a delegatecall, and no gas is refunded (all such fields are zero): a call that fails
    reverts the whole transaction, which can then be executed again.
    """

    chain_id: int
    safe: Address
    to: Address
    value_wei: Uint = 0
    data: Hex
    nonce: Uint
    """Of the Safe: it executes one transaction for each number, in order."""

    @property
    def fields(self) -> dict[str, Any]:
        """As the Safe names them, in its order."""
        rest = {"operation": 0, "safeTxGas": 0, "baseGas": 0, "gasPrice": 0}
        ends = {"gasToken": ZERO_ADDRESS, "refundReceiver": ZERO_ADDRESS, "nonce": self.nonce}
        return {"to": self.to, "value": self.value_wei, "data": self.data, **rest, **ends}

    @property
    def hash(self) -> bytes:
        """The EIP-712 digest, called safeTxHash: what owners sign, and by which the transaction is known."""
        return keccak(b"\x19\x01" + domain_separator(self.chain_id, self.safe) + self.message_hash)

    @property
    def message_hash(self) -> bytes:
        """The transaction alone: hardware wallets show it beside the domain's hash."""
        words = [keccak(value) if isinstance(value, bytes) else value for value in self.fields.values()]
        types = ["bytes32" if kind == "bytes" else kind for _, kind in _SAFE_TX]
        return keccak(encode(["bytes32", *types], [_type_hash("SafeTx", _SAFE_TX), *words]))

    @property
    def typed_data(self) -> dict[str, Any]:
        """The same in the form that wallets take (``eth_signTypedData_v4``) and show."""
        return {
            "types": {
                name: [{"name": field, "type": kind} for field, kind in fields]
                for name, fields in (("EIP712Domain", _DOMAIN), ("SafeTx", _SAFE_TX))
            },
            "primaryType": "SafeTx",
            "domain": {"chainId": self.chain_id, "verifyingContract": self.safe},
            "message": self.fields | {"data": to_hex(self.data)},
        }


def domain_separator(chain_id: int, safe: str) -> bytes:
    """As `domainSeparator()` of the Safe."""
    return keccak(encode(["bytes32", "uint256", "address"], [_type_hash("EIP712Domain", _DOMAIN), chain_id, safe]))


def encode_execution(transaction: SafeTx, signatures: bytes) -> bytes:
    """Calldata of `execTransaction`. `signatures` are in the order of the owners' addresses."""
    kinds = [kind for _, kind in _SAFE_TX[:-1]]
    values = list(transaction.fields.values())[:-1]
    return call_data(f"execTransaction({','.join(kinds)},bytes)", *values, signatures)


def executed_hash(log: Log) -> bytes:
    """The safeTxHash in an event of `EXECUTED_TOPIC` or `FAILED_TOPIC`: indexed since 1.4.1, data before."""
    return log.topics[1] if len(log.topics) > 1 else log.data[:32]


# Reads


def read_version(safe: str) -> Read[str]:
    return _read(safe, "VERSION()", [], ["string"], lambda words: str(words[0]))


def read_owners(safe: str) -> Read[tuple[str, ...]]:
    return _read(safe, "getOwners()", [], ["address[]"], lambda words: tuple(map(to_checksum_address, words[0])))


def read_threshold(safe: str) -> Read[int]:
    """How many owners have to sign."""
    return _read(safe, "getThreshold()", [], ["uint256"], lambda words: int(words[0]))


def read_nonce(safe: str) -> Read[int]:
    """The number of the next transaction."""
    return _read(safe, "nonce()", [], ["uint256"], lambda words: int(words[0]))


def read_is_owner(safe: str, account: str) -> Read[bool]:
    return _read(safe, "isOwner(address)", [account], ["bool"], lambda words: bool(words[0]))


def read_modules(safe: str) -> Read[tuple[str, ...]]:
    """The first `MODULES_SHOWN` contracts that can act for the Safe without its owners."""
    arguments = [_FIRST_MODULE, MODULES_SHOWN]
    return _read(
        safe, "getModulesPaginated(address,uint256)", arguments, ["address[]", "address"],
        lambda words: tuple(map(to_checksum_address, words[0])),
    )  # fmt: skip


def _read(
    safe: str, signature: str, arguments: Sequence[Any], types: Sequence[str], convert: Callable[[Sequence[Any]], T]
) -> Read[T]:
    def answer(data: bytes) -> T:
        try:
            return convert(decode(types, data))
        except (abi_errors.DecodingError, OverflowError, ValueError) as error:
            raise DecodingError(f"{safe}: {signature} of a Safe does not answer so: {error}") from error

    return Read(safe, call_data(signature, *arguments), answer)


def _type_hash(name: str, fields: Sequence[tuple[str, str]]) -> bytes:
    return keccak(f"{name}({','.join(f'{kind} {field}' for field, kind in fields)})".encode())
