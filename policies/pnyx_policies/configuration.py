"""What an agent declares about itself, behind the ``configHash`` of its registration: a change is announced first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from eth_hash.auto import keccak
from pydantic import AfterValidator, Field

from pnyx_contracts.interfaces import Interfaces
from pnyx_contracts.record import SEALABLE
from pnyx_contracts.types import Address, Bytes32
from pnyx_policies.analysis import Analyst
from pnyx_policies.asset_prices import MAX_PRICES, PriceOrigin
from pnyx_policies.decision import Mode
from pnyx_policies.document import Document
from pnyx_policies.probes import MAX_PROBES, Probe


def sealable(names: Iterable[str]) -> tuple[str, ...]:
    """The names of fields to seal, sorted. Raises `ValueError` for one that is never sealed, or named twice."""
    found = sorted(names)
    if strangers := set(found) - set(SEALABLE):
        raise ValueError(f"{min(strangers)!r} cannot be sealed; these fields can: {', '.join(sorted(SEALABLE))}")
    if len(found) != len(set(found)):
        raise ValueError(f"a field is named twice: {', '.join(found)}")
    return tuple(found)


REPEATED_BY = {
    "state": "attempts",
    "simulation": "attempts",
    "context": "attempts",
    "prompt": "attempts",
    "opinions": "attempts",
    "checks": "rules",
    "rules": "ruleset",
    "ruleset": "rules",
}
"""Which field says again what is in another, see `docs/record-format.md`, section 6: sealed alone, it is no secret."""


def require_sealed_together(names: Iterable[str]) -> None:
    """Raises `ValueError` for a field that another one, which is not sealed, gives away."""
    sealed = set(names)
    for name in sorted(sealed):
        other = REPEATED_BY.get(name, name)
        if other not in sealed:
            raise ValueError(
                f"{name!r} is no secret while {other!r} is public, which repeats it: seal both, or neither"
            )


Sealed = Annotated[tuple[str, ...], AfterValidator(sealable)]


class Configuration(Document):
    """The declared configuration. Its file lies beside the bundles as ``<configHash>.json``."""

    CALLED = "configuration"

    agent: str
    mode: Mode
    governors: tuple[Address, ...]
    analysts: tuple[Analyst, ...]
    prompt_hash: Bytes32
    """Hash of the prompt templates, see `prompt.templates_hash`."""
    ruleset_hash: Bytes32
    checks: dict[str, str]
    """Version of each check that runs, by name."""
    tools: dict[str, str]
    """Version of each context tool that runs, by name."""
    known_addresses: dict[Address, str]
    """Addresses that the operator calls friends, with their names. They make findings milder, so they are declared:
    nobody becomes a friend for the length of one vote."""
    interfaces: Interfaces = Field(default_factory=dict)
    """Functions of contracts whose interface the operator knows. They name calls that are unknown otherwise, so they
    are declared: nothing gets a name for the length of one vote."""
    probes: tuple[Probe, ...] = Field(default=(), max_length=MAX_PROBES)
    """What must hold after each execution. Declared, so that none is left out for one vote."""
    prices: tuple[PriceOrigin, ...] = Field(default=(), max_length=MAX_PRICES)
    """Where prices are read. Declared, so that none comes from elsewhere for one vote."""
    approvers: tuple[Address, ...] = ()
    """Whose signed word counts. With any of them, nobody else's does; they can lift a hold."""
    approvals: int = Field(default=1, ge=1)
    """So many people must approve one vote; one alone can reject it."""
    unsafe_unsigned_approvals: bool = False
    """Without approvers the operator's word can confirm the vote that the rules give, or reject it. True makes it
    enough for any vote that a person is said to want: whoever has the daemon then votes as they like."""
    sealed: Sealed = ()
    """Fields of the record that the published bundles withhold, sorted. What rests on them is not checkable until the
    writer discloses them; a field that is withheld and not named here leaves the decision unproven."""
    safe: Address | None = None
    """A Safe that holds the voting power. Its owners cast the vote that a VOTE entry of the writer announces; None when
    the writer votes itself."""
    software: str
    """Distribution and version, for example ``pnyx 0.1.0``."""

    @property
    def hash(self) -> bytes:
        """keccak-256 of the file."""
        return keccak(self.to_bytes())
