"""Where our contracts stand: at the same addresses on every chain. Pure.

They are put there by the usual CREATE2 deployer with salt zero, so an address follows from the code and from the
addresses that it is bound to. Whoever deploys first deploys for everybody: nobody owns anything there.
"""

from __future__ import annotations

from typing import Final

from eth_abi.abi import encode
from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from pnyx_contracts.artifacts import ContractName, artifact

DEPLOYER: Final = "0x4e59b44847b379578588920cA78FbF26c0B4956C"
"""Takes a salt and a creation code as calldata. Most chains have it; its address comes from a transaction that nobody's
key has signed, so that everybody can put it on the others.
"""

DEPLOYER_CODE: Final = bytes.fromhex(
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f5801515"
    "6039578182fd5b8082525050506014600cf3"
)

DEPLOYER_SENDER: Final = "0x3fAB184622Dc19b6109349B94811493BF2a45362"
"""Whose one transaction made the deployer; needs 0.01 coins of the chain for it."""

DEPLOYER_TRANSACTION: Final = bytes.fromhex(
    f"f8a58085174876e800830186a08080b853604580600e600039806000f350fe{DEPLOYER_CODE.hex()}1ba0{'22' * 32}a0{'22' * 32}"
)
"""That transaction, signed: without a chain id, so that it counts on every chain that takes such."""

_SALT: Final = bytes(32)

_DELEGATION: Final = bytes.fromhex("ef0100")
"""EIP-7702: what the code of an account that runs a contract's code begins with."""


def creation_code(name: ContractName, *bound_to: str) -> bytes:
    """What makes a contract of ours, bound to other addresses by its constructor."""
    return artifact(name).bytecode + encode(["address"] * len(bound_to), bound_to)


def usual_address(name: ContractName, *bound_to: str) -> str:
    """EIP-1014."""
    made = keccak(b"\xff" + bytes.fromhex(DEPLOYER[2:]) + _SALT + keccak(creation_code(name, *bound_to)))
    return str(to_checksum_address(made[12:]))


def encode_deploy(name: ContractName, *bound_to: str) -> bytes:
    """For the deployer. It reverts when the contract is there already."""
    return _SALT + creation_code(name, *bound_to)


def delegate_of(code: bytes) -> str | None:
    """The contract whose code an account runs (EIP-7702); None when it runs its own, or none."""
    if len(code) != len(_DELEGATION) + 20 or not code.startswith(_DELEGATION):
        return None
    return str(to_checksum_address(code[len(_DELEGATION) :]))


def delegation_to(contract: str) -> bytes:
    """The code of an account that runs the code of `contract`."""
    return _DELEGATION + bytes.fromhex(contract[2:])
