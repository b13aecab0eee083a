"""A small real collector of traces: it takes OTLP over HTTP (protobuf) and keeps every span that it gets.

with OtlpCollector() as collector:
    ...  # [telemetry] endpoint = collector.url
    collector.spans
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pnyx_tools.testing.serving import Answer, Asked, HttpServer


@dataclass(frozen=True, slots=True)
class Collected:
    """One span. Ids in lower-case hex; a root has an empty `parent_id`."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    kind: str
    """``INTERNAL``, ``CLIENT``"""
    attributes: Mapping[str, str | int | float]
    resource: Mapping[str, str | int | float]
    began_ns: int
    ended_ns: int
    is_error: bool


class OtlpCollector(HttpServer):
    """`headers` are those of the requests that came, names in lower case."""

    def __init__(self) -> None:
        super().__init__()
        self.spans: list[Collected] = []
        self.headers: list[Mapping[str, str]] = []

    def answer(self, asked: Asked) -> Answer:
        if asked.path != "/v1/traces":
            return Answer(status=404)
        is_packed = asked.headers.get("content-encoding") == "gzip"
        self.headers.append(asked.headers)
        self.spans.extend(_spans(gzip.decompress(asked.body) if is_packed else asked.body))
        return Answer()

    def children_of(self, span: Collected) -> list[Collected]:
        """In the order in which they began."""
        own = [s for s in list(self.spans) if (s.trace_id, s.parent_id) == (span.trace_id, span.span_id)]
        return sorted(own, key=lambda child: child.began_ns)


def _spans(body: bytes) -> Iterator[Collected]:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

    for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        resource = _plain(of_resource.resource.attributes)
        for span in (span for scope in of_resource.scope_spans for span in scope.spans):
            yield Collected(
                name=span.name,
                trace_id=span.trace_id.hex(),
                span_id=span.span_id.hex(),
                parent_id=span.parent_span_id.hex(),
                kind=Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
                attributes=_plain(span.attributes),
                resource=resource,
                began_ns=span.start_time_unix_nano,
                ended_ns=span.end_time_unix_nano,
                is_error=span.status.code == Status.STATUS_CODE_ERROR,
            )


def _plain(attributes: Any) -> dict[str, str | int | float]:  # noqa: ANN401 - protobuf's own type
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}
