"""live-proposals: Does it do the same after others that may be executed first?"""

from __future__ import annotations

from pnyx_contracts.types import to_hex
from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.context import Afterwards, Effects, LiveProposals
from pnyx_policies.facts import Change, Movement
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.text import count, quote

MOST_SHOWN = 4
"""Effects in one sentence."""


class AmongOthers:
    """This proposal is simulated alone, and after others: operations that somebody else scheduled in the timelock, and
    the other live proposals of its governor. High when it reverts only after them, or moves other money or power then;
    medium when it only does less then, or goes through only after them and moves nothing. Low when there are more of
    them than are tried. Quiet when nothing changes: a signer that sees one more than the review did must not refuse the
    vote for it; the review lists them all the same. Check K16, too.

    Not seen: what takes only some of them, or another order; what they do after this one; power of which no event
    tells; proposals older than the search. The others' own calls are not judged here.
    """

    name = "live-proposals"
    version = "2"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        found = view.context(LiveProposals)
        changed = self._changed(found.afterwards) if found.afterwards else None
        return tuple(finding for finding in (changed, self._not_tried(found)) if finding is not None)

    def _changed(self, then: Afterwards) -> Finding | None:
        judged = _judged(then)
        if judged is None:
            return None
        return Finding(
            check=self.name,
            severity=judged[0],
            title=f"{judged[1]} after {_others(then)}",
            detail=_what_changes(then),
            calls=then.reverts or then.reverts_alone,
            evidence=(*map(to_hex, then.after_operations), *map(str, then.after)),
        )

    def _not_tried(self, found: LiveProposals) -> Finding | None:
        more, waiting = found.live - len(found.proposals), found.waiting - len(found.operations)
        if not more and not found.not_asked and not waiting:
            return None
        operations = f"; {count(waiting, 'operation')} of the timelock" if waiting else ""
        return Finding(
            check=self.name,
            severity=Severity.LOW,
            title=f"Other proposals that were not run before this one: {more} live, {found.not_asked} perhaps live"
            f"{operations}",
            detail="The newest ones were run before it.",
        )


def _others(then: Afterwards) -> str:
    """What was run before."""
    operations, proposals = len(then.after_operations), len(then.after)
    parts = []
    if operations:
        parts.append(f"{count(operations, 'operation')} of others that {'waits' if operations == 1 else 'wait'}")
    if proposals:
        parts.append(f"proposal {then.after[0]}" if proposals == 1 else f"{proposals} other live proposals")
    return " and ".join(parts)


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
