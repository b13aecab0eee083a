"""What leaves without a word: balances against events."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pnyx_policies.checks import CheckSkipped, CheckView, SilentOutflow
from pnyx_policies.facts import Balance, Facts, Movement
from pnyx_policies.finding import Severity
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

ALICE, TOKEN, USDC = map(address_of, ("alice", "token", "usd coin"))
HIGH, INFO = Severity.HIGH, Severity.INFO
CALLS = [call_of(TOKEN, "sweep()")]
AMOUNTS = st.integers(0, 10**30)


def facts(*movements: Movement, before: int | None, after: int | None, decimals: int = 18) -> Facts:
    balance = Balance(holder=TIMELOCK, token=TOKEN, before=before, after=after)
    simulation = simulated(movements).model_copy(update={"balances": (balance,)})
    treasury = [holding(TOKEN, before or 0, decimals=decimals)]
    return facts_for(proposal_of(CALLS, "Sweep."), simulation=simulation, treasury=treasury)


def found(of: Facts) -> list[Severity]:
    return [finding.severity for finding in SilentOutflow().run(CheckView(of))]


@given(AMOUNTS, AMOUNTS, AMOUNTS)
def test_an_honest_token_is_quiet(held: int, gone: int, came: int) -> None:
    moves = [moved(TOKEN, ALICE, gone), moved(TOKEN, TIMELOCK, came, sender=ALICE)]
    assert found(facts(*moves, before=held + gone, after=held + came, decimals=0)) == []


@given(AMOUNTS, AMOUNTS, st.integers(1, 10**30))
def test_what_no_event_tells_is_high(held: int, told: int, silent: int) -> None:
    of = facts(moved(TOKEN, ALICE, told), before=held + told + silent, after=held, decimals=0)
    (finding,) = SilentOutflow().run(CheckView(of))
    assert finding.severity is HIGH
    assert finding.title.endswith(f"loses {told + silent} of {TOKEN}, and events tell of {told}")


@pytest.mark.parametrize(
    ("decimals", "missing", "severities"), [(18, 10, []), (18, 11, [HIGH]), (6, 2, []), (2, 1, [HIGH]), (0, 1, [HIGH])]
)
def test_shares_may_round_what_can_be_divided(decimals: int, missing: int, severities: list[Severity]) -> None:
    of = facts(moved(TOKEN, ALICE, 100), before=1_000, after=900 - missing, decimals=decimals)
    assert found(of) == severities


def test_a_transfer_to_oneself_and_the_money_of_others_tell_nothing() -> None:
    moves = [moved(TOKEN, TIMELOCK, 100), moved(TOKEN, ALICE, 100, sender=USDC), moved(USDC, ALICE, 100)]
    assert found(facts(*moves, before=100, after=0)) == [HIGH]


def test_an_allowance_tells_nothing() -> None:
    assert found(facts(moved(TOKEN, ALICE, 100, kind="approval"), before=100, after=0)) == [HIGH]


def test_what_a_token_pays_out_for_it_is_told() -> None:
    """WETH tells of no transfer; Aave's tokens take the interest since the last one off what they tell."""
    assert found(facts(moved(None, TIMELOCK, 100, sender=TOKEN), before=100, after=0)) == []
    pays = [moved(TOKEN, address_of("nobody"), 95), moved(USDC, ALICE, 100, sender=TOKEN)]
    assert found(facts(*pays, before=100, after=0)) == []


def test_interest_is_told_as_if_it_were_new() -> None:
    interest = moved(TOKEN, TIMELOCK, 50, sender=f"0x{'0' * 40}")
    assert found(facts(interest, moved(TOKEN, ALICE, 100), before=100, after=0)) == []


def test_events_of_what_stays_are_worth_a_word() -> None:
    assert found(facts(moved(TOKEN, ALICE, 100), before=100, after=100)) == [INFO]


def test_a_balance_that_grows_is_quiet() -> None:
    assert found(facts(before=0, after=100)) == found(facts(before=None, after=100)) == []


def test_a_balance_that_can_no_longer_be_read_is_high_where_there_was_one() -> None:
    assert found(facts(before=100, after=None)) == [HIGH]
    assert found(facts(before=0, after=None)) == []


def test_what_was_not_read_is_not_known() -> None:
    with pytest.raises(CheckSkipped, match="in a simulation"):
        found(facts_for(proposal_of(CALLS, "Sweep."), simulation=not_simulated()))
    with pytest.raises(CheckSkipped, match="did not read"):
        found(facts(before=None, after=None))


def test_allowances_are_no_balances() -> None:
    lent = Balance(holder=TIMELOCK, token=TOKEN, spender=ALICE, before=100, after=0)
    simulation = simulated().model_copy(update={"balances": (lent,)})
    assert found(facts_for(proposal_of(CALLS, "Sweep."), simulation=simulation)) == []
