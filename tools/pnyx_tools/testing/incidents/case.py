"""What a case is: a shape on a local chain, and what a review of it must find before the vote."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from pnyx_policies.asset_prices import PriceOrigin
from pnyx_policies.finding import Severity
from pnyx_policies.probes import Probe
from pnyx_tools.testing.deploy import Governance

LOOT: Final = "0x000000000000000000000000000000000000bEEF"
"""Where the hostile contracts send what they take."""


class Kind(Enum):
    INCIDENT = "incident"
    """Rebuilt after what happened."""
    VARIATION = "variation"
    """Ours: the same idea by other functions, in other words, or announced."""
    ATTACK = "attack"
    """Ours: a shape that none of the incidents had."""
    HONEST = "honest"
    """Near to an attack, and none."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A proposal that stands on the chain, and what the DAO's operator knows and declared."""

    dao: Governance
    proposal: int
    probes: tuple[Probe, ...] = ()
    prices: tuple[PriceOrigin, ...] = ()
    known: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """`worst` is what a review finds at worst, no more and no less; each check of `by` finds that much."""

    name: str
    kind: Kind
    what: str
    """The proposal in one sentence."""
    build: Callable[[Governance], Scene]
    worst: Severity
    by: frozenset[str] = frozenset()

    def is_seen_in(self, by_check: Mapping[str, Severity]) -> bool:
        """Whether these are the findings that it must give; the worst of each check."""
        worst = max(by_check.values(), default=None)
        return worst is self.worst and all(by_check.get(check) is worst for check in self.by)


Action = tuple[str, bytes] | tuple[str, bytes, int]
"""Target, calldata, wei."""


def propose(dao: Governance, text: str, *actions: Action, sender: str | None = None) -> int:
    """By the node's fourth account, unless `sender` says who."""
    values = [action[2] if len(action) == 3 else 0 for action in actions]
    proposer = sender or dao.node.accounts[3]
    return dao.propose([a[0] for a in actions], values, [a[1] for a in actions], text, sender=proposer)


def person(name: str) -> str:
    """An address of somebody without code, the same for the same name."""
    return str(to_checksum_address(keccak(b"person " + name.encode())[:20]))


def incident(name: str, what: str, build: Callable[[Governance], Scene], worst: Severity, by: Sequence[str]) -> Case:
    return Case(name, Kind.INCIDENT, what, build, worst, frozenset(by))


def variation(name: str, what: str, build: Callable[[Governance], Scene], worst: Severity, by: Sequence[str]) -> Case:
    return Case(name, Kind.VARIATION, what, build, worst, frozenset(by))


def attack(name: str, what: str, build: Callable[[Governance], Scene], worst: Severity, by: Sequence[str]) -> Case:
    return Case(name, Kind.ATTACK, what, build, worst, frozenset(by))


def honest(name: str, what: str, build: Callable[[Governance], Scene], worst: Severity, by: Sequence[str] = ()) -> Case:
    return Case(name, Kind.HONEST, what, build, worst, frozenset(by))
