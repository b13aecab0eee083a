"""silent-outflow: does more leave the executor than the events tell?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pnyx_contracts.types import ZERO_ADDRESS
from pnyx_policies.checks.protocol import CheckSkipped, CheckView
from pnyx_policies.facts import Balance, Facts, SimulationStatus
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.money import holding_of

ROUNDING: Final = 10
"""Smallest units by which tokens that count shares (stETH, Aave's) may miss the amount that they tell."""
_DIVISIBLE: Final = 6
"""Decimals from which so little is worth nothing."""


class SilentOutflow:
    """High when the executor's balance of a token falls by more than its ``Transfer`` events tell, or cannot be read
    any more; info when they tell of more than it falls by. All other checks of money believe the events.

    A token that pays out what it stands for, unit for unit, may do so without an event (WETH), or with one that leaves
    out interest (Aave). Not seen: balances of tokens that the calls do not name or call, of ERC-1155, of the chain's
    coin (which nodes trace); what comes back in the same actions without an event; a token whose ``balanceOf`` lies.
    """

    name = "silent-outflow"
    version = "1"

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
        token, after = balance.token, balance.after
        if after is None:
            if before:
                title = f"The executor has {before} of {token}, and afterwards nobody can read how much"
                yield self._finding(Severity.HIGH, title, token)
            return
        lost, told = before - after, _told(facts, token)
        if lost > max(told, _paid_out(facts, token), 0) + _rounding(facts, token):
            title = f"The executor loses {lost} of {token}, and events tell of {max(told, 0)}"
            yield self._finding(Severity.HIGH, title, token, f"It had {before}, and has {after} afterwards.")
        elif told - _minted(facts, token) > max(lost, 0) + _rounding(facts, token):
            title = f"Events tell that {told} of {token} leave the executor, who loses {max(lost, 0)}"
            yield self._finding(Severity.INFO, title, token, f"It had {before}, and has {after} afterwards.")

    def _finding(self, severity: Severity, title: str, token: str, detail: str = "") -> Finding:
        return Finding(check=self.name, severity=severity, title=title, detail=detail, evidence=(token,))


def _told(facts: Facts, token: str) -> int:
    """What leaves the executor on balance. New units are left out: tokens tell of interest as if they were some."""
    executor = facts.simulation.executor
    moves = [m for m in facts.simulation.movements if m.kind == "transfer" and m.asset == token]
    gone = sum(m.amount for m in moves if m.sender == executor)
    return gone - sum(m.amount for m in moves if m.recipient == executor and m.sender != ZERO_ADDRESS)


def _minted(facts: Facts, token: str) -> int:
    executor = facts.simulation.executor
    return sum(
        m.amount
        for m in facts.simulation.movements
        if (m.kind, m.asset, m.sender, m.recipient) == ("transfer", token, ZERO_ADDRESS, executor)
    )


def _paid_out(facts: Facts, token: str) -> int:
    """The most that the token's contract itself pays of any one asset."""
    paid: dict[str | None, int] = {}
    for move in facts.simulation.movements:
        if move.kind == "transfer" and move.sender == token and move.asset != token:
            paid[move.asset] = paid.get(move.asset, 0) + move.amount
    return max(paid.values(), default=0)


def _rounding(facts: Facts, token: str) -> int:
    holding = holding_of(facts, token)
    is_divisible = holding is not None and holding.decimals is not None and holding.decimals >= _DIVISIBLE
    return ROUNDING if is_divisible else 0
