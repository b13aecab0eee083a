"""proposer: Who proposes, and since when with what power?"""

from __future__ import annotations

from collections.abc import Iterator

from pnyx_contracts.types import ClockMode
from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.context import GroundRules, ProposerHistory, VotingPower
from pnyx_policies.context.voting_power import BASIS_POINTS, RECENT_BLOCKS, RECENT_SECONDS
from pnyx_policies.facts import Facts
from pnyx_policies.finding import Finding, Severity

NEW_ACCOUNT_TRANSACTIONS = 5
JUST_ABOVE_BPS = 1_000
"""So little above the threshold, in basis points of it, power was got for this."""


class Proposer:
    """Medium: half of the proposer's power, or more, came within a day of the proposal. Low: a contract proposes, an
    account that hardly did anything else, power just above the threshold. Info: a first proposal. Check K8, incidents
    I-1 (Beanstalk), I-6 (Compound 289), I-10 (Indexed), I-12 (Yam).

    Each alone is innocent. Not seen: where the account has its money from (mixers), and what it did on other chains.
    """

    name = "proposer"
    version = "1"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        history, power = view.context(ProposerHistory), view.context(VotingPower)
        found = (
            *self._sudden(view.facts, power),
            *self._account(history),
            *self._threshold(view.context(GroundRules), power),
            *self._first(history),
        )
        return tuple(f.model_copy(update={"evidence": (history.proposer, *f.evidence)}) for f in found)

    def _sudden(self, facts: Facts, power: VotingPower) -> Iterator[Finding]:
        before, then = power.proposer_before, power.proposer_at_creation
        if before is None or not then or not power.supply_before or before * 2 > then:
            return
        in_seconds = facts.governor.profile.clock_mode is ClockMode.TIMESTAMP
        since = f"{RECENT_SECONDS} seconds" if in_seconds else f"{RECENT_BLOCKS} blocks"
        yield self._finding(
            Severity.MEDIUM,
            f"The proposer got {_percent(then - before, then)} of its voting power within {since} before the proposal",
            f"{before} units then, {then} when it proposed.",
        )

    def _account(self, history: ProposerHistory) -> Iterator[Finding]:
        if history.proposer_has_code:
            yield self._finding(Severity.LOW, "A contract proposes", "Who commands it is not known here.")
        elif history.proposer_transactions <= NEW_ACCOUNT_TRANSACTIONS:
            count = history.proposer_transactions
            yield self._finding(Severity.LOW, f"The proposer's account sent {count} transactions in all", "")

    def _threshold(self, rules: GroundRules, power: VotingPower) -> Iterator[Finding]:
        threshold, then = rules.proposal_threshold, power.proposer_at_creation
        if not threshold or then is None or then < threshold:
            return
        if (then - threshold) * BASIS_POINTS <= threshold * JUST_ABOVE_BPS:
            words = f"{then} units, {threshold} are needed"
            yield self._finding(Severity.LOW, "The proposer's voting power is just enough to propose", f"{words}.")

    def _first(self, history: ProposerHistory) -> Iterator[Finding]:
        if not history.proposals_by_proposer:
            title = f"No other proposal by this account since block {history.from_block}"
            yield self._finding(Severity.INFO, title, f"{history.proposals_in_governor} by others.")

    def _finding(self, severity: Severity, title: str, detail: str) -> Finding:
        return Finding(check=self.name, severity=severity, title=title, detail=detail)


def _percent(part: int, whole: int) -> str:
    return f"{part * 100 // whole}%"
