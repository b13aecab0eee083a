"""A small real collector of traces: it takes OTLP over HTTP (protobuf) and keeps every span that it gets.

with OtlpCollector() as collector:
    ...  # [telemetry] endpoint = collector.endpoint
    collector.spans
"""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


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


@dataclass
class OtlpCollector:
    """`headers` are those of the requests that came, names in lower case."""

    spans: list[Collected] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

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


def _handler(collector: OtlpCollector) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            is_traces = self.path == "/v1/traces"
            if is_traces:
                collector.headers.append({name.lower(): value for name, value in self.headers.items()})
                collector.spans.extend(_spans(body))
            self.send_response(200 if is_traces else 404)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class names it so
            """Silent: what came is in `OtlpCollector.spans`."""

    return Handler
