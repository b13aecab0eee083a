"""Events as movements and changes: every standard, every version, and events that lie."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st

from pnyx_contracts.types import UINT256_MAX, to_hex
from pnyx_policies.claims import PERMIT2
from pnyx_policies.facts import Movement
from pnyx_policies.roles import role_name
from pnyx_tools.effects import NATIVE, Event, changes, movements
from pnyx_tools.reasons import revert_reason, without_endpoint

CONTRACT = "0x00000000000000000000000000000000000000A1"
ALICE = "0x00000000000000000000000000000000000000b2"
BOB = "0x00000000000000000000000000000000000000C3"
PERMIT2_APPROVAL = "Approval(address,address,address,uint160,uint48)"
PERMIT2_PERMIT = "Permit(address,address,address,uint160,uint48,uint48)"
NODE, LABEL = b"\x0a" * 32, b"\x0b" * 32


def event(signature: str, indexed: int, *values: object, address: str = CONTRACT) -> Event:
    types = signature[signature.index("(") + 1 : -1].split(",")
    topics = [keccak(signature.encode()), *(encode([t], [v]) for t, v in zip(types[:indexed], values, strict=False))]
    return Event(address, tuple(topics), encode(types[indexed:], values[indexed:]))


def _word(kind: str, value: object) -> bytes:
    return encode([kind], [value])


def _where(signature: str, topics: tuple[bytes, str, str], data: tuple[str, ...]) -> Event:
    """Aragon OSx indexes the permission, who gives it, and who gets it."""
    role, here, who = topics
    places = (keccak(signature.encode()), role, _word("address", here), _word("address", who))
    return Event(CONTRACT, places, b"".join(_word("address", account) for account in data))


TRANSFER_6909 = Event(
    CONTRACT,
    (
        keccak(b"Transfer(address,address,address,uint256,uint256)"),
        _word("address", ALICE),
        _word("address", BOB),
        _word("uint256", 3),
    ),
    _word("address", BOB) + _word("uint256", 14),
)
"""Who calls is the first argument, and not indexed."""


def test_tokens_of_every_standard() -> None:
    transfer, approval = "Transfer(address,address,uint256)", "Approval(address,address,uint256)"
    found = movements(
        [
            event(transfer, 2, ALICE, BOB, 5),
            event(transfer, 2, ALICE, BOB, 6, address=NATIVE),
            event(transfer, 2, ALICE, BOB, 0, address=NATIVE),
            event(transfer, 3, ALICE, BOB, 77),
            event(transfer, 0, ALICE, BOB, 8),
            event("TransferSingle(address,address,address,uint256,uint256)", 3, BOB, ALICE, BOB, 3, 9),
            event("TransferBatch(address,address,address,uint256[],uint256[])", 3, BOB, ALICE, BOB, [1, 2], [10, 20]),
            event(approval, 2, ALICE, BOB, 11),
            event(approval, 3, ALICE, BOB, 78),
            event("ApprovalForAll(address,address,bool)", 2, ALICE, BOB, True),
            event("ApprovalForAll(address,address,bool)", 2, ALICE, BOB, False),
            event("AuthorizedOperator(address,address)", 2, BOB, ALICE),
            event("RevokedOperator(address,address)", 2, BOB, ALICE),
            TRANSFER_6909,
            event("Approval(address,address,uint256,uint256)", 3, ALICE, BOB, 3, 15),
            event("OperatorSet(address,address,bool)", 2, ALICE, BOB, True),
            event(PERMIT2_APPROVAL, 3, ALICE, CONTRACT, BOB, 12, 1, address=PERMIT2),
            event(PERMIT2_PERMIT, 3, ALICE, CONTRACT, BOB, 13, 1, 7, address=PERMIT2),
        ]
    )

    def movement(kind: str, amount: int, token_id: int | None = None, asset: str | None = CONTRACT) -> Movement:
        return Movement(kind=kind, asset=asset, sender=ALICE, recipient=BOB, amount=amount, token_id=token_id)

    assert found == (
        movement("transfer", 5),
        movement("transfer", 6, asset=None),
        movement("transfer", 1, 77),
        movement("transfer", 8),
        movement("transfer", 9, 3),
        movement("transfer", 10, 1),
        movement("transfer", 20, 2),
        movement("approval", 11),
        movement("approval", 1, 78),
        movement("approval", UINT256_MAX),
        movement("approval", 0),
        movement("approval", UINT256_MAX),
        movement("approval", 0),
        movement("transfer", 14, 3),
        movement("approval", 15, 3),
        movement("approval", UINT256_MAX),
        movement("approval", 12),
        movement("approval", 13),
    )


@pytest.mark.parametrize(("signature", "more"), [(PERMIT2_APPROVAL, ()), (PERMIT2_PERMIT, (7,))])
def test_only_permit2_speaks_for_other_tokens(signature: str, more: tuple[int, ...]) -> None:
    assert movements([event(signature, 3, ALICE, CONTRACT, BOB, 2**160 - 1, 1, *more, address=BOB)]) == ()


@pytest.mark.parametrize(
    ("found", "kind", "subject", "words"),
    [
        (
            event("RoleGranted(bytes32,address,address)", 3, keccak(b"MINTER_ROLE"), ALICE, BOB),
            "role-granted",
            ALICE,
            "MINTER_ROLE",
        ),
        (
            event("RoleGranted(bytes32,address,address)", 3, bytes(32), ALICE, BOB),
            "role-granted",
            ALICE,
            "DEFAULT_ADMIN_ROLE",
        ),
        (event("RoleRevoked(bytes32,address,address)", 3, b"\x01" * 32, ALICE, BOB), "role-revoked", ALICE, "0x0101"),
        (
            event("RoleAdminChanged(bytes32,bytes32,bytes32)", 3, keccak(b"PAUSER_ROLE"), bytes(32), b"\x02" * 32),
            "role-admin-changed",
            "PAUSER_ROLE",
            "0x0202",
        ),
        (
            event("VoteCast(address,uint256,uint8,uint256,string)", 1, ALICE, 7, 1, 10**18, "because"),
            "governance-act",
            ALICE,
            "votes 1 on proposal 7",
        ),
        (
            event(
                "ProposalCreated(uint256,address,address[],uint256[],string[],bytes[],uint256,uint256,string)",
                0,
                7,
                ALICE,
                [BOB],
                [0],
                [""],
                [b""],
                1,
                2,
                "text",
            ),
            "governance-act",
            ALICE,
            "makes proposal 7",
        ),
        (event("ProposalCanceled(uint256)", 0, 7), "governance-act", "proposal", "proposal 7 is cancelled"),
        (event("Cancelled(bytes32)", 1, b"\x07" * 32), "governance-act", "operation", "0x0707"),
        (event("OwnershipTransferred(address,address)", 2, ALICE, BOB), "ownership-transferred", BOB, ALICE),
        (event("OwnershipTransferStarted(address,address)", 2, ALICE, BOB), "ownership-transferred", BOB, "accepted"),
        (event("AdminChanged(address,address)", 0, ALICE, BOB), "admin-changed", BOB, ALICE),
        (event("NewAdmin(address)", 1, BOB), "admin-changed", BOB, "admin"),
        (event("NewPendingAdmin(address,address)", 0, ALICE, BOB), "admin-changed", BOB, ALICE),
        (event("Upgraded(address)", 1, BOB), "upgraded", BOB, "implementation"),
        (event("BeaconUpgraded(address)", 1, BOB), "beacon-upgraded", BOB, "implementation"),
        (
            Event(CONTRACT, (keccak(b"DiamondCut((address,uint8,bytes4[])[],address,bytes)"),), b""),
            "upgraded",
            CONTRACT,
            "facets",
        ),
        (event("EnabledModule(address)", 0, BOB), "module-enabled", BOB, "without its owners"),
        (event("EnabledModule(address)", 1, BOB), "module-enabled", BOB, "without its owners"),
        (event("ChangedGuard(address)", 0, BOB), "guard-changed", BOB, "guard"),
        (event("AddedOwner(address)", 1, BOB), "owner-added", BOB, "Safe"),
        (event("RemovedOwner(address)", 0, BOB), "owner-removed", BOB, "Safe"),
        (event("ChangedThreshold(uint256)", 0, 1), "other", "1", "signatures"),
        (event("VotingDelaySet(uint256,uint256)", 0, 3, 4), "governor-setting", "VotingDelay", "was 3, is 4"),
        (
            event("QuorumNumeratorUpdated(uint256,uint256)", 0, 4, 1),
            "governor-setting",
            "QuorumNumerator",
            "was 4, is 1",
        ),
        (event("TimelockChange(address,address)", 0, ALICE, BOB), "governor-setting", "Timelock", BOB),
        (event("MinDelayChange(uint256,uint256)", 0, 9, 0), "governor-setting", "MinDelay", "was 9 s, is 0 s"),
        (event("ControllerAdded(address)", 1, BOB), "role-granted", BOB, "controller"),
        (event("ControllerChanged(address,bool)", 1, BOB, True), "role-granted", BOB, "controller"),
        (event("ControllerChanged(address,bool)", 1, BOB, False), "other", BOB, "no more"),
        (event("NewOwner(bytes32,bytes32,address)", 2, NODE, LABEL, BOB), "ownership-transferred", BOB, "0x0b0b"),
        (event("Transfer(bytes32,address)", 1, NODE, BOB), "ownership-transferred", BOB, "0x0a0a"),
        (event("Rely(address)", 1, BOB), "role-granted", BOB, "ward"),
        (event("Deny(address)", 1, BOB), "role-revoked", BOB, "ward"),
        (event("LogSetOwner(address)", 1, BOB), "ownership-transferred", BOB, "owner"),
        (event("LogSetAuthority(address)", 1, BOB), "admin-changed", BOB, "decides"),
        (event("AuthorityUpdated(address)", 0, BOB), "admin-changed", BOB, "decides"),
        (event("AuthorityUpdated(address,address)", 2, ALICE, BOB), "admin-changed", BOB, "decides"),
        (event("OwnerUpdated(address,address)", 2, ALICE, BOB), "ownership-transferred", BOB, "owner"),
        (event("UserRoleUpdated(address,uint8,bool)", 2, BOB, 3, True), "role-granted", BOB, "role 3"),
        (event("UserRoleUpdated(address,uint8,bool)", 2, BOB, 3, False), "role-revoked", BOB, "no more"),
        (
            event("PublicCapabilityUpdated(address,bytes4,bool)", 2, ALICE, b"abcd", True),
            "role-admin-changed",
            "everybody",
            ALICE,
        ),
        (event("ChangedMasterCopy(address)", 0, BOB), "upgraded", BOB, "code"),
        (
            event("SetPermission(address,address,bytes32,bool)", 3, BOB, ALICE, b"\x01" * 32, True),
            "role-granted",
            BOB,
            ALICE,
        ),
        (
            event("SetPermission(address,address,bytes32,bool)", 3, BOB, ALICE, b"\x01" * 32, False),
            "role-revoked",
            BOB,
            "no more",
        ),
        (
            event("ChangePermissionManager(address,bytes32,address)", 3, ALICE, bytes(32), BOB),
            "admin-changed",
            BOB,
            ALICE,
        ),
        (event("SetApp(bytes32,bytes32,address)", 2, NODE, LABEL, BOB), "upgraded", BOB, "0x0b0b"),
        (
            _where(
                "Granted(bytes32,address,address,address,address)",
                (keccak(b"ROOT_PERMISSION"), ALICE, BOB),
                (CONTRACT, ALICE),
            ),
            "role-granted",
            BOB,
            f"ROOT_PERMISSION on {CONTRACT}",
        ),
        (
            _where(
                "Revoked(bytes32,address,address,address)", (keccak(b"EXECUTE_PERMISSION"), ALICE, BOB), (CONTRACT,)
            ),
            "role-revoked",
            BOB,
            "EXECUTE_PERMISSION",
        ),
        (
            event("RoleGranted(uint64,address,uint32,uint48,bool)", 2, 7, BOB, 0, 1, True),
            "role-granted",
            BOB,
            "role 7",
        ),
        (event("RoleAdminChanged(uint64,uint64)", 2, 7, 8), "role-admin-changed", "7", "8"),
        (event("RoleGuardianChanged(uint64,uint64)", 2, 7, 8), "role-admin-changed", "7", "8"),
        (
            Event(
                CONTRACT,
                (
                    keccak(b"TargetFunctionRoleUpdated(address,bytes4,uint64)"),
                    _word("address", BOB),
                    _word("uint64", 7),
                ),
                _word("bytes4", b"abcd"),
            ),
            "role-admin-changed",
            "7",
            f"function 0x61626364 of {BOB}",
        ),
        (
            event("TargetAdminDelayUpdated(address,uint32,uint48)", 1, BOB, 5, 6),
            "governor-setting",
            "TargetAdminDelay",
            "5 s",
        ),
        (event("RoleGrantDelayChanged(uint64,uint32,uint48)", 1, 7, 5, 6), "governor-setting", "GrantDelay", "role 7"),
        (event("TargetClosed(address,bool)", 1, BOB, True), "other", BOB, "true"),
        (
            event("DefaultAdminDelayChangeScheduled(uint48,uint48)", 0, 5, 6),
            "governor-setting",
            "DefaultAdminDelay",
            "5 s",
        ),
    ],
)
def test_changes_of_power(found: Event, kind: str, subject: str, words: str) -> None:
    (change,) = changes([found])
    assert (change.kind, change.contract, change.subject) == (kind, CONTRACT, subject)
    assert words in change.detail


def test_an_event_that_does_not_decode_is_shown_as_such() -> None:
    granted = event("RoleGranted(bytes32,address,address)", 3, bytes(32), ALICE, BOB)
    (change,) = changes([Event(CONTRACT, granted.topics[:3], b"\xff")])
    assert change.kind == "other"
    assert "does not decode" in change.detail


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=4), st.binary(max_size=200))
def test_no_event_raises(topics: list[bytes], data: bytes) -> None:
    known = keccak(b"Transfer(address,address,uint256)"), keccak(b"RoleGranted(bytes32,address,address)")
    for first in (*known, *topics[:1]):
        events = [Event(CONTRACT, (first, *topics[1:]), data)]
        movements(events)
        changes(events)


def test_role_names_are_preimages() -> None:
    assert role_name(to_hex(keccak(b"UPGRADER_ROLE"))) == "UPGRADER_ROLE"
    assert role_name("0x" + "12" * 32) is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", ""),
        (
            keccak(b"Error(string)")[:4] + encode(["string"], ["Ownable: caller is not the owner"]),
            "Ownable: caller is not the owner",
        ),
        (keccak(b"Error(string)")[:4] + encode(["string"], ["x" * 500]), "x" * 200 + "..."),
        (keccak(b"Error(string)")[:4] + b"short", "revert data that does not decode: 0x08c379a073686f7274"),
        (keccak(b"Panic(uint256)")[:4] + (0x12).to_bytes(32, "big"), "panic 0x12: division by zero"),
        (
            keccak(b"OwnableUnauthorizedAccount(address)")[:4] + encode(["address"], [ALICE]),
            f"OwnableUnauthorizedAccount(account={ALICE})",
        ),
        (b"\xde\xad\xbe\xef" + bytes(64), "an error that is not known here: 0xdeadbeef with 64 bytes of arguments"),
    ],
)
def test_reasons(data: bytes, reason: str) -> None:
    assert revert_reason(data) == reason


def test_messages_lose_the_nodes_address() -> None:
    assert without_endpoint("https://rpc.example.org:8545: eth_call: no") == "eth_call: no"
    assert without_endpoint("eth_call: no") == "eth_call: no"
