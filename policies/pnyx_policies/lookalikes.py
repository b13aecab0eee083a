"""Addresses that people take for one another, as they compare only what wallets show of them."""

from __future__ import annotations

from typing import Final

SHOWN: Final = 4
"""Hex digits at each end. Chance makes such a pair once in four billion."""


def looks_like(address: str, other: str) -> bool:
    """True for two that begin and end alike, and are not the same."""
    return address != other and _ends(address) == _ends(other)


def _ends(address: str) -> str:
    digits = address[2:].lower()
    return digits[:SHOWN] + digits[-SHOWN:]
