"""What can be asked of a running agent over HTTP.

/metrics    for Prometheus
/healthz    200 while it works; 503 when a restart may help
/readyz     200 while it would vote; 503 and the reasons while it would not
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Thread
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

from pnyx_agents.metrics import Metrics
from pnyx_agents.settings import MetricsSettings
from pnyx_contracts.errors import UsageError

PATIENCE_POLLS: Final = 20
LEAST_PATIENCE_SECONDS: Final = 300.0
"""So long a beat, or a look at the chain, may take before it counts as stuck; slow endpoints are asked again."""

Respond = Callable[[str, list[tuple[str, str]]], Any]


@dataclass(frozen=True, slots=True)
class Vitals:
    """How the agent is. `begun_at` in seconds since the epoch."""

    metrics: Metrics
    held: Callable[[], list[str]]
    """Why votes are held."""
    poll_seconds: float
    begun_at: float
    now: Callable[[], float] = time.time

    def stuck(self) -> list[str]:
        """Why a restart may help."""
        return self._since("no beat", self.metrics.beat_at)

    def unready(self) -> list[str]:
        """Why it would not vote now."""
        return [*self.stuck(), *self._since("the chain was not looked at", self.metrics.looked_at), *self.held()]

    def _since(self, what: str, at: float) -> list[str]:
        patience = max(PATIENCE_POLLS * self.poll_seconds, LEAST_PATIENCE_SECONDS)
        seconds = self.now() - max(at, self.begun_at)
        return [f"{what} for {seconds:.0f} seconds"] if seconds > patience else []


def serve(vitals: Vitals, settings: MetricsSettings) -> None:
    """In a thread that ends with the process. Raises `UsageError` when it cannot listen there."""
    try:
        server = make_server(
            settings.host, settings.port, application(vitals), ThreadingWSGIServer, handler_class=_Quiet
        )
    except OSError as error:
        raise UsageError(
            f"[metrics]: cannot listen at {settings.host}:{settings.port}: {error.strerror}",
            hint="choose another port (each agent needs its own), or an address of this machine",
        ) from None
    Thread(target=server.serve_forever, name="vitals", daemon=True).start()


def application(vitals: Vitals) -> Callable[[dict[str, Any], Respond], Iterable[bytes]]:
    """As WSGI (PEP 3333)."""
    metrics = make_wsgi_app(vitals.metrics.registry)
    questions = {"/healthz": vitals.stuck, "/readyz": vitals.unready}

    def answer(environ: dict[str, Any], respond: Respond) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            return metrics(environ, respond)  # type: ignore[no-any-return]  # the library is typed as its environment
        if path not in questions:
            return _said(respond, "404 Not Found", {"paths": ["/metrics", *questions]})
        problems = questions[path]()
        return _said(respond, "503 Service Unavailable" if problems else "200 OK", {"problems": problems})

    return answer


def _said(respond: Respond, status: str, body: dict[str, list[str]]) -> list[bytes]:
    respond(status, [("content-type", "application/json")])
    return [json.dumps(body).encode() + b"\n"]


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class's name
        """A scrape every few seconds is no news."""
