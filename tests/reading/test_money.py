"""How money looks to people: what is numbered, what is burned, and whose balances change."""

from __future__ import annotations

from collections.abc import Sequence

from pnyx_agents.reading.markdown import to_markdown
from pnyx_contracts.types import ZERO_ADDRESS
from pnyx_policies.facts import Balance, Movement
from pnyx_policies.reading.blocks import Report, Section, line
from pnyx_policies.reading.doing import money
from pnyx_tools.testing.facts import TIMELOCK, address_of, call_of, facts_for, holding, moved, proposal_of, simulated

ALICE, PASSES, SAFE = address_of("alice"), address_of("passes"), address_of("a safe")


def shown(movements: Sequence[Movement], balances: Sequence[Balance] = ()) -> str:
    simulation = simulated(movements).model_copy(update={"balances": tuple(balances)})
    treasury = (holding(PASSES, 4, decimals=0, symbol="PASS"), holding(None, 10**18))
    facts = facts_for(proposal_of([call_of(PASSES, "run()")], "# Text"), simulation=simulation, treasury=treasury)
    report = Report(line("t"), line("l"), (), (Section("Money", tuple(money(facts))),))
    return to_markdown(report).replace("\\", "").replace("`", "")


def test_what_is_numbered_is_told_with_its_number_and_of_how_many() -> None:
    read = Balance(holder=TIMELOCK, token=PASSES, token_id=7, before=100, after=60)
    text = shown([moved(PASSES, ALICE, 40, token_id=7)], [read])
    assert f"Pays 40 of number 7 of {PASSES} to {ALICE}" in text
    assert f"100 of number 7 of {PASSES} | 40% of what the treasury holds" in text
    assert f"Balance of {PASSES}, number 7: 100 before, 60 after" in text


def test_several_of_a_collection_are_counted() -> None:
    text = shown([moved(PASSES, ALICE, 1, token_id=number) for number in (7, 8)])
    assert f"| 2 NFTs of {PASSES} | 4 PASS | 50% of what the treasury holds |" in text


def test_what_goes_to_nobody_is_burned() -> None:
    assert "Burns 3 PASS" in shown([moved(PASSES, ZERO_ADDRESS, 3)])


def test_whose_balance_changes_is_told_where_it_is_not_the_executors() -> None:
    read = [Balance(holder=holder, token=None, before=10**18, after=0) for holder in (TIMELOCK, SAFE)]
    text = shown([], read)
    assert "Balance of the chain's coin: 1 ETH before, 0 ETH after" in text
    assert f"Balance of the chain's coin at {SAFE}: 1 ETH before, 0 ETH after" in text
