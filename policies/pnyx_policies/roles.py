"""Roles of access control by their usual names: on chain a role is 32 bytes, mostly the keccak-256 of its name."""

from __future__ import annotations

import re
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

_IN_ANY: Final = frozenset({"role", "permission", "default", "timelock", "dao"})
_ALSO_CALLED: Final = {
    "admin": ("administrator", "administrators", "owner", "owners", "ownership"),
    "canceller": ("canceler", "cancelers", "cancel", "cancels", "cancellation", "veto", "vetoes"),
    "executor": ("execute", "executes", "execution"),
    "minter": ("mint", "mints", "minting"),
    "pauser": ("pause", "pauses", "pausing"),
    "burner": ("burn", "burns", "burning"),
    "upgrader": ("upgrade", "upgrades", "upgrading"),
    "proposer": ("propose", "proposes", "proposing", "schedule", "schedules"),
}


_DENIED: Final = re.compile(
    r"\b(?:cannot|can['\u2019]t|(?:can|does|do|may|will|shall|must|is|are) not|never|neither|without)\b"
    r"(?! (?:only|just|merely)\b)[^.;:!?\n]{0,200}"
)


def role_name(role: str) -> str | None:
    """Of 32 bytes in 0x hex that are known to be a role; None for others. A name cannot lie: it is what was hashed."""
    return _NAMES.get(role)


def announces_role(text: str, role: str) -> bool | None:
    """Whether a text in lower case names this role; None where nobody knows its name, or where the text names no role.
    False when it names other roles only, or this one as what is not given.
    """
    name, text = role_name(role), _DENIED.sub(" ", text)
    if name is None:
        return None
    own = _parts(name)
    words = {name.lower(), *(word for part in own for word in (part, f"{part}s", *_ALSO_CALLED.get(part, ())))}
    if any(re.search(rf"\b{re.escape(word)}\b", text) for word in words):
        return True
    return False if _OTHER.search(text) else None


def _parts(name: str) -> list[str]:
    return [part for part in name.lower().split("_") if part not in _IN_ANY]


_ENDINGS: Final = ("er", "or", "admin", "ian")
_HOLDERS: Final = sorted(
    {part for name in _HASHED if name.endswith("_ROLE") for part in _parts(name) if part.endswith(_ENDINGS)}
)
"""Who holds a role: minter, governor, guardian. Verbs (pause, update) stand before the word in other meanings."""
_OTHER: Final = re.compile(rf"\b(?:{'|'.join(_HOLDERS)})s?[ _'\u2019-]{{1,3}}role")
"""A role by its name: the canceller role, ``CANCELLER_ROLE``."""
