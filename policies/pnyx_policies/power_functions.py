"""Functions that give power, change code or change the rules of governance.

By canonical signature, never by name alone: ``upgrade(uint256)`` of a wrapped token wraps tokens,
``upgrade(address,address)`` of a proxy admin replaces code.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class PowerKind(Enum):
    """What a call changes."""

    ROLE = "role"
    OWNERSHIP = "ownership"
    ADMIN = "admin"
    MODULE = "module"
    VOTES = "voting power"
    CODE = "code"
    SETTING = "setting"


@dataclass(frozen=True, slots=True)
class Function:
    """`receiver` is the place of the argument that gains by the call (None: nobody in particular).

    With `flag`, the call takes the power away when that boolean argument is false. `shown_as`: what an event calls the
    setting, where the function's name does not have it. `words`: other ones that announce it.
    """

    kind: PowerKind
    receiver: int | None = None
    flag: int | None = None
    shown_as: str = ""
    words: tuple[str, ...] = ()


_ROLE, _OWNERSHIP, _ADMIN = PowerKind.ROLE, PowerKind.OWNERSHIP, PowerKind.ADMIN
_MODULE, _CODE, _SETTING = PowerKind.MODULE, PowerKind.CODE, PowerKind.SETTING
_VOTES = PowerKind.VOTES

NAMES = (
    "name",
    "names",
    "subname",
    "subnames",
    "domain",
    "domains",
    "subdomain",
    "subdomains",
    "record",
    "records",
    "node",
)
_SPENDING = ("allowance", "allowances", "limit", "limits", "spend", "spending")

FUNCTIONS: dict[str, Function] = {
    # access control and ownership
    "grantRole(bytes32,address)": Function(_ROLE, 1),
    "grantRole(uint64,address,uint32)": Function(_ROLE, 1),
    "setRoleAdmin(uint64,uint64)": Function(_ROLE),
    "setTargetFunctionRole(address,bytes4[],uint64)": Function(_ROLE),
    "beginDefaultAdminTransfer(address)": Function(_ADMIN, 0),
    "transferOwnership(address)": Function(_OWNERSHIP, 0),
    "setOwner(address)": Function(_OWNERSHIP, 0),
    "setAuthority(address)": Function(_ADMIN, 0),
    "updateAuthority(address,address)": Function(_ADMIN, 1),
    "setController(address,bool)": Function(_ROLE, 0, flag=1),
    "addController(address)": Function(_ROLE, 0),
    "grant(address,address,bytes32)": Function(_ROLE, 1),
    "assignRoles(address,bytes32[],bool[])": Function(_ROLE, 0, flag=2),
    "setDefaultRole(address,bytes32)": Function(_ROLE, 0),
    "setRoleGuardian(uint64,uint64)": Function(_ROLE),
    "rely(address)": Function(_ROLE, 0),
    "setUserRole(address,uint8,bool)": Function(_ROLE, 0, flag=2),
    "setRoleCapability(uint8,address,bytes4,bool)": Function(_ROLE, flag=3),
    "setPublicCapability(address,bytes4,bool)": Function(_ROLE, flag=2),
    "createPermission(address,address,bytes32,address)": Function(_ROLE, 0),
    "grantPermission(address,address,bytes32)": Function(_ROLE, 0),
    "setPermissionManager(address,address,bytes32)": Function(_ADMIN, 0),
    "delegate(address)": Function(_VOTES, 0),
    # admins of proxies, timelocks, markets
    "changeAdmin(address)": Function(_ADMIN, 0),
    "changeProxyAdmin(address,address)": Function(_ADMIN, 1),
    "setPendingAdmin(address)": Function(_ADMIN, 0),
    "_setPendingAdmin(address)": Function(_ADMIN, 0),
    "_setPauseGuardian(address)": Function(_ROLE, 0),
    "_setBorrowCapGuardian(address)": Function(_ROLE, 0),
    # seats of power elsewhere
    "_setPendingGov(address)": Function(_ADMIN, 0),
    "setGovernance(address)": Function(_ADMIN, 0),
    "setPendingGovernance(address)": Function(_ADMIN, 0),
    "setGov(address)": Function(_ADMIN, 0),
    "setGovernor(address)": Function(_ADMIN, 0),
    "setPendingGovernor(address)": Function(_ADMIN, 0),
    "transferGovernance(address)": Function(_ADMIN, 0),
    "commit_transfer_ownership(address)": Function(_OWNERSHIP, 0),
    "transfer_ownership(address)": Function(_OWNERSHIP, 0),
    "nominateNewOwner(address)": Function(_OWNERSHIP, 0),
    "setPendingOwner(address)": Function(_OWNERSHIP, 0),
    "setAdmin(address)": Function(_ADMIN, 0),
    "transferAdmin(address)": Function(_ADMIN, 0),
    "setManager(address)": Function(_ROLE, 0),
    "setOperator(address)": Function(_ROLE, 0),
    "setOperator(address,bool)": Function(_ROLE, 0, flag=1),
    "addOperator(address)": Function(_ROLE, 0),
    "setController(address)": Function(_ROLE, 0),
    "setStrategist(address)": Function(_ROLE, 0),
    "setKeeper(address)": Function(_ROLE, 0),
    "setGuardian(address)": Function(_ROLE, 0),
    "setFeeTo(address)": Function(_ROLE, 0),
    "setFeeToSetter(address)": Function(_ROLE, 0),
    "_setVetoer(address)": Function(_ROLE, 0),
    "setManagement(address)": Function(_ROLE, 0),
    "addMinter(address)": Function(_ROLE, 0),
    "setMinter(address)": Function(_ROLE, 0),
    "setMinter(address,bool)": Function(_ROLE, 0, flag=1),
    "configureMinter(address,uint256)": Function(_ROLE, 0),
    "kiss(address)": Function(_ROLE, 0),
    "kiss(address[])": Function(_ROLE),
    "addPoolAdmin(address)": Function(_ROLE, 0),
    "addEmergencyAdmin(address)": Function(_ROLE, 0),
    "addRiskAdmin(address)": Function(_ROLE, 0),
    "addAssetListingAdmin(address)": Function(_ROLE, 0),
    "setACLAdmin(address)": Function(_ADMIN, 0),
    "reconfigure(address,bytes)": Function(_ADMIN),  # who commands an executor on another chain
    # names: whoever owns a node owns what hangs below it
    "setOwner(bytes32,address)": Function(_OWNERSHIP, 1, words=NAMES),
    "setSubnodeOwner(bytes32,address)": Function(_OWNERSHIP, 1, words=NAMES),
    "setSubnodeOwner(bytes32,bytes32,address)": Function(_OWNERSHIP, 2, words=NAMES),
    "setSubnodeOwner(bytes32,string,address,uint32,uint64)": Function(_OWNERSHIP, 2, words=NAMES),
    "setSubnodeRecord(bytes32,bytes32,address,address,uint64)": Function(_OWNERSHIP, 2, words=NAMES),
    "setSubnodeRecord(bytes32,string,address,address,uint64,uint32,uint64)": Function(_OWNERSHIP, 2, words=NAMES),
    "setRecord(bytes32,address,address,uint64)": Function(_OWNERSHIP, 1, words=NAMES),
    "reclaim(uint256,address)": Function(_OWNERSHIP, 1, words=NAMES),
    "approve(bytes32,address,bool)": Function(_ROLE, 1, flag=2, words=NAMES),
    "setAuthorisation(bytes32,address,bool)": Function(_ROLE, 1, flag=2, words=NAMES),
    # Safe, Zodiac
    "approveHash(bytes32)": Function(_OWNERSHIP),
    "signMessage(bytes)": Function(_OWNERSHIP),
    "addOwnerWithThreshold(address,uint256)": Function(_OWNERSHIP, 0),
    "swapOwner(address,address,address)": Function(_OWNERSHIP, 2),
    "changeThreshold(uint256)": Function(_OWNERSHIP),
    "enableModule(address)": Function(_MODULE, 0),
    "setGuard(address)": Function(_MODULE, 0),
    "setModuleGuard(address)": Function(_MODULE, 0),
    "setFallbackHandler(address)": Function(_MODULE, 0),
    "setAvatar(address)": Function(_MODULE, 0),
    "setTarget(address)": Function(_MODULE, 0),
    "allowTarget(bytes32,address,uint8)": Function(_ROLE),
    "allowFunction(bytes32,address,bytes4,uint8)": Function(_ROLE),
    "scopeTarget(bytes32,address)": Function(_ROLE),
    "scopeFunction(bytes32,address,bytes4,(uint8,uint8,uint8,bytes)[],uint8)": Function(_ROLE),
    "setAllowance(bytes32,uint128,uint128,uint128,uint64,uint64)": Function(_ROLE, words=_SPENDING),
    "assignRoles(address,uint16[],bool[])": Function(_ROLE, 0, flag=2),
    "setDefaultRole(address,uint16)": Function(_ROLE, 0),
    "allowTarget(uint16,address,uint8)": Function(_ROLE),
    "scopeTarget(uint16,address)": Function(_ROLE),
    "scopeAllowFunction(uint16,address,bytes4,uint8)": Function(_ROLE),
    "scopeFunction(uint16,address,bytes4,bool[],uint8[],uint8[],bytes[],uint8)": Function(_ROLE),
    "addDelegate(address)": Function(_ROLE, 0, words=_SPENDING),
    "setAllowance(address,address,uint96,uint16,uint32)": Function(_ROLE, 0, words=_SPENDING),
    # code
    "upgradeTo(address)": Function(_CODE, 0),
    "upgradeToAndCall(address,bytes)": Function(_CODE, 0),
    "upgrade(address,address)": Function(_CODE, 1),
    "upgradeAndCall(address,address,bytes)": Function(_CODE, 1),
    "diamondCut((address,uint8,bytes4[])[],address,bytes)": Function(_CODE, 1),
    "_setImplementation(address)": Function(_CODE, 0),
    "_setImplementation(address,bool,bytes)": Function(_CODE, 0),
    "_setPendingImplementation(address)": Function(_CODE, 0),
    "setUpgradeContract(address)": Function(_CODE, 0),
    "changeMasterCopy(address)": Function(_CODE, 0),
    "setApp(bytes32,bytes32,address)": Function(_CODE, 2),
    "setPoolImpl(address)": Function(_CODE, 0),
    "setAddressAsProxy(bytes32,address)": Function(_CODE, 1),
    # the rules of governance itself
    "setVotingDelay(uint256)": Function(_SETTING),
    "setVotingDelay(uint48)": Function(_SETTING),
    "_setVotingDelay(uint256)": Function(_SETTING),
    "setVotingPeriod(uint256)": Function(_SETTING),
    "setVotingPeriod(uint32)": Function(_SETTING),
    "_setVotingPeriod(uint256)": Function(_SETTING),
    "setProposalThreshold(uint256)": Function(_SETTING),
    "_setProposalThreshold(uint256)": Function(_SETTING),
    "updateQuorumNumerator(uint256)": Function(_SETTING),
    "updateSuperQuorumNumerator(uint256)": Function(_SETTING),
    "setLateQuorumVoteExtension(uint64)": Function(_SETTING),
    "setLateQuorumVoteExtension(uint48)": Function(_SETTING),
    "setProposalGuardian(address)": Function(_SETTING, 0),
    "updateTimelock(address)": Function(_SETTING, 0),
    "updateDelay(uint256)": Function(_SETTING, shown_as="MinDelay"),
    "setDelay(uint256)": Function(_SETTING),
    "changeDefaultAdminDelay(uint48)": Function(_SETTING),
    "setGrantDelay(uint64,uint32)": Function(_SETTING),
    "setTargetAdminDelay(address,uint32)": Function(_SETTING),
    "setBaseDelaySeconds(uint32)": Function(_SETTING),
    "setAccessManagerIgnored(address,bytes4[],bool)": Function(_SETTING),
    "_setWhitelistAccountExpiration(address,uint256)": Function(_SETTING, 0),
    "_setWhitelistGuardian(address)": Function(_SETTING, 0),
    "_setPriceOracle(address)": Function(_SETTING, 0),
    "setPriceOracle(address)": Function(_SETTING, 0),
    "setOracle(address)": Function(_SETTING, 0),
    "setCommitmentAges(uint256,uint256)": Function(_SETTING),
    "_setComptroller(address)": Function(_SETTING, 0),
    "_setInterestRateModel(address)": Function(_SETTING, 0),
}
