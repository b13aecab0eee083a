"""Roles by their names: hashes are keccak-256 preimages, so that they cannot lie."""

from __future__ import annotations

import re
from typing import Final

from eth_hash.auto import keccak

_NAMES: Final = (
    "PROPOSER_ROLE", "EXECUTOR_ROLE", "CANCELLER_ROLE", "TIMELOCK_ADMIN_ROLE", "MINTER_ROLE", "BURNER_ROLE",
    "PAUSER_ROLE", "UPGRADER_ROLE", "ADMIN_ROLE", "GOVERNOR_ROLE", "GUARDIAN_ROLE", "OPERATOR_ROLE", "MANAGER_ROLE",
    "KEEPER_ROLE", "SNAPSHOT_ROLE",
    # Aragon OSx
    "ROOT_PERMISSION", "EXECUTE_PERMISSION", "UPGRADE_DAO_PERMISSION", "SET_METADATA_PERMISSION",
    "SET_TRUSTED_FORWARDER_PERMISSION", "REGISTER_STANDARD_CALLBACK_PERMISSION", "VALIDATE_SIGNATURE_PERMISSION",
    "APPLY_INSTALLATION_PERMISSION", "APPLY_UPDATE_PERMISSION", "APPLY_UNINSTALLATION_PERMISSION",
)  # fmt: skip
_ROLES: Final = {"0x" + keccak(name.encode()).hex(): name for name in _NAMES} | {"0x" + "00" * 32: "DEFAULT_ADMIN_ROLE"}

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


def role_name(role: str) -> str:
    """The usual name of a role's 0x hex hash, else the hex."""
    return _ROLES.get(role, role)


def announces_role(text: str, role: str) -> bool | None:
    """Whether a text in lower case names this role; None where nobody knows its name, or where the text names no role.
    False when it names other roles only.
    """
    name = role_name(role)
    if name == role:
        return None
    own = _parts(name)
    words = {name.lower(), *(word for part in own for word in (part, f"{part}s", *_ALSO_CALLED.get(part, ())))}
    if any(re.search(rf"\b{re.escape(word)}\b", text) for word in words):
        return True
    return False if _OTHER.search(text) else None


def _parts(name: str) -> list[str]:
    return [part for part in name.lower().split("_") if part not in _IN_ANY]


_OTHER: Final = re.compile(
    rf"\b(?:{'|'.join(sorted({part for name in _ROLES.values() for part in _parts(name)}))})s?[ _'\u2019-]{{1,3}}role"
)
"""A role by its name: the canceller role, ``CANCELLER_ROLE``."""
