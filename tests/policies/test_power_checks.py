"""Roles, ownership, code, settings: quiet on the honest proposal, loud on the hostile one that looks like it."""

from __future__ import annotations

import pytest
from eth_hash.auto import keccak

from pnyx_policies.checks import (
    CheckView,
    CodeUpgrade,
    GovernanceAct,
    GovernorSettings,
    PrivilegeGrant,
)
from pnyx_policies.facts import (
    Change,
)
from pnyx_policies.finding import Severity
from pnyx_tools.testing.facts import (
    GOVERNOR,
    TIMELOCK,
    address_of,
    call_of,
    facts_for,
    proposal_of,
    simulated,
)

MALLORY, TOKEN, PROXY, SAFE = map(address_of, ("mallory", "token", "proxy", "safe"))
ROLE = bytes(32)

INFO, LOW, MEDIUM, HIGH, CRITICAL = Severity


def findings(check, calls, text, **facts):
    return check.run(CheckView(facts_for(proposal_of(calls, text), **facts)))


def worst(check, calls, text, **facts):
    return max((f.severity for f in findings(check, calls, text, **facts)), default=None)


GRANT = call_of(TOKEN, "grantRole(bytes32,address)", keccak(b"MINTER_ROLE"), MALLORY)
HARMLESS = "Improve our documentation and thank everybody who helped with it during this season."


@pytest.mark.parametrize(
    ("text", "known", "severity"),
    [
        (HARMLESS, {}, CRITICAL),
        (f"{HARMLESS} Paid to {MALLORY}.", {}, CRITICAL),
        ("Grant the minter role on our token to the new bridge.", {}, CRITICAL),
        ("Grant the minter role on our token to bridge.example.eth.", {}, HIGH),
        (f"Grant the minter role on our token to the new bridge at {MALLORY}.", {}, HIGH),
        (HARMLESS, {MALLORY: "bridge"}, HIGH),
        (f"{HARMLESS} We elect {MALLORY} to the council.", {}, HIGH),
        (f"{HARMLESS} The bridge {MALLORY} has the right to make tokens.", {}, HIGH),
        (f"We elect a council. {HARMLESS} Paid to {MALLORY}.", {}, CRITICAL),
        (f"El derecho de acuñar el token se da al puente {MALLORY}.", {}, HIGH),
        ("El derecho de acuñar el token se da al puente de la DAO.", {}, CRITICAL),
        ("Grant the minter role on our token to the new bridge.", {MALLORY: "bridge"}, MEDIUM),
    ],
)
def test_a_role_is_judged_by_what_the_text_says_of_it(text, known, severity):
    assert worst(PrivilegeGrant(), [GRANT], text, known_addresses=known) is severity


@pytest.mark.parametrize(
    ("role", "text", "severity"),
    [
        ("CANCELLER_ROLE", f"Give the council {MALLORY} the canceller role in the timelock.", HIGH),
        ("CANCELLER_ROLE", f"Give the council {MALLORY} a veto over what the timelock does, as a role.", HIGH),
        ("CANCELLER_ROLE", f"Elect {MALLORY} to the role of community lead for one year.", HIGH),
        ("PROPOSER_ROLE", f"Give the council {MALLORY} the canceller role in the timelock.", CRITICAL),
        (
            "PROPOSER_ROLE",
            f"Give the council {MALLORY} the canceller role. It cannot propose, queue or execute, and may be revoked.",
            CRITICAL,
        ),
        (
            "PROPOSER_ROLE",
            f"Give the canceller role to {MALLORY}, whom we elected. It cannot propose.",
            CRITICAL,
        ),
        (
            "PROPOSER_ROLE",
            f"Give {MALLORY} the proposer role and the canceller role. It cannot grant roles.",
            HIGH,
        ),
        ("PROPOSER_ROLE", f"Update roles: set roles for {MALLORY} in the timelock.", HIGH),
        ("TIMELOCK_ADMIN_ROLE", f"Give the council {MALLORY} the `CANCELLER_ROLE` in the timelock.", CRITICAL),
        ("TIMELOCK_ADMIN_ROLE", f"Make {MALLORY} the owner of the timelock.", HIGH),
        ("A_ROLE_OF_THEIR_OWN", f"Give the council {MALLORY} the canceller role in the timelock.", HIGH),
    ],
)
def test_another_role_than_the_text_names_is_hidden(role, text, severity):
    grant = call_of(TIMELOCK, "grantRole(bytes32,address)", keccak(role.encode()), MALLORY)
    (found,) = findings(PrivilegeGrant(), [grant], text)
    assert found.severity is severity
    assert found.title.startswith(f"grantRole gives {role if role[0] != 'A' else '0x'}")


@pytest.mark.parametrize(
    "call",
    [
        call_of(TOKEN, "transferOwnership(address)", MALLORY),
        call_of(TOKEN, "setPendingAdmin(address)", MALLORY),
        call_of(PROXY, "changeAdmin(address)", MALLORY),
        call_of(SAFE, "enableModule(address)", MALLORY),
        call_of(SAFE, "addOwnerWithThreshold(address,uint256)", MALLORY, 1),
        call_of(SAFE, "setController(address,bool)", MALLORY, True),
        call_of(TOKEN, "setSubnodeOwner(bytes32,address)", ROLE, MALLORY),
        call_of(SAFE, "allowTarget(bytes32,address,uint8)", ROLE, TOKEN, 1),
        call_of(SAFE, "scopeTarget(bytes32,address)", ROLE, TOKEN),
        call_of(SAFE, "setAllowance(bytes32,uint128,uint128,uint128,uint64,uint64)", ROLE, 5, 5, 5, 1, 0),
        call_of(SAFE, "assignRoles(address,bytes32[],bool[])", MALLORY, [ROLE, ROLE], [False, True]),
        call_of(SAFE, "assignRoles(address,uint16[],bool[])", MALLORY, [1], [True]),
        call_of(SAFE, "addDelegate(address)", MALLORY),
        call_of(SAFE, "setAllowance(address,address,uint96,uint16,uint32)", MALLORY, TOKEN, 5, 1, 0),
    ],
)
def test_every_kind_of_power_counts(call):
    assert worst(PrivilegeGrant(), [call], HARMLESS) is CRITICAL


@pytest.mark.parametrize(
    "call",
    [
        call_of(SAFE, "setController(address,bool)", MALLORY, False),
        call_of(SAFE, "assignRoles(address,bytes32[],bool[])", MALLORY, [ROLE, ROLE], [False, False]),
        call_of(TOKEN, "revokeRole(bytes32,address)", ROLE, MALLORY),
        call_of(TOKEN, "transferOwnership(address)", "0x" + "00" * 20),
        call_of(TOKEN, "transfer(address,uint256)", MALLORY, 5),
    ],
)
def test_taking_power_away_is_no_grant(call):
    assert worst(PrivilegeGrant(), [call], HARMLESS) is None


@pytest.mark.parametrize("own", [TIMELOCK, GOVERNOR])
def test_power_that_stays_with_the_dao_is_only_told(own):
    assert worst(PrivilegeGrant(), [call_of(TOKEN, "transferOwnership(address)", own)], HARMLESS) is INFO


def test_a_grant_that_only_the_simulation_shows_is_found():
    change = Change(kind="role-granted", contract=TOKEN, subject=MALLORY, detail="role 0x00")
    opaque = [call_of(address_of("helper"), "execute()")]
    assert worst(PrivilegeGrant(), opaque, HARMLESS, simulation=simulated(changes=[change])) is CRITICAL


def test_a_grant_that_call_and_simulation_show_is_told_once():
    change = Change(kind="role-granted", contract=TOKEN, subject=MALLORY, detail="role 0x00")
    found = findings(PrivilegeGrant(), [GRANT], HARMLESS, simulation=simulated(changes=[change]))
    assert [f.calls for f in found] == [("0",)]


def test_a_role_that_may_call_more_names_nobody_who_gains():
    """The contract that may be called is not the receiver: an honest text need not spell it out as one."""
    change = Change(
        kind="role-admin-changed", contract=TOKEN, subject="7", detail=f"may call function 0x01020304 of {PROXY}"
    )
    text = "Let the market operators' role pause the market at their discretion."
    opaque = [call_of(address_of("helper"), "execute()")]
    (found,) = findings(PrivilegeGrant(), opaque, text, simulation=simulated(changes=[change]))
    assert (found.severity, found.evidence) == (HIGH, (TOKEN,))


PROPOSES = Change(kind="governance-act", contract=GOVERNOR, subject=MALLORY, detail="makes proposal 7")
CANCELS = Change(kind="governance-act", contract=TIMELOCK, subject="operation", detail="operation 0x07 is cancelled")


def test_code_that_proposes_and_cancels_in_the_name_of_the_dao_is_for_people():
    opaque = [call_of(address_of("helper"), "execute()")]
    found = findings(GovernanceAct(), opaque, HARMLESS, simulation=simulated(changes=[PROPOSES, CANCELS]))
    assert [(f.severity, f.title.partition(": ")[2]) for f in found] == [
        (HIGH, f"{MALLORY} makes proposal 7"),
        (HIGH, "operation 0x07 is cancelled"),
    ]
    elsewhere = PROPOSES.model_copy(update={"contract": PROXY})
    assert findings(GovernanceAct(), opaque, HARMLESS, simulation=simulated(changes=[elsewhere])) == ()


UPGRADE = call_of(PROXY, "upgradeToAndCall(address,bytes)", MALLORY, b"")


@pytest.mark.parametrize(
    ("calls", "text", "bare", "severity"),
    [
        ([UPGRADE], HARMLESS, (), CRITICAL),
        ([UPGRADE], f"Upgrade the vault proxy to the implementation at {MALLORY}, audited twice.", (), HIGH),
        ([UPGRADE], "Upgrade the vault proxy to version 2, audited twice by two firms.", (), HIGH),
        ([UPGRADE], f"The vault runs version 2 from now on, which is {MALLORY}.", (), HIGH),
        ([UPGRADE], "\u5c06\u91d1\u5e93\u6362\u6210\u65b0\u7684\u4ee3\u7801\u3002", (), CRITICAL),
        ([call_of(TOKEN, "upgrade(uint256)", 5)], "Wrap five tokens for the stream.", (), None),
    ],
)
def test_an_upgrade_is_high_when_told_and_critical_when_hidden(calls, text, bare, severity):
    assert worst(CodeUpgrade(), calls, text, without_code=bare) is severity


def test_an_upgrade_to_code_that_does_not_exist_yet_is_critical():
    facts = facts_for(proposal_of([UPGRADE], f"Upgrade the vault proxy to the implementation at {MALLORY}."))
    missing = facts.targets[0].model_copy(update={"address": MALLORY, "has_code": False})
    view = CheckView(facts.model_copy(update={"targets": (*facts.targets, missing)}))
    assert CodeUpgrade().run(view)[0].severity is CRITICAL


@pytest.mark.parametrize(
    ("call", "text", "severity"),
    [
        (call_of(GOVERNOR, "setVotingPeriod(uint32)", 3), HARMLESS, CRITICAL),
        (call_of(GOVERNOR, "setVotingPeriod(uint32)", 50_400), "Set the voting period to 50,400 blocks.", HIGH),
        (call_of(TIMELOCK, "updateDelay(uint256)", 0), "Shorten the timelock's delay.", HIGH),
        (call_of(GOVERNOR, "updateTimelock(address)", MALLORY), "Move to another timelock, see the forum.", CRITICAL),
        (call_of(GOVERNOR, "relay(address,uint256,bytes)", TOKEN, 0, b""), HARMLESS, None),
        (
            call_of(GOVERNOR, "updateQuorumNumerator(uint256)", 0),
            "Routine update of our parameters and settings.",
            CRITICAL,
        ),
        (call_of(GOVERNOR, "updateQuorumNumerator(uint256)", 3), "Lower the quorum from 4% to 3%.", HIGH),
        (call_of(GOVERNOR, "updateQuorumNumerator(uint256)", 30), "Lower the quorum from 4 to 3 percent.", HIGH),
        (call_of(GOVERNOR, "updateQuorumNumerator(uint256)", 0), "Lower the quorum from 4% to 3%.", CRITICAL),
        (call_of(GOVERNOR, "updateQuorumNumerator(uint256)", 0), "Lower the quorum, as proposal 4 said.", HIGH),
        (call_of(GOVERNOR, "updateQuorumNumerator(uint256)", 3), "Lower the quorum from 4% to three percent.", HIGH),
        (call_of(GOVERNOR, "setVotingPeriod(uint32)", 50_400), "Votes last 7 days from now on.", HIGH),
        (call_of(GOVERNOR, "setVotingPeriod(uint32)", 50_400), "Let votes last a week.", HIGH),
        (call_of(GOVERNOR, "setVotingPeriod(uint32)", 50), "Let votes last a week.", CRITICAL),
        (call_of(GOVERNOR, "updateQuorumNumerator(uint256)", 3), "Lower the quorum by 1%.", HIGH),
        (
            call_of(GOVERNOR, "updateQuorumNumerator(uint256)", 3),
            "The quorum of 4% was missed. Lower the quorum to 300,000 GOV.",
            HIGH,
        ),
        (call_of(GOVERNOR, "updateQuorumNumerator(uint256)", 3), "Lower the quorum to 30,000 votes.", HIGH),
        (call_of(GOVERNOR, "updateQuorumNumerator(uint256)", 0), "Lower the quorum to 30,000 votes.", CRITICAL),
        (call_of(GOVERNOR, "setProposalThreshold(uint256)", 10**21), "A proposal threshold of 0.1%.", HIGH),
        (call_of(TIMELOCK, "updateDelay(uint256)", 259_200), "The timelock's delay goes from 1 day to 72h.", HIGH),
        (call_of(TIMELOCK, "updateDelay(uint256)", 60), "The timelock's delay goes from 1 day to 72h.", CRITICAL),
        (call_of(GOVERNOR, "updateQuorumNumerator(uint256)", 3), "Bajar el qu\u00f3rum del 4% al 3% de la DAO.", HIGH),
        (call_of(GOVERNOR, "setVotingPeriod(uint32)", 45_818), "A voting period of about 1 week.", HIGH),
        (call_of(GOVERNOR, "setVotingPeriod(uint32)", 2), "A voting period of 50,400 blocks (1 week).", CRITICAL),
        (call_of(GOVERNOR, "setVotingDelay(uint48)", 172_800), "A voting delay of 2 days.", HIGH),
        (call_of(GOVERNOR, "setVotingDelay(uint48)", 14_400), "Delay votes by a voting delay of 2 days.", HIGH),
        (call_of(GOVERNOR, "setVotingDelay(uint48)", 0), "A voting delay of 2 days.", CRITICAL),
        (call_of(TIMELOCK, "updateDelay(uint256)", 259_200), "The timelock's delay: 2 days before, 3 days now.", HIGH),
        (
            call_of(TIMELOCK, "updateDelay(uint256)", 3_600),
            "The timelock's delay: 2 days before, 3 days now.",
            CRITICAL,
        ),
        (call_of(GOVERNOR, "setProposalThreshold(uint256)", 100 * 10**18), "A proposal threshold of 100 votes.", HIGH),
        (call_of(GOVERNOR, "setProposalThreshold(uint256)", 0), "A proposal threshold of 100 votes.", CRITICAL),
    ],
)
def test_the_rules_of_governance_never_change_quietly(call, text, severity):
    assert worst(GovernorSettings(), [call], text) is severity


def test_a_setting_that_only_the_simulation_shows_is_found():
    change = Change(kind="governor-setting", contract=GOVERNOR, subject="QuorumNumerator", detail="was 4, is 0")
    opaque = [call_of(address_of("helper"), "execute()")]
    assert worst(GovernorSettings(), opaque, HARMLESS, simulation=simulated(changes=[change])) is CRITICAL


def test_a_setting_that_call_and_simulation_show_is_told_once():
    call = call_of(GOVERNOR, "setVotingDelay(uint48)", 7)
    changes = [
        Change(kind="governor-setting", contract=GOVERNOR, subject="VotingDelay", detail="was 1, is 7"),
        Change(kind="governor-setting", contract=GOVERNOR, subject="QuorumNumerator", detail="was 4, is 0"),
    ]
    found = findings(GovernorSettings(), [call], "Set the voting delay.", simulation=simulated(changes=changes))
    assert [f.calls for f in found] == [("0",), ()]
    assert [f.detail for f in found] == [
        "newVotingDelay = 7; was 1, is 7; the text speaks of it.",
        "was 4, is 0; the text does not speak of it.",
    ]


def test_the_least_delay_of_a_timelock_is_told_once():
    call = call_of(TIMELOCK, "updateDelay(uint256)", 0)
    change = Change(kind="governor-setting", contract=TIMELOCK, subject="MinDelay", detail="was 172800 s, is 0 s")
    (found,) = findings(GovernorSettings(), [call], HARMLESS, simulation=simulated(changes=[change]))
    assert found.detail == "newDelay = 0; was 172800 s, is 0 s; the text does not speak of it."
