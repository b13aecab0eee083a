"""What code lies at an address, and what code it really runs.

Recognised: EIP-1967 proxies (implementation and beacon), EIP-1167 clones, EIP-7702 delegations, Safe proxies, the older
OpenZeppelin slot that USDC still uses, and whatever answers ``implementation()`` (Compound's delegators, Aragon 1 apps,
beacons). One step only: the implementation of an implementation is not followed.

A contract can name any implementation and run other code. So what it says is only added to what is known, in the last
place, and never replaces its own code's hash. Who changes his answer all the time is reviewed again and again, and then
left to people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from pnyx_contracts.addresses import delegate_of
from pnyx_contracts.decoded import DecodedCall
from pnyx_contracts.types import ZERO_ADDRESS
from pnyx_policies.facts import EarlierCode, TargetFacts
from pnyx_tools.opcodes import reachable_opcodes
from pnyx_tools.pinned import CallOf, CodeOf, Question, StorageOf, pinned
from pnyx_tools.reader import BlockId, ChainReader, RevertedError, RpcError

IMPLEMENTATION_SLOT = int.from_bytes(keccak(b"eip1967.proxy.implementation"), "big") - 1
BEACON_SLOT = int.from_bytes(keccak(b"eip1967.proxy.beacon"), "big") - 1
LEGACY_IMPLEMENTATION_SLOT = int.from_bytes(keccak(b"org.zeppelinos.proxy.implementation"), "big")

_SLOTS = (IMPLEMENTATION_SLOT, LEGACY_IMPLEMENTATION_SLOT, BEACON_SLOT)

_IMPLEMENTATION_CALL = bytes(keccak(b"implementation()")[:4])
_CLONE_PREFIX = bytes.fromhex("363d3d373d3d3d363d73")
_CLONE_SUFFIX = bytes.fromhex("5af43d82803e903d91602b57fd5bf3")
_MASTER_COPY_CALL = bytes(keccak(b"masterCopy()")[:4])
TOGETHER = 64
"""Addresses that are looked at together: a look keeps so many answers."""
_MAX_SAFE_PROXY_BYTES = 256
"""A Safe proxy is tiny and answers masterCopy() itself, from storage slot 0 where its implementation lies."""


def reached_addresses(calls: Iterable[DecodedCall]) -> tuple[str, ...]:
    """Addresses on this chain whose code takes part, in the order in which they appear.

    Targets, the accounts that make inner calls, and code that an upgrade puts in place.
    """
    return _addresses(calls, lambda _: True)


def running_addresses(calls: Iterable[DecodedCall]) -> tuple[str, ...]:
    """Of the reached ones, those whose code does more than take coin."""
    return _addresses(calls, lambda call: bool(call.calldata) or call.delegatecall)


def _addresses(calls: Iterable[DecodedCall], counts: Callable[[DecodedCall], bool]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for call in (inner for outer in calls for inner in outer.walk()):
        if call.other_chain:
            continue
        if counts(call):
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
    look, found = pinned(reader), list[TargetFacts]()
    for start in range(0, len(addresses), TOGETHER):
        some = addresses[start : start + TOGETHER]
        look.ask_ahead([CodeOf(address, block) for address in some])
        look.ask_ahead([q for address in some for q in _questions_about(address, look.code(address, block), block)])
        found += [read_target(look, address, block) for address in some]
    return tuple(found)


def _questions_about(address: str, code: bytes, block: BlockId) -> list[Question]:
    """What `_implementation` asks of most contracts."""
    if not code or code.startswith(_CLONE_PREFIX) or delegate_of(code):
        return []
    if len(code) <= _MAX_SAFE_PROXY_BYTES and _MASTER_COPY_CALL in code:
        return [StorageOf(address, 0, block)]
    slots = [StorageOf(address, slot, block) for slot in _SLOTS]
    return [*slots, CallOf(address, _IMPLEMENTATION_CALL, block)]


def read_target(reader: ChainReader, address: str, block: BlockId) -> TargetFacts:
    """Raises `RpcError` when the node does not answer."""
    code = reader.code(address, block)
    implementation = _implementation(reader, address, code, block) if code else None
    behind = reader.code(implementation, block) if implementation else None
    return TargetFacts(
        address=address,
        has_code=bool(code),
        code_hash=keccak(code),
        implementation=implementation,
        implementation_code_hash=None if behind is None else keccak(behind),
        opcodes=reachable_opcodes(code),
        implementation_opcodes=reachable_opcodes(behind or b""),
    )


def read_earlier_code(reader: ChainReader, governor: str, targets: Sequence[TargetFacts], block: int) -> EarlierCode:
    """The code at `targets`, and at their implementations of today, in the end of `block`.

    Raises `RpcError` when the node does not answer, also because it no longer has the state of the block; the governor,
    which has code, is asked as a proof that it has.
    """
    found = [address for target in targets for address in (target.address, target.implementation) if address]
    addresses = list(dict.fromkeys((governor, *found)))
    look = pinned(reader)
    look.ask_ahead([CodeOf(address, block) for address in addresses])
    codes = {address: look.code(address, block) for address in addresses}
    if not codes[governor]:
        raise RpcError(f"the node shows no code of the governor in block {block}", is_about_the_question=True)
    return EarlierCode(block=block, code_hashes={address: keccak(codes[address]) for address in sorted(set(found))})


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
