"""Seats of power: who owns, governs or runs the contracts that are called, read right before and after the actions.

Many contracts tell of no event when somebody else sits down, and by which function it was done only they know. So each
is asked by the usual getters. One call reads the seats of a few contracts: small code, put to an address that has none,
asks them one after another, each with so little gas that none can starve the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from eth_utils.address import to_checksum_address

from pnyx_contracts.selectors import selector_of
from pnyx_policies.facts import Change, ProbeAnswer, ProbeReading
from pnyx_policies.post_state import ADDRESS_PADDING
from pnyx_policies.probes import DERIVED, WORD_BYTES, Probe
from pnyx_tools.simulate.probing import Asked
from pnyx_tools.simulate.task import Overrides

MAX_CONTRACTS: Final = 20
"""Of one proposal, whose seats are read."""
_AT_ONCE: Final = 4

READER: Final = "0x00000000000000000000000000000000005Ea750"
READER_CODE: Final = (
    "0x60005b3681106013576018900460051b6040f3"  # i = 0; while i < calldatasize, else return the words
    "5b806014013560005260006020526020602060046000843560601c615dc0fa"  # ask by the selector, with 24,000 gas
    "3d601f1016602051028160189004"  # the word that it answers, 0 for none
    "60051b60400152601801600256"  # kept in its place; i += 24
)
"""Its input is packed: address (20 bytes) and selector (4), one after another; its answer one word for each."""

_GETTERS: Final = {
    "ownership-transferred": ("owner", "pendingOwner", "nominatedOwner", "future_owner"),
    "admin-changed": (
        "admin", "pendingAdmin", "future_admin", "governance", "pendingGovernance", "gov", "pendingGov", "governor",
        "pendingGovernor", "authority",
    ),
    "role-granted": (
        "controller", "guardian", "keeper", "manager", "minter", "operator", "vetoer", "beneficiary", "feeTo",
        "feeToSetter", "feeRecipient", "treasury",
    ),
    "upgraded": ("implementation",),
}  # fmt: skip
"""By the kind of change that another answer is."""

_LEFT: Final = frozenset(
    name
    for kind, names in _GETTERS.items()
    for name in names
    if kind != "upgraded" and not name.startswith(("pending", "future", "nominated"))
)
"""Seats whose loss tells: power is gone. Contracts clear the others when somebody sits down."""
_SEATS: Final = tuple((kind, name) for kind, names in _GETTERS.items() for name in names)
_SELECTORS: Final = tuple(selector_of(f"{name}()") for _, name in _SEATS)


@dataclass(frozen=True)
class Seats:
    """Those of some contracts."""

    contracts: tuple[str, ...]

    @classmethod
    def of(cls, addresses: Sequence[str]) -> Seats:
        return cls(tuple(dict.fromkeys(addresses))[:MAX_CONTRACTS])

    @property
    def overrides(self) -> Overrides:
        return {READER: {"code": READER_CODE}} if self.contracts else {}

    @property
    def asked(self) -> tuple[Asked, ...]:
        return tuple(
            Asked(Probe(name=f"{DERIVED}seats", contract=READER, calldata=b"".join(map(_questions, some))))
            for some in self._portions()
        )

    def changes(self, readings: Sequence[ProbeReading]) -> Iterator[Change]:
        """Who sits where somebody else sat, or nobody; the zero address where somebody sat, and nobody does any more.
        That nobody waits for a seat any more is no change.
        """
        for some, reading in zip(self._portions(), readings, strict=True):
            places = [(contract, kind, name) for contract in some for kind, name in _SEATS]
            words = zip(places, _words(reading.before, len(places)), _words(reading.after, len(places)), strict=True)
            for (contract, kind, name), before, after in words:
                is_left = not any(after) and _is_address(before) and name in _LEFT
                if after != before and (_is_address(after) or is_left):
                    detail = f"{name}() was {_address(before) if _is_address(before) else 'nobody'}"
                    yield Change(kind=kind, contract=contract, subject=_address(after), detail=detail)

    def _portions(self) -> list[tuple[str, ...]]:
        return [self.contracts[i : i + _AT_ONCE] for i in range(0, len(self.contracts), _AT_ONCE)]


def _questions(contract: str) -> bytes:
    address = bytes.fromhex(contract[2:])
    return b"".join(address + selector for selector in _SELECTORS)


def _words(answer: ProbeAnswer, count: int) -> list[bytes]:
    """Nothing was read where the reader did not answer in full: then nothing changed as far as anybody can tell."""
    if len(answer.data) != count * WORD_BYTES:
        return [b""] * count
    return [answer.data[i : i + WORD_BYTES] for i in range(0, len(answer.data), WORD_BYTES)]


_PRECOMPILES: Final = 0xFFFF


def _is_address(word: bytes) -> bool:
    """Small numbers are none: some getters of these names give a number."""
    return word.startswith(ADDRESS_PADDING) and int.from_bytes(word, "big") > _PRECOMPILES


def _address(word: bytes) -> str:
    return str(to_checksum_address(word[12:]))


def unseen(found: Sequence[Change], told: Sequence[Change]) -> tuple[Change, ...]:
    """Those that no event told of."""
    known = {(change.contract, change.subject) for change in told}
    return tuple(change for change in found if (change.contract, change.subject) not in known)
