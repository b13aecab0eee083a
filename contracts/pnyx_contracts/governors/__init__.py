"""Governor dialects. One file per dialect, and what it is made of; `GovernorAdapter` is the seam."""

from pnyx_contracts.governors.adapter import GovernorAdapter, GovernorProfile, Probe, Read, TransactionCall
from pnyx_contracts.governors.openzeppelin import OpenZeppelinGovernor

__all__ = ["GovernorAdapter", "GovernorProfile", "Probe", "Read", "TransactionCall", "builtin_adapters"]


def builtin_adapters() -> tuple[GovernorAdapter, ...]:
    """One adapter of each dialect that ships with Pnyx."""
    return (OpenZeppelinGovernor(),)
