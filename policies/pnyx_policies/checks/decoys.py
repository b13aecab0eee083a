"""decoys: Does something draw the eye away from this?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.context import LookAlike, ProposerHistory
from pnyx_policies.context.proposer_history import NEARBY_BLOCKS
from pnyx_policies.facts import Facts
from pnyx_policies.finding import Finding, Severity

BURST = 5
MANY_CALLS = 6


class Decoys:
    """Medium: the text is nearly that of an earlier proposal, and the calls are to other functions. Low: the same
    functions with other arguments, as recurring payments have it; many proposals of one account at once, or empty ones
    beside this; one call among many that is unlike all others. Checks K7 and K6, incidents I-1 (Beanstalk), I-2
    (Tornado Cash), I-6 (Compound 289), I-12 (Yam).

    Only proposals of this governor are seen, as far back as the node shows them.
    """

    name = "decoys"
    version = "1"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        history = view.context(ProposerHistory)
        return (*self._copies(history), *self._bursts(history), *self._odd_one(view.facts))

    def _copies(self, history: ProposerHistory) -> Iterator[Finding]:
        other = [copy for copy in history.alike if not copy.same_calls]
        for copies, severity, what in (
            ([c for c in other if not c.same_functions], Severity.MEDIUM, "calls other functions"),
            ([c for c in other if c.same_functions], Severity.LOW, "calls the same functions with other arguments"),
        ):
            if copies:
                yield self._copy(max(copies, key=lambda copy: copy.alike_bps), severity, what, len(copies))

    def _copy(self, copy: LookAlike, severity: Severity, what: str, count: int) -> Finding:
        return Finding(
            check=self.name,
            severity=severity,
            title=f"The text is {copy.alike_bps // 100}% that of an earlier proposal, and it {what}",
            detail=f"Proposal {copy.proposal_id} by {copy.proposer}, block {copy.created_block}; {count} such in all.",
            evidence=(str(copy.proposal_id),),
        )

    def _bursts(self, history: ProposerHistory) -> Iterator[Finding]:
        count, empty = history.nearby_by_proposer, history.nearby_empty
        if count >= BURST or empty:
            yield Finding(
                check=self.name,
                severity=Severity.LOW,
                title=f"{count} more proposals by the same account within {NEARBY_BLOCKS} blocks, {empty} empty",
                evidence=(history.proposer,),
            )

    def _odd_one(self, facts: Facts) -> Iterator[Finding]:
        kinds = Counter((call.target if call.calldata else "", call.selector) for call in facts.calls)
        if len(facts.calls) < MANY_CALLS or len(kinds) != 2:
            return
        (usual, times), (odd, once) = kinds.most_common()
        if once != 1:
            return
        call = next(c for c in facts.calls if (c.target if c.calldata else "", c.selector) == odd)
        yield Finding(
            check=self.name,
            severity=Severity.LOW,
            title=f"{times} of {len(facts.calls)} calls are alike, and one is not: {call.signature or call.selector}",
            detail=f"The others call {usual[1] or 'nothing'} of {usual[0] or 'people'}.",
            calls=(call.path,),
            evidence=(call.target,),
        )
