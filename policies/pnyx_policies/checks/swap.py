"""swap: Does a swap bring back what it should?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from pnyx_contracts.decoded import DecodedCall
from pnyx_policies.checks.protocol import CheckSkipped, CheckView
from pnyx_policies.claims import claims_of, readings_of
from pnyx_policies.facts import Facts, SimulationStatus
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.money import Outflow, OutflowKind, decimals_of, outflows
from pnyx_policies.powers import friends
from pnyx_policies.text import numbers

_WORDS: Final = (
    "swap",
    "swaps",
    "swapped",
    "swapping",
    "convert",
    "converts",
    "converting",
    "sell",
    "sells",
    "selling",
)
_FUNCTIONS: Final = ("swap", "exactinput", "exactoutput", "exchange", "sellto", "sellgem")

_LEAST: Final[dict[str, tuple[int, ...]]] = {
    "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)": (1,),
    "swapExactTokensForETH(uint256,uint256,address[],address,uint256)": (1,),
    "swapExactETHForTokens(uint256,address[],address,uint256)": (0,),
    "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))": (0, 6),
    "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))": (0, 5),
    "exactInput((bytes,address,uint256,uint256,uint256))": (0, 4),
    "exactInput((bytes,address,uint256,uint256))": (0, 3),
}
"""The place of the least amount that a swap must bring; a second number is the place in a structure."""


class Swap:
    """High: money goes to a contract for a swap, by its function's name or by the text, or to anybody as what the text
    sells ("sell 500 DAI"), and nothing comes back to the DAO in the same actions; or a swap takes any price, so that
    whoever sees it coming takes the difference. An order that somebody fills later brings nothing at once: whether its
    contract can be trusted is for people.

    Not seen: a price that is bad and not zero, whether what comes back is worth anything.
    """

    name = "swap"
    version = "2"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        return (*self._at_any_price(view.facts), *self._for_nothing(view.facts))

    def _at_any_price(self, facts: Facts) -> Iterator[Finding]:
        for call in facts.every_call():
            if _least(call) == "0":
                yield Finding(
                    check=self.name,
                    severity=Severity.HIGH,
                    title=f"{call.name} takes any price: the least that it must bring is 0",
                    calls=(call.path,),
                    evidence=(call.target,),
                )

    def _for_nothing(self, facts: Facts) -> Iterator[Finding]:
        swaps = tuple(call.path for call in facts.every_call() if call.name.lower().startswith(_FUNCTIONS))
        if not swaps and not claims_of(facts).names_word(*_WORDS):
            return
        given = tuple(dict.fromkeys((*_given(facts), *_sold(facts))))
        if swaps and facts.simulation.status is SimulationStatus.SKIPPED:
            raise CheckSkipped("what a swap brings shows in a simulation only")
        if given and facts.simulation.status is SimulationStatus.SUCCEEDED and not _brings_something(facts):
            yield Finding(
                check=self.name,
                severity=Severity.HIGH,
                title="Money is given for a swap, and nothing comes back in the same actions",
                detail=f"To {', '.join(dict.fromkeys(o.recipient for o in given))}.",
                calls=swaps,
                evidence=tuple(dict.fromkeys(o.recipient for o in given)),
            )


def _least(call: DecodedCall) -> str | None:
    place = _LEAST.get(call.signature or "")
    if place is None:
        return None
    value = call.arguments[place[0]].value
    if len(place) == 1:
        return value
    members = json.loads(value)
    return str((list(members.values()) if isinstance(members, dict) else members)[place[1]])


def _given(facts: Facts) -> tuple[Outflow, ...]:
    """What the executor pays to a contract that is called, and what contracts take from it."""
    called = {call.target for call in facts.every_call() if call.calldata}
    paid = (o for o in outflows(facts).items if o.kind is OutflowKind.TRANSFER and o.token_id is None)
    executor = facts.simulation.executor
    return tuple(o for o in paid if o.sender == executor and (o.recipient in called or not o.path))


def _sold(facts: Facts) -> Iterator[Outflow]:
    """Payments of an amount that the text sells."""
    shown = claims_of(facts).shown
    sold = [n for n in numbers(shown) if _SELLING.search(shown[max(0, n.start - _NEAR) : n.start].lower())]
    for outflow in outflows(facts).items:
        readings = readings_of(outflow.amount, decimals_of(facts, outflow.asset) if outflow.asset else _NATIVE_DECIMALS)
        if outflow.kind is OutflowKind.TRANSFER and any(not n.readings.isdisjoint(readings) for n in sold):
            yield outflow


_NEAR: Final = 40
_NATIVE_DECIMALS: Final = 18
_SELLING: Final = re.compile(rf"\b(?:{'|'.join(_WORDS)})\b(?: [a-z']+){{0,2}} [$~]?$")


def _brings_something(facts: Facts) -> bool:
    """By events, or by the executor's balance of a token that tells of none."""
    own = friends(facts)
    moves = facts.simulation.all_movements
    comes = any(m.kind == "transfer" and m.recipient in own and m.sender not in own and m.amount for m in moves)
    balances = (b for b in facts.simulation.balances if b.spender is None and b.holder in own)
    return comes or any(b.before is not None and b.after is not None and b.after > b.before for b in balances)
