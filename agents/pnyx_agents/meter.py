"""What asking models costs: every request is counted, traced and held against caps, and no answer is paid for twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from pnyx_agents.metrics import Metrics
from pnyx_agents.tracing import NO_TRACES, Attributes, Span, Tracer
from pnyx_policies.analysis import Analyst
from pnyx_policies.answer import OK, TOOL_CALL
from pnyx_policies.dossier import Attempt
from pnyx_tools.costs import AnswerBook, Caps, CostBook, Request
from pnyx_tools.model import CONNECTION, Exchange, ModelSettings

CHAT: Final = "chat"

_PROVIDERS: Final = {
    "bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock",
    "google_genai": "gcp.gen_ai",
    "google_vertexai": "gcp.vertex_ai",
    "mistralai": "mistral_ai",
    "xai": "x_ai",
}
"""LangChain's names of providers, where OpenTelemetry has others."""


@dataclass(frozen=True, slots=True)
class CostMeter:
    """Implements `analyst.Meter`."""

    book: CostBook
    answers: AnswerBook
    caps: Caps
    metrics: Metrics
    tracer: Tracer = NO_TRACES

    def refusal(self, proposal: str) -> str:
        """Requests that are under way elsewhere are not counted yet: as many as are may go beyond a cap."""
        return self.caps.reached(self.book.on_proposal(proposal), self.book.in_a_day())

    @contextmanager
    def request(self, proposal: str, model: ModelSettings) -> Iterator[Callable[[Exchange, Attempt], None]]:
        with self.tracer.span(f"{CHAT} {model.model}", asked(model), is_call=True) as span:

            def note(exchange: Exchange, attempt: Attempt) -> None:
                self._trace(span, attempt)
                self._count(proposal, model, exchange, attempt)

            yield note

    def recall(self, seat: Analyst, request: bytes) -> bytes | None:
        return self.answers.recall(seat, request)

    def remember(self, seat: Analyst, request: bytes, response: bytes) -> None:
        self.answers.remember(seat, request, response)

    def _count(self, proposal: str, model: ModelSettings, exchange: Exchange, attempt: Attempt) -> None:
        if attempt.reused:
            return
        name, rate = model.describe().name, model.rate
        given, said = tokens(model, exchange, attempt)
        cached = attempt.cached_tokens or 0
        self.book.note(Request(proposal, name, attempt.outcome, given, said, rate, cached))
        money = None if rate is None else rate.of(given, said, cached)
        self.metrics.note_request(name, attempt.outcome, given, said, money, self.caps.currency)

    def _trace(self, span: Span, attempt: Attempt) -> None:
        span.note(answered(attempt))
        if attempt.outcome not in {OK, TOOL_CALL}:
            span.fail(attempt.outcome)


def tokens(model: ModelSettings, exchange: Exchange, attempt: Attempt) -> tuple[int, int]:
    """Those of the request and of the answer. Where an answer does not say, and where none came in time, as many as
    they can have been: a token is at least a byte. An error status, or a broken connection, is no answer.
    """
    if attempt.input_tokens is not None and attempt.output_tokens is not None:
        return attempt.input_tokens, attempt.output_tokens
    if exchange.failure == CONNECTION or (exchange.http_status or 200) != 200:
        return 0, 0
    return len(exchange.request), model.max_output_tokens


def asked(model: ModelSettings) -> Attributes:
    """By OpenTelemetry's conventions for generative AI. Neither prompt nor answer is among them."""
    given: dict[str, str | int | float | None] = {
        "gen_ai.operation.name": CHAT,
        "gen_ai.provider.name": _PROVIDERS.get(model.provider, model.provider),
        "gen_ai.request.model": model.model,
        "gen_ai.request.max_tokens": model.max_output_tokens,
        "gen_ai.request.temperature": model.temperature,
        "gen_ai.request.seed": model.seed,
        "gen_ai.output.type": "json",
        **_place(model.url),
    }
    return {name: value for name, value in given.items() if value is not None}


def _place(url: str) -> dict[str, str | int]:
    """Empty where only the provider's library knows the server."""
    parts = urlsplit(url)
    if not parts.hostname:
        return {}
    return {"server.address": parts.hostname, "server.port": parts.port or (443 if parts.scheme == "https" else 80)}


def answered(attempt: Attempt) -> Attributes:
    given: dict[str, str | int | bool | None] = {
        "gen_ai.response.model": attempt.served_model or None,
        "gen_ai.usage.input_tokens": attempt.input_tokens,
        "gen_ai.usage.output_tokens": attempt.output_tokens,
        "http.response.status_code": attempt.http_status,
        "gen_ai.usage.cache_read.input_tokens": attempt.cached_tokens,
        "pnyx.outcome": attempt.outcome,
        "pnyx.reused": attempt.reused or None,
    }
    return {name: value for name, value in given.items() if value is not None}
