"""What an operator wants an alarm on, for Prometheus."""

from __future__ import annotations

import time
from decimal import Decimal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from pnyx_tools.endpoints import Health

STEP_SECONDS = (0.1, 0.5, 2, 10, 30, 120, 600, 3600)
"""Some steps ask models, others wait for finality."""


class Metrics:
    """Counts and gauges of one agent."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.beat_at = 0.0
        """When a beat last came to its end. Seconds since the epoch."""
        self.looked_at = 0.0
        """When the chain was looked at to its end. Seconds since the epoch."""
        self.block = Gauge("pnyx_followed_block", "Last block that was looked at.", registry=self.registry)
        self._timestamp("pnyx_last_beat_timestamp_seconds", "When the last beat ended.", "beat_at")
        self._timestamp("pnyx_last_poll_timestamp_seconds", "When the chain was looked at to its end.", "looked_at")
        self.failures = Counter("pnyx_failures", "What failed and is tried again.", ["what"], registry=self.registry)
        self.proposals = Gauge("pnyx_proposals", "Proposals by stage.", ["stage"], registry=self.registry)
        self.unmirrored = Gauge(
            "pnyx_unmirrored_files", "Published files that a mirror does not have.", ["mirror"], registry=self.registry
        )
        self.steps = Histogram(
            "pnyx_step_seconds", "How long steps of proposals took.", ["step"], buckets=STEP_SECONDS,
            registry=self.registry,
        )  # fmt: skip
        self.requests = Counter(
            "pnyx_model_requests", "Requests to models, by what came of them.", ["model", "outcome"],
            registry=self.registry,
        )  # fmt: skip
        self.tokens = Counter(
            "pnyx_model_tokens", "Tokens of requests (input) and answers (output).", ["model", "direction"],
            registry=self.registry,
        )  # fmt: skip
        self.money = Counter(
            "pnyx_model_money", "What models cost whose price is set.", ["model", "currency"], registry=self.registry
        )
        self.gas_money = Gauge(
            "pnyx_gas_money_ether", "What the key has for gas, in ether (10**18 wei).", ["key"], registry=self.registry
        )
        self.gas_votes = Gauge(
            "pnyx_gas_money_votes", "So many votes that pays for, at the present gas price.", ["key"],
            registry=self.registry,
        )  # fmt: skip
        self.untold = Gauge(
            "pnyx_untold_messages", "Messages that a place did not take yet.", ["place"], registry=self.registry
        )
        self.alerts = Counter("pnyx_alerts", "Messages with urgency alert.", registry=self.registry)
        self.held = Gauge(
            "pnyx_votes_held",
            "1 while all votes are held: by the daemon, the signer or the chain.",
            registry=self.registry,
        )
        self._endpoint = {
            name: Gauge(f"pnyx_endpoint_{name}", says, ["number", "endpoint"], registry=self.registry)
            for name, says in {
                "rests": "1 while an endpoint is passed over.",
                "failures": "Failures of an endpoint in a row.",
                "latency_seconds": "Moving mean of an endpoint's answers.",
                "lag_blocks": "Blocks that an endpoint is behind the best one.",
            }.items()
        }

    def _timestamp(self, name: str, says: str, attribute: str) -> None:
        Gauge(name, says, registry=self.registry).set_function(lambda: getattr(self, attribute))

    def note_beat(self, *, held: bool) -> None:
        self.beat_at = time.time()
        self.held.set(held)

    def note_look(self, block: int) -> None:
        self.looked_at = time.time()
        self.block.set(block)

    def note_request(
        self, model: str, outcome: str, given: int, said: int, money: Decimal | None, currency: str
    ) -> None:
        """`given` and `said` in tokens."""
        self.requests.labels(model, outcome).inc()
        self.tokens.labels(model, "input").inc(given)
        self.tokens.labels(model, "output").inc(said)
        if money is not None:
            self.money.labels(model, currency).inc(float(money))

    def note_endpoints(self, all_of_them: list[Health]) -> None:
        """Numbered as in the configuration: two URLs of one provider have the same name."""
        for number, health in enumerate(all_of_them, start=1):
            for name, gauge in self._endpoint.items():
                gauge.labels(str(number), health.name).set(getattr(health, name))
