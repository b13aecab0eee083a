"""governance-act: Does the execution itself propose, vote or cancel?"""

from __future__ import annotations

from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.powers import friends


class GovernanceAct:
    """High: by the events of the governor or the timelock, the actions make a proposal, vote on one, or cancel one or a
    queued operation. The members vote on what they read, and not on what code proposes in their name; and who cancels
    may undo what they decided. What happens in the governors of others is their business.

    Not seen: governors that tell of it by other events; a proposal or a vote that comes after the execution.
    """

    name = "governance-act"
    version = "1"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        own = friends(view.facts)
        acts = (c for c in view.facts.simulation.all_changes if c.kind == "governance-act" and c.contract in own)
        return tuple(
            Finding(
                check=self.name,
                severity=Severity.HIGH,
                title=f"The execution itself acts in {act.contract}: {act.subject} {act.detail}"
                if act.subject.startswith("0x")
                else f"The execution itself acts in {act.contract}: {act.detail}",
                evidence=(act.contract,),
            )
            for act in acts
        )
