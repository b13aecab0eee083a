"""What leaves, and what others may take: measured against what there is, and against the text."""

from __future__ import annotations

import pytest
from tests.policies.safe_calls import safe_call

from pnyx_policies.checks import (
    Allowance,
    CheckView,
    TreasuryOutflow,
)
from pnyx_policies.claims import PERMIT2
from pnyx_policies.context import AccountBalances, TreasuryBalances
from pnyx_policies.facts import (
    Balance,
    Movement,
)
from pnyx_policies.finding import Severity
from pnyx_tools.testing.facts import (
    GOVERNOR,
    TIMELOCK,
    address_of,
    call_of,
    facts_for,
    holding,
    moved,
    proposal_of,
    simulated,
)

ALICE, MALLORY, TOKEN, SAFE, POOL = map(address_of, ("alice", "mallory", "token", "safe", "pool"))
UNITS = 10**6

INFO, LOW, MEDIUM, HIGH, CRITICAL = Severity


def findings(check, calls, text, **facts):
    return check.run(CheckView(facts_for(proposal_of(calls, text), **facts)))


def worst(check, calls, text, **facts):
    return max((f.severity for f in findings(check, calls, text, **facts)), default=None)


def test_an_allowance_that_is_used_up_leaves_nothing_to_take():
    """As for a migrator that takes all that there is."""
    text = "Move all our USDC to the new token by the official migrator."
    calls = [call_of(TOKEN, "approve(address,uint256)", POOL, 10**12), call_of(POOL, "migrate()")]
    seen = simulated([moved(TOKEN, POOL, 10**12)])
    assert worst(Allowance(), calls, text, treasury=USDC, simulation=seen) is HIGH
    assert worst(Allowance(), calls, text, treasury=USDC, simulation=simulated()) is CRITICAL
    for left, severity in ((0, HIGH), (1, CRITICAL)):
        after = Balance(holder=TIMELOCK, token=TOKEN, spender=POOL, before=0, after=left)
        simulation = seen.model_copy(update={"balances": (after,)})
        assert worst(Allowance(), calls, text, treasury=USDC, simulation=simulation) is severity


@pytest.mark.parametrize(
    ("text", "severity"),
    [("Approve Permit2 for our USDC, as its swaps need it.", HIGH), ("Approve the router for our USDC.", CRITICAL)],
)
def test_permit2_is_named_by_its_name(text, severity):
    """It has one address everywhere; what it may take, somebody has to be allowed once more."""
    allow = call_of(TOKEN, "approve(address,uint256)", PERMIT2, 2**256 - 1)
    assert worst(Allowance(), [allow], text, treasury=USDC) is severity
    stranger = call_of(PERMIT2, "approve(address,address,uint160,uint48)", TOKEN, MALLORY, 2**160 - 1, 2**40)
    assert worst(Allowance(), [allow, stranger], text, treasury=USDC) is CRITICAL


def test_an_allowance_by_permit2_is_not_used_up_because_the_token_knows_none():
    """The token is asked what Permit2 keeps: it says nothing, and nothing left."""
    call = call_of(PERMIT2, "approve(address,address,uint160,uint48)", TOKEN, ALICE, 10**12, 2**40)
    none = Balance(holder=TIMELOCK, token=TOKEN, spender=ALICE, before=0, after=0)
    seen = simulated([moved(TOKEN, ALICE, 10**12, kind="approval")]).model_copy(update={"balances": (none,)})
    assert worst(Allowance(), [call], HARMLESS, treasury=USDC, simulation=seen) is CRITICAL


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        (f"Let {ALICE} spend up to 900 USDC.", MEDIUM),
        (f"The treasury holds 900 USDC. Let {ALICE} spend 5 USDC.", HIGH),
        (f"This does not let {ALICE} have 900 USDC; thanks for asking.", HIGH),
        (f"Let {ALICE} spend 900 DAI.", HIGH),
        (f"Let {ALICE} spend 5 USDC, and {MALLORY} 900 USDC.", HIGH),
    ],
)
def test_an_allowance_is_told_as_a_payment_is(text, severity):
    allow = call_of(TOKEN, "approve(address,uint256)", ALICE, 900 * UNITS)
    assert worst(Allowance(), [allow], text, treasury=USDC) is severity


def test_who_is_paid_and_may_take_as_much_again_is_for_people():
    pay = call_of(TOKEN, "transfer(address,uint256)", ALICE, 5 * UNITS)
    allow = call_of(TOKEN, "approve(address,uint256)", ALICE, 5 * UNITS)
    text = f"Pay 5 USDC to {ALICE}."
    assert worst(Allowance(), [allow], text, treasury=USDC) is MEDIUM
    assert worst(Allowance(), [pay, allow], text, treasury=USDC) is HIGH


HARMLESS = "Improve our documentation and thank everybody who helped with it during this season."
USDC = [holding(TOKEN, 10**12, decimals=6, symbol="USDC")]


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
        Balance(holder=TIMELOCK, token=TOKEN, before=1_000, after=800),
        Balance(holder=TIMELOCK, token=TOKEN, spender=SAFE, before=0, after=100),
    ]
    seen = [allowed, moved(TOKEN, SAFE, 200)]
    assert stake(calls, [holding(TOKEN, 1_000)], seen, balances) == (HIGH, "30.00% of")
    assert stake(calls, [holding(TOKEN, 1_000)], seen) == (HIGH, "50.00% of"), "nobody read what is left"
    lies = [Balance(holder=TIMELOCK, token=TOKEN, spender=SAFE, before=0, after=0)]
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
    simulation = simulated(seen).model_copy(
        update={"balances": (Balance(holder=TIMELOCK, token=TOKEN, before=0, after=0),)}
    )
    found = findings(TreasuryOutflow(), calls, "", treasury=treasury, simulation=simulation)
    assert [(f.severity, f.title.partition(": ")[2].partition(" of")[0]) for f in found] == [
        (LOW, "5.00%"),
        (LOW, "0.00%"),
    ]


def test_a_safe_that_pays_is_compared_with_what_it_has():
    calls = [safe_call(TOKEN, call_of(TOKEN, "transfer(address,uint256)", ALICE, 400).calldata, 0)]
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
