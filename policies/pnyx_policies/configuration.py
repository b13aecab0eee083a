"""What an agent declares about itself: behind the ``configHash`` of its registration. A change is announced, then active."""

from __future__ import annotations

import rfc8785
from eth_hash.auto import keccak

from pnyx_contracts.types import Address, Bytes32, Value
from pnyx_policies.analysis import Analyst
from pnyx_policies.decision import Mode


class Configuration(Value):
    """The declared configuration. Its canonical bytes lie beside the bundles as ``<configHash>.json``."""

    agent: str
    mode: Mode
    governors: tuple[Address, ...]
    analysts: tuple[Analyst, ...]
    prompt_hash: Bytes32
    """Hash of the prompt templates, see `prompt.templates_hash`."""
    ruleset_hash: Bytes32
    checks: dict[str, str]
    """Version of each check that runs, by name."""
    software: str
    """Distribution and version, for example ``pnyx 0.1.0``."""

    def canonical_bytes(self) -> bytes:
        """RFC 8785 bytes."""
        return rfc8785.dumps(self.model_dump(mode="json"))

    @property
    def hash(self) -> bytes:
        """keccak-256 of the canonical bytes."""
        return keccak(self.canonical_bytes())
