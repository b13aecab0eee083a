"""duplicate-calls: is the same thing done twice, or after it was voted down?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pnyx_contracts.decoded import DecodedCall
from pnyx_policies.checks.protocol import CheckSkipped, CheckView
from pnyx_policies.claims import claims_of
from pnyx_policies.context import EarlierProposal, ProposerHistory
from pnyx_policies.finding import Finding, Severity

_LIVE: Final = "both may be executed"
_BEFORE: Final[dict[str, tuple[Severity, str]]] = {
    "pending": (Severity.HIGH, _LIVE),
    "active": (Severity.HIGH, _LIVE),
    "succeeded": (Severity.HIGH, _LIVE),
    "queued": (Severity.HIGH, _LIVE),
    "executed": (Severity.LOW, "it was done already"),
    "defeated": (Severity.MEDIUM, "it was voted down"),
    "canceled": (Severity.LOW, "it was given up"),
    "expired": (Severity.LOW, "it came too late"),
}


_ONE_OF_SEVERAL: Final = re.compile(
    r"\b(?:January|February|March|April|May|June|July|August|September|October|November|December)\b"
    r"|(?i:\b(?:again|another|further|recurring|(?:month|week|quarter|year)ly|instal?lments?|tranche"
    r"|(?:first|second|third|fourth|next|last) (?:part|payment|half)"
    r"|(?:part|number|payment|week|month|quarter|season) \d+)\b)"
)


class DuplicateCalls:
    """Two equal actions pay twice, or are padding around an odd one; a Compound timelock refuses them. So do two
    proposals with the same actions: high while both may be executed, even where one only mends the other's text, medium
    where the text says that it is one of several (May, another, payment 7), or the other was voted down; low when it
    was done already (payments recur; after-the-fact looks at them), was given up or came too late. Low too for the
    first of them: else whoever copies a proposal could keep it from its vote; it is the copy that is one too many. Only
    proposals of this governor are seen, as far back as the node shows them. Check K7, incident I-6 (Compound 247, 279,
    289).
    """

    name = "duplicate-calls"
    version = "2"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        groups: dict[tuple[object, ...], list[DecodedCall]] = {}
        for call in view.facts.every_call():
            if not call.inner:
                key = (call.caller, call.target, call.value_wei, call.calldata, call.other_chain)
                groups.setdefault(key, []).append(call)
        twice = tuple(self._finding(calls) for calls in groups.values() if len(calls) > 1)
        return (*twice, *self._before(view, is_all=not twice))

    def _before(self, view: CheckView, *, is_all: bool) -> Iterator[Finding]:
        """The gravest of each kind; without the past the check is skipped only where nothing else was found."""
        try:
            earlier = view.context(ProposerHistory).repeated
        except CheckSkipped:
            if is_all:
                raise
            return
        by_severity: dict[Severity, list[EarlierProposal]] = {}
        worst = Severity.MEDIUM if _ONE_OF_SEVERAL.search(claims_of(view.facts).shown) else Severity.HIGH
        for other in earlier:
            severity = _BEFORE.get(other.state, _BEFORE["active"])[0]
            if other.created_block > view.facts.proposal.created_block:
                severity = Severity.LOW
            by_severity.setdefault(min(severity, worst), []).append(other)
        if by_severity:
            severity = max(by_severity)
            yield self._repeated(severity, by_severity[severity])

    def _repeated(self, severity: Severity, earlier: list[EarlierProposal]) -> Finding:
        newest = earlier[0]
        return Finding(
            check=self.name,
            severity=severity,
            title=f"Proposal {newest.proposal_id} does the same, and is {newest.state}: "
            f"{_BEFORE.get(newest.state, _BEFORE['active'])[1]}",
            detail=f"Proposed in block {newest.created_block}; {len(earlier)} such in all.",
            evidence=tuple(str(proposal.proposal_id) for proposal in earlier),
        )

    def _finding(self, calls: list[DecodedCall]) -> Finding:
        return Finding(
            check=self.name,
            severity=Severity.MEDIUM,
            title=f"The same call to {calls[0].target} is made {len(calls)} times",
            calls=tuple(c.path for c in calls),
            evidence=(calls[0].target,),
        )
