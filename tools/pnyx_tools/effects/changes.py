"""Who got power over what, and whose code or settings changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from eth_hash.auto import keccak

from pnyx_contracts.selectors import Function
from pnyx_contracts.strict_abi import to_text
from pnyx_policies.facts import Change
from pnyx_policies.roles import role_name
from pnyx_tools.effects.events import Event, by_topic, event_arguments


@dataclass(frozen=True, slots=True)
class _ChangeEvent:
    """How an event reads as a `Change`: which argument is its subject, and a sentence over the arguments.

    `taken` is the kind when the last argument, a boolean, is false: then the power was taken away. `topics` names the
    indexed arguments where they are not the first ones.
    """

    kind: str
    subject: str
    detail: str
    taken: str = ""
    topics: tuple[str, ...] = ()


_SETTING = ("VotingDelay", "VotingPeriod", "ProposalThreshold")
_PROPOSAL_CREATED = (
    "ProposalCreated(uint256 id, address proposer, address[] targets, uint256[] values, string[] signatures, "
    "bytes[] calldatas, uint256 start, uint256 end, string description)"
)
_CHANGES: tuple[tuple[str, _ChangeEvent], ...] = (
    # OpenZeppelin AccessControl, AccessManager, default admin rules
    (
        "RoleGranted(bytes32 role, address account, address sender)",
        _ChangeEvent("role-granted", "account", "role {role}, granted by {sender}"),
    ),
    (
        "RoleRevoked(bytes32 role, address account, address sender)",
        _ChangeEvent("role-revoked", "account", "role {role}, revoked by {sender}"),
    ),
    (
        "RoleAdminChanged(bytes32 role, bytes32 previousAdminRole, bytes32 newAdminRole)",
        _ChangeEvent("role-admin-changed", "role", "admin role was {previousAdminRole}, is {newAdminRole}"),
    ),
    (
        "RoleGranted(uint64 roleId, address account, uint32 delay, uint48 since, bool newMember)",
        _ChangeEvent("role-granted", "account", "role {roleId} of an access manager"),
    ),
    (
        "RoleRevoked(uint64 roleId, address account)",
        _ChangeEvent("role-revoked", "account", "role {roleId} of an access manager"),
    ),
    (
        "RoleAdminChanged(uint64 roleId, uint64 admin)",
        _ChangeEvent("role-admin-changed", "roleId", "admin role is {admin}"),
    ),
    (
        "RoleGuardianChanged(uint64 roleId, uint64 guardian)",
        _ChangeEvent("role-admin-changed", "roleId", "guardian role is {guardian}"),
    ),
    (
        "TargetFunctionRoleUpdated(address target, bytes4 selector, uint64 roleId)",
        _ChangeEvent(
            "role-admin-changed", "roleId", "may call function {selector} of {target}", topics=("target", "roleId")
        ),
    ),
    ("TargetClosed(address target, bool closed)", _ChangeEvent("other", "target", "closed to calls: {closed}")),
    (
        "TargetAdminDelayUpdated(address target, uint32 delay, uint48 since)",
        _ChangeEvent("governor-setting", "=TargetAdminDelay", "is {delay} s for {target} from {since} on"),
    ),
    (
        "RoleGrantDelayChanged(uint64 roleId, uint32 delay, uint48 since)",
        _ChangeEvent("governor-setting", "=GrantDelay", "is {delay} s for role {roleId} from {since} on"),
    ),
    ("AuthorityUpdated(address authority)", _ChangeEvent("admin-changed", "authority", "decides who may call it now")),
    (
        "DefaultAdminTransferScheduled(address newAdmin, uint48 acceptSchedule)",
        _ChangeEvent("admin-changed", "newAdmin", "offered as default admin, must accept after {acceptSchedule}"),
    ),
    (
        "DefaultAdminDelayChangeScheduled(uint48 newDelay, uint48 effectSchedule)",
        _ChangeEvent("governor-setting", "=DefaultAdminDelay", "is {newDelay} s from {effectSchedule} on"),
    ),
    # MakerDAO, DappHub, Solmate
    ("Rely(address usr)", _ChangeEvent("role-granted", "usr", "a ward now, who may do everything there")),
    ("Deny(address usr)", _ChangeEvent("role-revoked", "usr", "no ward any more")),
    ("LogSetOwner(address owner)", _ChangeEvent("ownership-transferred", "owner", "is owner now")),
    ("LogSetAuthority(address authority)", _ChangeEvent("admin-changed", "authority", "decides who may call it now")),
    ("OwnerUpdated(address user, address newOwner)", _ChangeEvent("ownership-transferred", "newOwner", "is owner now")),
    (
        "AuthorityUpdated(address user, address newAuthority)",
        _ChangeEvent("admin-changed", "newAuthority", "decides who may call it now"),
    ),
    (
        "UserRoleUpdated(address user, uint8 role, bool enabled)",
        _ChangeEvent("role-granted", "user", "role {role}", taken="role-revoked"),
    ),
    (
        "RoleCapabilityUpdated(uint8 role, address target, bytes4 functionSig, bool enabled)",
        _ChangeEvent("role-admin-changed", "role", "may call function {functionSig} of {target}", taken="other"),
    ),
    (
        "PublicCapabilityUpdated(address target, bytes4 functionSig, bool enabled)",
        _ChangeEvent("role-admin-changed", "=everybody", "may call function {functionSig} of {target}", taken="other"),
    ),
    # Aragon 1 and OSx
    (
        "SetPermission(address entity, address app, bytes32 role, bool allowed)",
        _ChangeEvent("role-granted", "entity", "role {role} of {app}", taken="role-revoked"),
    ),
    (
        "ChangePermissionManager(address app, bytes32 role, address manager)",
        _ChangeEvent("admin-changed", "manager", "gives and takes role {role} of {app} now"),
    ),
    (
        "SetApp(bytes32 namespace, bytes32 appId, address app)",
        _ChangeEvent("upgraded", "app", "is the code of app {appId} now"),
    ),
    (
        "Granted(bytes32 permissionId, address here, address where, address who, address condition)",
        _ChangeEvent(
            "role-granted",
            "who",
            "permission {permissionId} on {where}, under condition {condition}",
            topics=("permissionId", "here", "who"),
        ),
    ),
    (
        "Revoked(bytes32 permissionId, address here, address where, address who)",
        _ChangeEvent(
            "role-revoked", "who", "permission {permissionId} on {where}", topics=("permissionId", "here", "who")
        ),
    ),
    # Ownership and admins
    (
        "OwnershipTransferred(address previousOwner, address newOwner)",
        _ChangeEvent("ownership-transferred", "newOwner", "owner was {previousOwner}"),
    ),
    (
        "OwnershipTransferStarted(address previousOwner, address newOwner)",
        _ChangeEvent("ownership-transferred", "newOwner", "offered by {previousOwner}, must be accepted"),
    ),
    (
        "AdminChanged(address previousAdmin, address newAdmin)",
        _ChangeEvent("admin-changed", "newAdmin", "proxy admin was {previousAdmin}"),
    ),
    ("NewAdmin(address newAdmin)", _ChangeEvent("admin-changed", "newAdmin", "is admin now")),
    ("NewAdmin(address oldAdmin, address newAdmin)", _ChangeEvent("admin-changed", "newAdmin", "admin was {oldAdmin}")),
    (
        "NewPendingAdmin(address newPendingAdmin)",
        _ChangeEvent("admin-changed", "newPendingAdmin", "may accept to be admin"),
    ),
    (
        "NewPendingAdmin(address oldPendingAdmin, address newPendingAdmin)",
        _ChangeEvent("admin-changed", "newPendingAdmin", "may accept to be admin, before: {oldPendingAdmin}"),
    ),
    # Code
    ("Upgraded(address implementation)", _ChangeEvent("upgraded", "implementation", "runs this implementation now")),
    (
        "BeaconUpgraded(address beacon)",
        _ChangeEvent("beacon-upgraded", "beacon", "takes its implementation from here now"),
    ),
    (
        "NewImplementation(address oldImplementation, address newImplementation)",
        _ChangeEvent("upgraded", "newImplementation", "implementation was {oldImplementation}"),
    ),
    # Safe
    ("ChangedMasterCopy(address singleton)", _ChangeEvent("upgraded", "singleton", "the Safe runs this code now")),
    ("EnabledModule(address module)", _ChangeEvent("module-enabled", "module", "acts for the Safe without its owners")),
    ("DisabledModule(address module)", _ChangeEvent("other", "module", "Safe module disabled")),
    ("ChangedGuard(address guard)", _ChangeEvent("guard-changed", "guard", "Safe transaction guard")),
    ("ChangedModuleGuard(address moduleGuard)", _ChangeEvent("guard-changed", "moduleGuard", "Safe module guard")),
    ("ChangedFallbackHandler(address handler)", _ChangeEvent("guard-changed", "handler", "Safe fallback handler")),
    ("AddedOwner(address owner)", _ChangeEvent("owner-added", "owner", "Safe owner")),
    ("RemovedOwner(address owner)", _ChangeEvent("owner-removed", "owner", "Safe owner")),
    ("ChangedThreshold(uint256 threshold)", _ChangeEvent("other", "threshold", "signatures that the Safe needs now")),
    # Governors and timelocks
    *(
        (f"{name}Set(uint256 old, uint256 new)", _ChangeEvent("governor-setting", f"={name}", "was {old}, is {new}"))
        for name in _SETTING
    ),
    (
        "QuorumNumeratorUpdated(uint256 old, uint256 new)",
        _ChangeEvent("governor-setting", "=QuorumNumerator", "was {old}, is {new}"),
    ),
    (
        "SuperQuorumNumeratorUpdated(uint256 old, uint256 new)",
        _ChangeEvent("governor-setting", "=SuperQuorumNumerator", "was {old}, is {new}"),
    ),
    (
        "LateQuorumVoteExtensionSet(uint64 old, uint64 new)",
        _ChangeEvent("governor-setting", "=LateQuorumVoteExtension", "was {old}, is {new}"),
    ),
    (
        "ProposalGuardianSet(address old, address new)",
        _ChangeEvent("governor-setting", "=ProposalGuardian", "was {old}, is {new}"),
    ),
    ("TimelockChange(address old, address new)", _ChangeEvent("governor-setting", "=Timelock", "was {old}, is {new}")),
    (
        "MinDelayChange(uint256 old, uint256 new)",
        _ChangeEvent("governor-setting", "=MinDelay", "was {old} s, is {new} s"),
    ),
    ("NewDelay(uint256 new)", _ChangeEvent("governor-setting", "=Delay", "is {new} s")),
    (
        _PROPOSAL_CREATED,
        _ChangeEvent("governance-act", "proposer", "makes proposal {id}"),
    ),
    (
        "VoteCast(address voter, uint256 id, uint8 support, uint256 weight, string reason)",
        _ChangeEvent("governance-act", "voter", "votes {support} on proposal {id}"),
    ),
    (
        "VoteCastWithParams(address voter, uint256 id, uint8 support, uint256 weight, string reason, bytes params)",
        _ChangeEvent("governance-act", "voter", "votes {support} on proposal {id}"),
    ),
    ("ProposalCanceled(uint256 id)", _ChangeEvent("governance-act", "=proposal", "proposal {id} is cancelled")),
    ("Cancelled(bytes32 id)", _ChangeEvent("governance-act", "=operation", "operation {id} is cancelled")),
    # ENS: whoever owns a node owns what hangs below it; controllers may create and take names
    (
        "NewOwner(bytes32 node, bytes32 label, address owner)",
        _ChangeEvent("ownership-transferred", "owner", "owns the ENS name {label} under {node} now"),
    ),
    (
        "Transfer(bytes32 node, address owner)",
        _ChangeEvent("ownership-transferred", "owner", "owns the ENS name {node} now"),
    ),
    (
        "ControllerChanged(address controller, bool enabled)",
        _ChangeEvent("role-granted", "controller", "ENS controller", taken="other"),
    ),
    (
        "ControllerAdded(address controller)",
        _ChangeEvent("role-granted", "controller", "ENS registrar controller added"),
    ),
    ("ControllerRemoved(address controller)", _ChangeEvent("other", "controller", "ENS registrar controller removed")),
    ("Paused(address account)", _ChangeEvent("other", "account", "paused")),
    ("Unpaused(address account)", _ChangeEvent("other", "account", "unpaused")),
)

_DIAMOND_CUT = bytes(keccak(b"DiamondCut((address,uint8,bytes4[])[],address,bytes)"))


def changes(events: Sequence[Event]) -> tuple[Change, ...]:
    """Changes of power, code and settings, in order."""
    return tuple(change for event in events if (change := _change(event)) is not None)


@cache
def _change_events() -> dict[bytes, tuple[Function, _ChangeEvent]]:
    return by_topic(_CHANGES)


def _change(event: Event) -> Change | None:
    topic = event.topics[0] if event.topics else b""
    if topic == _DIAMOND_CUT:
        return Change(
            kind="upgraded", contract=event.address, subject=event.address, detail="facets of a diamond changed"
        )
    function, shape = _change_events().get(topic, (None, None))
    if function is None or shape is None:
        return None
    args = event_arguments(function, event, shape.topics)
    if args is None:
        detail = f"an event with the name of {function.name} that does not decode"
        return Change(kind="other", contract=event.address, subject=event.address, detail=detail)
    texts = {p.name: _named(p.name, to_text(p.kind, args[p.name])) for p in function.parameters}
    subject = shape.subject[1:] if shape.subject.startswith("=") else texts[shape.subject]
    kind = shape.taken if shape.taken and not args[function.parameters[-1].name] else shape.kind
    detail = shape.detail.format(**texts) + (", no more" if kind != shape.kind else "")
    return Change(kind=kind, contract=event.address, subject=subject, detail=detail)


def _named(argument: str, text: str) -> str:
    is_role = argument in {"role", "previousAdminRole", "newAdminRole", "permissionId"}
    return role_name(text) or text if is_role else text
