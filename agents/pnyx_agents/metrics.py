"""Prometheus metrics, when asked for."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from pnyx_agents.settings import MetricsSettings
from pnyx_contracts.errors import UsageError


class Metrics:
    """What an operator wants an alarm on."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.block = Gauge("pnyx_followed_block", "Last block that was looked at.", registry=self.registry)
        self.polled_at = Gauge(
            "pnyx_last_poll_timestamp_seconds", "When the last poll succeeded.", registry=self.registry
        )
        self.failures = Counter("pnyx_failures", "What failed and is tried again.", ["what"], registry=self.registry)
        self.proposals = Gauge("pnyx_proposals", "Proposals by stage.", ["stage"], registry=self.registry)
        self.unmirrored = Gauge(
            "pnyx_unmirrored_files", "Published files that a mirror does not have.", ["mirror"], registry=self.registry
        )
        self.alerts = Counter("pnyx_alerts", "Messages with urgency alert.", registry=self.registry)

    def serve(self, settings: MetricsSettings) -> None:
        """Raises `UsageError` when it cannot listen there."""
        try:
            start_http_server(settings.port, settings.host, registry=self.registry)
        except OSError as error:
            raise UsageError(
                f"[metrics]: cannot listen at {settings.host}:{settings.port}: {error.strerror}",
                hint="choose another port; each agent needs its own",
            ) from None
