"""Steps 17 and 18: what the models were asked, and what they answered, is read again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

from pnyx_contracts.errors import UsageError
from pnyx_policies.analysis import COST_CAP, Analyst, Opinion
from pnyx_policies.answer import OK, TOOL_CALL, judge
from pnyx_policies.bundle import Bundle
from pnyx_policies.conversation import Conversation, begin, offered
from pnyx_policies.dossier import Attempt, Dossier
from pnyx_policies.facts import Grade
from pnyx_policies.outline import OUTLINE, outline
from pnyx_policies.prompt import OtherRenderingError, PromptTooLargeError
from pnyx_policies.request import request_difference
from pnyx_policies.verify.verdict import About, Step, Verdict

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

    def unproven(self, step: Step, because: str, grade: Grade = Grade.DERIVED) -> Verdict:
        """What must be shown and is not."""
        ...


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
        conversation = begin(case.dossier.facts, opinion.analyst.tools, case.dossier.prompt, opinion.analyst.view)
    except PromptTooLargeError:
        if attempts or opinion.analysis is not None:
            yield about.differs(Step.PROMPTS, f"opinions[{index}]", reason="these facts do not fit into a prompt")
        else:
            yield about.matches(Step.PROMPTS, reason="the facts do not fit into a prompt, and no model was asked")
        return
    except OtherRenderingError as error:
        yield case.unproven(Step.PROMPTS, f"{error.message}: check with the release that the configuration names")
        return
    except UsageError as error:
        yield about.differs(Step.PROMPTS, "prompt", reason=f"no request was made from this: {error.message}")
        return
    if not attempts:
        yield _unasked(about, index, opinion)
        return
    if [attempt.number for _, attempt in attempts] != list(range(len(attempts))):
        yield about.differs(
            Step.PROMPTS, "attempts", reason=f"the attempts at opinion {index} are not numbered from 0 on"
        )
    for number, (place, attempt) in enumerate(attempts):
        yield _prompt(case, place, attempt, conversation, opinion.analyst)
        if conversation.callable_tools and number < len(attempts) - 1:
            response = _response(case, attempt)
            if response is None and attempt.response_hash is not None:
                yield case.unproven(
                    Step.PROMPTS,
                    f"the record withholds the response of attempts[{place}], which the next request follows",
                )
                return
            conversation = _after(conversation, response, case)


def _unasked(about: About, index: int, opinion: Opinion) -> Verdict:
    """A model that was not asked gives no advice, as one that did not answer."""
    if opinion.analysis is None and opinion.failure.startswith(COST_CAP):
        return about.matches(Step.PROMPTS, Grade.ATTESTED, reason="no model was asked: the operator's cap was reached")
    return about.differs(Step.PROMPTS, f"opinions[{index}]", reason="a model's opinion without any request")


def _after(conversation: Conversation, response: bytes | None, case: Testimony) -> Conversation:
    """What the next request says: what the answer called is shown, and after a failure nothing changes."""
    if response is None:
        return conversation
    return conversation.shown(judge(response, case.dossier.facts, conversation.callable_tools).calls)


def _prompt(case: Testimony, place: int, attempt: Attempt, conversation: Conversation, analyst: Analyst) -> Verdict:
    body = case.bundle.bodies.get(attempt.request_hash)
    if body is None:
        return case.unproven(Step.PROMPTS, f"the record withholds the request of attempts[{place}]")
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
            yield case.unproven(Step.ANSWERS, f"the record withholds the response of {where}", Grade.ATTESTED)
            return
        tools = offered(facts, opinion.analyst.tools, turns)
        judged = None if body is None else judge(body, facts, tools, opinion.analyst.view)
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
    # What went wrong is told in the operator's words; that something did, only where there is no usable answer.
    failure = "" if analysis else opinion.failure
    struck = judged.struck if judged else ()
    again = opinion.model_copy(update={"analysis": analysis, "failure": failure, "struck": struck})
    yield _compare_analysis(case, index, again, Grade.ATTESTED)


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
