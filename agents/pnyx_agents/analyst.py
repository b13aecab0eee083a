"""Who reads a proposal. An analyst turns facts into an opinion and keeps every word that it exchanged on the way.

    begin -> ask -> judge        while the meter lets it: money and tokens have caps; what was answered before is not
                                 paid for again;
                                 after a failure the same messages again, a bounded number of times;
                                 after a call of allowed context tools the same and their results, so too

A failed opinion is a result: the vote is held. No retry tells the model what was wrong with its answer, because such
feedback would carry words that an attacker may have written.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from eth_hash.auto import keccak

from pnyx_policies.analysis import COST_CAP, Analyst, Opinion
from pnyx_policies.answer import OK, TOOL_CALL, Judgement, judge
from pnyx_policies.conversation import Conversation, begin
from pnyx_policies.dossier import Attempt
from pnyx_policies.facts import Facts
from pnyx_policies.prompt import PromptTooLargeError
from pnyx_tools.model import KEY_REMOVED, Exchange, LangChainModel, ModelSettings
from pnyx_tools.progress import Tell, tell_nobody

MAX_PAUSE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Transcript:
    """One opinion and how it came about. `bodies` holds requests and responses by their keccak-256."""

    opinion: Opinion
    attempts: tuple[Attempt, ...] = ()
    bodies: Mapping[bytes, bytes] = field(default_factory=dict)


class AnalystPort(Protocol):
    """One reader: a model, the outline, or somebody's own."""

    def describe(self) -> Analyst:
        """How records and configurations name it."""
        ...

    def analyse(self, facts: Facts) -> Transcript:
        """Never raises for what a model does: a failure is an opinion without analysis. Attempts carry index 0."""
        ...


@dataclass(frozen=True, slots=True)
class Deliberation:
    """What a committee said, in the order in which it sits. `Attempt.opinion` is the index into `opinions`."""

    opinions: tuple[Opinion, ...]
    attempts: tuple[Attempt, ...]
    bodies: Mapping[bytes, bytes]


def deliberate(analysts: Sequence[AnalystPort], facts: Facts, tell: Tell = tell_nobody) -> Deliberation:
    """Ask every analyst, each on its own: none sees what another said. `tell` hears who is asked."""
    transcripts = list[Transcript]()
    for number, analyst in enumerate(analysts, start=1):
        tell(f"asking {analyst.describe().seat} ({number} of {len(analysts)})")
        transcripts.append(analyst.analyse(facts))
    return Deliberation(
        opinions=tuple(t.opinion for t in transcripts),
        attempts=tuple(a.model_copy(update={"opinion": i}) for i, t in enumerate(transcripts) for a in t.attempts),
        bodies={digest: body for t in transcripts for digest, body in t.bodies.items()},
    )


class Meter(Protocol):
    """Who counts what is asked, says when it is enough, and knows what was answered before."""

    def refusal(self, proposal: str) -> str:
        """Why no model is asked any more about this proposal; empty while it may be."""
        ...

    def request(
        self, proposal: str, model: ModelSettings
    ) -> AbstractContextManager[Callable[[Exchange, Attempt], None]]:
        """Around one request; what it gives is called with what came of it."""
        ...

    def recall(self, seat: Analyst, request: bytes) -> bytes | None:
        """What this seat answered to these very bytes; None for a request that has to be sent."""
        ...

    def remember(self, seat: Analyst, request: bytes, response: bytes) -> None:
        """A usable answer."""
        ...


class NoMeter:
    """Counts nothing, refuses nothing and remembers nothing: for who asks by hand."""

    def refusal(self, proposal: str) -> str:  # noqa: ARG002 - the protocol's
        return ""

    @contextmanager
    def request(self, proposal: str, model: ModelSettings) -> Iterator[Callable[[Exchange, Attempt], None]]:  # noqa: ARG002 - the protocol's
        yield lambda _exchange, _attempt: None

    def recall(self, seat: Analyst, request: bytes) -> bytes | None:  # noqa: ARG002 - the protocol's
        return None

    def remember(self, seat: Analyst, request: bytes, response: bytes) -> None:
        pass


class ModelAnalyst:
    """A language model as a reader."""

    def __init__(
        self,
        model: LangChainModel,
        meter: Meter | None = None,
        *,
        seat: Analyst | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._model = model
        self._meter = meter or NoMeter()
        self._seat = seat or model.settings.describe()
        self._pause = pause

    def describe(self) -> Analyst:
        return self._seat

    def analyse(self, facts: Facts) -> Transcript:
        try:
            conversation = begin(facts, self._seat.tools, view=self._seat.view)
        except PromptTooLargeError as error:
            return Transcript(Opinion(analyst=self._seat, analysis=None, failure=error.message))
        attempts: list[Attempt] = []
        bodies: dict[bytes, bytes] = {}
        failures, judgement, proposal = 0, None, str(facts.proposal.key)
        cap = self._meter.refusal(proposal)
        while not cap:
            with self._meter.request(proposal, self._model.settings) as note:
                exchange = self._model.ask(conversation, partial(self._meter.recall, self._seat))
                judgement = self._judge(exchange, facts, conversation)
                attempts.append(_attempt(len(attempts), exchange, judgement))
                note(exchange, attempts[-1])
            self._remember(exchange, judgement)
            bodies |= {keccak(body): body for body in (exchange.request, exchange.response) if body is not None}
            if judgement.calls:  # at most `MAX_TOOL_TURNS` times: then there is nothing to call
                conversation = conversation.shown(judgement.calls)
                continue  # whatever it costs: a call without its result would look like an answer thrown away
            failures += 1
            if judgement.analysis or not exchange.may_pass or failures == self._model.settings.max_attempts:
                break
            self._pause(_pause_seconds(exchange, failures))
            cap = self._meter.refusal(proposal)
        return Transcript(self._opinion(attempts, judgement, cap), tuple(attempts), bodies)

    def _judge(self, exchange: Exchange, facts: Facts, conversation: Conversation) -> Judgement:
        if exchange.failure or exchange.response is None:
            return Judgement(outcome=exchange.failure, detail=exchange.detail)
        return judge(exchange.response, facts, conversation.callable_tools, self._seat.view)

    def _remember(self, exchange: Exchange, judgement: Judgement) -> None:
        """An answer that was changed before it was recorded would be recalled as if it had not been."""
        is_usable = judgement.outcome in {OK, TOOL_CALL} and KEY_REMOVED not in exchange.captured
        if is_usable and exchange.response is not None and not exchange.reused:
            self._meter.remember(self._seat, exchange.request, exchange.response)

    def _opinion(self, attempts: list[Attempt], judgement: Judgement | None, cap: str) -> Opinion:
        if judgement and judgement.analysis:
            return Opinion(analyst=self._seat, analysis=judgement.analysis, struck=judgement.struck)
        why = [f"{COST_CAP}: {cap}"] if cap else []
        if attempts:
            last = attempts[-1]
            count = f"no usable answer in {len(attempts)} attempt(s)"
            why.append(f"{count}; the last one: {last.outcome} ({last.detail})")
        return Opinion(analyst=self._seat, analysis=None, failure="; ".join(why))


def _attempt(number: int, exchange: Exchange, judgement: Judgement) -> Attempt:
    return Attempt(
        opinion=0,
        number=number,
        request_hash=keccak(exchange.request),
        response_hash=None if exchange.response is None else keccak(exchange.response),
        http_status=exchange.http_status,
        outcome=judgement.outcome,
        detail="; ".join(part for part in (exchange.captured, judgement.detail) if part),
        served_model=judgement.served_model,
        request_id=exchange.request_id,
        reused=exchange.reused,
        input_tokens=judgement.input_tokens,
        cached_tokens=judgement.cached_tokens,
        output_tokens=judgement.output_tokens,
    )


def _pause_seconds(failed: Exchange, failures: int) -> float:
    """As long as the server asked for, else 1, 2, 4 ... seconds; none after an answer that was merely bad."""
    if not failed.failure:
        return 0.0
    asked = failed.retry_after_seconds
    return min(2.0 ** (failures - 1) if asked is None else asked, MAX_PAUSE_SECONDS)
