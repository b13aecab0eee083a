"""What a Safe is: who can act for it, and how."""

from __future__ import annotations

from typing import Final

from eth_utils.address import to_checksum_address

from pnyx_contracts.errors import DecodingError, UsageError
from pnyx_contracts.safe import (
    GUARD_SLOT,
    KNOWN_VERSIONS,
    read_modules,
    read_nonce,
    read_owners,
    read_threshold,
    read_version,
)
from pnyx_contracts.types import ZERO_ADDRESS, Address, Value, to_hex
from pnyx_tools.reader import ChainReader, RevertedError


class Safe(Value):
    """One Safe at one block."""

    address: Address
    version: str
    owners: tuple[Address, ...]
    threshold: int
    """How many owners have to sign."""
    nonce: int
    """Of its next transaction."""
    modules: tuple[Address, ...]
    """Contracts that can act for it without its owners, as far as they are read."""
    guard: Address | None
    """A contract that is asked before each transaction and can refuse it."""

    @property
    def cautions(self) -> tuple[str, ...]:
        """What an owner should know besides: each one a reason why signatures may not be all that counts."""
        return (
            *(f"the module {module} can act for it without any owner's signature" for module in self.modules),
            *([f"the guard {self.guard} can refuse its transactions"] if self.guard else []),
            *(["one owner alone can act for it"] if self.threshold == 1 else []),
        )


def read_safe(reader: ChainReader, address: str) -> Safe:
    """Raises `UsageError` for what is no Safe, or one of a version that hashes its transactions in an unknown way."""
    try:
        version = reader.read(read_version(address))
        if version not in KNOWN_VERSIONS:
            raise UsageError(
                f"{address} is a Safe of version {version[:20]!r}; known are {' and '.join(KNOWN_VERSIONS)}",
                hint="what its owners would sign is not guessed: use a Safe of a known version",
            )
        guard = reader.storage(address, GUARD_SLOT)[-20:]
        return Safe(
            address=address,
            version=version,
            owners=reader.read(read_owners(address)),
            threshold=reader.read(read_threshold(address)),
            nonce=reader.read(read_nonce(address)),
            modules=reader.read(read_modules(address)),
            guard=None if to_hex(guard) == ZERO_ADDRESS else str(to_checksum_address(guard)),
        )
    except (RevertedError, DecodingError) as error:
        raise UsageError(
            f"{address} is no Safe: {error.message}", hint=f"check the address and the chain; {_HINT}"
        ) from error


_HINT: Final = "a Safe answers VERSION(), getOwners(), getThreshold(), nonce()"
