"""Roles of access control by their usual names: on chain a role is 32 bytes, mostly the keccak-256 of its name."""

from __future__ import annotations

from typing import Final

from eth_hash.auto import keccak

_HASHED: Final = (
    # OpenZeppelin
    "ADMIN_ROLE", "BURNER_ROLE", "CANCELLER_ROLE", "EXECUTOR_ROLE", "GOVERNOR_ROLE", "GUARDIAN_ROLE", "KEEPER_ROLE",
    "MANAGER_ROLE", "MINTER_ROLE", "OPERATOR_ROLE", "ORACLE_ROLE", "OWNER_ROLE", "PAUSER_ROLE", "PROPOSER_ROLE",
    "RELAYER_ROLE", "SNAPSHOT_ROLE", "TIMELOCK_ADMIN_ROLE", "UNPAUSER_ROLE", "UPGRADER_ROLE",
    # Lido
    "PAUSE_ROLE", "RESUME_ROLE",
    # Aave
    "ASSET_LISTING_ADMIN", "BRIDGE", "EMERGENCY_ADMIN", "FLASH_BORROWER", "POOL_ADMIN", "RISK_ADMIN",
    # Aragon
    "APPLY_INSTALLATION_PERMISSION", "APPLY_UNINSTALLATION_PERMISSION", "APPLY_UPDATE_PERMISSION",
    "EXECUTE_PERMISSION", "MINT_PERMISSION", "REGISTER_STANDARD_CALLBACK_PERMISSION", "ROOT_PERMISSION",
    "SET_METADATA_PERMISSION", "SET_TRUSTED_FORWARDER_PERMISSION", "UPDATE_VOTING_SETTINGS_PERMISSION",
    "UPGRADE_DAO_PERMISSION", "UPGRADE_PLUGIN_PERMISSION", "VALIDATE_SIGNATURE_PERMISSION",
)  # fmt: skip
_NAMES: Final = {f"0x{keccak(name.encode()).hex()}": name for name in _HASHED} | {
    f"0x{bytes(32).hex()}": "DEFAULT_ADMIN_ROLE"
}


def role_name(role: str) -> str | None:
    """Of 32 bytes in 0x hex that are known to be a role; None for others. A name cannot lie: it is what was hashed."""
    return _NAMES.get(role)
