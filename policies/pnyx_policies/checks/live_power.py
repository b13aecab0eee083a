"""live-power: Does power count that somebody has only now?"""

from __future__ import annotations

from pnyx_contracts.types import ProposalState
from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.context import GovernorCode, GroundRules, VotingPower
from pnyx_policies.facts import GovernorFacts
from pnyx_policies.finding import Finding, Severity

BORROWED = "Voting power of the moment decides: it can be borrowed for one transaction"
_VOTING = {ProposalState.ACTIVE, ProposalState.SUCCEEDED}


class LivePower:
    """Borrowed tokens win a vote that counts the power of now, also those of a flash loan. Check K1, incidents I-1
    (Beanstalk), I-18 (MakerDAO).

    Three signs, each of which is enough: the governor names somebody's power at a moment that has not come; it takes
    votes before the snapshot is in the past; a proposal is made, voted on and executed within one block.

    By the code alone, high: the governor has an emergency path, and its code asks for power of now, or asks nobody for
    that of the past; or it asks only for power of now, whatever its paths. Such a path beside questions about the past
    is low. What the code does with an answer, and who may call a function, its selectors do not tell.
    """

    name = "live-power"
    version = "2"

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
        if found and rules.flash_loan:
            found.append(f"The token itself lends {rules.flash_loan} units for one transaction.")
        code = view.context_if_known(GovernorCode)
        seen = self._finding(governor, Severity.CRITICAL, BORROWED, " ".join(found)) if found else None
        return tuple(finding for finding in (seen, self._by_code(governor, code) if code else None) if finding)

    def _by_code(self, governor: GovernorFacts, code: GovernorCode) -> Finding | None:
        paths, live, past = (", ".join(names) for names in (code.emergency, code.live, code.past))
        asked = f"Its code asks for power of now by {live or 'nothing'}, of the past by {past or 'nothing'}."
        if paths:
            severity = Severity.HIGH if live or not past else Severity.LOW
            return self._finding(governor, severity, f"The governor has an emergency path: {paths}", asked)
        if live and not past:
            return self._finding(governor, Severity.HIGH, "The governor's code asks for power of now only", asked)
        return None

    def _finding(self, governor: GovernorFacts, severity: Severity, title: str, detail: str) -> Finding:
        return Finding(
            check=self.name, severity=severity, title=title, detail=detail, evidence=(governor.profile.address,)
        )
