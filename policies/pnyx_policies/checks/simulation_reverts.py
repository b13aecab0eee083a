"""simulation-reverts: would it work at all?"""

from __future__ import annotations

from pnyx_policies.checks.everywhere import everywhere
from pnyx_policies.checks.protocol import CheckSkipped, CheckView
from pnyx_policies.elsewhere import chain_in_words, far_runs
from pnyx_policies.facts import CallResult, SimulationStatus
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.text import quote


class SimulationReverts:
    """High: a proposal that fails today may be broken, or may wait for a state that somebody arranges. Check K11."""

    name = "simulation-reverts"
    version = "2"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        found = everywhere(view, self._reverts)
        unknown = next((run for run in far_runs(view.facts) if run.why_unknown), None)
        if unknown is not None and not found:
            where = chain_in_words(unknown.chain_id)
            raise CheckSkipped(f"call {unknown.paths[0]} was not simulated on {where}: {quote(unknown.why_unknown)}")
        return found

    def _reverts(self, view: CheckView) -> tuple[Finding, ...]:
        simulation = view.facts.simulation
        if simulation.status is SimulationStatus.SKIPPED:
            raise CheckSkipped(f"no simulation: {quote(simulation.why_skipped)}")
        if simulation.status is SimulationStatus.SUCCEEDED:
            return ()
        failed = tuple(r for r in simulation.results if not r.succeeded)
        return tuple(map(self._finding, failed)) or (self._finding(None),)

    def _finding(self, result: CallResult | None) -> Finding:
        return Finding(
            check=self.name,
            severity=Severity.HIGH,
            title=f"Call {result.path} reverts" if result else "The simulation reverts",
            detail=quote(result.error) if result else "",
            calls=(result.path,) if result else (),
        )
