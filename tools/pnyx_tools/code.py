"""What code lies at an address, and what code it really runs.

Recognised: EIP-1967 proxies (implementation and beacon), EIP-1167 clones, EIP-7702 delegations, Safe proxies, the older
OpenZeppelin slot that USDC still uses, and whatever answers ``implementation()`` (Compound's delegators, Aragon 1 apps,
beacons). One step only: the implementation of an implementation is not followed.

A contract can name any implementation and run other code. So what it says is only added to what is known, in the last
place, and never replaces its own code's hash. Who changes his answer all the time is reviewed again and again, and then
left to people.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from pnyx_contracts.addresses import delegate_of
from pnyx_contracts.decoded import DecodedCall
from pnyx_contracts.types import ZERO_ADDRESS
from pnyx_policies.facts import TargetFacts
from pnyx_tools.reader import BlockId, ChainReader, RevertedError

IMPLEMENTATION_SLOT = int.from_bytes(keccak(b"eip1967.proxy.implementation"), "big") - 1
BEACON_SLOT = int.from_bytes(keccak(b"eip1967.proxy.beacon"), "big") - 1
LEGACY_IMPLEMENTATION_SLOT = int.from_bytes(keccak(b"org.zeppelinos.proxy.implementation"), "big")

_IMPLEMENTATION_CALL = bytes(keccak(b"implementation()")[:4])
_CLONE_PREFIX = bytes.fromhex("363d3d373d3d3d363d73")
_CLONE_SUFFIX = bytes.fromhex("5af43d82803e903d91602b57fd5bf3")
_MASTER_COPY_CALL = bytes(keccak(b"masterCopy()")[:4])
_MAX_SAFE_PROXY_BYTES = 256
"""A Safe proxy is tiny and answers masterCopy() itself, from storage slot 0 where its implementation lies."""


def reached_addresses(calls: Iterable[DecodedCall]) -> tuple[str, ...]:
    """Addresses on this chain whose code takes part, in the order in which they appear.

    Targets, the accounts that make inner calls, and code that an upgrade puts in place.
    """
    found: dict[str, None] = {}
    for call in (inner for outer in calls for inner in outer.walk()):
        if call.other_chain:
            continue
        found.setdefault(call.target)
        if call.caller is not None:
            found.setdefault(call.caller)
        found.update(dict.fromkeys(_new_code(call)))
    return tuple(found)


def _new_code(call: DecodedCall) -> Iterator[str]:
    if call.name.startswith(("upgrade", "_setImplementation", "_setPendingImplementation")):
        for name in ("proxy", "newImplementation", "implementation", "newPendingImplementation"):
            address = call.argument(name)
            if address is not None and address != ZERO_ADDRESS:
                yield address


def read_targets(reader: ChainReader, addresses: Sequence[str], block: BlockId) -> tuple[TargetFacts, ...]:
    """Code hashes at the pinned block; the keccak-256 of no bytes where there is no code."""
    return tuple(read_target(reader, address, block) for address in addresses)


def read_target(reader: ChainReader, address: str, block: BlockId) -> TargetFacts:
    """Raises `RpcError` when the node does not answer."""
    code = reader.code(address, block)
    implementation = _implementation(reader, address, code, block) if code else None
    return TargetFacts(
        address=address,
        has_code=bool(code),
        code_hash=keccak(code),
        implementation=implementation,
        implementation_code_hash=keccak(reader.code(implementation, block)) if implementation else None,
    )


def _implementation(reader: ChainReader, address: str, code: bytes, block: BlockId) -> str | None:
    if code.startswith(_CLONE_PREFIX) and code[30:].startswith(_CLONE_SUFFIX):
        return str(to_checksum_address(code[10:30]))
    if delegate := delegate_of(code):
        return delegate
    if len(code) <= _MAX_SAFE_PROXY_BYTES and _MASTER_COPY_CALL in code:
        return _address_in(reader.storage(address, 0, block))
    for slot in (IMPLEMENTATION_SLOT, LEGACY_IMPLEMENTATION_SLOT):
        if implementation := _address_in(reader.storage(address, slot, block)):
            return implementation
    beacon = _address_in(reader.storage(address, BEACON_SLOT, block))
    return _named_implementation(reader, beacon or address, block)


def _named_implementation(reader: ChainReader, address: str, block: BlockId) -> str | None:
    try:
        answer = reader.call(address, _IMPLEMENTATION_CALL, block)
    except RevertedError:
        return None
    return _address_in(answer) if len(answer) == 32 else None


def _address_in(word: bytes) -> str | None:
    """The address in a storage word; None for zero and for what is no address."""
    if any(word[:12]) or not any(word[12:]):
        return None
    return str(to_checksum_address(word[12:]))
