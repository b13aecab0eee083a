"""What is seen of workflows from outside: log lines carry their ids, steps are timed and traced."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from structlog.contextvars import bound_contextvars

from pnyx_agents.metrics import Metrics
from pnyx_agents.tracing import NO_TRACES, Span, Tracer


def workflow_id(agent: str, proposal: str, number: int) -> str:
    """Of the workflow that handles a proposal for the `number`-th time. Those of its tasks go on after a ``/``."""
    return f"{agent}:{proposal}:{number}"


def proposal_of(workflow: str) -> str:
    """The proposal in an id made by `workflow_id`; names of agents hold no colon."""
    return workflow.partition(":")[2].rpartition(":")[0]


@dataclass(frozen=True, slots=True)
class Observer:
    """Of one process."""

    metrics: Metrics
    tracer: Tracer = NO_TRACES

    @contextmanager
    def workflow(self, workflow: str) -> Iterator[None]:
        """Around all that this process does for a workflow, or for one of its tasks."""
        whole = workflow.partition("/")[0]
        with bound_contextvars(workflow=whole, proposal=proposal_of(whole)), self.tracer.within(whole):
            yield

    @contextmanager
    def step(self, name: str) -> Iterator[Span]:
        """Around a step that runs; one that is only remembered is none."""
        kind, begun = name.partition(":")[0], time.monotonic()
        with (
            self.tracer.span(kind, {"pnyx.step": name}) as span,
            bound_contextvars(step=name, **self.tracer.ids()),
        ):
            yield span
        self.metrics.steps.labels(kind).observe(time.monotonic() - begun)

    def finished(self, workflow: str, began_at: float) -> None:
        """A whole workflow came to its end. `began_at` in seconds since the epoch."""
        self.tracer.finish(workflow, began_at, {"pnyx.workflow": workflow, "pnyx.proposal": proposal_of(workflow)})
