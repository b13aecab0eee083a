"""Calls that give power, change code or change the rules of governance: to whom, in which words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pnyx_contracts.decoded import DecodedCall
from pnyx_contracts.types import ZERO_ADDRESS
from pnyx_policies.claims import Claims, words_of_name
from pnyx_policies.facts import Change, Facts
from pnyx_policies.power_functions import FUNCTIONS, Function, PowerKind
from pnyx_policies.roles import announces_role
from pnyx_policies.text import addresses

_LAST_WORD = re.compile(r"[A-Z]?[a-z]+")


# Words that stand in most proposals (control, multisig, governance, access) announce nothing.
_ACCESS = ("permission", "permissions", "privilege", "privileges")
_WORDS: dict[PowerKind, tuple[str, ...]] = {
    PowerKind.ROLE: (
        *_ACCESS, "role", "roles", "controller", "controllers", "minter", "minters", "operator", "operators",
        "guardian", "guardians", "keeper", "keepers", "canceller", "admin", "admins", "whitelist", "whitelisted",
        "authorize", "authorized", "authorise", "authorised",
    ),
    PowerKind.OWNERSHIP: (*_ACCESS, "owner", "owners", "ownership", "signer", "signers", "sign", "signs", "signatures"),
    PowerKind.ADMIN: (*_ACCESS, "admin", "administrator", "authority", "owner", "ownership"),
    PowerKind.MODULE: (*_ACCESS, "module", "modules", "guard", "handler", "fallback", "plugin", "modifier"),
    PowerKind.VOTES: (*_ACCESS, "delegate", "delegates", "delegated", "delegating", "delegation"),
    PowerKind.CODE: (
        "upgrade", "upgrades", "upgraded", "upgrading", "implementation", "implementations", "facet",
        "facets", "beacon",
    ),
    PowerKind.SETTING: (),
}  # fmt: skip


SETTINGS = (
    "delay",
    "period",
    "threshold",
    "quorum",
    "timelock",
    "guardian",
    "extension",
    "whitelist",
    "oracle",
    "comptroller",
    "interest",
)
"""What a setting is called: an honest text names the one that changes, not just any."""

_ROLE_ARGUMENT = {
    "grantRole(bytes32,address)": 0,
    "grant(address,address,bytes32)": 2,
    "createPermission(address,address,bytes32,address)": 2,
    "grantPermission(address,address,bytes32)": 2,
    "setDefaultRole(address,bytes32)": 1,
}
"""The place of the role's hash."""

_ROLE, _OWNERSHIP, _ADMIN = PowerKind.ROLE, PowerKind.OWNERSHIP, PowerKind.ADMIN
_MODULE, _CODE, _SETTING = PowerKind.MODULE, PowerKind.CODE, PowerKind.SETTING

_CHANGES: dict[str, PowerKind] = {
    "role-granted": _ROLE,
    "role-admin-changed": _ROLE,
    "ownership-transferred": _OWNERSHIP,
    "owner-added": _OWNERSHIP,
    "admin-changed": _ADMIN,
    "module-enabled": _MODULE,
    "guard-changed": _MODULE,
    "upgraded": _CODE,
    "beacon-upgraded": _CODE,
    "governor-setting": _SETTING,
}


@dataclass(frozen=True, slots=True)
class PowerShift:
    """Power over `contract` that goes to `receiver` (None when the call or the event names nobody)."""

    kind: PowerKind
    contract: str
    receiver: str | None
    path: str
    """Path of the call; empty when only the simulation showed it."""
    function: str
    """Name of the function, or the kind of change that the simulation saw."""
    shown_as: str = ""
    """Of a function: what the simulation would call the setting."""
    role: str = ""
    """The role's name, or its 0x hex hash; empty where the call gives no role of this kind."""
    detail: str = ""
    """What the simulation saw, or what else the call says."""
    also_called: tuple[str, ...] = ()
    """Of a function: other words that announce it."""

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.path,) if self.path else ()

    @property
    def words(self) -> tuple[str, ...]:
        """Words of which an honest text has at least one."""
        function = self.function.lower().lstrip("_")
        return (function, *_WORDS[self.kind], *self.also_called, *self._own_words(function))

    def is_spoken_of(self, claims: Claims) -> bool:
        """Where the text names roles, this one has to be among them."""
        of_role = self._is_role_told(claims)
        return claims.names_word(*self.words) if of_role is None else of_role

    def is_another_role(self, claims: Claims) -> bool:
        """Whether the text names roles, and not this one."""
        return self._is_role_told(claims) is False

    def _is_role_told(self, claims: Claims) -> bool | None:
        return announces_role(claims.shown.lower(), self.role) if self.role else None

    def _own_words(self, function: str) -> tuple[str, ...]:
        """The setting, or the seat that the function's name ends with: the minter of ``setMinter``."""
        if self.kind is PowerKind.SETTING:
            return tuple(s for s in SETTINGS if s in function) or words_of_name(self.function)
        if self.kind not in {PowerKind.ROLE, PowerKind.OWNERSHIP, PowerKind.ADMIN}:
            return ()
        seat = _LAST_WORD.findall(self.function)[-1:]
        return tuple(word for s in seat for word in (s.lower(), f"{s.lower()}s"))


def power_shifts(facts: Facts, *kinds: PowerKind) -> tuple[PowerShift, ...]:
    """What the calls say, then what only the simulation showed. Nothing that takes power away or renounces it."""
    called = tuple(shift for shift in shifts_of(facts.every_call()) if shift.kind in kinds)
    changed = (s for change in facts.simulation.all_changes if (s := _shift_of_change(change)) and s.kind in kinds)
    return called + tuple(dict.fromkeys(s for s in changed if not any(_explains(c, s) for c in called)))


def shifts_of(calls: Iterable[DecodedCall]) -> Iterator[PowerShift]:
    """What these calls say, each for itself."""
    return (shift for call in calls if (shift := _shift_of_call(call)) is not None)


def other_changes(facts: Facts) -> tuple[Change, ...]:
    """What the simulation saw that gives nobody power: roles revoked, owners removed, ownership renounced."""
    return tuple(change for change in facts.simulation.all_changes if _shift_of_change(change) is None)


def shows(called: PowerShift, change: Change) -> bool:
    """Whether the simulation saw this call's shift as this change."""
    simulated = _shift_of_change(change)
    return simulated is not None and _explains(called, simulated)


def seen_changes(facts: Facts, called: PowerShift) -> tuple[Change, ...]:
    """What the simulation saw of the shift that a call makes."""
    changes = facts.simulation.all_changes if called.path else ()
    return tuple(change for change in changes if shows(called, change))


def _explains(called: PowerShift, simulated: PowerShift) -> bool:
    """True when the simulation only shows what this call says anyway."""
    if (called.kind, called.contract) != (simulated.kind, simulated.contract):
        return False
    by_receiver = simulated.receiver is not None and simulated.receiver == called.receiver
    return by_receiver or simulated.function.lower() in (called.shown_as or called.function).lower()


def _shift_of_call(call: DecodedCall) -> PowerShift | None:
    function = FUNCTIONS.get(call.signature or "")
    if function is None or takes_away(call, function):
        return None
    receiver = _argument(call, function.receiver)
    if receiver == ZERO_ADDRESS and function.kind is not PowerKind.CODE:
        return None
    role = _argument(call, _ROLE_ARGUMENT.get(call.signature or "")) or ""
    others = (a for place, a in enumerate(call.arguments) if place != function.receiver and a.value != role)
    return PowerShift(
        function.kind, call.target, receiver, call.path, call.name, function.shown_as, role,
        detail=", ".join(f"{a.name} = {a.value[:80]}" for a in others), also_called=function.words,
    )  # fmt: skip


def takes_away(call: DecodedCall, function: Function) -> bool:
    """Whether its flag, or each of its flags, is false."""
    flag = _argument(call, function.flag)
    return flag is not None and "true" not in flag


def _argument(call: DecodedCall, place: int | None) -> str | None:
    return call.arguments[place].value if place is not None and place < len(call.arguments) else None


def _shift_of_change(change: Change) -> PowerShift | None:
    kind = _CHANGES.get(change.kind)
    if kind is None:
        return None
    receiver = next(iter(_receivers(change)), None)
    if receiver == ZERO_ADDRESS:
        return None
    function = change.subject if kind is PowerKind.SETTING else change.kind
    return PowerShift(kind, change.contract, receiver, "", function, detail=change.detail)


_NAME_NOBODY = frozenset({"role-admin-changed", "governor-setting"})
"""Kinds of change whose detail may name a contract, but nobody who gains."""


def _receivers(change: Change) -> Iterator[str]:
    """The address that the change concerns: its subject, else the only one in its detail."""
    if change.kind in _NAME_NOBODY:
        return
    yield from addresses(change.subject)
    in_detail = addresses(change.detail)
    if len(in_detail) == 1:
        yield from in_detail


def friends(facts: Facts) -> frozenset[str]:
    """Addresses that are the DAO itself: executor, governor, timelock."""
    profile = facts.governor.profile
    return frozenset(a for a in (facts.simulation.executor, profile.address, profile.timelock) if a)
