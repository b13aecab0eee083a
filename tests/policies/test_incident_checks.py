"""Checks that incidents taught: whose money moves, how much the text says, what a vote earns, what a market holds."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.types import Call
from pnyx_policies.checks import CheckSkipped, CheckView, ClaimedShare, NewMarket, OthersMoney, VoteBuying
from pnyx_policies.facts import Facts, Movement, ProbeAnswer, ProbeReading
from pnyx_policies.finding import Severity
from pnyx_policies.markets import MAX_MARKETS, derived_probes
from pnyx_tools.testing.facts import (
    TIMELOCK,
    address_of,
    call_of,
    facts_for,
    holding,
    moved,
    not_simulated,
    proposal_of,
    simulated,
)

ALICE, MALLORY, USER, TOKEN, POOL, SHARES, MARKET, COMPTROLLER = map(
    address_of, ("alice", "mallory", "user", "token", "pool", "shares", "market", "comptroller")
)
LOW, MEDIUM, HIGH = Severity.LOW, Severity.MEDIUM, Severity.HIGH


# --- others-money


def lost(*movements: Movement, calls: Sequence[Call] = (call_of(POOL, "withdraw()"),)) -> list[Severity]:
    facts = facts_for(proposal_of(calls, "Withdraw from the pool."), simulation=simulated(movements))
    return [finding.severity for finding in OthersMoney().run(CheckView(facts))]


@pytest.mark.parametrize(
    ("movements", "found"),
    [
        ([moved(TOKEN, MALLORY, 5, sender=USER)], [HIGH]),
        ([moved(None, MALLORY, 5, sender=USER)], [HIGH]),
        ([moved(TOKEN, POOL, 5, sender=USER), moved(TOKEN, MALLORY, 5, sender=POOL)], [HIGH]),
        ([moved(TOKEN, TIMELOCK, 5, sender=USER)], [MEDIUM]),
        ([moved(TOKEN, POOL, 5, sender=USER)], [MEDIUM]),
        ([moved(TOKEN, MALLORY, 5, sender=USER, kind="approval")], []),
        ([moved(TOKEN, ALICE, 5)], []),
        ([moved(TOKEN, ALICE, 5, sender=POOL)], []),
        ([moved(TOKEN, TIMELOCK, 5, sender=TOKEN)], []),
        ([moved(TOKEN, ALICE, 5, sender="0x" + "00" * 20)], []),
        ([moved(TOKEN, USER, 5), moved(SHARES, TIMELOCK, 7, sender=USER)], []),
        ([moved(TOKEN, USER, 5), moved(TOKEN, ALICE, 5, sender=USER)], []),
    ],
    ids=[
        "to a stranger", "coin to a stranger", "through what is called", "to the DAO", "to what is called", "allowance",
        "the DAO pays", "what is called pays", "the token pays", "a mint", "a swap", "passed on",
    ],
)  # fmt: skip
def test_whose_money_moves(movements: list[Movement], found: list[Severity]) -> None:
    assert lost(*movements) == found


def test_who_loses_is_not_known_without_a_simulation() -> None:
    facts = facts_for(proposal_of([call_of(POOL, "withdraw()")], "Withdraw."), simulation=not_simulated())
    with pytest.raises(CheckSkipped, match="only in a simulation"):
        OthersMoney().run(CheckView(facts))


# --- claimed-share


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Invest 5% of the treasury for a year.", [MEDIUM]),
        ("Invest five coins, 5 percent of our DAO's treasury.", [MEDIUM]),
        ("Invest 20.5% of the treasury.", []),
        ("Invest 21 % of all holdings.", []),
        ("Invest a quarter. At 5% of the yearly yield, 30% of the reserves.", []),
        ("The quorum is 5% of the supply, and 5% of voters agreed.", []),
        ("Invest in something.", []),
    ],
)
def test_how_much_the_text_says(text: str, found: list[Severity]) -> None:
    pay = call_of(TOKEN, "transfer(address,uint256)", ALICE, 25)
    facts = facts_for(
        proposal_of([pay], text), simulation=simulated([moved(TOKEN, ALICE, 25)]), treasury=(holding(TOKEN, 100),)
    )
    assert [finding.severity for finding in ClaimedShare().run(CheckView(facts))] == found


# --- vote-buying


@pytest.mark.parametrize(
    "text",
    [
        "Every holder who votes for this proposal will receive 50 TOK.",
        "We reward all addresses that voted in favour.",
        "Vote yes to claim your airdrop after the execution!",
        "A bonus of 2% is paid for each yes vote.",
        "Rewards for supporting voters come from the second call.",
        "Everyone who has voted FOR gets a share of what is taken.",
        "A tenth is shared among all delegates who vote FOR this proposal.",
        "Wallets that vote yes will be whitelisted for the sale.",
        "Addresses that support the proposal on chain will receive 2% in January.",
        "Los delegados que voten a favor recibir\u00e1n 200 USDC cada uno.",
        "Quem votar a favor receber\u00e1 uma recompensa.",
        "Les membres qui votent pour recevront 50 jetons.",
        "Wer daf\u00fcr stimmt, erh\u00e4lt 50 TOK.",
    ],
)
def test_promises_for_a_vote(text: str) -> None:
    (finding,) = VoteBuying().run(CheckView(facts_for(proposal_of([call_of(ALICE, value_wei=1)], text))))
    assert finding.severity is HIGH
    assert finding.evidence[0].strip('"').lower() in text.lower()


@pytest.mark.parametrize(
    "text",
    [
        "Delegates who vote in at least 80% of all proposals receive compensation.",
        "Vote for this proposal to approve the budget. The working group receives 10,000 TOK.",
        "If you vote for: the grant is paid. If you vote against: nothing happens.",
        "Alice receives 5 TOK. Everybody who voted for her in the election is thanked.",
        "Reward the three winners for their work.",
        "Everyone who supported the request and shared feedback helped us to pay less.",
        "We ask those who support this proposal to comment in the forum, so that the grant can be paid in May.",
        "We thank all who support this proposal; the team shares its reports.",
        "Everybody who voted at least once, for or against, gets a badge.",
        "We ask all delegates to support this proposal. The school receives 12,000 USDC.",
        "Si los delegados votan a favor, el equipo recibir\u00e1 200 USDC.",
        "Votar a favor significa que el equipo sigue. El equipo recibe 200 USDC.",
    ],
)
def test_rewards_for_taking_part_or_for_work_are_no_promise(text: str) -> None:
    assert VoteBuying().run(CheckView(facts_for(proposal_of([call_of(ALICE, value_wei=1)], text)))) == ()


# --- new-market

FACTOR = call_of(COMPTROLLER, "_setCollateralFactor(address,uint256)", MARKET, 35 * 10**16)
VENUS = call_of(COMPTROLLER, "setCollateralFactor(address,uint256,uint256)", MARKET, 35 * 10**16, 40 * 10**16)
CLOSED = call_of(COMPTROLLER, "_setCollateralFactor(address,uint256)", MARKET, 0)


def with_supply(call: Call, after: ProbeAnswer | None) -> Facts:
    probes = tuple(derived_probes(decode_calls((call,), 1)))
    before = ProbeAnswer(data=bytes(32))
    readings = tuple(ProbeReading(name=p.name, before=before, after=after) for p in probes if after is not None)
    simulation = simulated().model_copy(update={"readings": readings})
    return facts_for(proposal_of([call], "List a market."), simulation=simulation)


@pytest.mark.parametrize("call", [FACTOR, VENUS])
@pytest.mark.parametrize(
    ("after", "found"),
    [
        (ProbeAnswer(data=bytes(32)), [HIGH]),
        (ProbeAnswer(data=(2).to_bytes(32, "big")), [HIGH]),
        (ProbeAnswer(data=(10**8).to_bytes(32, "big")), []),
        (ProbeAnswer(error="reverts without a reason"), [LOW]),
        (ProbeAnswer(data=b"\1"), [LOW]),
    ],
)
def test_what_a_market_holds(call: Call, after: ProbeAnswer, found: list[Severity]) -> None:
    assert [finding.severity for finding in NewMarket().run(CheckView(with_supply(call, after)))] == found


def test_a_market_that_lends_no_more_is_not_asked() -> None:
    assert list(derived_probes(decode_calls((CLOSED,), 1))) == []
    assert NewMarket().run(CheckView(with_supply(CLOSED, None))) == ()


def test_supply_that_nobody_read_is_not_known() -> None:
    with pytest.raises(CheckSkipped, match="nothing was simulated"):
        NewMarket().run(CheckView(with_supply(FACTOR, None)))


@given(st.lists(st.integers(0, 40), max_size=60))
def test_each_market_is_read_once_and_not_without_end(places: list[int]) -> None:
    signature = "_setCollateralFactor(address,uint256)"
    calls = tuple(call_of(COMPTROLLER, signature, address_of(f"market {place}"), 1) for place in places)
    names = [probe.contract for probe in derived_probes(decode_calls(calls, 1))]
    wanted = dict.fromkeys(address_of(f"market {place}") for place in places)
    assert names == list(wanted)[:MAX_MARKETS]
