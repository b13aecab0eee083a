"""A proposal's author against the shipped rulesets: each attack beside the honest proposal that it looks like.

`steward` votes FOR by rules alone, so it is what an author wants to win. Facts are made by hand here; what contracts
can do to them is in `test_hostile_contracts.py`.
"""

from __future__ import annotations

import pytest

from pnyx_policies.checks import CheckView, builtin_checks, run_checks
from pnyx_policies.decide import decide
from pnyx_policies.decision import Outcome
from pnyx_policies.facts import Change, Facts
from pnyx_policies.finding import Severity
from pnyx_policies.ruleset import Ruleset
from pnyx_policies.rulesets import shipped_ruleset
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
from pnyx_tools.testing.facts import TOKEN as VOTING_TOKEN

STEWARD = Ruleset.parse(shipped_ruleset("steward"), "steward")
ETHER = 10**18
USDC, ALICE, MALLORY, SAFE, VAULT = map(address_of, ("usdc", "alice", "mallory", "safe", "vault"))
ZERO = "0x" + "00" * 20
TREASURY = (
    holding(None, 10_000 * ETHER),
    holding(USDC, 10**13, decimals=6, symbol="USDC"),
    holding(VOTING_TOKEN, 10**6 * ETHER, symbol="VOTE"),
)

PAY_20_ETH = call_of(ALICE, value_wei=20 * ETHER)
PAY_5000_USDC = call_of(USDC, "transfer(address,uint256)", ALICE, 5_000 * 10**6)
MOVES = {PAY_20_ETH: moved(None, ALICE, 20 * ETHER), PAY_5000_USDC: moved(USDC, ALICE, 5_000 * 10**6)}


def seen(calls, text, movements=None, changes=(), **facts) -> Facts:
    shown = [MOVES[c] for c in calls] if movements is None else movements
    return facts_for(proposal_of(calls, text), simulation=simulated(shown, changes), treasury=TREASURY, **facts)


def outcome(facts: Facts) -> Outcome:
    return decide(STEWARD, facts, run_checks(builtin_checks(), CheckView(facts)), ()).outcome


def worst(facts: Facts) -> Severity:
    return max(f.severity for r in run_checks(builtin_checks(), CheckView(facts)) for f in r.findings)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (PAY_20_ETH, f"Pay Alice 20 ETH for the audit of our vault in spring, to {ALICE}."),
        (PAY_20_ETH, f"Pay Alice **20** ETH for the audit, to [her Safe](https://etherscan.io/address/{ALICE})."),
        (PAY_20_ETH, f"Pay Alice for the audit of our vault: 20000000000000000000 wei to {ALICE}."),
        (PAY_5000_USDC, f"Pay Alice 5k USDC for the audit of our vault in spring, to `{ALICE}`."),
        (PAY_5000_USDC, f"Pay Alice 5,000 tokens ({USDC}) for the audit of our vault, to {ALICE}."),
    ],
)
def test_the_honest_payment_is_voted_for(call, text):
    assert outcome(seen([call], text)) is Outcome.FOR


# --- the text --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (PAY_20_ETH, f"Pay Alice 20 USDC for the translation of one page, to {ALICE}."),
        (PAY_20_ETH, f"Pay Alice 20 gwei for the translation of one page, to {ALICE}. All in ETH."),
        (PAY_20_ETH, f"Pay Alice $20 for the translation of one page, to {ALICE}."),
        (PAY_5000_USDC, f"Send 5,000 JUNK that somebody sent us to {ALICE}, so that it is out of the way."),
        (call_of(ALICE, value_wei=15_000 * ETHER), f"Pay Alice 15.000 ETH for the audit, to {ALICE}."),
    ],
)
def test_an_amount_of_something_else_announces_nothing(call, text):
    facts = seen([call], text, [moved(None, ALICE, call.value_wei)] if call.value_wei else None)
    assert outcome(facts) is Outcome.HOLD


HIDING_PLACES = {
    "comment": "<!-- 20 ETH to {mallory} -->",
    "hidden element": '<span style="display:none">20 ETH to {mallory}</span>',
    "attribute": '<a title="20 ETH to {mallory}">our forum</a>',
    "definition": "[a]: # (20 ETH to {mallory})",
    "picture": "![20 ETH to {mallory}](https://example.org/a.png)",
    "link title": '[forum](https://example.org "20 ETH to {mallory}")',
    "link that shows another address": "20 ETH to [{alice}](https://etherscan.io/address/{mallory})",
}


@pytest.mark.parametrize("place", HIDING_PLACES)
def test_what_a_page_does_not_show_announces_nothing(place):
    hidden = HIDING_PLACES[place].format(mallory=MALLORY, alice=ALICE)
    text = f"We thank everybody who worked on our documentation.\n\n{hidden}\n\nThe working group."
    facts = seen([call_of(MALLORY, value_wei=20 * ETHER)], text, [moved(None, MALLORY, 20 * ETHER)])
    assert worst(facts) >= Severity.HIGH
    assert outcome(facts) is not Outcome.FOR


# --- the calls -------------------------------------------------------------------------------------------------------

ANNOUNCED = f"Pay Alice 20 ETH for the audit of our vault in spring, to {ALICE}."


def test_a_call_of_nothing_still_runs_code():
    """Neither coin nor calldata, and the target's fallback runs with the timelock as its caller."""
    assert (
        outcome(seen([call_of(VAULT)], f"A signal to {VAULT}, nothing is executed by this proposal.", []))
        is Outcome.HOLD
    )
    assert worst(seen([call_of(VAULT)], "", [])) is Severity.CRITICAL


@pytest.mark.parametrize(
    ("movements", "changes"),
    [
        ([MOVES[PAY_20_ETH], moved(USDC, MALLORY, 1)], ()),
        ([MOVES[PAY_20_ETH], moved(USDC, MALLORY, 1, kind="approval")], ()),
        ([MOVES[PAY_20_ETH], moved(USDC, MALLORY, 10**12, sender=SAFE)], ()),
        ([MOVES[PAY_20_ETH], moved(None, MALLORY, 20 * ETHER, sender=ALICE)], ()),
        ([MOVES[PAY_20_ETH]], [Change(kind="other", contract=SAFE, subject="1", detail="signatures")]),
        ([moved(None, ALICE, 19 * ETHER)], ()),
        ([], ()),
    ],
    ids=["tokens too", "allowance too", "somebody else pays", "passed on", "a change too", "less arrives", "unseen"],
)
def test_a_payment_that_does_anything_else_is_for_people(movements, changes):
    assert outcome(seen([PAY_20_ETH], ANNOUNCED, movements, changes)) is not Outcome.FOR


def test_many_payments_count_together():
    """Each is tiny and named; together they are 2% of the treasury."""
    people = [address_of(f"person {n}") for n in range(100)]
    calls = [call_of(p, value_wei=2 * ETHER) for p in people]
    for many, expected in ((100, Outcome.HOLD), (40, Outcome.FOR)):
        text = "A small thank you of 2 ETH to each of " + ", ".join(people[:many])
        paid = [moved(None, p, 2 * ETHER) for p in people[:many]]
        assert outcome(seen(calls[:many], text, paid)) is expected


def test_tokens_that_vote_are_never_a_small_payment():
    call = call_of(VOTING_TOKEN, "transfer(address,uint256)", ALICE, 1_000 * ETHER)
    text = f"Pay Alice 1,000 VOTE for the audit of our vault in spring, to {ALICE}."
    assert outcome(seen([call], text, [moved(VOTING_TOKEN, ALICE, 1_000 * ETHER)])) is Outcome.HOLD


POINTED_AT = f"Maintenance of our contracts at {VAULT}, as agreed on the forum last month by everybody."


@pytest.mark.parametrize(
    "call",
    [
        call_of(VAULT, "transferFrom(address,address,uint256)", SAFE, MALLORY, 10**12),
        call_of(VAULT, "transferFrom(address,address,uint160,address)", SAFE, MALLORY, 10**12, USDC),
        call_of(VAULT, "approve(address,address,uint160,uint48)", USDC, MALLORY, 2**160 - 1, 2**48 - 1),
        call_of(VAULT, "mint(address,uint256)", MALLORY, 10**24),
        call_of(VAULT, "safeMint(address,uint256)", MALLORY, 7),
        call_of(VAULT, "withdraw(uint256,address,address)", 10**12, MALLORY, SAFE),
        call_of(VAULT, "withdrawTo(address,uint256)", MALLORY, 10**12),
        call_of(
            VAULT, "safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)", SAFE, MALLORY, [1], [1], b""
        ),
        call_of(VAULT, "delegate(address)", MALLORY),
        call_of(VAULT, "approveHash(bytes32)", b"\1" * 32),
        call_of(VAULT, "_setPriceOracle(address)", MALLORY),
        call_of(VAULT, "_setComptroller(address)", MALLORY),
        call_of(VAULT, "reclaim(uint256,address)", 1, MALLORY),
        call_of(VAULT, "approve(bytes32,address,bool)", b"\1" * 32, MALLORY, True),
    ],
    ids=lambda call: call.calldata[:4].hex(),
)
def test_powerful_calls_behind_the_contracts_own_address_are_found(call):
    """The text points at the contract and says nothing of what is done to it, nor for whom."""
    assert worst(seen([call], POINTED_AT, [])) >= Severity.HIGH


def test_a_called_vault_that_pays_from_its_own_balance_is_an_outflow():
    call = call_of(VAULT, "withdraw(uint256)", 10**12)
    facts = seen([call], POINTED_AT, [moved(USDC, MALLORY, 10**12, sender=VAULT)])
    assert worst(facts) is Severity.CRITICAL


def test_a_vault_that_only_passes_money_on_is_none():
    through = [moved(USDC, VAULT, 5_000_000), moved(USDC, MALLORY, 5_000_000, sender=VAULT)]
    call = call_of(VAULT, "deposit(uint256,address)", 5_000_000, TIMELOCK)
    text = f"Deposit 5 USDC into the vault at {VAULT}, which lends it out, as agreed on the forum."
    assert worst(seen([call], text, through)) < Severity.HIGH


@pytest.mark.parametrize("known", [{}, {ALICE: "the auditor"}])
def test_a_lookalike_of_the_announced_receiver_is_hostile(known):
    twin = "0x" + ALICE[2:6].lower() + "ab" * 16 + ALICE[-4:].lower()
    facts = seen(
        [call_of(twin, value_wei=20 * ETHER)],
        ANNOUNCED,
        [moved(None, facts_address(twin), 20 * ETHER)],
        known_addresses=known,
    )
    assert outcome(facts) is Outcome.AGAINST


def facts_address(lower: str) -> str:
    return call_of(lower).target


def test_money_to_the_dao_itself_is_no_hiding_place():
    """A payment to the governor beside an unannounced one to a stranger."""
    calls = [call_of(GOVERNOR, value_wei=1), call_of(MALLORY, value_wei=20 * ETHER)]
    shown = [moved(None, GOVERNOR, 1), moved(None, MALLORY, 20 * ETHER)]
    assert (
        outcome(seen(calls, "Send 20 ETH to our own governor for its upkeep, as each year.", shown)) is not Outcome.FOR
    )
