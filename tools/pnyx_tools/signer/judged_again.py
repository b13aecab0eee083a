"""Steps 7 and 8 of the judgement (see `policy`): what the daemon reviewed, and what follows from it, once more, from
what the signer gathered itself. Pure.
"""

from __future__ import annotations

from pnyx_contracts.errors import RefusedError
from pnyx_policies.checks import CheckReport
from pnyx_policies.context import READINGS
from pnyx_policies.decide import decide
from pnyx_policies.dossier import Dossier
from pnyx_policies.elsewhere import unseen_as
from pnyx_policies.facts import Facts
from pnyx_policies.ruleset import Ruleset
from pnyx_tools.signer.claims import Evidence, must_equal, reports_on
from pnyx_tools.signer.seen import Seen


def require_same_world(evidence: Evidence, seen: Seen) -> None:
    """Step 7. A fact that cannot change by itself must be the same; one that can was judged again in step 8."""
    claimed, own = evidence.dossier.facts, own_facts(evidence, seen)
    must_equal("the governor's profile", claimed.governor.profile, own.governor.profile)
    must_equal("the snapshot", claimed.governor.snapshot, own.governor.snapshot)
    must_equal("the voter", claimed.voter and claimed.voter.voter, own.voter and own.voter.voter)
    must_equal("the code that the proposal reaches", claimed.targets, own.targets)
    must_equal("the review digest", claimed.review_digest, own.review_digest)


def require_same_judgement(ruleset: Ruleset, evidence: Evidence, seen: Seen, *, is_signed: bool) -> None:
    """Step 8. The outcome follows from all that the signer knows. That the bundle tells its findings is asked for those
    that its own facts allow: where it says that a tool did not run (an endpoint without old states), another endpoint
    of the signer's may know more.

    Once a vote is signed there is no other: what came to light since is in no bundle, and counts only if the outcome
    changes by it. Else whoever opens proposals could keep an announced vote from being cast.
    """
    dossier, own = evidence.dossier, own_facts(evidence, seen)
    reports = reports_on(dossier, own)
    decision = decide(ruleset, own, reports, dossier.opinions)
    if decision.outcome is not dossier.decision.outcome:
        raise RefusedError(
            f"from what the signer sees now the rules give {decision.outcome.value!r} ({decision.reason}), "
            f"the bundle says {dossier.decision.outcome.value!r}",
            hint="review the proposal again",
        )
    if not is_signed:
        _require_all_told(dossier, reports_on(dossier, _without_what_did_not_run(dossier, own)))


def _require_all_told(dossier: Dossier, reports: tuple[CheckReport, ...]) -> None:
    hidden = _found(reports) - _found(dossier.checks)
    if hidden:
        shown = "; ".join(
            f"{check}: {severity} at {', '.join(calls) or 'the proposal'}" for check, severity, calls in sorted(hidden)
        )
        raise RefusedError(f"the signer finds what the bundle does not tell: {shown}", hint="review the proposal again")


def _without_what_did_not_run(dossier: Dossier, own: Facts) -> Facts:
    steps = {step.tool: step for step in dossier.state.skipped if step.tool is not None}
    results = tuple(result for result in own.context if result.tool not in steps)
    skipped = tuple(step for step in own.skipped if step.tool not in steps)
    known = own.model_copy(update={"context": results, "skipped": (*skipped, *steps.values())})
    return unseen_as(dossier.facts, known)


def _found(reports: tuple[CheckReport, ...]) -> set[tuple[str, str, tuple[str, ...]]]:
    """Findings without their words: amounts in them move from block to block."""
    return {(f.check, f.severity.name.lower(), f.calls) for report in reports for f in report.findings}


def own_facts(evidence: Evidence, seen: Seen) -> Facts:
    """What the signer gathered, with the results of plugins' tools as the daemon has them: no built-in check reads
    those, and their code is not here. A built-in tool's result is never the daemon's.
    """
    assert seen.facts is not None, "the witness gathers facts for whatever `needs_facts`"
    dossier, own = evidence.dossier, seen.facts
    builtin = {reading.TOOL for reading in READINGS}
    results = tuple(result for result in dossier.context if result.tool not in builtin)
    steps = tuple(s for s in dossier.state.skipped if s.tool is not None and s.tool not in builtin)
    return own.model_copy(update={"context": (*own.context, *results), "skipped": (*own.skipped, *steps)})
