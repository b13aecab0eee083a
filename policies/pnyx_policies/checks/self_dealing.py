"""self-dealing: does the proposer gain?"""

from __future__ import annotations

from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.money import outflows
from pnyx_policies.power_functions import PowerKind
from pnyx_policies.powers import power_shifts


class SelfDealing:
    """Medium: people who ask for money for their work propose it themselves, and so do thieves. See K17, I-6."""

    name = "self-dealing"
    version = "1"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        proposer = view.facts.proposal.proposer
        money = [
            f"gets {o.amount} of {o.asset or 'coin'}" for o in outflows(view.facts).items if o.recipient == proposer
        ]
        shifts = power_shifts(view.facts, *PowerKind)
        power = [f"gets {s.kind.value} over {s.contract}" for s in shifts if s.receiver == proposer]
        return tuple(
            Finding(
                check=self.name,
                severity=Severity.MEDIUM,
                title=f"The proposer {gain}",
                evidence=(proposer,),
            )
            for gain in (*money, *power)
        )
