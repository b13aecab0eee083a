"""What every place of evidence has in common: files are named by what they must hash to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol

from eth_hash.auto import keccak

from pnyx_contracts.errors import DiffersError
from pnyx_contracts.types import to_hex
from pnyx_policies.bundle import open_bundle

MAX_FILE_BYTES = 16 * 2**20
"""A request to a model takes at most some 300 kB, its answer at most 1 MiB. So this is room for a committee that calls
tools and tries again, and still fits, escaped once more, into a request to the signer. It keeps a hostile place from
filling a reader's memory."""

ANOTHER_PLACE = "name another place that has the evidence: --evidence URL-or-FOLDER"


class EvidenceStore(Protocol):
    """Read access to evidence."""

    def get_bundle(self, root: bytes) -> bytes | None:
        """The file of the bundle of the record `root`, None when the place has none.

        Raises `UnreachableError`, `SwappedBundleError`, `ChangedBundleError`.
        """
        ...

    def get_configuration(self, configuration_hash: bytes) -> bytes | None:
        """The file of a configuration, None when the place has none. Raises `UnreachableError`, `DiffersError`."""
        ...


class CheckedStore(ABC):
    """Gives nothing out that does not hash to its name."""

    def get_bundle(self, root: bytes) -> bytes | None:
        data = self.read(root)
        if data is not None:
            open_bundle(root, data)
        return data

    def get_configuration(self, configuration_hash: bytes) -> bytes | None:
        data = self.read(configuration_hash)
        if data is not None and keccak(data) != configuration_hash:
            raise DiffersError(
                f"changed: the configuration {to_hex(configuration_hash)} has the hash {to_hex(keccak(data))}"
            )
        return data

    @abstractmethod
    def read(self, digest: bytes) -> bytes | None:
        """The file with this name as it is, unchecked. None when it is not there. Raises `UnreachableError`."""


def file_name(digest: bytes) -> str:
    """Name of the file whose content hashes to `digest`."""
    return f"{digest.hex()}.json"


def digest_in(name: str) -> bytes | None:
    """The digest that a file is named by; None for a file that is no evidence."""
    stem = name.removesuffix(".json")
    if stem == name or len(stem) != 64 or not set(stem) <= set("0123456789abcdef"):
        return None
    return bytes.fromhex(stem)
