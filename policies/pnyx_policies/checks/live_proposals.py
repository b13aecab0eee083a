"""live-proposals: Does it do the same after other proposals that may be executed first?"""

from __future__ import annotations

from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.context import Afterwards, Effects, LiveProposals
from pnyx_policies.facts import Change, Movement
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.text import quote

MOST_SHOWN = 4
"""Effects in one sentence."""


class AmongOthers:
    """This proposal is simulated alone, and after the other live ones of its governor. High when it reverts only after
    them, or moves other money or power then; medium when it only does less then, or goes through only after them and
    moves nothing. Low when there are more of them than are tried. Quiet when nothing changes: a signer that sees one
    proposal more than the review did must not refuse the vote for it; the review lists them all the same.

    Not seen: what takes only some of them, or another order; what they do after this one; power of which no event
    tells; proposals older than the search. The others' own calls are not judged here.
    """

    name = "live-proposals"
    version = "1"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        found = view.context(LiveProposals)
        changed = self._changed(found.afterwards) if found.afterwards else None
        return tuple(finding for finding in (changed, self._not_tried(found)) if finding is not None)

    def _changed(self, then: Afterwards) -> Finding | None:
        judged = _judged(then)
        if judged is None:
            return None
        others = f"proposal {then.after[0]}" if len(then.after) == 1 else f"{len(then.after)} other live proposals"
        return Finding(
            check=self.name,
            severity=judged[0],
            title=f"{judged[1]} after {others}",
            detail=_what_changes(then),
            calls=then.reverts or then.reverts_alone,
            evidence=tuple(map(str, then.after)),
        )

    def _not_tried(self, found: LiveProposals) -> Finding | None:
        more = found.live - len(found.proposals)
        if not more and not found.not_asked:
            return None
        return Finding(
            check=self.name,
            severity=Severity.LOW,
            title=f"Other proposals that were not run before this one: {more} live, {found.not_asked} perhaps live",
            detail="The newest ones were run before it.",
        )


def _judged(then: Afterwards) -> tuple[Severity, str] | None:
    if then.reverts:
        return None if then.reverts_alone else (Severity.HIGH, "It reverts")
    severity = Severity.MEDIUM if then.appears == Effects() else Severity.HIGH
    if then.reverts_alone:
        return severity, "It goes through only"
    if not then.differs:
        return None
    return severity, "It does less" if then.appears == Effects() else "It does something else"


def _what_changes(then: Afterwards) -> str:
    sentences = (("Only then", then.appears), ("Only without them", then.vanishes))
    return " ".join(f"{when}: {_told(effects)}." for when, effects in sentences if effects != Effects())


def _told(effects: Effects) -> str:
    told = [*map(_moved, effects.movements), *map(_changed, effects.changes)]
    more = len(told) - MOST_SHOWN + effects.left_out
    return "; ".join([*told[:MOST_SHOWN], *([f"{more} more"] if more > 0 else [])])


def _moved(movement: Movement) -> str:
    what = f"{movement.amount} of {movement.asset or 'coin'}"
    number = f" (number {movement.token_id})" if movement.token_id is not None else ""
    may = "may be taken" if movement.kind == "approval" else "go"
    return f"{what}{number} {may} from {movement.sender} to {movement.recipient}"


def _changed(change: Change) -> str:
    return quote(f"{change.kind} at {change.contract}: {change.subject}, {change.detail}", 240)
