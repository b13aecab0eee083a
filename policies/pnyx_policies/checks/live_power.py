"""live-power: Does power count that somebody has only now?"""

from __future__ import annotations

from pnyx_contracts.types import ProposalState
from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.context import GroundRules, VotingPower
from pnyx_policies.finding import Finding, Severity

_VOTING = {ProposalState.ACTIVE, ProposalState.SUCCEEDED}


class LivePower:
    """Borrowed tokens win a vote that counts the power of now, also those of a flash loan. Check K1, incidents I-1
    (Beanstalk), I-18 (MakerDAO).

    Three signs, each of which is enough: the governor names somebody's power at a moment that has not come; it takes
    votes before the snapshot is in the past; a proposal is made, voted on and executed within one block. Not visible:
    an execution or emergency path that reads live power only there, and live power where nobody asked about has any.
    """

    name = "live-power"
    version = "1"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        power, rules, governor = view.context(VotingPower), view.context(GroundRules), view.facts.governor
        ahead = power.power_ahead_of_time
        signs = {
            f"The governor gives {ahead} units of voting power for a moment that has not come.": bool(ahead),
            f"Votes count at {governor.now}, before the snapshot {governor.snapshot} is in the past.": (
                governor.state in _VOTING and governor.snapshot >= governor.now
            ),
            "A proposal can be made, voted on and executed within one block.": (
                rules.voting_delay == 0 and rules.voting_period == 0 and not rules.timelock_delay_seconds
            ),
        }
        found = [sentence for sentence, is_so in signs.items() if is_so]
        if not found:
            return ()
        if rules.flash_loan:
            found.append(f"The token itself lends {rules.flash_loan} units for one transaction.")
        finding = Finding(
            check=self.name,
            severity=Severity.CRITICAL,
            title="Voting power of the moment decides: it can be borrowed for one transaction",
            detail=" ".join(found),
            evidence=(governor.profile.address,),
        )
        return (finding,)
