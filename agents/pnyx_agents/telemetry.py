"""Spans by OpenTelemetry, sent over OTLP/HTTP: what `tracing` asks for. OpenTelemetry is imported when it is opened."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

from pnyx_agents.tracing import Attributes, Span
from pnyx_contracts.errors import UsageError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span as OpenTelemetrySpan

EXPORT_SECONDS: Final = 5
CLOSE_SECONDS: Final = 3.0
_NANOSECONDS: Final = 10**9
_TRACE_BYTES, _SPAN_BYTES = 16, 8


@dataclass(frozen=True, slots=True)
class Root:
    """The ids of a workflow's span: a function of the workflow's id, so that every process knows them."""

    trace_id: int
    span_id: int

    @classmethod
    def of(cls, workflow: str) -> Root:
        digest = sha256(b"pnyx.trace.v1" + workflow.encode()).digest()
        ids = digest[:_TRACE_BYTES], digest[_TRACE_BYTES : _TRACE_BYTES + _SPAN_BYTES]
        return cls(*(int.from_bytes(some, "big") for some in ids))


_planned: ContextVar[Root | None] = ContextVar("planned", default=None)
"""The ids of the span that begins now, when they are not random."""


def open_telemetry(endpoint: str, headers: Mapping[str, str], agent: str) -> OpenTelemetry:
    """`endpoint`: URL of a collector, without the path of its traces. Raises `UsageError` without the packages."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON
    except ImportError as error:
        raise UsageError(f"[telemetry]: {error}", hint="pip install 'pnyx[otel]'") from error

    class Ids(RandomIdGenerator):
        def generate_trace_id(self) -> int:
            root = _planned.get()
            return super().generate_trace_id() if root is None else root.trace_id

        def generate_span_id(self) -> int:
            root = _planned.get()
            return super().generate_span_id() if root is None else root.span_id

    resource = Resource.create({"service.name": "pnyx", "service.version": version("pnyx"), "pnyx.agent": agent})
    exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", headers=dict(headers), timeout=EXPORT_SECONDS)
    provider = TracerProvider(sampler=ALWAYS_ON, resource=resource, id_generator=Ids(), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return OpenTelemetry(provider)


class _Span:
    """Implements `tracing.Span`."""

    def __init__(self, span: OpenTelemetrySpan) -> None:
        self._span = span

    def note(self, attributes: Attributes) -> None:
        self._span.set_attributes(dict(attributes))

    def fail(self, kind: str) -> None:
        from opentelemetry.trace import StatusCode

        self._span.set_attribute("error.type", kind)
        self._span.set_status(StatusCode.ERROR)


class OpenTelemetry:
    """Implements `tracing.Tracer`."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("pnyx", version("pnyx"))

    @contextmanager
    def within(self, workflow: str) -> Iterator[None]:
        from opentelemetry import context, trace

        root = Root.of(workflow)
        parent = trace.SpanContext(root.trace_id, root.span_id, is_remote=True, trace_flags=trace.TraceFlags(1))
        token = context.attach(trace.set_span_in_context(trace.NonRecordingSpan(parent)))
        try:
            yield
        finally:
            context.detach(token)

    @contextmanager
    def span(self, name: str, attributes: Attributes, *, is_call: bool = False) -> Iterator[Span]:
        from opentelemetry.trace import SpanKind

        kind = SpanKind.CLIENT if is_call else SpanKind.INTERNAL
        # What the library would note of an exception holds its message, and that may hold anything.
        with self._tracer.start_as_current_span(
            name, kind=kind, attributes=dict(attributes), record_exception=False, set_status_on_exception=False
        ) as opened:
            span = _Span(opened)
            try:
                yield span
            except BaseException as error:
                span.fail(type(error).__name__.lstrip("_"))
                raise

    def ids(self) -> dict[str, str]:
        from opentelemetry import trace

        context = trace.get_current_span().get_span_context()
        return {"trace_id": trace.format_trace_id(context.trace_id), "span_id": trace.format_span_id(context.span_id)}

    def finish(self, workflow: str, began_at: float, attributes: Attributes) -> None:
        from opentelemetry.context import Context

        token = _planned.set(Root.of(workflow))
        try:
            span = self._tracer.start_span(
                "proposal", Context(), attributes=dict(attributes), start_time=int(began_at * _NANOSECONDS)
            )
        finally:
            _planned.reset(token)
        span.end(time.time_ns())

    def close(self) -> None:
        """In a thread that is not waited for: a collector that is away would hold up the end of the process."""
        sending: Any = Thread(target=self._provider.force_flush, name="telemetry", daemon=True)
        sending.start()
        sending.join(CLOSE_SECONDS)
