"""What is thought of a proposal: findings, opinions, the decision, the rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pnyx_contracts.entry import EntryKind
from pnyx_contracts.errors import RefusedError
from pnyx_policies.analysis import Analysis, KeyPoint, Opinion
from pnyx_policies.decide import FOUND_BY
from pnyx_policies.decision import Mode, Outcome, RuleOutcome
from pnyx_policies.dossier import Dossier
from pnyx_policies.entitlement import Entitlement, entitlement
from pnyx_policies.finding import Finding
from pnyx_policies.outline import OUTLINE
from pnyx_policies.reading.blocks import (
    Block,
    Bullet,
    Bullets,
    Findings,
    Line,
    Noted,
    bullet,
    code,
    line,
    paragraph,
    soft,
    strong,
    warn,
)


def findings(dossier: Dossier) -> Iterator[Block]:
    """The gravest first."""
    found = [finding for report in dossier.checks for finding in report.findings]
    if found:
        yield Findings(tuple(map(_noted, sorted(found, key=lambda finding: -finding.severity))))
    ran = [report for report in dossier.checks if not report.skipped]
    quiet = sum(not report.findings for report in ran)
    yield paragraph(soft(f"{quiet} of {len(ran)} checks that ran found nothing."))


def _noted(finding: Finding) -> Noted:
    """Evidence that title and detail tell is not told twice."""
    told = f"{finding.title}\n{finding.detail}"
    evidence = [piece for piece in finding.evidence if piece not in told]
    details = (finding.detail, f"Evidence: {', '.join(evidence)}" if evidence else "")
    title = line(finding.title, *([soft(places(finding.calls))] if finding.calls else []))
    return Noted(finding.severity, finding.check, title, tuple(line(soft(words)) for words in details if words))


def places(paths: Sequence[str]) -> str:
    """After a sentence: the calls that it is about."""
    return f" · call{'s' if len(paths) > 1 else ''} {', '.join(paths)}"


def opinions(dossier: Dossier) -> Iterator[Block]:
    yield paragraph(soft("Advice, not a decision."))
    yield Bullets(tuple(_opinion(opinion) for opinion in dossier.opinions))


def _opinion(opinion: Opinion) -> Bullet:
    analyst = opinion.analyst
    kind = f"language model {analyst.model or analyst.name}" if analyst.is_language_model else "no language model"
    if opinion.analysis is None:
        return bullet(strong(analyst.seat), f" ({kind}): ", warn(f"no analysis: {opinion.failure}"))
    if analyst == OUTLINE:
        return bullet(strong("outline"), f" ({kind}): written by fixed rules from the facts above; it advises nothing.")
    advice = f"{opinion.analysis.recommendation.value}, {opinion.analysis.confidence_percent}% confident"
    struck = (bullet(warn("struck out, "), words) for words in opinion.struck)
    inner = (*_analysis(opinion.analysis), *struck)
    return bullet(
        strong(analyst.seat), f" ({kind}) advises ", strong(advice), f": {opinion.analysis.summary}", inner=inner
    )


def _analysis(analysis: Analysis) -> Iterator[Bullet]:
    if analysis.stated_intent:
        yield bullet("The text wants: ", analysis.stated_intent)
    yield from (bullet("It claims: ", claim) for claim in analysis.claimed_effects)
    yield from (bullet(point.claim, soft(_source(point))) for point in analysis.key_points)
    yield from (bullet(warn(f"{risk.level.value} risk: "), risk.text) for risk in analysis.risks)


def _source(point: KeyPoint) -> str:
    if point.call is not None:
        return f" · call {point.call}"
    if point.effect is not None:
        return f" · effect {point.effect}"
    return f" · “{point.quotation}”" if point.quotation else ""


# The decision

_SAID = {
    Outcome.FOR: "The rules say for",
    Outcome.AGAINST: "The rules say against",
    Outcome.ABSTAIN: "The rules say abstain",
    Outcome.HOLD: "Held for people",
    Outcome.SKIP: "Skipped",
}


def verdict(dossier: Dossier, *, brief: bool = False) -> Line:
    """What was decided and why, as one sentence. The `brief` form leaves out which checks found it."""
    reason = dossier.decision.reason
    shown = reason.partition(FOUND_BY)[0] if brief else reason
    return line(strong(_SAID[dossier.decision.outcome]), f": {shown}")


def decision(dossier: Dossier) -> Iterator[Block]:
    yield paragraph(*verdict(dossier))
    items = [bullet("Decided by ", code(dossier.decision.decided_by), f"; mode {dossier.header.mode.value}")]
    try:
        what = entitlement(dossier) if "state" in dossier.model_fields_set else None
    except RefusedError as error:  # for nobody in particular, or before voting starts
        items.insert(0, bullet(f"A preview: {error.message}"))
    else:
        if what is not None:
            items.insert(0, bullet(_meaning(dossier, what)))
            items.append(bullet(f"Entry in the log: {what.kind.name.lower()}"))
    for word in dossier.people.words:
        said = f" says {word.verdict}" + (f" ({word.vote})" if word.vote else "")
        items.append(bullet(strong(word.person), f"{said}: ", word.comment or "no comment"))
    yield Bullets(tuple(items))


def _meaning(dossier: Dossier, what: Entitlement) -> str:
    """What becomes of the vote, for people who know no kinds of entries."""
    words = dossier.people.words
    if what.vote is not None:
        by = "people approved it" if len(words) > 1 else "a person approved it" if words else "the rules decide alone"
        return f"One vote {what.vote.value}: {by}."
    if dossier.people.rejection is not None:
        return "No vote: a person rejected it."
    if dossier.people.expired is not None:
        return "No vote: the wait for people ended without them."
    match what.kind:
        case EntryKind.HOLD if dossier.header.mode is Mode.OBSERVE:
            return "No vote: the agent only observes, and would have asked a person."
        case EntryKind.HOLD:
            return "No vote yet: a person is asked."
        case EntryKind.DECISION:
            return "No vote: the agent only observes."
        case EntryKind.MISSED:
            return "No vote: the vote was over before anything was decided."
        case _:
            return "No vote."


# The rules

_LINES = re.compile(r"; (?=`|any of: |advice: )|(?<=\)), (?=`)")
"""Between two conditions of a rule, as `decide` writes them."""

_CONDITION = re.compile("(any of: )?`([^`]*)`(.*)")


def rules(dossier: Dossier) -> Iterator[Block]:
    if not dossier.rules:
        yield paragraph("No rule was asked: a vote is not possible, or what it needs is unknown.")
        return
    yield paragraph(soft("In this order; the first that matches decides. What each condition saw stands with it."))
    yield Bullets(tuple(_rule(rule, dossier.decision.decided_by) for rule in dossier.rules))


def _rule(rule: RuleOutcome, decided_by: str) -> Bullet:
    answer, _, words = rule.explanation.partition(": ")
    mark = strong(" ← decides") if rule.rule == decided_by else ""
    inner = tuple(map(_condition, filter(None, _LINES.split(words))))
    shown = soft(answer) if answer.startswith("does not") else strong(answer)
    return bullet(strong(rule.rule), f" (then {rule.then}) ", shown, mark, inner=inner)


def _condition(words: str) -> Bullet:
    found = _CONDITION.fullmatch(words)
    return bullet(found[1] or "", code(found[2]), soft(found[3])) if found else bullet(soft(words))
