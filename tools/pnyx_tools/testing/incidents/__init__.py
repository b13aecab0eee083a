"""Governance incidents rebuilt on a local chain, variations of them, and honest proposals that come near.

The shapes are our own contracts (``contracts/legacy/incidents``), the texts our own words; selectors and the order of
arguments are those of the incidents where they are known. One file per family; each case says what a review must find.

    with stage() as dao:
        seen = play(dao, case)
"""

from __future__ import annotations

from pnyx_tools.testing.incidents import (
    assets,
    costs,
    diamond,
    markets,
    metamorphic,
    oracles,
    ours,
    power,
    rewards,
    seats,
    texts,
    told,
    trust,
    upgrades,
    waiting,
)
from pnyx_tools.testing.incidents.case import LOOT, Case, Kind, Scene
from pnyx_tools.testing.incidents.playing import Seen, alone, play, review, stage

_FAMILIES = (
    diamond, metamorphic, rewards, oracles, trust, power, seats, markets, costs, upgrades, waiting, ours, texts, told,
    assets,
)  # fmt: skip
CASES: tuple[Case, ...] = tuple(case for family in _FAMILIES for case in family.CASES)

__all__ = ["CASES", "LOOT", "Case", "Kind", "Scene", "Seen", "alone", "play", "review", "stage"]
