"""What the votes of the quorum cost, against what they decide about."""

from __future__ import annotations

from typing import Any

from tests.policies.settled import ALICE, LOW, MEDIUM, QUORUM, UNITS, USDC, changed, found, plain

from pnyx_policies.checks import Capture
from pnyx_policies.context import AssetPrice, AssetPrices, Turnout, VotingPower
from pnyx_policies.facts import Facts, Skipped
from pnyx_policies.finding import Finding
from pnyx_tools.testing.facts import TIMELOCK, TOKEN, address_of, moved, simulated

DAI, COIN = address_of("dai"), None
ONE = 10**18


def price(asset: str | None, whole: int | None, held: int | None = 0, *, decimals: int = 18) -> AssetPrice:
    value = None if whole is None else whole * ONE
    return AssetPrice(asset=asset, decimals=decimals, price=value, held=held, why_not="" if whole else "no pool")


def of(facts: Facts, *prices: AssetPrice) -> list[Finding]:
    return list(found(Capture(), changed(facts, AssetPrices, prices=prices)))


VOTES = price(TOKEN, 2)
COST = QUORUM // UNITS * 2


def test_nothing_is_said_where_no_price_is_declared() -> None:
    assert of(plain()) == []


def test_a_prize_that_is_worth_more_than_the_votes_cost() -> None:
    (finding,) = of(plain(), VOTES, price(DAI, 1, (COST + 1) * UNITS))
    assert finding.severity is LOW
    assert finding.title == f"The votes of the quorum cost {COST:,}; the treasury has {COST + 1:,}"
    assert of(plain(), VOTES, price(DAI, 1, COST * UNITS)) == []


def test_decimals_of_both_count() -> None:
    """As much of a token with six decimals, and of the chain's coin at a price."""
    assert len(of(plain(), VOTES, price(USDC, 1, (COST + 1) * 10**6, decimals=6))) == 1
    assert len(of(plain(), VOTES, price(COIN, 2_000, COST // 1_000 * UNITS))) == 1
    assert of(plain(), VOTES, price(USDC, 1, COST * 10**6, decimals=6)) == []


def test_voting_tokens_are_no_prize() -> None:
    """Their price does not outlast who takes them."""
    assert [f for f in of(plain(), price(TOKEN, 2, 100 * QUORUM)) if "cost" in f.title] == []


def paying(amount: int, *more: Any) -> Facts:
    return plain(simulation=simulated([moved(DAI, ALICE, amount), *more]))


def test_actions_that_take_more_than_their_votes_cost() -> None:
    treasury = price(DAI, 1, 10 * COST * UNITS)
    (finding,) = of(paying((COST + 1) * UNITS), VOTES, treasury)
    assert finding.severity is MEDIUM
    assert finding.title.startswith(f"The actions take {COST + 1:,} from the treasury")
    assert [f.severity for f in of(paying(COST * UNITS), VOTES, treasury)] == [LOW]


def test_what_comes_in_for_it_is_not_taken() -> None:
    """A swap of a large part of the treasury pays nobody."""
    back = moved(USDC, TIMELOCK, COST * 10**6, sender=address_of("pool"))
    prices = (VOTES, price(DAI, 1, 10 * COST * UNITS), price(USDC, 1, 0, decimals=6))
    assert [f.severity for f in of(paying((COST + 1) * UNITS, back), *prices)] == [LOW]


def test_an_allowance_without_end_takes_what_there_is() -> None:
    facts = plain(simulation=simulated([moved(DAI, ALICE, 2**256 - 1, kind="approval")]))
    assert of(facts, VOTES, price(DAI, 1, COST * UNITS)) == []
    (finding,) = of(facts, VOTES, price(DAI, 1, (COST + 1) * UNITS))
    assert (finding.severity, f"take {COST + 1:,} " in finding.title) == (MEDIUM, True)


def test_what_earlier_votes_would_have_taken() -> None:
    earlier = (
        Turnout(proposal_id=1, voters=3, weight_cast=5 * QUORUM),
        Turnout(proposal_id=2, voters=3, weight_cast=2 * QUORUM),
    )
    facts = changed(plain(), VotingPower, earlier=earlier)
    (finding,) = of(facts, VOTES, price(DAI, 1, 10 * COST * UNITS))
    assert finding.detail.endswith(f"best attended of the last votes saw cost {5 * COST:,}.")


def test_a_price_that_cannot_be_read_is_told() -> None:
    (votes,) = of(plain(), price(TOKEN, None), price(DAI, 1, 10**30))
    assert (votes.severity, votes.title) == (LOW, "What the votes of the quorum cost is not known")
    assert votes.detail == "Of the voting token: no pool."
    (missing,) = of(plain(), price(DAI, 1, 10**30))
    assert "no price of it is declared" in missing.detail
    (unknown,) = of(plain(), VOTES, price(DAI, None, 10**30), price(USDC, 1, None))
    assert (unknown.severity, unknown.evidence) == (LOW, (DAI, USDC))
    assert unknown.title == "What 2 of the declared assets are worth is not known"


def test_a_tool_that_could_not_run_is_a_skipped_step_and_no_finding() -> None:
    facts = plain()
    rest = tuple(result for result in facts.context if result.tool != AssetPrices.TOOL)
    skipped = (Skipped.of_tool(AssetPrices.TOOL, "the node was away"),)
    assert found(Capture(), facts.model_copy(update={"context": rest, "skipped": skipped})) == ()
