"""Each check: quiet on the honest proposal, loud on the hostile one that looks like it."""

from __future__ import annotations

import pytest
from eth_hash.auto import keccak

from pnyx_policies.checks import (
    Allowance,
    CheckSkipped,
    CheckView,
    CodeUpgrade,
    Delegatecall,
    DuplicateCalls,
    GovernorSettings,
    LookalikeAddress,
    PrivilegeGrant,
    SelfDealing,
    SimulationReverts,
    TargetWithoutCode,
    TextAgainstCalls,
    TreasuryOutflow,
    UnknownCalldata,
)
from pnyx_policies.context import AccountBalances, TreasuryBalances
from pnyx_policies.facts import (
    NO_CODE,
    Balance,
    CallResult,
    Change,
    EarlierCode,
    Movement,
    SimulationStatus,
    TargetFacts,
)
from pnyx_policies.finding import Severity
from pnyx_tools.testing.facts import (
    GOVERNOR,
    PROPOSER,
    TIMELOCK,
    address_of,
    call_of,
    facts_for,
    holding,
    moved,
    proposal_of,
    simulated,
)

ALICE, MALLORY, TOKEN, PROXY, SAFE, POOL = map(address_of, ("alice", "mallory", "token", "proxy", "safe", "pool"))
PERMIT2 = "0x000000000022D473030F116dDEE9F6B43aC78BA3"
MULTISEND = "0x40A2aCCbd92BCA938b02010E17A5b8929b49130D"
ROLE = bytes(32)
UNITS = 10**6

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
    ],
)
def test_every_kind_of_power_counts(call):
    assert worst(PrivilegeGrant(), [call], HARMLESS) is CRITICAL


@pytest.mark.parametrize(
    "call",
    [
        call_of(SAFE, "setController(address,bool)", MALLORY, False),
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


UPGRADE = call_of(PROXY, "upgradeToAndCall(address,bytes)", MALLORY, b"")


@pytest.mark.parametrize(
    ("calls", "text", "bare", "severity"),
    [
        ([UPGRADE], HARMLESS, (), CRITICAL),
        ([UPGRADE], f"Upgrade the vault proxy to the implementation at {MALLORY}, audited twice.", (), HIGH),
        ([UPGRADE], "Upgrade the vault proxy to version 2, audited twice by two firms.", (), HIGH),
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


@pytest.mark.parametrize(
    ("amount", "balance", "severity"),
    [(50, 1_000, LOW), (51, 1_000, MEDIUM), (250, 1_000, MEDIUM), (251, 1_000, HIGH), (2_000, 1_000, HIGH)],
)
def test_outflow_is_measured_against_the_treasury(amount, balance, severity):
    pay = [call_of(TOKEN, "transfer(address,uint256)", ALICE, amount)]
    assert worst(TreasuryOutflow(), pay, "", treasury=[holding(TOKEN, balance)]) is severity


def test_payments_in_pieces_and_allowances_add_up():
    pieces = [call_of(TOKEN, "transfer(address,uint256)", address_of(str(n)), 50) for n in range(4)]
    allowance = [call_of(TOKEN, "approve(address,uint256)", ALICE, 60)]
    assert worst(TreasuryOutflow(), [*pieces, *allowance], "", treasury=[holding(TOKEN, 1_000)]) is HIGH


def stake(calls, treasury, movements=(), balances=(), **facts):
    """What the finding of the first asset says."""
    simulation = simulated(movements).model_copy(update={"balances": tuple(balances)})
    found = findings(TreasuryOutflow(), calls, "", treasury=treasury, simulation=simulation, **facts)
    return found[0].severity, found[0].title.partition(": ")[2].partition(" what")[0]


def test_what_is_taken_of_an_allowance_in_the_same_actions_counts_once():
    """As a stream does it that pulls its deposit; a part is left."""
    calls = [call_of(TOKEN, "approve(address,uint256)", SAFE, 300), call_of(SAFE, "createStream()")]
    allowed = Movement(kind="approval", asset=TOKEN, sender=TIMELOCK, recipient=SAFE, amount=300)
    balances = [
        Balance(token=TOKEN, before=1_000, after=800),
        Balance(token=TOKEN, spender=SAFE, before=0, after=100),
    ]
    seen = [allowed, moved(TOKEN, SAFE, 200)]
    assert stake(calls, [holding(TOKEN, 1_000)], seen, balances) == (HIGH, "30.00% of")
    assert stake(calls, [holding(TOKEN, 1_000)], seen) == (HIGH, "50.00% of"), "nobody read what is left"
    lies = [Balance(token=TOKEN, spender=SAFE, before=0, after=0)]
    assert stake(calls, [holding(TOKEN, 1_000)], [allowed], lies) == (HIGH, "30.00% of"), "nothing was taken"


def test_what_comes_in_before_it_is_paid_counts_as_had():
    calls = [call_of(POOL, "claim()"), call_of(TOKEN, "transfer(address,uint256)", ALICE, 100)]
    seen = [moved(TOKEN, TIMELOCK, 900, sender=POOL), moved(TOKEN, ALICE, 100)]
    assert stake(calls, [holding(TOKEN, 100)], seen) == (MEDIUM, "10.00% of")
    assert stake(calls, [holding(TOKEN, 0)], [moved(TOKEN, ALICE, 100)])[0] is HIGH
    found = findings(TreasuryOutflow(), calls, "", treasury=[holding(TOKEN, 0)], simulation=simulated())
    assert found[0].title.endswith("more than the treasury holds")


def test_coin_that_is_wrapped_and_paid_is_lost_once():
    """WETH tells of no transfer when it wraps."""
    calls = [call_of(TOKEN, "deposit()", value_wei=50), call_of(TOKEN, "transfer(address,uint256)", ALICE, 50)]
    seen = [moved(None, TOKEN, 50), moved(TOKEN, ALICE, 50)]
    treasury = [holding(None, 1_000), holding(TOKEN, 0)]
    simulation = simulated(seen).model_copy(update={"balances": (Balance(token=TOKEN, before=0, after=0),)})
    found = findings(TreasuryOutflow(), calls, "", treasury=treasury, simulation=simulation)
    assert [(f.severity, f.title.partition(": ")[2].partition(" of")[0]) for f in found] == [
        (LOW, "5.00%"),
        (LOW, "0.00%"),
    ]


def test_a_safe_that_pays_is_compared_with_what_it_has():
    calls = [_safe_call(TOKEN, call_of(TOKEN, "transfer(address,uint256)", ALICE, 400).calldata, 0)]
    accounts = (AccountBalances(account=SAFE, role="caller", holdings=(holding(TOKEN, 1_000),)),)
    facts = facts_for(
        proposal_of(calls, ""), treasury=[holding(TOKEN, 0)], context=[TreasuryBalances(accounts=accounts, left_out=0)]
    )
    (found,) = TreasuryOutflow().run(CheckView(facts))[:1]
    assert (found.severity, found.title.partition(": ")[2]) == (HIGH, "40.00% of what those hold who pay")


def test_money_for_the_dao_itself_does_not_leave():
    inward = [call_of(TOKEN, "transfer(address,uint256)", TIMELOCK, 900), call_of(GOVERNOR, value_wei=5)]
    simulation = simulated([moved(TOKEN, TIMELOCK, 900, sender=SAFE)])
    assert worst(TreasuryOutflow(), inward, "", treasury=[holding(TOKEN, 1_000)], simulation=simulation) is None


def test_an_asset_that_nobody_looked_at_is_no_small_payment():
    assert worst(TreasuryOutflow(), [call_of(TOKEN, "transfer(address,uint256)", ALICE, 1)], "") is MEDIUM


def test_outflow_that_only_the_simulation_shows_is_found():
    drain = simulated([moved(TOKEN, MALLORY, 990)])
    opaque = [call_of(address_of("helper"), "execute()")]
    assert worst(TreasuryOutflow(), opaque, "", simulation=drain, treasury=[holding(TOKEN, 1_000)]) is HIGH


def test_a_transfer_that_moves_nothing_visible_still_counts():
    pay = [call_of(TOKEN, "transfer(address,uint256)", ALICE, 900)]
    assert worst(TreasuryOutflow(), pay, "", simulation=simulated(), treasury=[holding(TOKEN, 1_000)]) is HIGH


@pytest.mark.parametrize(
    ("amount", "text", "known", "severity"),
    [
        (2**256 - 1, HARMLESS, {}, CRITICAL),
        (2**160 - 1, HARMLESS, {}, CRITICAL),  # Permit2
        (2**96 - 1, HARMLESS, {}, CRITICAL),  # COMP, UNI
        (2**256 - 1, f"Let {ALICE} spend our tokens.", {}, HIGH),
        (500, HARMLESS, {}, HIGH),
        (500, f"Let {ALICE} spend 500.", {}, MEDIUM),
        (500, HARMLESS, {ALICE: "stream"}, MEDIUM),
        (0, HARMLESS, {}, None),
    ],
)
def test_an_allowance_is_judged_by_its_size_and_its_spender(amount, text, known, severity):
    calls = [call_of(TOKEN, "approve(address,uint256)", ALICE, amount)]
    assert worst(Allowance(), calls, text, known_addresses=known) is severity


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        (f"Let {ALICE} spend 900 USDC.", MEDIUM),
        (f"Pay {ALICE} 20 USDC.", HIGH),
        ("Let the team spend 900 USDC.", HIGH),
        (HARMLESS, HIGH),
    ],
)
def test_an_allowance_is_announced_by_spender_and_amount(text, severity):
    calls = [call_of(TOKEN, "approve(address,uint256)", ALICE, 900 * UNITS)]
    assert worst(Allowance(), calls, text, treasury=USDC) is severity


def test_an_allowance_over_all_that_there_is_is_one_without_end():
    calls = [call_of(TOKEN, "approve(address,uint256)", ALICE, 10**12)]
    (found,) = findings(Allowance(), calls, HARMLESS, treasury=USDC)
    assert (found.severity, found.title.partition(", ")[2]) == (CRITICAL, "all that the treasury has")
    assert worst(Allowance(), calls, f"Let {ALICE} spend 1,000,000 USDC.", treasury=USDC) is HIGH


def test_an_allowance_without_end_in_permit2_is_unlimited():
    calls = [call_of(PERMIT2, "approve(address,address,uint160,uint48)", TOKEN, ALICE, 2**160 - 1, 2**48 - 1)]
    assert worst(Allowance(), calls, HARMLESS) is CRITICAL
    seen = Movement(kind="approval", asset=TOKEN, sender=TIMELOCK, recipient=ALICE, amount=2**160 - 1)
    opaque = [call_of(address_of("helper"), "execute()")]
    assert worst(Allowance(), opaque, HARMLESS, simulation=simulated([seen])) is CRITICAL


@pytest.mark.parametrize(("approved", "severity"), [(True, CRITICAL), (False, None)])
def test_approval_for_all_is_unlimited(approved, severity):
    calls = [call_of(TOKEN, "setApprovalForAll(address,bool)", ALICE, approved)]
    assert worst(Allowance(), calls, HARMLESS) is severity


PAY = [call_of(TOKEN, "transfer(address,uint256)", ALICE, 10_000 * UNITS)]
USDC = [holding(TOKEN, 10**12, decimals=6, symbol="USDC")]


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("", CRITICAL),
        (" \n\u200b\u2800", CRITICAL),
        ("# Hello\nWorld", CRITICAL),
        (f"Pay 10k USDC to {ALICE}", None),
        (f"Pay 10,000 USDC to {ALICE} for a year of hosting, as agreed on the forum.", None),
        (f"Pay 10_000_000_000 units to {ALICE} for a year of hosting, as agreed on the forum.", None),
        (f"Pay 10,000 USDC to [Alice](https://etherscan.io/address/{ALICE}) for a year of hosting.", None),
        ("Pay 10,000 USDC to alice.example.eth for a year of hosting, as agreed on the forum.", MEDIUM),
        ("Pay 10,000 USDC to our hosting provider for a year, as agreed on the forum.", HIGH),
        (f"Pay our hosting provider {ALICE} for a year, as agreed on the forum.", HIGH),
        (f"Pay 10 USDC to {ALICE} for a year of hosting, as agreed on the forum.", HIGH),
        ("Thank our hosting provider for a year of service, as agreed on the forum.", CRITICAL),
        (f"Thank our hosting provider for a year. <!-- 10,000 USDC to {ALICE} -->", CRITICAL),
        (f"Pay 10,000 USDC to {MALLORY} for hosting, as agreed on the forum.", HIGH),
    ],
)
def test_payments_are_compared_with_the_text(text, severity):
    loud = [f.severity for f in findings(TextAgainstCalls(), PAY, text, treasury=USDC) if f.severity > INFO]
    assert max(loud, default=None) is severity


@pytest.mark.parametrize("decimals", [0, 6, 8, 18])
def test_unknown_decimals_do_not_cry_wolf(decimals):
    pay = [call_of(TOKEN, "transfer(address,uint256)", ALICE, 250 * 10**decimals)]
    assert worst(TextAgainstCalls(), pay, f"Pay 250 TOK to {ALICE} for the design of our new website.") is None


def test_decimals_off_by_a_trillion_are_seen_where_they_are_known():
    pay = [call_of(TOKEN, "transfer(address,uint256)", ALICE, 250 * 10**18)]
    text = f"Pay 250 USDC to {ALICE} for the design of our new website."
    assert worst(TextAgainstCalls(), pay, text, treasury=USDC) is HIGH


def test_a_sum_announces_its_parts():
    pay = [call_of(TOKEN, "transfer(address,uint256)", a, n * UNITS) for a, n in ((ALICE, 100), (SAFE, 200))]
    text = f"Pay 300 USDC in all to {ALICE} and {SAFE} for the two audits of the new vault."
    assert worst(TextAgainstCalls(), pay, text, treasury=USDC) is None


def test_a_proposal_that_does_nothing_needs_no_text():
    assert findings(TextAgainstCalls(), [call_of(ALICE)], "", without_code=[ALICE]) == ()
    assert findings(TextAgainstCalls(), [call_of(GOVERNOR)], "") == ()
    assert worst(TextAgainstCalls(), [call_of(ALICE)], "") is CRITICAL


def test_one_call_among_many_that_the_text_does_not_point_at_is_found():
    odd = call_of(PROXY, "_setPriceOracle(address)", MALLORY)
    text = f"Pay 10,000 USDC to {ALICE} for a year of hosting, as agreed on the forum."
    found = [f for f in findings(TextAgainstCalls(), [*PAY, odd], text, treasury=USDC) if f.severity is HIGH]
    assert [f.calls for f in found] == [("1",)]
    told = text + f" The oracle of {PROXY} changes too."
    assert worst(TextAgainstCalls(), [*PAY, odd], told, treasury=USDC) is None


def test_addresses_of_the_text_that_no_call_uses_are_told():
    text = f"Pay 10,000 USDC to {ALICE} for hosting. See also {MALLORY}."
    found = findings(TextAgainstCalls(), PAY, text, treasury=USDC)
    assert [(f.severity, f.evidence) for f in found] == [(INFO, (MALLORY,))]


def test_a_call_to_an_address_without_code_is_critical():
    call = call_of(ALICE, "transfer(address,uint256)", MALLORY, 5)
    assert worst(TargetWithoutCode(), [call], "", without_code=[ALICE]) is CRITICAL
    assert worst(TargetWithoutCode(), [call], "") is None
    assert worst(TargetWithoutCode(), [call_of(ALICE, value_wei=5)], "", without_code=[ALICE]) is None


def test_targets_that_nobody_looked_at_are_skipped_not_passed():
    facts = facts_for(proposal_of([GRANT], "")).model_copy(update={"targets": ()})
    with pytest.raises(CheckSkipped, match=TOKEN):
        TargetWithoutCode().run(CheckView(facts))


def test_a_revert_is_high_and_no_simulation_is_a_skip():
    failed = CallResult(path="0", succeeded=False, gas_used=0, error="ERC20: \u202eno balance")
    reverted = simulated(status=SimulationStatus.REVERTED).model_copy(update={"results": (failed,)})
    (found,) = findings(SimulationReverts(), PAY, "", simulation=reverted)
    assert (found.severity, found.calls, found.detail) == (HIGH, ("0",), "ERC20: <U+202E>no balance")
    assert findings(SimulationReverts(), PAY, "", simulation=simulated()) == ()
    with pytest.raises(CheckSkipped, match="no node was asked"):
        findings(SimulationReverts(), PAY, "")


def _safe_call(target: str, data: bytes, operation: int):
    signature = "execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)"
    zero = "0x" + "00" * 20
    return call_of(SAFE, signature, target, 0, data, operation, 0, 0, 0, zero, zero, b"")


def _batch(*targets: str) -> bytes:
    packed = b"".join(bytes([0]) + bytes.fromhex(t[2:]) + bytes(32) + bytes(32) for t in targets)
    return call_of(MULTISEND, "multiSend(bytes)", packed).calldata


@pytest.mark.parametrize(
    ("call", "known", "severity"),
    [
        (_safe_call(MULTISEND, _batch(ALICE, TOKEN), 1), {}, None),
        (_safe_call(MALLORY, _batch(ALICE), 1), {}, CRITICAL),
        (_safe_call(MALLORY, b"\x12\x34\x56\x78", 1), {}, CRITICAL),
        (_safe_call(MULTISEND, b"\x12\x34\x56\x78", 1), {}, CRITICAL),
        (_safe_call(MALLORY, b"\x12\x34\x56\x78", 1), {MALLORY: "our library"}, HIGH),
        (_safe_call(MALLORY, b"\x12\x34\x56\x78", 0), {}, None),
    ],
)
def test_foreign_code_with_our_rights_is_critical(call, known, severity):
    assert worst(Delegatecall(), [call], HARMLESS, known_addresses=known) is severity


KNOWN = {MALLORY: "our library"}
CODE = keccak(b"code")


@pytest.mark.parametrize(
    ("opcodes", "when_proposed", "severity", "said"),
    [
        (("DELEGATECALL",), CODE, HIGH, ""),
        (("DELEGATECALL",), None, HIGH, ""),
        (("SELFDESTRUCT",), CODE, CRITICAL, "can destroy itself"),
        ((), NO_CODE, CRITICAL, "did not exist when this was proposed"),
        ((), keccak(b"other"), CRITICAL, "was other code"),
    ],
)
def test_code_that_may_not_be_what_was_read_is_critical(opcodes, when_proposed, severity, said):
    """For a delegatecall to code that the operator knows, and for an upgrade that the text announces."""
    delegated = facts_for(proposal_of([_safe_call(MALLORY, b"\x12\x34\x56\x78", 1)], HARMLESS), known_addresses=KNOWN)
    upgrade = call_of(PROXY, "upgradeTo(address)", MALLORY)
    upgraded = facts_for(proposal_of([upgrade], f"Upgrade the vault {PROXY} to the new code {MALLORY}."))
    target = TargetFacts(address=MALLORY, has_code=True, code_hash=CODE, opcodes=opcodes)
    for check, facts in ((Delegatecall(), delegated), (CodeUpgrade(), upgraded)):
        earlier = EarlierCode(block=facts.proposal.created_block, code_hashes={MALLORY: when_proposed or CODE})
        earlier_code = () if when_proposed is None else (earlier,)
        seen = facts.model_copy(update={"targets": (target,), "earlier_code": earlier_code})
        (finding,) = check.run(CheckView(seen))
        assert finding.severity is severity
        assert said in finding.detail


def test_a_called_contract_that_can_destroy_itself_is_worth_knowing():
    facts = facts_for(proposal_of(PAY, HARMLESS))
    destroyable = tuple(t.model_copy(update={"implementation_opcodes": ("SELFDESTRUCT",)}) for t in facts.targets)
    assert TargetWithoutCode().run(CheckView(facts)) == ()
    (finding,) = TargetWithoutCode().run(CheckView(facts.model_copy(update={"targets": destroyable})))
    assert finding.severity is LOW


def test_unknown_calldata_is_high_unless_the_text_points_at_it():
    call = call_of(PROXY, "nobodyKnowsThisFunction(uint256)", 5)
    assert worst(UnknownCalldata(), [call], HARMLESS) is HIGH
    assert worst(UnknownCalldata(), [call], f"Call our vault at {PROXY}.") is MEDIUM
    assert worst(UnknownCalldata(), [call], f"Calldata: 0x{call.calldata.hex()}") is MEDIUM
    assert worst(UnknownCalldata(), PAY, "") is None


def test_the_same_call_twice_is_noticed():
    (found,) = findings(DuplicateCalls(), [*PAY, *PAY, call_of(ALICE, value_wei=1)], "")
    assert (found.severity, found.calls) == (MEDIUM, ("0", "1"))
    assert worst(DuplicateCalls(), [*PAY, call_of(ALICE, value_wei=1)], "") is None


def test_an_address_that_only_looks_like_the_announced_one_is_critical():
    shown = "0x91c3" + "0" * 32 + "539B"
    used = "0x91c3" + "1" * 32 + "539b"
    calls = [call_of(TOKEN, "transfer(address,uint256)", used, 10_000 * UNITS)]
    assert worst(LookalikeAddress(), calls, f"Pay 10,000 USDC to {shown.lower()}.") is CRITICAL
    assert worst(LookalikeAddress(), calls, f"Pay 10,000 USDC to {used}.") is None
    assert worst(LookalikeAddress(), calls, f"Pay 10,000 USDC to {used}, not {shown}.") is CRITICAL
    assert worst(LookalikeAddress(), calls, f"Pay 10,000 USDC to {used}.", known_addresses={shown: "Alice"}) is CRITICAL
    assert worst(LookalikeAddress(), calls, f"Pay {shown}.", known_addresses={used: "Alice"}) is None
    assert worst(LookalikeAddress(), calls, HARMLESS) is None
    known = facts_for(proposal_of(PAY, "")).proposal.calls[0].target
    assert worst(LookalikeAddress(), calls, HARMLESS, known_addresses={known: "token"}) is None


@pytest.mark.parametrize(
    "call",
    [
        call_of(TOKEN, "transfer(address,uint256)", PROPOSER, 5),
        call_of(PROPOSER, value_wei=5),
        call_of(TOKEN, "grantRole(bytes32,address)", ROLE, PROPOSER),
    ],
)
def test_a_proposer_who_gains_is_noticed(call):
    assert worst(SelfDealing(), [call], "") is MEDIUM
    assert worst(SelfDealing(), PAY, "") is None
