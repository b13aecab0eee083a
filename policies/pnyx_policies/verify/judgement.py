"""Steps 16 to 20: what follows from the facts by rules alone is done again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final, Protocol

from pnyx_contracts.decision_log import vote_action
from pnyx_contracts.entry import EntryKind
from pnyx_contracts.errors import PnyxError, RefusedError
from pnyx_contracts.types import Vote
from pnyx_policies.analysis import Analyst, Opinion
from pnyx_policies.answer import OK, TOOL_CALL, judge
from pnyx_policies.approval import vouched_by
from pnyx_policies.bundle import Bundle
from pnyx_policies.checks import Check, CheckReport, CheckView, builtin_checks, run_checks
from pnyx_policies.configuration import Configuration
from pnyx_policies.conversation import Conversation, begin, offered
from pnyx_policies.decide import decide
from pnyx_policies.dossier import Approval, Attempt, Dossier
from pnyx_policies.entitlement import entitlement
from pnyx_policies.facts import Grade
from pnyx_policies.outline import OUTLINE, outline
from pnyx_policies.prompt import PromptTooLargeError
from pnyx_policies.request import request_difference
from pnyx_policies.ruleset import Ruleset
from pnyx_policies.verify.record import Case
from pnyx_policies.verify.verdict import About, Step, Verdict, shown

NOT_AN_ANSWER: Final = frozenset({"timeout", "rate-limit", "http-error", "connection"})
"""Outcomes of attempts that brought no answer to judge."""


class Testimony(Protocol):
    """What steps 17 and 18 need: a bundle with its content. A signer has these before there is an entry."""

    @property
    def about(self) -> About: ...

    @property
    def dossier(self) -> Dossier: ...

    @property
    def bundle(self) -> Bundle: ...


# 16. Findings


def check_findings(case: Case, checks: Sequence[Check]) -> Iterator[Verdict]:
    """`checks` are those that ship; a plugin's report is the operator's word."""
    about, dossier = case.about, case.dossier
    again = run_checks(checks, CheckView(dossier.facts, dossier.opinions))
    recorded = {report.check: report for report in dossier.checks}
    if len(recorded) != len(dossier.checks):
        yield about.differs(Step.FINDINGS, "checks", reason="a check reports twice")
    problems = [problem for ours in again if (problem := _finding_problem(case, ours, recorded.get(ours.check)))]
    yield from problems or [about.matches(Step.FINDINGS)]
    for name in sorted(recorded.keys() - {report.check for report in again}):
        yield about.not_checkable(Step.FINDINGS, f"{name} is no check that ships with this version", Grade.ATTESTED)


def _finding_problem(case: Case, ours: CheckReport, recorded: CheckReport | None) -> Verdict | None:
    """A check of another version, or one that did not run, counts as the same as long as it finds the same."""
    where = f"checks.{ours.check}"
    if recorded is None:
        if not ours.findings:
            return None
        return case.about.differs(
            Step.FINDINGS, where, expected=ours.findings[0].title, reason="the check did not run, and it finds this"
        )
    verdict = case.about.compare(
        Step.FINDINGS, where,
        expected=ours.model_dump(mode="json", exclude={"version"}),
        seen=recorded.model_dump(mode="json", exclude={"version"}),
    )  # fmt: skip
    if not verdict.status.is_problem:
        return None
    if ours.version == recorded.version:
        return verdict
    other = (
        f"version {recorded.version} of the check, this is {ours.version}; pnyx {case.dossier.software.pnyx} could tell"
    )
    return replace(verdict, reason=f"recorded by {other}")


# 17. Prompts


def check_prompts(case: Testimony) -> Iterator[Verdict]:
    about, dossier = case.about, case.dossier
    asked = [index for index, opinion in enumerate(dossier.opinions) if opinion.analyst.is_language_model]
    strangers = [number for number, attempt in enumerate(dossier.attempts) if attempt.opinion not in asked]
    if strangers:
        yield about.differs(Step.PROMPTS, f"attempts[{strangers[0]}]", reason="a request of no opinion in the record")
    elif not asked:
        yield about.matches(Step.PROMPTS, reason="no language model was asked")
    for index in asked:
        yield from _prompts_of(case, index, dossier.opinions[index])


def _prompts_of(case: Testimony, index: int, opinion: Opinion) -> Iterator[Verdict]:
    about = case.about
    attempts = _attempts_of(case, index)
    try:
        conversation = begin(case.dossier.facts, opinion.analyst.tools, case.dossier.prompt)
    except PromptTooLargeError:
        if attempts or opinion.analysis is not None:
            yield about.differs(Step.PROMPTS, f"opinions[{index}]", reason="these facts do not fit into a prompt")
        else:
            yield about.matches(Step.PROMPTS, reason="the facts do not fit into a prompt, and no model was asked")
        return
    except PnyxError as error:
        yield about.not_checkable(Step.PROMPTS, error.message)
        return
    if not attempts:
        yield about.differs(Step.PROMPTS, f"opinions[{index}]", reason="a model's opinion without any request")
    if [attempt.number for _, attempt in attempts] != list(range(len(attempts))):
        yield about.differs(
            Step.PROMPTS, "attempts", reason=f"the attempts at opinion {index} are not numbered from 0 on"
        )
    for number, (place, attempt) in enumerate(attempts):
        yield _prompt(case, place, attempt, conversation, opinion.analyst)
        if conversation.callable_tools and number < len(attempts) - 1:
            response = _response(case, attempt)
            if response is None and attempt.response_hash is not None:
                yield about.not_checkable(
                    Step.PROMPTS,
                    f"the record withholds the response of attempts[{place}], which the next request follows",
                )
                return
            conversation = _after(conversation, response, case)


def _after(conversation: Conversation, response: bytes | None, case: Testimony) -> Conversation:
    """What the next request says: what the answer called is shown, and after a failure nothing changes."""
    if response is None:
        return conversation
    return conversation.shown(judge(response, case.dossier.facts, conversation.callable_tools).calls)


def _prompt(case: Testimony, place: int, attempt: Attempt, conversation: Conversation, analyst: Analyst) -> Verdict:
    body = case.bundle.bodies.get(attempt.request_hash)
    if body is None:
        return case.about.not_checkable(Step.PROMPTS, f"the record withholds the request of attempts[{place}]")
    difference = request_difference(body, conversation, analyst)
    if difference:
        return case.about.differs(Step.PROMPTS, f"attempts[{place}].request", reason=difference)
    return case.about.matches(Step.PROMPTS)


# 18. Answers


def check_answers(case: Testimony) -> Iterator[Verdict]:
    for index, opinion in enumerate(case.dossier.opinions):
        if opinion.analyst.is_language_model:
            yield from _answers_of(case, index, opinion)
        elif opinion.analyst == OUTLINE:
            yield _compare_analysis(case, index, Opinion(analyst=OUTLINE, analysis=outline(case.dossier.facts)))
        else:
            yield case.about.not_checkable(
                Step.ANSWERS, f"{opinion.analyst.name} is no language model and not our outline", Grade.ATTESTED
            )


def _answers_of(case: Testimony, index: int, opinion: Opinion) -> Iterator[Verdict]:
    """The last attempt counts. Those before it must have failed or called context tools: else an answer that was not
    liked was thrown away.
    """
    attempts = _attempts_of(case, index)
    facts, turns = case.dossier.facts, 0
    judged = None
    for number, (place, attempt) in enumerate(attempts):
        where = f"attempts[{place}]"
        body = _response(case, attempt)
        if attempt.response_hash is not None and body is None:
            yield case.about.not_checkable(
                Step.ANSWERS, f"the record withholds the response of {where}", Grade.ATTESTED
            )
            return
        judged = None if body is None else judge(body, facts, offered(facts, opinion.analyst.tools, turns))
        outcome = "no answer" if judged is None else judged.outcome
        last = number == len(attempts) - 1
        if outcome == OK and (attempt.outcome != OK or not last):
            yield case.about.differs(
                Step.ANSWERS, where, expected=OK, seen=attempt.outcome, reason="a usable answer was thrown away"
            )
            return
        if outcome == TOOL_CALL and (attempt.outcome != TOOL_CALL or last):
            yield case.about.differs(
                Step.ANSWERS, where, expected=TOOL_CALL, seen=attempt.outcome,
                reason="the model called context tools, and nothing followed",
            )  # fmt: skip
            return
        turns += outcome == TOOL_CALL
        if attempt.outcome not in {outcome, *NOT_AN_ANSWER}:
            yield case.about.differs(Step.ANSWERS, f"{where}.outcome", expected=outcome, seen=attempt.outcome)
            return
    analysis = judged.analysis if judged else None
    yield _compare_analysis(case, index, opinion.model_copy(update={"analysis": analysis}), Grade.ATTESTED)


def _compare_analysis(case: Testimony, index: int, again: Opinion, grade: Grade = Grade.DERIVED) -> Verdict:
    return case.about.compare(
        Step.ANSWERS, f"opinions[{index}]",
        expected=again.model_dump(mode="json"), seen=case.dossier.opinions[index].model_dump(mode="json"), grade=grade,
    )  # fmt: skip


def _response(case: Testimony, attempt: Attempt) -> bytes | None:
    """None when nothing came back, and when the record withholds what came."""
    return None if attempt.response_hash is None else case.bundle.bodies.get(attempt.response_hash)


def _attempts_of(case: Testimony, index: int) -> list[tuple[int, Attempt]]:
    """The attempts at one opinion, each with its place in the record."""
    return [(place, attempt) for place, attempt in enumerate(case.dossier.attempts) if attempt.opinion == index]


# 19. Decision


def check_decision(case: Case) -> Iterator[Verdict]:
    about, dossier = case.about, case.dossier
    try:
        # Every check that ships must have run, whatever the record says; a plugin's ran where it reports.
        checks = {check.name for check in builtin_checks()} | {report.check for report in dossier.checks}
        ruleset = Ruleset.parse(dossier.ruleset, "the record's ruleset", checks)
        decision = decide(ruleset, dossier.facts, dossier.checks, dossier.opinions)
    except PnyxError as error:
        yield about.differs(Step.DECISION, "ruleset", reason=error.message)
        return
    yield about.compare(
        Step.DECISION, "decision",
        expected=decision.model_dump(mode="json"), seen=dossier.decision.model_dump(mode="json"),
    )  # fmt: skip
    if dossier.rules != decision.rules:
        yield about.differs(Step.DECISION, "rules", reason="not the outcomes of the rules that decide again")


# 20. Entry


def check_entry(
    case: Case, support_of: Callable[[Vote], int], configuration: Configuration | None
) -> Iterator[Verdict]:
    """`support_of` gives the governor's number for a vote, `configuration` is the declared one, None when its document
    is not usable. A correction may say anything: it decides nothing.
    """
    about, entry, approval = case.about, case.entry, case.dossier.approval
    if entry.kind is EntryKind.CORRECTION:
        yield about.matches(Step.ENTRY, reason="a correction")
        return
    try:
        entitled = entitlement(case.dossier)
        action = vote_action(support_of(entitled.vote)) if entitled.vote else bytes(32)
    except RefusedError as error:
        yield about.differs(Step.ENTRY, "approval", reason=error.message)
        return
    if entry.kind is not entitled.kind:
        yield about.differs(
            Step.ENTRY, "kind", expected=entitled.kind.name, seen=entry.kind.name,
            reason="the entry is not the one that its record entitles to",
        )  # fmt: skip
    elif entry.action != action:
        yield about.differs(
            Step.ENTRY, "action", expected=action, seen=entry.action, reason="not the vote that was decided"
        )
    elif approval is not None and entry.kind is EntryKind.VOTE and approval.expires_at < entry.time:
        yield about.differs(
            Step.ENTRY, "approval.expires_at", expected=f"at least {entry.time}", seen=approval.expires_at
        )
    elif approval is not None:
        yield _whose_word(case, approval, configuration)
    else:
        yield about.matches(Step.ENTRY)


def _whose_word(case: Case, approval: Approval, configuration: Configuration | None) -> Verdict:
    """A name in a record is anybody's word; a signature by a declared approver is that person's."""
    said = "approved" if approval.verdict == "approve" else "rejected"
    if configuration is None:
        return case.about.not_checkable(Step.ENTRY, f"{said} by whom: no usable configuration says who may")
    try:
        approver = vouched_by(case.dossier, approval, configuration)
    except RefusedError as error:
        return case.about.differs(Step.ENTRY, "approval", reason=error.message)
    if approver is None:
        named = shown(approval.person)
        return case.about.matches(
            Step.ENTRY, Grade.ATTESTED, f"{said}, as the operator attests, by {named!r}: nobody signed"
        )
    return case.about.matches(Step.ENTRY, reason=f"{said} by {approver}, a declared approver: signature recovered")
