"""held-flood: Do more proposals wait for people than they can look at?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.context import HeldProposals
from pnyx_policies.finding import Finding, Severity

MOST: Final = 20
"""In all. Votes last about a week: these are three proposals a day to read, calls and text."""
MOST_OF_ONE: Final = 5
"""Of one account: a quarter of that time. Who takes more of it takes it from the proposals of others."""


class HeldFlood:
    """What is held is read by people, and who may propose can make any number of proposals that are held. High when
    more than five others of this proposer are held and can still be voted on: its next one is for people too, however
    routine it looks, and never for a rule that would let it pass while they are busy. Low when more than twenty of
    anybody are: that must not keep a stranger's proposal from its vote, but who reads should know. Check K7.

    Counted are HOLD entries of this agent about proposals of this governor. Not seen: what other agents hold, other
    governors, and whether many accounts belong to one person.
    """

    name = "held-flood"
    version = "1"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        found = view.context(HeldProposals)
        return tuple(self._findings(found, view.facts.proposal.proposer))

    def _findings(self, found: HeldProposals, proposer: str) -> Iterator[Finding]:
        if found.held_of_proposer > MOST_OF_ONE:
            yield Finding(
                check=self.name,
                severity=Severity.HIGH,
                title=f"{found.held_of_proposer} more proposals of the same account wait for people",
                detail=f"More than {MOST_OF_ONE}; {found.held} wait in all.",
                evidence=(proposer, *(str(p.proposal_id) for p in found.newest if p.proposer == proposer)),
            )
        if found.held > MOST:
            yield Finding(
                check=self.name,
                severity=Severity.LOW,
                title=f"{found.held} more proposals of this governor wait for people",
                detail=f"More than {MOST}, by {_makers(found)}: nobody may have looked closely.",
                evidence=tuple(str(p.proposal_id) for p in found.newest),
            )


def _makers(found: HeldProposals) -> str:
    makers = len({proposal.proposer for proposal in found.newest})
    least = "at least " if found.held > len(found.newest) else ""
    return f"{least}{makers} {'account' if makers == 1 else 'accounts'}"
