"""Governor dialects. One file per dialect; `GovernorAdapter` is the seam."""

from pnyx_contracts.governors.adapter import GovernorAdapter, GovernorProfile, Probe, Read, TransactionCall

__all__ = ["GovernorAdapter", "GovernorProfile", "Probe", "Read", "TransactionCall"]
