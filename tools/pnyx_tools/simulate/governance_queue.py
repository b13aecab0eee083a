"""Calls of a governor to itself, as a simulation must prepare them.

An OpenZeppelin governor with a timelock (4.6 and later) lets its timelock change a setting only inside `execute()`:
that notes the hash of every call to itself in a queue, and `onlyGovernance` takes it out again. Outside, the queue is
empty and the call reverts with `Empty()` (4.x) or panic 0x31 (5.x), however honest it is. So the simulation fills the
queue just as `execute()` does. Where it lies in storage depends on the contract: likely places are tried with a call
that does nothing, and the right one is where that succeeds.

Source: `Governor._governanceCall`, a `DoubleEndedQueue.Bytes32Deque`: begin and end in one word, then a mapping.
"""

from __future__ import annotations

from collections.abc import Sequence

from eth_abi.abi import encode
from eth_hash.auto import keccak

from pnyx_contracts.selectors import selector_of
from pnyx_contracts.types import to_hex
from pnyx_tools.reasons import revert_reason

QUEUE_IS_EMPTY = frozenset({"Empty()", revert_reason(bytes.fromhex("4e487b71") + (0x31).to_bytes(32, "big"))})
"""Reasons of a revert that mean: this call is allowed inside `execute()` only."""

_NAMESPACE = (
    int.from_bytes(
        keccak((int.from_bytes(keccak(b"openzeppelin.storage.Governor"), "big") - 1).to_bytes(32, "big")), "big"
    )
    & ~0xFF
)
"""ERC-7201: where `GovernorUpgradeable` 5.x has its storage."""

LIKELY_SLOTS = (*range(12), *range(150, 160), *range(200, 210), _NAMESPACE + 2)
"""Plain contracts; `GovernorUpgradeable` 4.x behind its gaps (slot 155, or 50 more); `GovernorUpgradeable` 5.x."""

DO_NOTHING = selector_of("relay(address,uint256,bytes)") + encode(
    ["address", "uint256", "bytes"], ["0x0000000000000000000000000000000000000004", 0, b""]
)
"""An ``onlyGovernance`` call without effect: the governor relays an empty call to the identity precompile."""

StateDiff = dict[str, str]
"""Storage slot to word, both 0x hex of 32 bytes, as ``stateDiff`` of an override wants it."""


def filled_queue(slot: int, calldatas: Sequence[bytes]) -> StateDiff:
    """The queue at `slot` when `execute()` has noted these calls, in order."""
    words = {slot: len(calldatas) << 128}
    for place, calldata in enumerate(calldatas):
        words[_mapping_slot(slot + 1, place)] = int.from_bytes(keccak(calldata), "big")
    return _diff(words)


def empty_queue(slot: int, calldatas: Sequence[bytes]) -> StateDiff:
    """Undoes `filled_queue` where the state was zero before."""
    return {key: to_hex(bytes(32)) for key in filled_queue(slot, calldatas)}


def _mapping_slot(mapping: int, key: int) -> int:
    return int.from_bytes(keccak(key.to_bytes(32, "big") + mapping.to_bytes(32, "big")), "big")


def _diff(words: dict[int, int]) -> StateDiff:
    return {to_hex(slot.to_bytes(32, "big")): to_hex(word.to_bytes(32, "big")) for slot, word in words.items()}
