"""What must be the same when something is simulated again."""

from __future__ import annotations

from typing import Any

from pnyx_policies.facts import Simulation


def essence(simulation: Simulation) -> dict[str, Any]:
    """By whatever method: each shows the same. Gas and the wording of errors are each node's own affair."""
    whole: dict[str, Any] = simulation.model_dump(mode="json", exclude={"method", "passed_over"})
    whole["results"] = [{"path": r.path, "succeeded": r.succeeded} for r in simulation.results]
    for reading in whole["readings"]:
        for answer in (reading["before"], reading["after"]):
            answer["error"] = bool(answer["error"])
    for run in whole["delegated"]:
        del run["error"]
    return whole
