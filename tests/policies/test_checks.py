"""Each check: quiet on the honest proposal, loud on the hostile one that looks like it."""

from __future__ import annotations

import pytest
from eth_hash.auto import keccak
from tests.policies.safe_calls import MULTISEND, batch, safe_call

from pnyx_policies.checks import (
    CheckSkipped,
    CheckView,
    CodeUpgrade,
    Delegatecall,
    DuplicateCalls,
    LookalikeAddress,
    SelfDealing,
    SimulationReverts,
    TargetWithoutCode,
    TextAgainstCalls,
    UnknownCalldata,
)
from pnyx_policies.context import AccountKind, DestroyedCode, ProposerAccount, UpgradedFunctions, Upgrades
from pnyx_policies.facts import (
    NO_CODE,
    CallResult,
    EarlierCode,
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
    results_of,
    simulated,
)

ALICE, MALLORY, TOKEN, PROXY, SAFE, POOL = map(address_of, ("alice", "mallory", "token", "proxy", "safe", "pool"))
PERMIT2 = "0x000000000022D473030F116dDEE9F6B43aC78BA3"
ROLE = bytes(32)
UNITS = 10**6

INFO, LOW, MEDIUM, HIGH, CRITICAL = Severity


def findings(check, calls, text, **facts):
    return check.run(CheckView(facts_for(proposal_of(calls, text), **facts)))


def worst(check, calls, text, **facts):
    return max((f.severity for f in findings(check, calls, text, **facts)), default=None)


GRANT = call_of(TOKEN, "grantRole(bytes32,address)", keccak(b"MINTER_ROLE"), MALLORY)
HARMLESS = "Improve our documentation and thank everybody who helped with it during this season."

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
        ("Pay 10,000 USDC to alice.example.eth for a year of hosting, as agreed on the forum.", HIGH),
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


@pytest.mark.parametrize(
    ("call", "known", "severity"),
    [
        (safe_call(MULTISEND, batch(ALICE, TOKEN), 1), {}, None),
        (safe_call(MALLORY, batch(ALICE), 1), {}, CRITICAL),
        (safe_call(MALLORY, b"\x12\x34\x56\x78", 1), {}, CRITICAL),
        (safe_call(MULTISEND, b"\x12\x34\x56\x78", 1), {}, CRITICAL),
        (safe_call(MALLORY, b"\x12\x34\x56\x78", 1), {MALLORY: "our library"}, HIGH),
        (safe_call(MALLORY, b"\x12\x34\x56\x78", 0), {}, None),
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
    delegated = facts_for(proposal_of([safe_call(MALLORY, b"\x12\x34\x56\x78", 1)], HARMLESS), known_addresses=KNOWN)
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


def test_functions_that_are_gone_are_told_of_an_upgrade():
    known, strange = call_of(PROXY, "transfer(address,uint256)", ALICE, 1).calldata[:4], b"\x01\x02\x03\x04"
    change = UpgradedFunctions(
        contract=PROXY, before=ALICE, after=MALLORY, functions=9, added=2, gone=(strange, known), more_gone=0
    )
    facts = facts_for(proposal_of([call_of(PROXY, "upgradeTo(address)", MALLORY)], f"Upgrade {PROXY} to {MALLORY}."))

    def detail(seen):
        context = results_of([Upgrades(upgrades=(seen,), left_out=0)])
        (finding,) = CodeUpgrade().run(CheckView(facts.model_copy(update={"context": context})))
        return finding.detail

    gone = "Functions of the old code that it has no more: 2 (0x01020304, transfer(address,uint256)). New functions: 2."
    assert detail(change).endswith(gone)
    many = change.model_copy(update={"gone": (strange,) * 7, "more_gone": 3})
    assert ": 10 (0x01020304, " in detail(many)
    assert ", ...)" in detail(many)
    assert "Functions" not in detail(change.model_copy(update={"functions": 0, "gone": (), "added": 0}))


def test_a_called_contract_that_can_destroy_itself_is_worth_knowing():
    facts = facts_for(proposal_of(PAY, HARMLESS))
    destroyable = tuple(t.model_copy(update={"implementation_opcodes": ("SELFDESTRUCT",)}) for t in facts.targets)
    assert TargetWithoutCode().run(CheckView(facts)) == ()
    seen = facts.model_copy(update={"targets": destroyable})
    (finding,) = TargetWithoutCode().run(CheckView(seen))
    assert finding.severity is LOW
    for makes_room, count in ((True, 1), (False, 0)):
        rules = results_of([DestroyedCode(makes_room=makes_room)])
        found = TargetWithoutCode().run(CheckView(seen.model_copy(update={"context": rules})))
        assert len(found) == count, "where such code stays, nothing takes its place"


def test_unknown_calldata_is_high_unless_the_text_points_at_a_contract_that_the_operator_knows():
    call = call_of(PROXY, "nobodyKnowsThisFunction(uint256)", 5)
    assert worst(UnknownCalldata(), [call], HARMLESS) is HIGH
    told = f"Call our vault at {PROXY}."
    assert worst(UnknownCalldata(), [call], told) is HIGH
    assert worst(UnknownCalldata(), [call], f"Calldata: 0x{call.calldata.hex()}") is HIGH
    assert worst(UnknownCalldata(), [call], told, known_addresses={PROXY: "vault"}) is MEDIUM
    assert worst(UnknownCalldata(), [call], HARMLESS, known_addresses={PROXY: "vault"}) is HIGH
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


@pytest.mark.parametrize(
    ("text", "kind", "severity"),
    [
        (f"Pay 5 to the moderators' fund, {PROPOSER}.", AccountKind.KEY, HIGH),
        (f"Pay 5 to the events group's multisig: {PROPOSER}", AccountKind.KEY, HIGH),
        (f"Pay 5 to the moderators' fund, {PROPOSER}.", AccountKind.CONTRACT, MEDIUM),
        (f"Pay 5 to me, {PROPOSER}. The council agrees.", AccountKind.KEY, MEDIUM),
    ],
)
def test_a_proposer_whose_account_is_told_as_one_of_many(text, kind, severity):
    account = ProposerAccount(
        proposer=PROPOSER, kind=kind, sender=PROPOSER, sender_transactions=9, called=GOVERNOR
    )  # fmt: skip
    pay = call_of(TOKEN, "transfer(address,uint256)", PROPOSER, 5)
    assert worst(SelfDealing(), [pay], text, context=[account]) is severity


def test_a_token_of_another_ones_name_is_told():
    """Anybody can make a token that is called DAI, and give it for the real one."""
    fake, dai = address_of("a fake"), address_of("dai")
    swap = call_of(PROXY, "swap(address,address,uint256)", dai, fake, 500)
    simulation = simulated([moved(dai, PROXY, 500), moved(fake, TIMELOCK, 500, sender=PROXY)])

    def found(symbol: str, **facts):
        treasury = [holding(dai, 500, symbol="DAI"), holding(fake, 0, symbol=symbol)]
        loud = findings(LookalikeAddress(), [swap], HARMLESS, treasury=treasury, simulation=simulation, **facts)
        return {(f.severity, f.evidence[0]) for f in loud}

    assert found("DAI") == {(HIGH, fake), (HIGH, dai)}
    assert found("DAI", known_addresses={dai: "the DAI of Maker"}) == {(HIGH, fake)}
    assert found("D\u0410I") == {(HIGH, fake), (HIGH, dai)}, "in letters that look the same"
    assert found("ETH") == {(HIGH, fake)}
    assert found("USDS", known_addresses={address_of("usds"): "USDS"}) == {(HIGH, fake)}
    assert found("USDS") == set()
    assert found("") == set()
