"""Swaps: what is given has to bring something back, at a price that somebody chose."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode

from pnyx_contracts.selectors import selector_of
from pnyx_contracts.types import Call
from pnyx_policies.checks import CheckSkipped, CheckView, Swap
from pnyx_policies.facts import Balance, Movement
from pnyx_policies.finding import Severity
from pnyx_tools.testing.facts import (
    TIMELOCK,
    address_of,
    call_of,
    facts_for,
    moved,
    not_simulated,
    proposal_of,
    simulated,
)

ROUTER, DAI, USDC, ALICE, MALLORY = map(address_of, ("router", "dai", "usdc", "alice", "mallory"))
TEXT = f"Swap 500 DAI for USDC through the router {ROUTER}."


def swap(least: int = 490, to: str = TIMELOCK) -> Call:
    signature = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
    return call_of(ROUTER, signature, 500, least, [DAI, USDC], to, 10**10)


def titles(*calls: Call, text: str = TEXT, moves: tuple[Movement, ...] = (), **facts) -> list[str]:
    facts = {"simulation": simulated(moves)} | facts
    found = Swap().run(CheckView(facts_for(proposal_of(calls, text), **facts)))
    assert all(f.severity is Severity.HIGH for f in found)
    return [f.title for f in found]


GIVEN, BACK = moved(DAI, ROUTER, 500), moved(USDC, TIMELOCK, 495, sender=ROUTER)
NOTHING = ["Money is given for a swap, and nothing comes back in the same actions"]


def test_a_swap_brings_something_back():
    assert titles(swap(), moves=(GIVEN, BACK)) == []
    assert titles(swap(), moves=(GIVEN,)) == NOTHING
    assert titles(swap(to=MALLORY), moves=(GIVEN, moved(USDC, MALLORY, 495, sender=ROUTER))) == NOTHING


def test_a_swap_by_a_function_that_nobody_knows_is_one_by_its_text():
    settle = call_of(ROUTER, "settleByADeskThatNobodyKnows()")
    taken = moved(DAI, MALLORY, 500)
    assert titles(settle, moves=(taken,)) == NOTHING
    assert titles(settle, moves=(taken, BACK)) == []
    assert titles(settle, text="Pay the desk 500 DAI.", moves=(taken,)) == []


def test_what_comes_back_without_an_event_counts():
    """As WETH does it."""
    wrap = call_of(DAI, "deposit()", value_wei=5)
    simulation = simulated([moved(None, DAI, 5)]).model_copy(
        update={"balances": (Balance(holder=TIMELOCK, token=DAI, before=0, after=5),)}
    )
    assert titles(wrap, text="Convert 5 ETH to WETH.", simulation=simulation) == []


def test_a_payment_for_work_on_swaps_is_none():
    pay = call_of(DAI, "transfer(address,uint256)", ALICE, 500)
    text = f"Pay 500 DAI to {ALICE}, who wrote how to swap."
    assert titles(pay, text=text, moves=(moved(DAI, ALICE, 500),)) == []


def test_what_the_text_sells_has_to_bring_something_whoever_gets_it():
    """By a plain transfer to somebody who "has paid already"."""
    pay = call_of(DAI, "transfer(address,uint256)", ALICE, 500)
    text = f"Sell 500 DAI to the desk {ALICE} for USDC, which it has sent."
    assert titles(pay, text=text, moves=(moved(DAI, ALICE, 500),)) == NOTHING
    assert titles(pay, text=text, moves=(moved(DAI, ALICE, 500), BACK)) == []
    other = f"Pay 500 DAI to {ALICE}, who will sell 7 books."
    assert titles(pay, text=other, moves=(moved(DAI, ALICE, 500),)) == []


def structure(fields: str, *values: object) -> Call:
    name = "exactInput" if "bytes" in fields else "exactInputSingle"
    data = selector_of(f"{name}({fields})") + encode([fields], [values])
    return Call(target=ROUTER, value_wei=0, calldata=data)


@pytest.mark.parametrize(
    "of",
    [
        swap,
        lambda least: call_of(
            ROUTER, "swapExactETHForTokens(uint256,address[],address,uint256)", least, [DAI, USDC], TIMELOCK, 9
        ),
        lambda least: structure(
            "(address,address,uint24,address,uint256,uint256,uint256,uint160)", DAI, USDC, 5, TIMELOCK, 9, 500, least, 0
        ),
        lambda least: structure(
            "(address,address,uint24,address,uint256,uint256,uint160)", DAI, USDC, 5, TIMELOCK, 500, least, 0
        ),
        lambda least: structure("(bytes,address,uint256,uint256,uint256)", b"path", TIMELOCK, 9, 500, least),
        lambda least: structure("(bytes,address,uint256,uint256)", b"path", TIMELOCK, 500, least),
    ],
)
def test_a_swap_at_any_price_is_for_people(of):
    assert titles(of(1), moves=(GIVEN, BACK)) == []
    (title,) = titles(of(0), moves=(GIVEN, BACK))
    assert title.endswith("takes any price: the least that it must bring is 0")


def test_without_a_simulation_nobody_knows_what_comes_back():
    with pytest.raises(CheckSkipped, match="simulation only"):
        titles(swap(), simulation=not_simulated())
    assert titles(call_of(ALICE, value_wei=5), text="Pay Alice.", simulation=not_simulated()) == []
