"""others-money: does anybody lose what is not the DAO's?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pnyx_contracts.types import ZERO_ADDRESS
from pnyx_policies.checks.everywhere import everywhere
from pnyx_policies.checks.protocol import CheckSkipped, CheckView
from pnyx_policies.facts import Facts, SimulationStatus
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.money import asset_words
from pnyx_policies.powers import friends

_Loss = tuple[str, str | None, int | None]
"""Who loses, of which asset (None: the chain's coin), of which number of it."""


class OthersMoney:
    """Accounts that the proposal does not call lose something and get nothing for it: high when it goes to anybody but
    the DAO, else medium. Allowances that people once gave are how it is done.

    Pools and vaults behind a called contract look like this too when they pay the DAO: hence only medium. It sees what
    happens in the execution itself, not what new code lets somebody do afterwards. Answers incident I-15 (Atlantis
    Loans), check K4.
    """

    name = "others-money"
    version = "3"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        return everywhere(view, self._lost)

    def _lost(self, view: CheckView) -> tuple[Finding, ...]:
        if view.facts.calls and view.facts.simulation.status is SimulationStatus.SKIPPED:
            raise CheckSkipped("who loses what shows only in a simulation")
        return tuple(self._findings(view.facts))

    def _findings(self, facts: Facts) -> Iterator[Finding]:
        balances = _balances(facts)
        paid = {who for (who, _, _), change in balances.items() if change > 0}
        ours = _involved(facts)
        for (who, asset, number), change in balances.items():
            if change >= 0 or who in paid or who in ours:
                continue
            of_it = (to for (to, *what), gain in balances.items() if what == [asset, number] and gain > 0)
            gainers = sorted(set(of_it) - ours)
            yield Finding(
                check=self.name,
                severity=Severity.HIGH if gainers else Severity.MEDIUM,
                title=f"{who} loses {-change} of {asset_words(asset, number)}, and no call is to that account",
                detail=f"It goes to {', '.join(gainers[:4]) or 'the DAO, or to contracts that are called'}.",
                evidence=(who, *gainers[:4]),
            )


def _balances(facts: Facts) -> Counter[_Loss]:
    """What each account has more, or less, after all movements."""
    balances: Counter[_Loss] = Counter()
    for movement in facts.simulation.all_movements:
        if movement.kind == "transfer":
            balances[movement.sender, movement.asset, movement.token_id] -= movement.amount
            balances[movement.recipient, movement.asset, movement.token_id] += movement.amount
    return balances


def _involved(facts: Facts) -> set[str]:
    """The DAO, who acts for it, what is called, tokens themselves, and where new ones come from."""
    called = {call.target for call in facts.every_call() if not call.other_chain}
    acting = {call.caller for call in facts.every_call() if call.caller}
    tokens = {m.asset for m in facts.simulation.all_movements if m.asset}
    return {*friends(facts), *called, *acting, *tokens, ZERO_ADDRESS}
