"""silent-outflow: does more leave the DAO than the events tell?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pnyx_contracts.types import ZERO_ADDRESS
from pnyx_policies.checks.protocol import CheckSkipped, CheckView
from pnyx_policies.facts import Balance, Facts, Movement, SimulationStatus
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.money import asset_words, flows_of, holding_of

ROUNDING: Final = 10
"""Smallest units by which tokens that count shares (stETH, Aave's) may miss the amount that they tell."""
_DIVISIBLE: Final = 6
"""Decimals from which so little is worth nothing."""


class SilentOutflow:
    """High when the balance of an account of the DAO falls by more than events tell, or cannot be read any more; info
    when they tell of more than it falls by. All other checks of money believe the events.

    Looked at: the executor, the Safes in the calls, the governor, and accounts that the operator knows and that are
    seen to pay; of tokens, of each number of ERC-1155, and of the chain's coin. A token that pays out what it stands
    for, unit for unit, may do so without an event (WETH), or with one that leaves out interest (Aave). Not seen:
    balances of tokens that neither calls nor events tell of; what comes back in the same actions without an event; a
    token whose ``balanceOf`` lies.
    """

    name = "silent-outflow"
    version = "2"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        simulation = view.facts.simulation
        if view.facts.calls and simulation.status is SimulationStatus.SKIPPED:
            raise CheckSkipped("balances before and after are read in a simulation")
        found = tuple(self._findings(view.facts))
        if not found and any(not balance.was_read for balance in simulation.balances):
            raise CheckSkipped("the node did not read balances around the actions")
        return found

    def _findings(self, facts: Facts) -> Iterator[Finding]:
        for balance in facts.simulation.balances:
            if balance.spender is None and balance.before is not None:
                yield from self._judged(facts, balance, balance.before)

    def _judged(self, facts: Facts, balance: Balance, before: int) -> Iterator[Finding]:
        what, after, who = asset_words(balance.token, balance.token_id), balance.after, _holder(facts, balance)
        if after is None:
            if before:
                title = f"{who} has {before} of {what}, and afterwards nobody can read how much"
                yield self._finding(Severity.HIGH, title, balance)
            return
        lost, told, little = before - after, _told(facts, balance), _rounding(facts, balance)
        detail = f"It had {before}, and has {after} afterwards."
        if lost > max(told, _paid_out(facts, balance), _sent(facts, balance)) + little:
            title = f"{who} loses {lost} of {what}, and events tell of {max(told, 0)}"
            yield self._finding(Severity.HIGH, title, balance, detail)
        elif told - _minted(facts, balance) > max(lost, 0) + little:
            title = f"Events tell that {told} of {what} leave {who[0].lower()}{who[1:]}, who loses {max(lost, 0)}"
            yield self._finding(Severity.INFO, title, balance, detail)

    def _finding(self, severity: Severity, title: str, balance: Balance, detail: str = "") -> Finding:
        evidence = (balance.token,) if balance.token else ()
        return Finding(check=self.name, severity=severity, title=title, detail=detail, evidence=evidence)


def _holder(facts: Facts, balance: Balance) -> str:
    return "The executor" if balance.holder == facts.simulation.executor else f"The account {balance.holder}"


def _moves(facts: Facts, balance: Balance) -> Iterator[Movement]:
    """Transfers of what this is a balance of; a collection of NFTs is counted as a whole."""
    for move in facts.simulation.movements:
        if move.kind == "transfer" and move.asset == balance.token and balance.token_id in {None, move.token_id}:
            yield move


def _told(facts: Facts, balance: Balance) -> int:
    """What leaves on balance. New units are left out: tokens tell of interest as if they were some."""
    moves, holder = tuple(_moves(facts, balance)), balance.holder
    gone = sum(m.amount for m in moves if m.sender == holder)
    return gone - sum(m.amount for m in moves if m.recipient == holder and m.sender != ZERO_ADDRESS)


def _minted(facts: Facts, balance: Balance) -> int:
    ends = (ZERO_ADDRESS, balance.holder)
    return sum(m.amount for m in _moves(facts, balance) if (m.sender, m.recipient) == ends)


def _sent(facts: Facts, balance: Balance) -> int:
    """Coin that the calls send along: seen also where a node traces none."""
    if balance.token is not None:
        return 0
    flows = flows_of(facts.every_call(), facts.simulation.executor)
    return sum(flow.amount for flow in flows if flow.asset is None and flow.sender == balance.holder)


def _paid_out(facts: Facts, balance: Balance) -> int:
    """The most that the token's contract itself pays of any one asset."""
    paid: dict[str | None, int] = {}
    for move in facts.simulation.movements:
        if move.kind == "transfer" and move.sender == balance.token and move.asset != balance.token:
            paid[move.asset] = paid.get(move.asset, 0) + move.amount
    return max(paid.values(), default=0)


def _rounding(facts: Facts, balance: Balance) -> int:
    holding = holding_of(facts, balance.token) if balance.token is not None and balance.token_id is None else None
    is_divisible = holding is not None and holding.decimals is not None and holding.decimals >= _DIVISIBLE
    return ROUNDING if is_divisible else 0
