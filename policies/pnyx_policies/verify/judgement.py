"""Steps 16, 19 and 20: what follows from facts and opinions by rules alone is done again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pnyx_contracts.decision_log import vote_action
from pnyx_contracts.entry import EntryKind
from pnyx_contracts.errors import PnyxError, RefusedError
from pnyx_contracts.types import Vote
from pnyx_policies.approval import counted, most_for_one_vote, speaks_of, vouchers
from pnyx_policies.checks import Check, CheckReport, CheckView, run_checks
from pnyx_policies.configuration import Configuration
from pnyx_policies.decide import decide
from pnyx_policies.dossier import NOBODY, Approval, People
from pnyx_policies.entitlement import entitlement
from pnyx_policies.facts import Facts, Grade
from pnyx_policies.ruleset import Ruleset
from pnyx_policies.verify.facts import established, unconfirmed
from pnyx_policies.verify.record import Case
from pnyx_policies.verify.verdict import Step, Verdict, shown


@dataclass(frozen=True, slots=True)
class Shipped:
    """The checks of this release of Pnyx."""

    checks: Sequence[Check]
    software: str
    """As a configuration names it: ``pnyx 0.1.0``."""


@dataclass(frozen=True, slots=True)
class DeclaredChecks:
    """What a configuration says about checks."""

    versions: Mapping[str, str]
    software: str
    """The release that ran them."""


# 16. Findings


def check_findings(case: Case, shipped: Shipped, declared: DeclaredChecks) -> Iterator[Verdict]:
    """What had to run is what the configuration declares. Checks of another version than those that ship here, and
    those of plugins, are not run again: the reason says with which release they can be.
    """
    about, dossier = case.about, case.dossier
    again = run_checks(_same(shipped, declared), CheckView(dossier.facts, dossier.opinions))
    recorded = {report.check: report for report in dossier.checks}
    if len(recorded) != len(dossier.checks):
        yield about.differs(Step.FINDINGS, "checks", reason="a check reports twice")
    problems = [problem for ours in again if (problem := _finding_problem(case, ours, recorded.get(ours.check)))]
    yield from problems or [about.matches(Step.FINDINGS)]
    yield from _of_another_release(case, shipped, declared)
    for name in sorted(recorded.keys() - {check.name for check in shipped.checks}):
        yield about.not_checkable(Step.FINDINGS, f"{name} is no check that ships with this release", Grade.ATTESTED)


def _same(shipped: Shipped, declared: DeclaredChecks) -> list[Check]:
    return [check for check in shipped.checks if declared.versions.get(check.name) == check.version]


def _finding_problem(case: Case, ours: CheckReport, recorded: CheckReport | None) -> Verdict | None:
    where = f"checks.{ours.check}"
    if recorded is None:
        found = ours.findings[0].title if ours.findings else "no findings"
        return case.about.differs(Step.FINDINGS, where, expected=found, reason="it is declared, and did not run")
    verdict = case.about.compare(
        Step.FINDINGS, where, expected=ours.model_dump(mode="json"), seen=recorded.model_dump(mode="json")
    )
    return verdict if verdict.status.is_problem else None


def _of_another_release(case: Case, shipped: Shipped, declared: DeclaredChecks) -> Iterator[Verdict]:
    """An agent of this very release cannot have run others than this release has."""
    for check in shipped.checks:
        version = declared.versions.get(check.name)
        if version == check.version:
            continue
        if declared.software == shipped.software:
            yield case.about.differs(
                Step.FINDINGS, f"checks.{check.name}", expected=check.version, seen=version or "not declared",
                reason=f"the agent declares {declared.software}, which runs this check",
            )  # fmt: skip
        else:
            theirs = f"has version {version} in the record" if version else "did not run"
            because = f"{check.name} {check.version} of this release {theirs}: check with {declared.software}"
            yield case.about.not_checkable(Step.FINDINGS, because, Grade.ATTESTED)


# 19. Decision


def check_decision(case: Case, shipped: Shipped, declared: DeclaredChecks) -> Iterator[Verdict]:
    about, dossier = case.about, case.dossier
    try:
        judged = decide(_ruleset(case, declared), dossier.facts, dossier.checks, dossier.opinions)
    except PnyxError as error:
        yield about.differs(Step.DECISION, "ruleset", reason=error.message)
        return
    yield about.compare(
        Step.DECISION, "decision",
        expected=judged.decision.model_dump(mode="json"), seen=dossier.decision.model_dump(mode="json"),
    )  # fmt: skip
    if dossier.rules != judged.rules:
        yield about.differs(Step.DECISION, "rules", reason="not the outcomes of the rules that decide again")
    yield from _by_this_release(case, shipped, declared)


def _by_this_release(case: Case, shipped: Shipped, declared: DeclaredChecks) -> Iterator[Verdict]:
    """Checks of another release cannot run here, and the release that a configuration names may be made up. Those of
    this release judge in their place: where they lead elsewhere, the decision is not proven here.
    """
    if declared.software == shipped.software:
        return  # step 16 has compared them all
    dossier = case.dossier
    ours = run_checks(shipped.checks, CheckView(dossier.facts, dossier.opinions))
    outcome = decide(_ruleset(case, declared), dossier.facts, _with(ours, dossier.checks), dossier.opinions).outcome
    if outcome is not dossier.decision.outcome:
        yield case.unproven(
            Step.DECISION,
            f"the record decides {dossier.decision.outcome.value} by the checks of {declared.software}; those of "
            f"{shipped.software}, which runs here, lead to {outcome.value}: check with {declared.software}",
        )


def _with(ours: Sequence[CheckReport], recorded: Sequence[CheckReport]) -> tuple[CheckReport, ...]:
    """Our reports in place of the recorded ones, and beside them."""
    by_name = {report.check: report for report in recorded} | {report.check: report for report in ours}
    return tuple(by_name.values())


def check_what_was_skipped(case: Case, again: Facts, shipped: Shipped, declared: DeclaredChecks) -> Iterator[Verdict]:
    """Step 19, too: what the record says could not be known, and is known here, must not make another decision."""
    dossier = case.dossier
    in_doubt = unconfirmed(dossier.state.skipped, again.skipped)
    if not in_doubt:
        return
    facts = established(dossier.facts, again)
    ours = run_checks(_same(shipped, declared), CheckView(facts, dossier.opinions))
    decision = decide(_ruleset(case, declared), facts, _with(ours, dossier.checks), dossier.opinions)
    if decision.outcome is not dossier.decision.outcome:
        steps = ", ".join(sorted({skipped.step for skipped in in_doubt}))
        yield case.unproven(
            Step.DECISION,
            f"the record decides {dossier.decision.outcome.value} and says that this could not run: {steps}; judged by "
            f"what was established here, where it could, the rules decide {decision.outcome.value}",
        )


def _ruleset(case: Case, declared: DeclaredChecks) -> Ruleset:
    return Ruleset.parse(case.dossier.ruleset, "the record's ruleset", set(declared.versions))


# 20. Entry


def check_entry(
    case: Case, support_of: Callable[[Vote], int], configuration: Configuration | None, *, paused: bool = False
) -> Iterator[Verdict]:
    """`support_of` gives the governor's number for a vote, `configuration` is the declared one, None when its document
    is not usable. A correction may say anything: it decides nothing. `paused`: the guardian had paused the gate's
    votes, so that a vote could only be held or skipped.
    """
    about, entry, people = case.about, case.entry, case.dossier.people
    if entry.kind is EntryKind.CORRECTION:
        yield about.matches(Step.ENTRY, reason="a correction")
        return
    try:
        entitled = entitlement(case.dossier)
        action = vote_action(support_of(entitled.vote)) if entitled.vote else bytes(32)
    except RefusedError as error:
        where = "kind" if people == NOBODY else "people"
        yield about.differs(Step.ENTRY, where, seen=entry.kind.name, reason=error.message)
        return
    if paused and entitled.kind is EntryKind.VOTE and entry.kind in {EntryKind.HOLD, EntryKind.SKIP}:
        yield about.matches(Step.ENTRY, reason="the guardian had paused the gate's votes")
    elif entry.kind is not entitled.kind:
        yield about.differs(
            Step.ENTRY, "kind", expected=entitled.kind.name, seen=entry.kind.name,
            reason="the entry is not the one that its record entitles to",
        )  # fmt: skip
    elif entry.action != action:
        yield about.differs(
            Step.ENTRY, "action", expected=action, seen=entry.action, reason="not the vote that was decided"
        )
    elif late := [n for n, word in enumerate(people.words) if people.give_vote and word.expires_at < entry.time]:
        where, seen = f"people.words[{late[0]}].expires_at", people.words[late[0]].expires_at
        yield about.differs(Step.ENTRY, where, expected=f"at least {entry.time}", seen=seen)
    elif people != NOBODY:
        yield _whose_words(case, people, configuration)
    else:
        yield about.matches(Step.ENTRY)


def check_not_rejected(case: Case, rejections: Mapping[int, Approval]) -> Iterator[Verdict]:
    """Step 20, last: the rules' vote is not cast after a person's veto. `rejections` are those about this proposal that
    count, by the number of their entry. Only a word that was given later can lift one.
    """
    if case.entry.kind is not EntryKind.VOTE or case.dossier.people.words:
        return
    for seq, rejection in rejections.items():
        if speaks_of(rejection, case.dossier):
            yield case.about.differs(
                Step.ENTRY, "people", reason=f"a person rejected this decision, as entry {seq} says"
            )


def _whose_words(case: Case, people: People, configuration: Configuration | None) -> Verdict:
    """A name in a record is anybody's word; a signature by a declared approver is that person's."""
    about, words = case.about, people.words
    said = "rejected" if people.rejection else "approved"
    if configuration is None:
        return about.not_checkable(Step.ENTRY, "what people said: no usable configuration says who may")
    try:
        approvers = vouchers(case.dossier, configuration)
    except RefusedError as error:
        return about.differs(Step.ENTRY, "people", reason=error.message)
    if people.expired is not None:
        so_far = counted(most_for_one_vote(case.dossier, words), configuration.approvals)
        reason = f"the wait for people ended without them, at a time that the operator attests: {so_far}"
        return about.matches(Step.ENTRY, grade=Grade.ATTESTED, reason=reason)
    if not approvers:
        named = shown(words[0].person)
        return about.matches(
            Step.ENTRY, grade=Grade.ATTESTED, reason=f"{said}, as the operator attests, by {named!r}: nobody signed"
        )
    whose = "a declared approver: signature" if len(approvers) == 1 else "declared approvers: signatures"
    return about.matches(Step.ENTRY, reason=f"{said} by {', '.join(approvers)}, {whose} recovered")
